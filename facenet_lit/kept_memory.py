"""Memory that a process has freed stays with it.

For a large array glibc asks the system for fresh pages and gives them back when it is freed; every page is then
filled with zeros when it is first touched, which takes longer than the arithmetic of a batch's normalisation. A
training step asks for the same arrays as the one before: kept, they cost nothing (mallopt(3), M_MMAP_MAX and
M_TRIM_THRESHOLD).
"""

from __future__ import annotations

import ctypes

# glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
NEVER = 2**31 - 1


def keep_freed_memory() -> bool:
    """From here on arrays come from memory that this process has had before, where there is some.

    The process stays as large as it has been at its largest. Nothing is computed differently.

    Returns:
        Whether the system's allocator can; where it is not glibc's, nothing is done.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library; TypeError: Windows wants a name
        return False
    return bool(mallopt(M_MMAP_MAX, 0)) and bool(mallopt(M_TRIM_THRESHOLD, NEVER))
