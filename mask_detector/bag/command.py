"""The command: choose the image topic, copy the bag, put the answers in, tell what came of it."""

import argparse
import sys
import time
from pathlib import Path

from rosbags.rosbag2 import Reader
from tqdm import tqdm

from mask_detector.annotate.command import make_detector
from mask_detector.annotate.options import add_model_options
from mask_detector.annotate.stop import Stop
from mask_detector.bag.annotator import IMAGE_TYPES, OUR_TOPICS, BagAnnotator
from mask_detector.bag.files import BagError, BagWriter, Message, messages, reading, storage_of
from mask_detector.bag.pictures import may_hold_pictures
from mask_detector.errors import ImageError, MaskDetectorError
from mask_detector.pipeline import MaskDetector

_DESCRIPTION = """\
Copy a recorded bag and add what the detector sees in it: detections, state_changes and annotated_image,
with the header of each image and its time of recording."""

_EPILOG = f"""\
Topics {", ".join(OUR_TOPICS)} in the bag are replaced.

exit code: 0 done; 1 the bag could not be read or written, or was damaged on the way; 2 wrong usage;
130 stopped by Ctrl-C, 143 by SIGTERM. OUTPUT is then a valid bag of what was done, but for a full disk"""


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = _parse(argv)
    try:
        with Stop() as stop, reading(options.input) as reader:
            topic = _choose(reader, options.topic)
            detector = make_detector(options)
            with BagWriter(options.output, storage_of(options.input)) as writer:
                return _Run(reader, writer, topic, detector, options.blur_faces).run(stop, options.output)
    except MaskDetectorError as error:
        print(f"bag: {error}", file=sys.stderr)
        return 1


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "bag", description=_DESCRIPTION, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "input", type=Path, metavar="INPUT", help="a bag: its folder, or a .mcap or .db3 file"
    )
    parser.add_argument("output", type=Path, metavar="OUTPUT", help="folder of the new bag, not there yet")
    parser.add_argument("--topic", default="", help="image topic, if the bag has several")
    blur = "make the faces in the annotated image unrecognisable, and leave all other pictures out"
    parser.add_argument("--blur-faces", action="store_true", help=blur)
    add_model_options(parser.add_argument_group("models"))
    return parser.parse_args(argv)


def _choose(reader: Reader, wanted: str) -> str:
    """Return the one image topic, or the one that is wanted.

    Raises:
        BagError: there is no such topic, or there are several.
    """
    all_images = {one.topic for one in reader.connections if one.msgtype in IMAGE_TYPES}
    images = sorted(all_images - set(OUR_TOPICS))
    if not images:
        raise BagError(f"'{reader.path}' has no topic of type {' or '.join(IMAGE_TYPES)}")
    if wanted and wanted not in images:
        raise BagError(f"'{wanted}' is no image topic of '{reader.path}': choose one of {', '.join(images)}")
    if not wanted and len(images) > 1:
        raise BagError(f"'{reader.path}' has several image topics: --topic with one of {', '.join(images)}")
    return wanted or images[0]


def _pictures(reader: Reader) -> set[str]:
    """Return and tell the topics whose messages are pictures, or may hold some."""
    topics = {one.topic for one in reader.connections if may_hold_pictures(one)} - set(OUR_TOPICS)
    print(f"bag: left out, as they may show faces: {', '.join(sorted(topics))}", file=sys.stderr)
    return topics


class _Run:
    """One pass through a bag."""

    def __init__(
        self, reader: Reader, writer: BagWriter, topic: str, detector: MaskDetector, blur: bool
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._topic = topic
        (kind, *_) = (one.msgtype for one in reader.connections if one.topic == topic)
        self._annotator = BagAnnotator(detector, IMAGE_TYPES[kind], writer, blur, self._warn)
        self._left_out = {*OUR_TOPICS, *(_pictures(reader) if blur else ())}
        self._images = self._faces = self._unreadable = 0

    def run(self, stop: Stop, output: Path) -> int:
        """Copy and answer every message, until the end or a signal; return the exit code."""
        began = time.monotonic()
        try:
            count = self._reader.topics[self._topic].msgcount
            with tqdm(total=count, unit="image", leave=False, disable=None) as bar:  # None: off a terminal
                for message in messages(self._reader):
                    self._take(message, bar)
                    if stop.signal:
                        print("bag: stopped; what was done until then is valid", file=sys.stderr)
                        return 128 + stop.signal
            return 0
        finally:
            seen = f"{self._images} images, {self._faces} faces, {self._unreadable} unreadable"
            took = time.monotonic() - began
            print(f"bag: {self._topic}: {seen}, {took:.1f} s; written: {output}", file=sys.stderr)

    def _warn(self, text: str) -> None:
        tqdm.write(f"bag: {text}", file=sys.stderr)

    def _take(self, message: Message, bar: tqdm) -> None:
        connection, recorded, data = message
        if connection.topic not in self._left_out:
            self._writer.copy(message)
        if connection.topic != self._topic:
            return
        try:
            self._faces += self._annotator.answer(data, recorded)
            self._images += 1
        except ImageError as error:
            self._unreadable += 1
            if self._unreadable == 1:
                bar.write(f"bag: an image was left out: {error}; more are only counted", file=sys.stderr)
        bar.update()
