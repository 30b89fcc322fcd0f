"""Every encoding against colours that are known, through real messages."""

import array
import resource
import struct
import zlib

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import Image as ImageMsg

from mask_detector.errors import ImageError
from mask_detector.image_conversion import ENCODINGS, compressed_to_bgr, to_bgr, to_data, to_jpeg
from mask_detector.picture_size import picture_size

WIDTH, HEIGHT = 6, 4
BGR = (30, 120, 220)
GREY = 90


def message(encoding: str, pixels: np.ndarray, padding: int = 0, big: bool = False) -> ImageMsg:
    """An Image message whose rows are followed by `padding` bytes of rubbish."""
    rows = np.ascontiguousarray(pixels).view(np.uint8).reshape(pixels.shape[0], -1)
    rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=77)
    return ImageMsg(
        height=pixels.shape[0],
        width=pixels.shape[1],
        encoding=encoding,
        step=rows.shape[1],
        is_bigendian=big,
        data=array.array("B", rows.tobytes()),
    )


def filled(*values: int, kind: str = "u1") -> np.ndarray:
    return np.full((HEIGHT, WIDTH, len(values)), values, kind)


def yuv(order: str) -> np.ndarray:
    """The colour BGR as 4:2:2, each pair of pixels in `order`."""
    y, v, u = cv2.cvtColor(np.uint8([[BGR]]), cv2.COLOR_BGR2YCrCb)[0, 0].astype(float)
    y, u, v = 16 + y * 219 / 255, 128 + (u - 128) * 224 / 255, 128 + (v - 128) * 224 / 255
    values = {"y": y, "u": u, "v": v}
    pair = np.uint8([round(values[part]) for part in order]).reshape(2, 2)
    return np.tile(pair, (HEIGHT, WIDTH // 2, 1))


def bayer(pattern: str) -> np.ndarray:
    cell = np.uint8([BGR["bgr".index(letter)] for letter in pattern]).reshape(2, 2)
    return np.tile(cell, (HEIGHT // 2, WIDTH // 2))


B, G, R = BGR
CASES = {
    "bgr8": filled(B, G, R),
    "8UC3": filled(B, G, R),
    "rgb8": filled(R, G, B),
    "bgra8": filled(B, G, R, 9),
    "8UC4": filled(B, G, R, 9),
    "rgba8": filled(R, G, B, 9),
    "bgr16": filled(B << 8, G << 8, R << 8, kind="<u2"),
    "rgb16": filled(R << 8, G << 8, B << 8, kind="<u2"),
    "yuv422": yuv("uyvy"),
    "uyvy": yuv("uyvy"),
    "yuv422_yuy2": yuv("yuyv"),
    "yuyv": yuv("yuyv"),
    "bayer_rggb8": bayer("rggb"),
    "bayer_bggr8": bayer("bggr"),
    "bayer_gbrg8": bayer("gbrg"),
    "bayer_grbg8": bayer("grbg"),
    "mono8": filled(GREY)[..., 0],
    "8UC1": filled(GREY)[..., 0],
    "mono16": filled(GREY << 8, kind="<u2")[..., 0],
    "16UC1": filled(GREY << 8, kind="<u2")[..., 0],
}


def test_every_encoding_is_tested():
    assert set(CASES) == set(ENCODINGS)


@pytest.mark.parametrize("padding", [0, 5])
@pytest.mark.parametrize("encoding", CASES)
def test_colours_arrive(encoding, padding):
    image = to_bgr(message(encoding, CASES[encoding], padding))
    expected = (GREY,) * 3 if "mono" in encoding or encoding.endswith("UC1") else BGR
    assert image.shape == (HEIGHT, WIDTH, 3) and image.dtype == np.uint8
    assert np.abs(image.astype(int) - expected).max() <= (2 if "y" in encoding else 0)


@pytest.mark.parametrize("encoding", ["mono16", "bgr16", "rgb16"])
def test_both_byte_orders_give_the_same_picture(encoding):
    little = CASES[encoding]
    big = message(encoding, little.astype(">u2"), big=True)
    np.testing.assert_array_equal(to_bgr(big), to_bgr(message(encoding, little)))


def test_bgr8_is_a_view_and_not_a_copy():
    original = message("bgr8", CASES["bgr8"], padding=3)
    image = to_bgr(original)
    original.data[0] = 201
    assert image[0, 0, 0] == 201
    assert not image.flags.writeable


def test_the_last_row_may_come_without_its_padding():
    original = message("bgr8", CASES["bgr8"], padding=3)
    original.data = original.data[:-3]
    assert to_bgr(original).shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"encoding": "32FC1"}, "'32FC1' is not supported"),
        ({"encoding": ""}, "'' is not supported"),
        ({"height": 0}, "no pixels: width 6, height 0"),
        ({"width": 0}, "no pixels"),
        ({"step": 5}, "step is 5, but a row of 6 bgr8 pixels has 18 bytes"),
        ({"height": 5}, "72 bytes of data, but 6x5 bgr8 with step 18 needs 90"),
        ({"data": array.array("B")}, "0 bytes of data"),
        ({"width": 100_000, "height": 1_000}, "more than 50 megapixels"),
        ({"encoding": "yuyv", "width": 5}, "even width, not 5"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(change, reason):
    broken = message("bgr8", CASES["bgr8"])
    for field, value in change.items():
        setattr(broken, field, value)
    with pytest.raises(ImageError, match=reason):
        to_bgr(broken)


@pytest.mark.parametrize(("extension", "tolerance"), [(".jpg", 4), (".png", 0)])
def test_compressed_images_arrive(extension, tolerance):
    _, content = cv2.imencode(extension, filled(B, G, R))
    image = compressed_to_bgr(array.array("B", content.tobytes()))
    assert np.abs(image.astype(int) - BGR).max() <= tolerance


def test_a_grey_jpeg_becomes_bgr():
    _, content = cv2.imencode(".jpg", filled(GREY)[..., 0])
    assert compressed_to_bgr(content.tobytes()).shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("content", [b"", b"rubbish", b"\xff\xd8\xff\xe0"])
def test_damaged_compressed_images_are_refused(content):
    with pytest.raises(ImageError, match=f"compressed image of {len(content)} bytes"):
        compressed_to_bgr(array.array("B", content))


def test_data_and_jpeg_are_what_messages_take_unchecked():
    strided = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)[:, ::2]
    assert to_data(strided).tobytes() == strided.tobytes()
    jpeg = to_jpeg(np.zeros((8, 8, 3), np.uint8), 50)
    assert isinstance(jpeg, array.array) and jpeg.typecode == "B"
    assert compressed_to_bgr(jpeg).shape == (8, 8, 3)


def png_of(width: int, height: int) -> bytes:
    """A small file that claims to hold so many pixels."""
    header = struct.pack(">II5B", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    body = [struct.pack(">I", len(data)) + kind + data for kind, data in chunks]
    sums = [struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(part for pair in zip(body, sums, strict=True) for part in pair)


def jpeg_of(width: int, height: int) -> bytes:
    content = cv2.imencode(".jpg", filled(B, G, R))[1].tobytes()
    place = content.index(b"\xff\xc0") + 5
    return content[:place] + struct.pack(">HH", height, width) + content[place + 4 :]


@pytest.mark.parametrize("make", [png_of, jpeg_of])
def test_a_small_file_that_claims_a_huge_picture_is_refused_before_it_is_decoded(make):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ImageError, match="30000x30000 is more than 50 megapixels"):
        compressed_to_bgr(make(30_000, 30_000))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < before + 100_000, "no room was made, in kB"


@pytest.mark.parametrize("kind", [".bmp", ".tiff", ".webp"])
def test_other_formats_never_reach_a_decoder(kind):
    with pytest.raises(ImageError, match="neither JPEG nor PNG"):
        compressed_to_bgr(cv2.imencode(kind, filled(B, G, R))[1].tobytes())


def test_the_size_is_read_past_whatever_a_camera_puts_first():
    plain = cv2.imencode(".jpg", filled(B, G, R))[1].tobytes()
    thumbnail = b"\xff\xe1" + struct.pack(">H", 2 + len(plain)) + plain
    assert picture_size(plain[:2] + thumbnail + b"\xff\xff" + plain[3:]) == (WIDTH, HEIGHT)


def test_what_jpeg_cannot_hold_is_refused():
    with pytest.raises(ImageError, match="70000x2 pixels cannot be written as JPEG"):
        to_jpeg(np.zeros((2, 70_000, 3), np.uint8))
