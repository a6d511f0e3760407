"""Root of the deployed archive: hand the runtime the one function it asked for.

The runtime looks up FUNCTION_TARGET in this module. Importing lazily means that each function
loads only what it uses, although all of them share one archive.
"""

import gc
import logging
import os
from importlib import import_module, util


def __getattr__(name: str) -> object:
    if name.startswith("_") or util.find_spec(f"functions.{name}") is None:
        raise AttributeError(name)
    # What is imported now stays. Looking through it for garbage again and again would be a fifth
    # of the start.
    gc.disable()
    globals()[name] = target = _start(name)
    gc.freeze()
    gc.enable()
    return target


def _start(name: str) -> object:
    """The function, ready to answer: in the cloud, wrong settings show now and not to a caller."""
    from shared import bootstrap, logs
    from shared.config import CLOUD, BadSettings

    logs.configure(project=os.environ.get("GOOGLE_PROJECT", ""))
    target = getattr(import_module(f"functions.{name}"), name)
    try:
        if os.environ.get("PROFILE") == CLOUD:
            bootstrap.app()
    except BadSettings as error:
        logging.getLogger("reelmint").critical("cannot start: %s", error)
        raise SystemExit(2) from None
    return target
