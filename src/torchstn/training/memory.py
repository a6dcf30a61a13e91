"""What freed memory costs: a step of a network frees tens of megabytes and asks for them again at once."""

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # of glibc's malloc.h
_NEVER = 2**31 - 1


def keep_freed_memory() -> bool:
    """Tells the C library to keep what is freed for the rest of the process, instead of returning it.

    By default glibc gets blocks of more than 32 MB from the system and gives them back each time; the system
    clears every page again, which takes up to a third of a training step on a CPU.

    Returns:
        Whether the C library can be told so; only glibc can.
    """
    if sys.platform != "linux":
        return False
    tell = getattr(ctypes.CDLL(None), "mallopt", None)
    return tell is not None and bool(tell(_MMAP_MAX, 0)) and bool(tell(_TRIM_THRESHOLD, _NEVER))
