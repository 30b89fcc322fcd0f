"""Which of a model's files runs fastest on this machine."""

from collections.abc import Collection
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from platform import machine

_BYTE_PRODUCTS = ("avx512_vnni", "avx_vnni", "amx_int8")  # as Linux calls them
_CPU_INFO = Path("/proc/cpuinfo")


def fastest(runtimes: Collection[str]) -> str:
    """Return which of the `runtimes` that a model has a file for to use.

    LiteRT where it is installed, in int8 where the processor is quick at it, else OpenCV.
    """
    if find_spec("ai_edge_litert"):
        for runtime in ("litert_int8", "litert") if quick_at_bytes() else ("litert", "litert_int8"):
            if runtime in runtimes:
                return runtime
    return "opencv"


@cache
def quick_at_bytes() -> bool:
    """Tell whether networks in int8 are faster than in float32 here.

    On x86 only where there are instructions for products of bytes: with AVX2 alone int8 took a third longer.
    Elsewhere, on Arm above all, they are.
    """
    if machine() not in ("x86_64", "AMD64"):
        return True
    try:
        words = set(_CPU_INFO.read_text().split())
    except OSError:
        return False
    return not words.isdisjoint(_BYTE_PRODUCTS)
