"""What a source of frames is, whatever stands behind it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mask_detector.crops import Image
from mask_detector.errors import ImageError

VIDEO_RATE = 25.0  # frames a second of a video that states none


@dataclass(frozen=True)
class Frame:
    """One picture of a source.

    Attributes:
        image: BGR, shape (height, width, 3), uint8.
        source: the picture, video, webcam or stream, as given but for a stream's password.
        index: number of the frame in `source`, from 0; 0 for a picture.
        time: seconds since the first frame of `source`: media time of a file, wall time of a live source.
    """

    image: Image
    source: str
    index: int
    time: float


@dataclass(frozen=True)
class Unreadable:
    """Stands where frame `index` of `source` should have been; `error` says why it is missing."""

    source: str
    index: int
    error: ImageError


@dataclass(frozen=True)
class FrameSource:
    """An open source, to be iterated once and then closed; a context manager.

    What cannot be read on the way is an `Unreadable` among the frames, so that one damaged picture
    does not end a folder. A video that is cut off ends with one, and so does a live source when its
    camera is unplugged or its stream closes; it may then be opened again.

    Attributes:
        spec: what was given to `open_source`.
        count: number of frames or pictures, 0 where it is not known; some containers only estimate it.
        rate: frames a second; 0 of pictures, and of a live source that states none.
        live: whether it is a webcam or a stream, which does not wait and has no end of its own.
    """

    spec: str
    items: Iterator[Frame | Unreadable]
    count: int = 0
    rate: float = 0.0
    live: bool = False
    close: Callable[[], None] = lambda: None

    def __iter__(self) -> Iterator[Frame | Unreadable]:
        return self.items

    def __enter__(self) -> "FrameSource":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
