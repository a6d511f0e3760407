"""Our accounts with media vendors, as the environment names them."""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class VendorAccount:
    """One account with a media vendor, from VENDOR_<NAME>_URL, _KEY, _WEBHOOK_SECRETS, _PLACES,
    _RATES, _HOSTS.

    The name is the provider's, or the provider's and a number: kling, kling_2. An account exists
    where any of them is set. Without a URL it is the provider's own; `places` and `rates` (submits
    per minute) override the catalogue's for pools of that name; `hosts` are more places where the
    vendor serves results.
    """

    name: str
    url: str = ""
    key: str = field(default="", repr=False)
    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    places: Mapping[str, int] = field(default_factory=dict)
    rates: Mapping[str, int] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()

    @property
    def provider(self) -> str:
        """Whose account it is."""
        return _NUMBERED.sub("", self.name)


def read_accounts(
    environment: Mapping[str, str], *, with_sandbox: bool
) -> tuple[tuple[VendorAccount, ...], list[str]]:
    """The accounts, and what could not be read."""
    found: dict[str, dict[str, Any]] = {"sandbox": dict(_SANDBOX)} if with_sandbox else {}
    problems: list[str] = []
    for name, text in sorted(environment.items()):
        match = _VENDOR.fullmatch(name)
        if match is None or not text:
            continue
        account, part = match[1].lower(), match[2].lower()
        try:
            found.setdefault(account, {})[part] = _ACCOUNT_PARTS[part](text)
        except ValueError as error:
            problems.append(f"{name}: {error}")
    return tuple(VendorAccount(name, **parts) for name, parts in found.items()), problems


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _key(text: str) -> str:
    key = text.strip()
    if not key.isascii() or any(letter.isspace() for letter in key):
        raise ValueError("a key has no spaces and no letters beyond ASCII")
    return key


def _secrets(text: str) -> tuple[str, ...]:
    secrets = _list(text)
    for secret in secrets:
        if secret.startswith(_STANDARD):
            try:
                base64.b64decode(secret.removeprefix(_STANDARD), validate=True)
            except ValueError as error:
                raise ValueError(f"after {_STANDARD} a secret is base64") from error
    return secrets


def _by_pool(text: str) -> Mapping[str, int]:
    counts = {}
    for entry in _list(text):
        pool, _, count = entry.partition(":")
        if not pool or pool in counts:
            raise ValueError(f"{entry!r}: each pool is named once")
        counts[pool] = int(count)
        if counts[pool] < 1:
            raise ValueError(f"{pool} needs at least 1")
    return counts


def _address(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("it is an address that begins with http:// or https://")
    return text


# The secrets of the vendor that comes with the local profile are known to everybody.
_SANDBOX: Mapping[str, Any] = {
    "key": "sandbox-key",
    "webhook_secrets": ("sandbox-webhook-secret",),
}
_STANDARD = "whsec_"  # by the rules of Standard Webhooks
_NUMBERED = re.compile(r"_\d+$")
_VENDOR = re.compile(r"VENDOR_([A-Z0-9_]+?)_(URL|KEY|WEBHOOK_SECRETS|PLACES|RATES|HOSTS)")
_ACCOUNT_PARTS: Mapping[str, Callable[[str], Any]] = {
    "url": _address,
    "key": _key,
    "webhook_secrets": _secrets,
    "places": _by_pool,
    "rates": _by_pool,
    "hosts": _list,
}
