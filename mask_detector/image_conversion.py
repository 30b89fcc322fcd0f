"""Image messages to BGR arrays and back, without a copy where none is needed.

It takes the place of cv_bridge, whose Debian build fails under numpy 2 and always copies. It needs
only the fields of `sensor_msgs/Image`, so it is tested without ROS.
"""

import array
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from mask_detector.crops import Image
from mask_detector.errors import ImageError
from mask_detector.picture_size import picture_size

MOST_PIXELS = 50_000_000  # above any camera; a broken header may claim anything
JPEG_QUALITY = 80
_LONGEST_NAME = 40  # characters of an unknown encoding that are told


class ImageMessage(Protocol):
    """The fields of `sensor_msgs/Image` that a conversion reads."""

    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: Any


@dataclass(frozen=True)
class _Encoding:
    """How a pixel is stored, and the OpenCV conversion to BGR (None where it is BGR already)."""

    channels: int
    bits: int = 8
    conversion: int | None = None
    even_width: bool = False


# OpenCV names a Bayer pattern by its second row, ROS by its first.
_ENCODINGS = {
    "bgr8": _Encoding(3),
    "8UC3": _Encoding(3),
    "rgb8": _Encoding(3, conversion=cv2.COLOR_RGB2BGR),
    "bgra8": _Encoding(4, conversion=cv2.COLOR_BGRA2BGR),
    "8UC4": _Encoding(4, conversion=cv2.COLOR_BGRA2BGR),
    "rgba8": _Encoding(4, conversion=cv2.COLOR_RGBA2BGR),
    "mono8": _Encoding(1, conversion=cv2.COLOR_GRAY2BGR),
    "8UC1": _Encoding(1, conversion=cv2.COLOR_GRAY2BGR),
    "mono16": _Encoding(1, bits=16, conversion=cv2.COLOR_GRAY2BGR),
    "16UC1": _Encoding(1, bits=16, conversion=cv2.COLOR_GRAY2BGR),
    "bgr16": _Encoding(3, bits=16),
    "rgb16": _Encoding(3, bits=16, conversion=cv2.COLOR_RGB2BGR),
    "yuv422": _Encoding(2, conversion=cv2.COLOR_YUV2BGR_UYVY, even_width=True),
    "uyvy": _Encoding(2, conversion=cv2.COLOR_YUV2BGR_UYVY, even_width=True),
    "yuv422_yuy2": _Encoding(2, conversion=cv2.COLOR_YUV2BGR_YUY2, even_width=True),
    "yuyv": _Encoding(2, conversion=cv2.COLOR_YUV2BGR_YUY2, even_width=True),
    "bayer_rggb8": _Encoding(1, conversion=cv2.COLOR_BayerBG2BGR),
    "bayer_bggr8": _Encoding(1, conversion=cv2.COLOR_BayerRG2BGR),
    "bayer_gbrg8": _Encoding(1, conversion=cv2.COLOR_BayerGR2BGR),
    "bayer_grbg8": _Encoding(1, conversion=cv2.COLOR_BayerGB2BGR),
}
ENCODINGS = tuple(_ENCODINGS)


def to_bgr(message: ImageMessage) -> Image:
    """Return the picture in an Image message as BGR, shape (height, width, 3).

    A bgr8 message is not copied: the array is a read-only view of its data.

    Raises:
        ImageError: the encoding is unknown, or sizes and data do not fit together.
    """
    encoding = _ENCODINGS.get(message.encoding)
    if encoding is None:
        named = message.encoding[:_LONGEST_NAME]  # it may be anything, and stands in a log
        raise ImageError(f"encoding {named!r} is not supported, only {', '.join(ENCODINGS)}")
    pixels = _to_eight_bits(_pixels(message, encoding))
    if encoding.conversion is None:
        pixels.flags.writeable = False
        return pixels
    return cv2.cvtColor(pixels, encoding.conversion)


def compressed_to_bgr(data: Any) -> Image:
    """Return the picture in the data of a CompressedImage, JPEG or PNG, as BGR.

    Raises:
        ImageError: it is neither, is damaged, or claims to be larger than any camera's.
    """
    content = np.frombuffer(data, np.uint8)
    _check_size(*picture_size(memoryview(content)))
    return decoded(content)


def decoded(data: Any) -> Image:
    """Return a compressed picture whose size has been looked at before, as BGR.

    Raises:
        ImageError: it is damaged.
    """
    content = np.frombuffer(data, np.uint8)
    try:
        image = cv2.imdecode(content, cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise ImageError(f"compressed image of {content.size} bytes: {str(error).splitlines()[0]}") from error
    if image is None:
        raise ImageError(f"compressed image of {content.size} bytes is damaged")
    return image


def to_data(image: NDArray[np.uint8]) -> array.array:
    """Return the bytes of an array as the type that message fields take without checking each byte."""
    data = array.array("B")
    data.frombytes(memoryview(np.ascontiguousarray(image)).cast("B"))
    return data


def to_jpeg(image: Image, quality: int = JPEG_QUALITY) -> array.array:
    """Return a BGR image as JPEG bytes; `quality` is 1 to 100.

    Raises:
        ImageError: a side is longer than JPEG allows, 65500 pixels.
    """
    done, encoded = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, quality))
    if not done:
        raise ImageError(f"{image.shape[1]}x{image.shape[0]} pixels cannot be written as JPEG")
    return to_data(encoded)


def _pixels(message: ImageMessage, encoding: _Encoding) -> NDArray:
    """View the message's data as an array of shape (height, width[, channels])."""
    height, width = message.height, message.width
    _check_size(width, height)
    if encoding.even_width and width % 2:
        raise ImageError(f"a {message.encoding} image must have an even width, not {width}")
    row = width * encoding.channels * encoding.bits // 8
    if message.step < row:
        raise ImageError(
            f"step is {message.step}, but a row of {width} {message.encoding} pixels has {row} bytes"
        )
    needed = message.step * (height - 1) + row
    if len(message.data) < needed:
        raise ImageError(
            f"{len(message.data)} bytes of data, but {width}x{height} {message.encoding} "
            f"with step {message.step} needs {needed}"
        )
    order = ">" if message.is_bigendian else "<"
    kind = np.dtype(f"{order}u{encoding.bits // 8}")
    pixel = encoding.channels * kind.itemsize
    shape, strides = (height, width), (message.step, pixel)
    if encoding.channels > 1:
        shape, strides = (*shape, encoding.channels), (*strides, kind.itemsize)
    return np.ndarray(shape, kind, message.data, strides=strides)


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise ImageError(f"the image has no pixels: width {width}, height {height}")
    if width * height > MOST_PIXELS:
        raise ImageError(f"{width}x{height} is more than {MOST_PIXELS // 1_000_000} megapixels")


def _to_eight_bits(pixels: NDArray) -> Image:
    return pixels if pixels.dtype.itemsize == 1 else (pixels >> 8).astype(np.uint8)
