"""Gemini as its documentation describes it: pictures, interactions, operations, files, webhooks."""

from infra.sandbox.settings import Settings
from infra.vendors import (
    _gemini_files,
    _gemini_interactions,
    _gemini_keys,
    _gemini_operations,
    _gemini_pictures,
)
from infra.vendors._gemini_words import refuse
from infra.vendors.desk import Wire

WIRE = Wire(
    name="gemini",
    routes=(
        *_gemini_pictures.ROUTES,
        *_gemini_interactions.ROUTES,
        *_gemini_operations.ROUTES,
        *_gemini_files.ROUTES,
        *_gemini_keys.ROUTES,
    ),
    refuse=refuse,
    settings=Settings(port=8103, api_key="gemini-key", webhook_secret="", concurrency=10),
    event=_gemini_interactions.event,
    signer=_gemini_keys.signer,
    signs_with_secret=True,
    places_apart={"image": 10},
    submits_per_minute=120,
)
