"""The size that a compressed picture claims, read before it is decoded.

OpenCV makes room for up to a gigapixel, 3 GB, as soon as a damaged header asks for it, and would try two
dozen formats. Cameras send JPEG, now and then PNG; people have WebP, too: nothing else reaches a decoder.
"""

import struct

from mask_detector.errors import ImageError

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # markers of a segment that states the size
_BARE = {0x01, *range(0xD0, 0xD8)}  # markers without a segment


def picture_size(content: bytes | memoryview, webp: bool = False) -> tuple[int, int]:
    """Return width and height in pixels of a JPEG, PNG or, where that is allowed, still WebP.

    Raises:
        ImageError: it is none of these, or its header is cut short or damaged.
    """
    head = bytes(content[:30])
    try:
        if head.startswith(_PNG):
            return struct.unpack(">II", head[16:24])
        if head.startswith(_JPEG):
            return _jpeg_size(content)
        if webp and head[:4] == b"RIFF" and head[8:12] == b"WEBP":
            return _webp_size(head)
    except (struct.error, IndexError):
        raise ImageError(f"compressed image of {len(content)} bytes is cut short or damaged") from None
    other = " nor WebP" if webp else ""
    raise ImageError(f"compressed image of {len(content)} bytes is neither JPEG nor PNG{other}")


def _jpeg_size(content: bytes | memoryview) -> tuple[int, int]:
    """Walk from marker to marker until one states the size."""
    place = len(_JPEG)
    while True:
        if content[place] != 0xFF:
            raise IndexError
        marker = content[place + 1]
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", content, place + 5)
            return width, height
        if marker == 0xFF:  # a byte that fills
            place += 1
        elif marker in _BARE:
            place += 2
        else:
            place += 2 + struct.unpack_from(">H", content, place + 2)[0]


def _webp_size(head: bytes) -> tuple[int, int]:
    """Read the size where the first chunk has it: extended, lossless or lossy."""
    kind = head[12:16]
    if kind == b"VP8X":
        if head[20] & 2:
            raise ImageError("a moving WebP: send a still picture")
        width, wider, height, higher = struct.unpack_from("<HBHB", head, 24)
        return 1 + width + (wider << 16), 1 + height + (higher << 16)
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", head, 21)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", head, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise IndexError
