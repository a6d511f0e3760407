"""Structured logs on stdout, in the fields that Cloud Logging understands.

Only the named extra fields are written, so that a secret, a signed address or a prompt that strays
into a log record stays there.
"""

import json
import logging
import sys
import traceback

EXTRA_FIELDS = (
    "detail",
    "due_jobs",
    "job_id",
    "path",
    "pool",
    "provider",
    "quarantined_slots",
    "state",
    "task",
)
_SEVERITIES = {"WARNING": "WARNING", "ERROR": "ERROR", "CRITICAL": "CRITICAL", "DEBUG": "DEBUG"}


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record with its severity, message, extra fields and stack."""
        entry: dict[str, object] = {
            "severity": _SEVERITIES.get(record.levelname, "INFO"),
            "message": record.getMessage(),
            "logger": record.name,
        }
        entry |= {name: vars(record)[name] for name in EXTRA_FIELDS if name in vars(record)}
        if record.exc_info:
            entry["stack"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(entry, ensure_ascii=False, default=str)


def configure(level: int = logging.INFO) -> None:
    """Send every log of this process to stdout as JSON."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
