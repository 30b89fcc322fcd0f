"""Keep the memory of one image for the next.

glibc gives large blocks back to the system as soon as they are free, and each new one costs a page
fault for every 4 kB: at 1920x1080 that is 4700 faults and 8 ms a frame.
"""

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # numbers of mallopt(3)
_KEPT = 64 << 20  # bytes that may lie free; some copies of an image of 1920x1080 are at work at once
_LARGEST = 32 << 20  # bytes of a block that is kept; more than glibc takes here is refused by it


def keep_freed_memory() -> None:
    """Tell glibc to keep what it would give back; another C library is left as it is."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_MMAP_THRESHOLD, _LARGEST)
    mallopt(_TRIM_THRESHOLD, _KEPT)
