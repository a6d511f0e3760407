"""Structured logs on stdout, in the fields that Cloud Logging understands.

A secret, a signed address or a prompt that strays into a log record stays there: of our own
records only the named extra fields are written, of a library's its words without what it filled in,
and of an error its type and where it happened, never its text.
Source: https://cloud.google.com/logging/docs/structured-logging and, for the two headers of a
trace, https://cloud.google.com/trace/docs/trace-context.
"""

import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Mapping
from contextvars import ContextVar
from types import TracebackType
from typing import Any

EXTRA_FIELDS = (
    "detail",
    "due_jobs",
    "job_id",
    "method",
    "pool",
    "provider",
    "quarantined_slots",
    "route",
    "state",
    "task",
)
_SEVERITIES = {"WARNING": "WARNING", "ERROR": "ERROR", "CRITICAL": "CRITICAL", "DEBUG": "DEBUG"}
_OURS = frozenset({"functions", "infra", "main", "reelmint", "shared"})
_NOISY = ("httpcore", "httpx", "uvicorn.access")
_LIBRARY_CHARS_MAX = 200
_CAUSES_MAX = 5

_TRACE_HEADERS = {
    b"traceparent": re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-"),
    b"x-cloud-trace-context": re.compile(rb"([0-9a-f]{32})(?:/|$)"),
}
_JOB_ID = re.compile(r"job_[0-9a-f]{32}")

_scope: ContextVar[Mapping[str, Any] | None] = ContextVar("scope", default=None)
_job_id: ContextVar[object] = ContextVar("job_id", default=None)


def configure(level: int = logging.INFO, project: str = "") -> None:
    """Send every log of this process to stdout as JSON, and the error that ends it too. Traces
    belong to a Google project."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter(project))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # A record that cannot be formatted would be printed with everything that is in it.
    logging.raiseExceptions = False
    sys.excepthook = _ended
    threading.excepthook = lambda ended: _ended(
        ended.exc_type, ended.exc_value or ended.exc_type(), ended.exc_traceback
    )
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # Google's clients cut their loggers off, unless somebody has set them up before or after.
    google = logging.getLogger("google")
    google.setLevel(level)
    google.propagate = True


def about_request(scope: Mapping[str, Any]) -> None:
    """What is logged from here on belongs to this request. It is looked at only when something is
    logged."""
    _scope.set(scope)


def about_job(job_id: object) -> None:
    """What is logged from here on belongs to this job, if it is one."""
    _job_id.set(job_id)


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def __init__(self, project: str = "") -> None:
        super().__init__()
        self._project = project

    def format(self, record: logging.LogRecord) -> str:
        """The record with its severity, message, extra fields, trace, job and stack."""
        entry: dict[str, object] = {
            "severity": _SEVERITIES.get(record.levelname, "INFO"),
            "message": _message(record),
            "logger": record.name,
        }
        entry |= {name: vars(record)[name] for name in EXTRA_FIELDS if name in vars(record)}
        scope = _scope.get() or {}
        if job_id := _known_job(entry.get("job_id"), _job_id.get(), scope):
            entry["job_id"] = job_id
            entry["logging.googleapis.com/labels"] = {"job_id": job_id}
        if self._project and (trace := _trace(scope)):
            entry["logging.googleapis.com/trace"] = f"projects/{self._project}/traces/{trace}"
        if record.exc_info and record.exc_info[1]:
            entry["stack"] = _stack(record.exc_info[1])
        return json.dumps(entry, ensure_ascii=False, default=str)


def _message(record: logging.LogRecord) -> str:
    if record.name.partition(".")[0] in _OURS:
        return record.getMessage()
    return str(record.msg).partition("\n")[0][:_LIBRARY_CHARS_MAX]


def _known_job(told: object, bound: object, scope: Mapping[str, Any]) -> str | None:
    for candidate in (told, bound, scope.get("path_params", {}).get("job_id")):
        # Whoever calls chooses what stands in an address.
        if isinstance(candidate, str) and _JOB_ID.fullmatch(candidate):
            return candidate
    return None


def _trace(scope: Mapping[str, Any]) -> str | None:
    headers = dict(scope.get("headers", ()))
    for name, pattern in _TRACE_HEADERS.items():
        if found := pattern.match(headers.get(name, b"")):
            return found[1].decode()
    return None


def _stack(error: BaseException) -> str:
    """As Python prints it, the cause last, without the errors' texts: those quote what they met."""
    parts: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(parts) < _CAUSES_MAX:
        frames = "".join(traceback.format_tb(cause.__traceback__))
        kind = type(cause)
        parts.append(
            f"Traceback (most recent call last):\n{frames}{kind.__module__}.{kind.__qualname__}"
        )
        hidden = cause.__suppress_context__
        cause = cause.__cause__ or (None if hidden else cause.__context__)
    return "\n\n".join(parts)


def _ended(kind: type[BaseException], error: BaseException, stack: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("reelmint").critical("ended by an error", exc_info=(kind, error, stack))
