"""What the operator switches off and on at once: a vendor with all it makes, or one model."""

from dataclasses import replace

from shared import records
from shared.app import App
from shared.errors import InvalidRequest
from shared.ports import Documents, Write
from shared.usecases.open_pools import open_pools
from shared.vendor_health import Switches

_REMEMBERED_MS = 5000


async def switch_vendors(app: App, name: str, *, is_off: bool) -> Switches:
    """Sell and send nothing of this vendor or model any more, or do so again. What is already with
    the vendor goes on; what waits goes elsewhere where it may. Raises `InvalidRequest`.
    """
    providers = {model.provider for model in app.catalogue.models.values()}
    is_provider = name in providers
    if not is_provider and name not in app.catalogue.models:
        raise InvalidRequest(f"There is neither a vendor nor a model {name!r}.", param="name")

    def decide(documents: Documents) -> list[Write]:
        before = records.switches(documents[records.SWITCHES_KEY])
        field = "providers_off" if is_provider else "models_off"
        names: frozenset[str] = getattr(before, field)
        after = replace(before, **{field: names | {name} if is_off else names - {name}})
        return [records.put_switches(after)] if after != before else []

    documents = await app.store.transact([records.SWITCHES_KEY], decide)
    await open_pools(app)
    return records.switches(documents[records.SWITCHES_KEY])


async def read_switches(app: App) -> Switches:
    """What is switched off now."""
    key = records.SWITCHES_KEY
    return records.switches((await app.store.get([key]))[key])


class RememberedSwitches:
    """The switches for lists that many look at: a few seconds old at most."""

    def __init__(self) -> None:
        self._known: Switches | None = None
        self._read_at_ms = 0

    async def read(self, app: App) -> Switches:
        """What is switched off, as far as we know."""
        now_ms = app.clock.monotonic_ms()
        if self._known is None or now_ms - self._read_at_ms > _REMEMBERED_MS:
            self._known, self._read_at_ms = await read_switches(app), now_ms
        return self._known
