"""Price a request and promise the price for a while."""

from dataclasses import dataclass

from shared import pricing
from shared.app import App
from shared.pricing import Priced, Quote
from shared.usecases.price_job import CreateJob, fitted


@dataclass(frozen=True, slots=True)
class Quoted:
    """A promised price."""

    quote_id: str
    priced: Priced
    expires_at_ms: int


def quote_job(app: App, command: CreateJob) -> Quoted:
    """Exactly what the same request would be charged. Raises the errors of `fitting.fit`, and
    `CostAboveMaximum`.
    """
    generation, body_hash = fitted(app, command)
    priced = pricing.price(generation)
    pricing.check_maximum(priced.total_tokens, command.max_cost_tokens)
    expires_at_ms = app.clock.now_ms() + app.settings.quote_seconds * 1000
    quote = Quote(command.session.user_id, body_hash, priced.total_tokens, expires_at_ms)
    return Quoted(pricing.sign_quote(quote, app.settings.quote_secret), priced, expires_at_ms)
