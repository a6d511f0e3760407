"""What one sandbox process is started with."""

from dataclasses import dataclass, field

from infra.sandbox.behaviour import Behaviour

DEFAULT_PORT = 8090
DEFAULT_API_KEY = "sandbox-key"
DEFAULT_WEBHOOK_SECRET = "sandbox-webhook-secret"
DEFAULT_CONCURRENCY = 4


@dataclass(frozen=True, slots=True)
class Settings:
    """`port` 0 asks for a free one. `public_url` None means the address that was bound."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    api_key: str = DEFAULT_API_KEY
    webhook_secret: str = DEFAULT_WEBHOOK_SECRET
    concurrency: int = DEFAULT_CONCURRENCY
    submits_per_minute: int | None = None  # of a simulated vendor; None: as it is documented
    seed: int | None = None
    public_url: str | None = None
    behaviour: Behaviour = field(default_factory=Behaviour)
