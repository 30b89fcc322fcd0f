"""How large a picture claims to be, read from its first bytes: before a decoder takes memory for it."""

import struct
from collections.abc import Iterator

from mask_detector.errors import ImageError

MOST_BYTES = 10_000_000
MOST_PIXELS = 25_000_000

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # JPEG segments that tell the size
_BARE = {0x01, *range(0xD0, 0xD8)}  # JPEG markers without a segment


def require_picture(content: bytes) -> None:
    """Raise ImageError for what is no JPEG, PNG or still WebP, or too large to be decoded."""
    if len(content) > MOST_BYTES:
        raise ImageError(
            f"{len(content)} bytes are more than {MOST_BYTES // 1_000_000} MB: send a smaller picture"
        )
    try:
        width, height = _size(content)
    except (struct.error, IndexError):
        raise ImageError("the picture is damaged: its beginning is cut short") from None
    if width < 1 or height < 1 or width * height > MOST_PIXELS:
        raise ImageError(
            f"{width} x {height} pixels: send a picture of at most {MOST_PIXELS // 1_000_000} megapixels"
        )


def _size(content: bytes) -> tuple[int, int]:
    if content.startswith(_PNG):
        return struct.unpack_from(">II", content, 16)
    if content.startswith(_JPEG):
        return _jpeg_size(content)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return _webp_size(content)
    raise ImageError("neither JPEG nor PNG nor WebP: send one of these")


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """Return the largest size that any frame of it claims."""
    sizes = list(_jpeg_frames(content))
    if not sizes:
        raise ImageError("the picture is damaged: it does not tell its size")
    return max(sizes, key=lambda size: size[0] * size[1])


def _jpeg_frames(content: bytes) -> Iterator[tuple[int, int]]:
    at = 2
    while at + 9 <= len(content):
        marker = content[at + 1]
        if content[at] != 0xFF or marker == 0xDA:  # the picture itself begins
            return
        if marker == 0xFF or marker in _BARE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", content, at + 5)
            yield width, height
        at += 2 + max(2, struct.unpack_from(">H", content, at + 2)[0])


def _webp_size(content: bytes) -> tuple[int, int]:
    kind = content[12:16]
    if kind == b"VP8X":
        if content[20] & 2:
            raise ImageError("a moving WebP: send a still picture")
        return 1 + int.from_bytes(content[24:27], "little"), 1 + int.from_bytes(content[27:30], "little")
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", content, 21)[0]
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise ImageError("the picture is damaged: no WebP has such a beginning")
