"""Pictures that people send: what is taken of them, and what is too large."""

from mask_detector.errors import ImageError
from mask_detector.picture_size import picture_size

MOST_BYTES = 10_000_000
MOST_PIXELS = 25_000_000


def require_picture(content: bytes) -> None:
    """Raise ImageError for what is no JPEG, PNG or still WebP, or too large to be decoded."""
    if len(content) > MOST_BYTES:
        raise ImageError(
            f"{len(content)} bytes are more than {MOST_BYTES // 1_000_000} MB: send a smaller picture"
        )
    width, height = picture_size(content, webp=True)
    if width < 1 or height < 1 or width * height > MOST_PIXELS:
        raise ImageError(
            f"{width} x {height} pixels: send a picture of at most {MOST_PIXELS // 1_000_000} megapixels"
        )
