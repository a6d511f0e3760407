"""The requests that are played, as bytes: what a client, a poll and a vendor send."""

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence

from shared.config import read_settings
from shared.usecases.describe_work import callback_mac
from tests.bench.ground import MODEL, PROMPT, Ground

Make = Callable[[Ground, int], Sequence[bytes]]

_PROVIDER = "sandbox"


def nothing(_ground: Ground, _count: int) -> Sequence[bytes]:
    """A call of the baseline."""
    return [_request("GET", "/", {})]


def status(ground: Ground, _count: int) -> Sequence[bytes]:
    """Polls of every job of the ground."""
    return [
        _request("GET", f"/v1/jobs/{job.job_id}", {"Authorization": f"Bearer {job.token}"})
        for job in ground.jobs
    ]


def create(ground: Ground, count: int) -> Sequence[bytes]:
    """So many different new jobs, by all users in turn."""
    body = {"model": MODEL, "prompt": PROMPT, "duration_seconds": 4, "resolution": "720p"}
    encoded = json.dumps({**body, "aspect_ratio": "16:9"}).encode()
    run = secrets.token_hex(8)
    return [
        _request(
            "POST",
            "/v1/jobs",
            {
                "Authorization": f"Bearer {ground.tokens[number % len(ground.tokens)]}",
                "Content-Type": "application/json",
                "Idempotency-Key": f"{run}-{number}",
            },
            encoded,
        )
        for number in range(count)
    ]


def webhook(ground: Ground, count: int) -> Sequence[bytes]:
    """So many different authentic webhooks about the ground's jobs."""
    settings = read_settings(ground.settings)
    (sandbox,) = settings.accounts
    secret, now_seconds = sandbox.webhook_secrets[0].encode(), int(time.time())
    macs = {
        job.job_id: callback_mac(settings.hook_secret, _PROVIDER, job.job_id) for job in ground.jobs
    }
    made = []
    for number in range(count):
        job_id = ground.jobs[number % len(ground.jobs)].job_id
        body = _event(job_id, now_seconds)
        signed = hmac.new(secret, b"%d.%b" % (now_seconds, body), hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "Sandbox-Timestamp": str(now_seconds),
            "Sandbox-Signature": f"v1={signed}",
        }
        path = f"/hooks/providers/{_PROVIDER}/{job_id}/{macs[job_id]}"
        made.append(_request("POST", path, headers, body))
    return made


def _event(job_id: str, now_seconds: int) -> bytes:
    generation_id = f"gen_{secrets.token_hex(12)}"
    result = {
        "url": f"http://127.0.0.1:8090/files/{generation_id}/video.mp4?token={'0' * 64}",
        "content_type": "video/mp4",
        "size_bytes": 1_300_000,
        "expires_at": now_seconds + 3600,
    }
    event = {
        "event": "generation.succeeded",
        "id": generation_id,
        "client_id": job_id,
        "kind": "video",
        "status": "succeeded",
        "progress": 1.0,
        "created_at": now_seconds - 4,
        "completed_at": now_seconds,
        "result": result,
    }
    return json.dumps(event).encode()


def _request(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body
