"""Price a request and promise the price for a while."""

from dataclasses import dataclass, replace

from shared import pricing
from shared.app import App
from shared.pricing import Priced, Quote
from shared.usecases.create_job import CreateJob, price_request


@dataclass(frozen=True, slots=True)
class Quoted:
    """A promised price."""

    quote_id: str
    priced: Priced
    expires_at_ms: int


def quote_job(app: App, command: CreateJob) -> Quoted:
    """Exactly what the same request would be charged. Raises the errors of `price_request`."""
    generation, _, body_hash = price_request(app, replace(command, quote_id=None))
    priced = pricing.price(generation)
    expires_at_ms = app.clock.now_ms() + app.settings.quote_seconds * 1000
    quote = Quote(command.session.user_id, body_hash, priced.total_tokens, expires_at_ms)
    return Quoted(pricing.sign_quote(quote, app.settings.quote_secret), priced, expires_at_ms)
