"""One value that holds the ports, the settings and the catalogue: all that a use case may touch."""

from dataclasses import dataclass

from shared.config import Settings
from shared.models import Catalogue
from shared.ports import Blobs, Clock, Ids, Media, Queue, Store, Vendors


@dataclass(frozen=True, slots=True)
class App:
    """What every use case gets as its first argument."""

    settings: Settings
    catalogue: Catalogue
    store: Store
    queue: Queue
    blobs: Blobs
    media: Media
    vendors: Vendors
    clock: Clock
    ids: Ids
