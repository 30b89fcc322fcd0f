"""The size that a compressed picture claims, read before it is decoded.

OpenCV makes room for up to a gigapixel, 3 GB, as soon as a damaged header asks for it, and would try two
dozen formats. Cameras send JPEG, now and then PNG: nothing else reaches a decoder.
"""

import struct

from mask_detector.errors import ImageError

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # markers of a segment that states the size
_BARE = {0x01, *range(0xD0, 0xD8)}  # markers without a segment


def picture_size(content: bytes | memoryview) -> tuple[int, int]:
    """Return width and height in pixels of a JPEG or PNG.

    Raises:
        ImageError: it is neither, or its header is cut short or damaged.
    """
    head = bytes(content[:24])
    try:
        if head.startswith(_PNG):
            return struct.unpack(">II", head[16:24])
        if head.startswith(_JPEG):
            return _jpeg_size(content)
    except (struct.error, IndexError):
        raise ImageError(f"compressed image of {len(content)} bytes is cut short or damaged") from None
    raise ImageError(f"compressed image of {len(content)} bytes is neither JPEG nor PNG")


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
