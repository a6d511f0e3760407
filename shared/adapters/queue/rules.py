"""What every queue demands of a task: the limits of Cloud Tasks. Breaking one raises ValueError."""

import json
import re

from shared.ports import Task

KEY_LENGTH_MAX = 500
PAYLOAD_BYTES_MAX = 100_000
DELAY_MS_MAX = 30 * 24 * 3_600_000

_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")


def encode_payload(task: Task, now_ms: int) -> str:
    """The payload as JSON text, of a task that may be pushed."""
    if not _NAME.fullmatch(task.name):
        raise ValueError(f"not a task name: {task.name!r}")
    if not 1 <= len(task.key) <= KEY_LENGTH_MAX:
        raise ValueError(f"a task key of {len(task.key)} characters; 1 to {KEY_LENGTH_MAX}")
    if task.at_ms > now_ms + DELAY_MS_MAX:
        raise ValueError("a task can wait 30 days at most")
    payload = json.dumps(
        dict(task.payload), ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )
    if len(payload.encode()) > PAYLOAD_BYTES_MAX:
        raise ValueError(f"a payload of more than {PAYLOAD_BYTES_MAX} bytes")
    return payload
