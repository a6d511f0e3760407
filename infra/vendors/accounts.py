"""What the product must be told to have an account with a simulated vendor."""

from collections.abc import Mapping

from infra.vendors.desk import Wire


def environment(wire: Wire, url: str) -> Mapping[str, str]:
    """The names of `shared/config.py` for an account at this address."""
    account = f"VENDOR_{wire.name.upper()}"
    secrets = secrets_of(wire, wire.settings.webhook_secret)
    return {
        f"{account}_URL": url,
        f"{account}_KEY": wire.settings.api_key,
        **({f"{account}_WEBHOOK_SECRETS": ",".join(secrets)} if secrets else {}),
    }


def secrets_of(wire: Wire, secret: str) -> tuple[str, ...]:
    """What callbacks are checked with, when this is the simulator's secret; one that signs with a
    key pair says which.
    """
    if wire.public_key:
        return (wire.public_key,)
    return (secret,) if wire.signs_with_secret and secret else ()
