"""Simulators of the media vendors: one file each speaks that vendor's wire, on this machine.

They are written from the vendors' documentation and share no code with the product's translators;
what makes films, keeps places and misbehaves on command is the sandbox vendor's.
"""

from importlib import import_module
from pkgutil import iter_modules

from infra.vendors.desk import Wire

_NOT_VENDORS = frozenset({"accounts", "bodies", "desk", "server", "signers"})

NAMES = tuple(
    sorted(
        module.name
        for module in iter_modules(__path__)
        if not module.name.startswith("_") and module.name not in _NOT_VENDORS
    )
)


def load(name: str) -> Wire:
    """The wire of one vendor."""
    assert name in NAMES, f"there is no simulator of {name!r}"
    wire: Wire = import_module(f"{__name__}.{name}").WIRE
    assert wire.name == name, "a simulator is called like its file"
    return wire
