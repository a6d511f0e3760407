"""Emulators for tests: each is started once, when the first test asks, and stopped with the run."""

import contextlib
import functools
import os

import pytest

from infra.emulators.firestore import NoEmulator, find_jar, firestore_emulator

running = contextlib.ExitStack()


def require() -> None:
    """Without the emulators, CI fails and other places skip."""
    try:
        find_jar()
    except NoEmulator as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))


@functools.cache
def firestore() -> str:
    """The Firestore emulator's host and port."""
    require()
    return running.enter_context(firestore_emulator())
