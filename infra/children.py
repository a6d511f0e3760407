"""Child processes that end with their parent, even when that is killed."""

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """For `preexec_fn`: the kernel ends this process when its parent does (Linux)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def wait_for_parent() -> None:
    """Return when stdin closes, which its parent holds open. Not by Python's buffer: its lock would
    break an interpreter that ends meanwhile.
    """
    while os.read(0, 4096):
        pass
