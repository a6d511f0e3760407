"""The media vendors, one file each. A vendor's name is its file's name, everywhere.

`translator` says what such a file holds and `driver` runs them all; names that begin with an
underscore are tools they share.
"""

from importlib import import_module
from pkgutil import iter_modules

from shared.adapters.providers.translator import Provider
from shared.errors import NotFound

_NOT_VENDORS = frozenset({"driver", "key_sets", "translator"})

NAMES = tuple(
    sorted(
        module.name
        for module in iter_modules(__path__)
        if not module.name.startswith("_") and module.name not in _NOT_VENDORS
    )
)


def load(name: str) -> Provider:
    """The translator of one vendor; its file is imported at first use. Raises `NotFound`."""
    if name not in NAMES:
        raise NotFound("There is no such provider.")
    provider: Provider = import_module(f"{__name__}.{name}").PROVIDER
    assert provider.name == name, "a provider is called like its file"
    return provider
