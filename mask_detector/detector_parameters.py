"""The parameters of the detector node, and the settings of the core that they stand for."""

from collections.abc import Mapping
from dataclasses import fields

from mask_detector.classifiers import RUNTIMES
from mask_detector.face_detectors import FACE_DETECTORS, FaceSearch
from mask_detector.follow import Following
from mask_detector.image_conversion import JPEG_QUALITY
from mask_detector.image_input import TRANSPORTS
from mask_detector.parameters import Described, Parameters, Value

_SEARCH = FaceSearch()
_FOLLOWING = Following()

PARAMETERS = (
    Described("autostart", True, "configure and activate at start, without a lifecycle manager"),
    Described("image_transport", TRANSPORTS[0], "how images arrive", choices=TRANSPORTS),
    Described("face_detector", FACE_DETECTORS[0], "which face detector; auto is the best that runs here",
              choices=FACE_DETECTORS),
    Described("face_model", "",
              "path of a file to use in place of the shipped one: .onnx in YuNet's layout, or .tflite"),
    Described("classifier", "",
              "name of a classifier in models/manifest.json, or path of your own; empty for the default"),
    Described("runtime", RUNTIMES[0], "what runs the classifier; auto: the fastest here",
              choices=RUNTIMES),
    Described("threads", 2, "processor cores that the models may use", low=1, high=64),
    Described("face_score_threshold", _SEARCH.score_threshold,
              "least score of a face, times the classifier's probability of one", high=1, live=True),
    Described("face_nms_threshold", _SEARCH.nms_threshold,
              "overlap (IoU) from which two boxes are one face; not for haar", high=1, live=True),
    Described("face_input_size", _SEARCH.input_size, "longest side in pixels at which images are searched",
              low=64, high=4096, live=True),
    Described("face_min_size", _SEARCH.min_size, "shorter side of the smallest face, pixels of the image",
              low=1, high=4096, live=True),
    Described("face_max_size", _SEARCH.max_size, "longer side of the largest face, pixels; 0 for no limit",
              high=16384, live=True),
    Described("face_tiles", _SEARCH.tiles,
              "search large images in tiles x tiles parts too, 1 + tiles^2 times the cost; not for haar",
              low=1, high=8, live=True),
    Described("follow_score_threshold", _FOLLOWING.score_threshold,
              "least score, times that probability, of a face that continues a person who is followed",
              high=1, live=True),
    Described("follow_patience", _FOLLOWING.patience,
              "seconds for which a person may be unseen until they have left", low=0.1, high=60, live=True),
    Described("follow_settle_time", _FOLLOWING.settle_time,
              "seconds of clear evidence after which a state is settled or changes, about",
              low=0.1, high=10, live=True),
    Described("follow_look_interval", _FOLLOWING.look_interval,
              "seconds for which a look at a settled person's mask counts; 0 for one in every frame",
              high=2, live=True),
    Described("raw_scores", False, "publish the scores of each frame alone in ~/detections", live=True),
    Described("ros4hri", False, "publish faces as REP-155 has them, on /humans/faces; needs hri_msgs"),
    Described("blur_faces", False, "make the faces in the annotated images unrecognisable", live=True),
    Described("jpeg_quality", JPEG_QUALITY, "quality of the compressed annotated image, percent",
              low=1, high=100, live=True),
)  # fmt: skip


def contradiction(values: Mapping[str, Value]) -> str:
    """Return why these values cannot go together, empty if they can."""
    least, most = values.get("face_min_size", 0), values.get("face_max_size", 0)
    if 0 < most < least:
        return f"face_min_size {least} is above face_max_size {most}: no face could count"
    return ""


def face_search(values: Parameters) -> FaceSearch:
    """Return how to look for faces."""
    return FaceSearch(**{field.name: values[f"face_{field.name}"] for field in fields(FaceSearch)})


def following(values: Parameters) -> Following:
    """Return how to follow people."""
    return Following(**{field.name: values[f"follow_{field.name}"] for field in fields(Following)})
