"""Emulators for tests: each is started once, when the first test asks, and stopped with the run."""

import contextlib
import functools
import os

import pytest

from infra.emulators.firestore import NoEmulator, firestore_emulator

running = contextlib.ExitStack()


@functools.cache
def firestore() -> str:
    """The Firestore emulator's host and port. Without it, CI fails and other places skip."""
    try:
        return running.enter_context(firestore_emulator())
    except NoEmulator as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))
