"""Derived ids: the same cause always has the same name, so doing it twice is doing it once."""

import hashlib

_SEPARATOR = "\x1f"


def derived(*parts: str | int) -> str:
    """32 hex digits that stand for these parts and no others."""
    text = _SEPARATOR.join([f"{len(part)}:{part}" for part in map(str, parts)])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def user_id(email: str) -> str:
    """One account per address, whatever its letter case."""
    return f"usr_{derived('user', email.strip().lower())}"


def job_id(owner_id: str, idempotency_key: str) -> str:
    """The one job that this key of this user names."""
    return f"job_{derived('job', owner_id, idempotency_key)}"


def task_key(*parts: str | int) -> str:
    """A task name: hashed, because sequential names make a hot spot in Cloud Tasks."""
    return derived("task", *parts)
