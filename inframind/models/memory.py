"""Keeps and measures the memory of a process that trains."""

import ctypes
import resource

# mallopt(3), glibc's malloc.h.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX, M_ARENA_MAX = -1, -2, -4, -8
NEVER_BYTES, STEP_BYTES = 2**31 - 1, 2**28


def keep_freed_memory() -> None:
    """Lets this process keep what tensors free. Does nothing where the C library is not glibc.

    By default glibc gives every large block back to the kernel and gets it again page by page:
    a fifth of a training step's time (`benchmarks/grpo_step.py`). It costs up to a third more
    resident memory.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, value in (
            (M_MMAP_MAX, 0),
            (M_TRIM_THRESHOLD, NEVER_BYTES),
            (M_TOP_PAD, STEP_BYTES),
            (M_ARENA_MAX, 1),
        ):
            mallopt(option, value)


def peak_bytes() -> int:
    """Reads the most memory that this process had reserved on its GPU.

    Without one it is the most that was resident (getrusage(2), in KiB).
    """
    import torch

    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_reserved())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
