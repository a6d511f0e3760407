"""What a generation costs, and quotes: a signed price that is honoured until it expires."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache

from shared.errors import CostAboveMaximum, QuoteExpired, QuoteMismatch
from shared.fitting import Generation, possible
from shared.models import Model, Rates

_PREFIX = "quote_"
_SORTED = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Line:
    """One part of a price."""

    code: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Priced:
    """A price with its parts."""

    total_tokens: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Quote:
    """A price promised to one user for one request."""

    user_id: str
    body_hash: str
    total_tokens: int
    expires_at_ms: int


def price(generation: Generation) -> Priced:
    """The price of a request that fits its model."""
    lines = [Line(code, tokens) for code, tokens in _parts(generation.model.price, generation)]
    total_tokens = sum(line.tokens for line in lines)
    assert total_tokens > 0, "the catalogue has no free models"
    return Priced(total_tokens, tuple(lines))


@cache
def cheapest_tokens(model: Model) -> int:
    """The least that anything of this model costs."""
    return min(price(generation).total_tokens for generation in possible(model))


def cost_microusd(generation: Generation) -> int:
    """What the vendor takes for it, in millionths of a dollar."""
    return sum(amount for _, amount in _parts(generation.model.cost_microusd, generation))


def _parts(rates: Rates, generation: Generation) -> Iterator[tuple[str, int]]:
    settings, count = generation.settings, generation.settings.count
    resolution, seconds = settings.resolution or "", settings.duration_seconds
    together = 0
    if rates.base:
        together += rates.base
        yield "base", rates.base * count
    if seconds and rates.per_second:
        together += (amount := rates.per_second[resolution] * seconds)
        yield "duration", amount * count
    if rates.per_choice:
        by_duration = f"{resolution}/{seconds}" if seconds else resolution
        key = next(
            key for key in (by_duration, resolution, f"/{seconds}") if key in rates.per_choice
        )
        together += (amount := rates.per_choice[key])
        yield "choice", amount * count
    if settings.audio and rates.audio_percent:
        yield "audio", -(-together * rates.audio_percent // 100) * count


def body_hash(generation: Generation) -> str:
    """What makes two requests the same request."""
    body = {
        "model": generation.model.id,
        "prompt": generation.prompt,
        "settings": asdict(generation.settings),
        "images": dict(generation.images),
        "project_id": generation.project_id,
        "fallback_models": generation.fallback_models,
    }
    return hashlib.sha256(_SORTED.encode(body).encode()).hexdigest()


def sign_quote(quote: Quote, secret: str) -> str:
    """The quote as an id that carries itself."""
    payload = json.dumps(asdict(quote), separators=(",", ":")).encode()
    signed = f"{_PREFIX}{_encode(payload)}"
    return f"{signed}.{_mac(signed, secret)}"


def honour_quote(quote_id: str, user_id: str, hash_of_body: str, secret: str, now_ms: int) -> int:
    """The promised price in tokens. Raises `QuoteMismatch`, `QuoteExpired`."""
    quote = _read_quote(quote_id, secret)
    if (quote.user_id, quote.body_hash) != (user_id, hash_of_body):
        raise QuoteMismatch("This quote was given for another request.", param="quote_id")
    if quote.expires_at_ms <= now_ms:
        raise QuoteExpired("The quote has expired. Ask for a new one.", param="quote_id")
    return quote.total_tokens


def check_maximum(total_tokens: int, max_cost_tokens: int | None) -> None:
    """Refuse a price above what the caller would pay. Raises `CostAboveMaximum`."""
    if max_cost_tokens is not None and total_tokens > max_cost_tokens:
        raise CostAboveMaximum(
            f"This costs {total_tokens} tokens, above your maximum of {max_cost_tokens}.",
            param="max_cost_tokens",
            required_tokens=total_tokens,
        )


def _read_quote(quote_id: str, secret: str) -> Quote:
    """The quote, if these are exactly the letters that we gave out."""
    signed, _, mac = quote_id.rpartition(".")
    if not quote_id.isascii() or not hmac.compare_digest(
        mac.encode(), _mac(signed, secret).encode()
    ):
        raise QuoteMismatch("This is not a quote of ours.", param="quote_id")
    payload = base64.urlsafe_b64decode(_padded(signed.removeprefix(_PREFIX)))
    return Quote(**json.loads(payload))


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _padded(text: str) -> str:
    return text + "=" * (-len(text) % 4)


def _mac(signed: str, secret: str) -> str:
    assert secret, "an empty secret would sign for everybody"
    return hmac.new(secret.encode(), b"quote:" + signed.encode(), hashlib.sha256).hexdigest()
