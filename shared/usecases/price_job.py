"""What a caller asks for, checked against its model and priced."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from shared import fitting, moderation, pricing
from shared.app import App
from shared.errors import AppError, InvalidRequest, UnsupportedSetting
from shared.fitting import Generation
from shared.jobs import Settings
from shared.usecases.read_session import Session

FALLBACKS_MAX = 3
MODELS_LEFT_MAX = FALLBACKS_MAX + 1  # with the operator's


@dataclass(frozen=True, slots=True)
class CreateJob:
    """What the caller asked for. `is_retry` is the client's own mark of a repeated request."""

    session: Session
    model: str
    prompt: str
    settings: Settings
    images: Mapping[str, str]
    project_id: str | None = None
    fallback_models: tuple[str, ...] = ()
    quote_id: str | None = None
    max_cost_tokens: int | None = None
    idempotency_key: str | None = None
    is_retry: bool = False


def fitted(app: App, command: CreateJob) -> tuple[Generation, str]:
    """The request checked against its model, and what makes it the same as another.

    Raises `UnknownModel`, `ModelUnavailable`, `ModerationBlocked` and the errors of `fitting.fit`,
    for the model and for each that may do it instead.
    """
    now_ms = app.clock.now_ms()
    model = app.catalogue.sellable(command.model, now_ms)
    generation = fitting.fit(
        model, command.prompt, command.settings, command.images, command.project_id
    )
    moderation.check(generation.prompt)
    _check_places(app, generation)
    fallbacks = _fallbacks(app, command, generation, now_ms)
    generation = replace(generation, fallback_models=fallbacks)
    return generation, pricing.body_hash(generation)


def price_of(app: App, command: CreateJob, generation: Generation, body_hash: str) -> int:
    """What to hold: the promised price when there is a quote, at most what the caller would pay."""
    if command.quote_id:
        user_id, secret = command.session.user_id, app.settings.quote_secret
        now_ms = app.clock.now_ms()
        tokens = pricing.honour_quote(command.quote_id, user_id, body_hash, secret, now_ms)
    else:
        tokens = pricing.price(generation).total_tokens
    pricing.check_maximum(tokens, command.max_cost_tokens)
    return tokens


def _check_places(app: App, generation: Generation) -> None:
    pool = app.catalogue.pools[generation.model.pool]
    most = pool.units_most
    if pool.units(generation.settings.count) > most:
        raise UnsupportedSetting(
            f"{generation.model.name} makes at most {most} at a time here.", param="count"
        )


def _fallbacks(
    app: App, command: CreateJob, generation: Generation, now_ms: int
) -> tuple[str, ...]:
    """The models that may do it instead: those that the creator names must be able to, and cost no
    more; the one that the operator has named need not.
    """
    if len(command.fallback_models) > FALLBACKS_MAX:
        raise InvalidRequest(
            f"At most {FALLBACKS_MAX} models may be named.", param="fallback_models"
        )
    most_tokens = pricing.price(generation).total_tokens
    for name in command.fallback_models:
        try:
            other = fitting.fit_another(app.catalogue.sellable(name, now_ms), generation)
            _check_places(app, other)
        except AppError as error:
            raise UnsupportedSetting(error.message, param="fallback_models") from error
        if pricing.price(other).total_tokens > most_tokens:
            raise UnsupportedSetting(
                f"{other.model.name} costs more than {generation.model.name}.",
                param="fallback_models",
            )
    equal = generation.model.equal
    named = (*command.fallback_models, *((equal,) if equal else ()))
    return tuple(name for name in dict.fromkeys(named) if name != generation.model.id)
