"""Root of the deployed archive: hand the runtime the one function it asked for.

The runtime looks up FUNCTION_TARGET in this module. Importing lazily means that each function
loads only what it uses, although all of them share one archive.
"""

from importlib import import_module


def __getattr__(name: str) -> object:
    if name.startswith("_"):
        raise AttributeError(name)
    try:
        return getattr(import_module(f"functions.{name}"), name)
    except ModuleNotFoundError as error:
        raise AttributeError(name) from error
