"""How calls reach the product: straight to its use cases, or through its HTTP functions.

Both give the same answers, so that a run is the same play with one more layer of the product in it.
Through HTTP costs three times as much, so only some of the seeds go that way.
"""

import json
from collections.abc import Awaitable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from starlette.types import ASGIApp, Message, Scope

from functions import (
    create_job as create_function,
    job_status as status_function,
    provider_webhook as webhook_function,
    run_task as task_function,
    sweep as sweep_function,
)
from shared import http, sessions
from shared.app import App
from shared.errors import AppError
from shared.jobs import Job, Settings
from shared.ports import Data, Inbound, Task, Verdict
from shared.usecases.cancel_job import cancel_job
from shared.usecases.create_job import create_job
from shared.usecases.delete_job import delete_job
from shared.usecases.price_job import CreateJob
from shared.usecases.read_jobs import Lines, list_jobs, read_job
from shared.usecases.read_session import Session
from shared.usecases.receive_webhook import receive_webhook
from shared.usecases.run_task import run_task
from shared.usecases.sweep import sweep

T = TypeVar("T")

Playing = Coroutine[Any, Any, Any]


class Refused(Exception):
    """An answer that is not 2xx."""

    def __init__(self, code: str, status: int) -> None:
        super().__init__(f"{status} {code}")
        self.code = code
        self.status = status


@dataclass(frozen=True, slots=True)
class Wanted:
    """The body of a request for a job, and its headers."""

    user_id: str
    model: str
    prompt: str
    image_id: str | None
    key: str | None
    count: int = 1
    fallback_models: tuple[str, ...] = ()
    is_retry: bool = False


class Door(Protocol):
    """Every call that somebody outside can make. All raise `Refused`."""

    def create(self, app: App, wanted: Wanted) -> Playing:
        """Answers {"id", "status"}."""
        ...

    def cancel(self, app: App, user_id: str, job_id: str) -> Playing:
        """Answers {"id", "status"}."""
        ...

    def read(self, app: App, user_id: str, job_id: str) -> Playing:
        """Answers {"id", "status"}."""
        ...

    def list(self, app: App, user_id: str) -> Playing:
        """Answers [{"id", "status"}]."""
        ...

    def delete(self, app: App, user_id: str, job_id: str) -> Playing:
        """Answers nothing of interest."""
        ...

    def hook(self, app: App, path: str, inbound: Inbound) -> Playing:
        """A vendor's webhook."""
        ...

    def task(self, app: App, task: Task) -> Coroutine[Any, Any, Verdict]:
        """A delivery of the queue."""
        ...

    def sweep(self, app: App) -> Playing:
        """The scheduler's call."""
        ...


class Straight:
    """The use cases alone."""

    async def create(self, app: App, wanted: Wanted) -> Data:
        """See Door."""
        command = CreateJob(
            session=Session(wanted.user_id, 1),
            model=wanted.model,
            prompt=wanted.prompt,
            settings=Settings(count=wanted.count),
            images={"start": wanted.image_id} if wanted.image_id else {},
            fallback_models=wanted.fallback_models,
            idempotency_key=wanted.key,
            is_retry=wanted.is_retry,
        )
        return _shown(await _refusing(create_job(app, command)))

    async def cancel(self, app: App, user_id: str, job_id: str) -> Data:
        """See Door."""
        return _shown(await _refusing(cancel_job(app, Session(user_id, 1), job_id)))

    async def read(self, app: App, user_id: str, job_id: str) -> Data:
        """See Door."""
        return _shown(await _refusing(read_job(app, user_id, job_id)))

    async def list(self, app: App, user_id: str) -> list[Data]:
        """See Door."""
        page = await _refusing(list_jobs(app, user_id, 20, None, None, None))
        return [_shown(job) for job in page.jobs]

    async def delete(self, app: App, user_id: str, job_id: str) -> None:
        """See Door."""
        await _refusing(delete_job(app, Session(user_id, 1), job_id))

    async def hook(self, app: App, path: str, inbound: Inbound) -> None:
        """See Door."""
        provider, job_id, mac = path.rsplit("/", 3)[1:]
        await _refusing(receive_webhook(app, provider, job_id, mac, inbound))

    async def task(self, app: App, task: Task) -> Verdict:
        """See Door."""
        return await run_task(app, task.name, task.payload)

    async def sweep(self, app: App) -> None:
        """See Door."""
        await _refusing(sweep(app))


class OverHttp:
    """The deployed functions, asked in HTTP as the frameworks would ask them."""

    def __init__(self) -> None:
        """What a fresh instance remembers: nothing."""
        http._sessions = sessions.Sessions()
        status_function._lines = Lines()
        self._tokens: dict[str, str] = {}

    async def create(self, app: App, wanted: Wanted) -> Data:
        """See Door."""
        body: dict[str, Any] = {"model": wanted.model, "prompt": wanted.prompt}
        if wanted.image_id:
            body["images"] = {"start": wanted.image_id}
        body |= {"count": wanted.count, "fallback_models": list(wanted.fallback_models)}
        headers = {"authorization": self._token(app, wanted.user_id)}
        if wanted.key:
            headers["idempotency-key"] = wanted.key
        if wanted.is_retry:
            headers["x-stainless-retry-count"] = "1"
        return await _json(_CREATE, "POST", "/v1/jobs", headers, body)

    async def cancel(self, app: App, user_id: str, job_id: str) -> Data:
        """See Door."""
        return await self._of(app, user_id, _CREATE, "POST", f"/v1/jobs/{job_id}/cancel")

    async def read(self, app: App, user_id: str, job_id: str) -> Data:
        """See Door."""
        return await self._of(app, user_id, _STATUS, "GET", f"/v1/jobs/{job_id}")

    async def list(self, app: App, user_id: str) -> list[Data]:
        """See Door."""
        page = await self._of(app, user_id, _STATUS, "GET", "/v1/jobs")
        listed: list[Data] = page["data"]
        return listed

    async def delete(self, app: App, user_id: str, job_id: str) -> None:
        """See Door."""
        await self._of(app, user_id, _CREATE, "DELETE", f"/v1/jobs/{job_id}")

    async def hook(self, app: App, path: str, inbound: Inbound) -> None:
        """See Door."""
        await _ask(_HOOK, "POST", path, inbound.headers, inbound.body)

    async def task(self, app: App, task: Task) -> Verdict:
        """See Door."""
        headers = {"authorization": f"Bearer {app.settings.task_secret}"}
        try:
            await _json(_TASK, "POST", f"/tasks/{task.name}", headers, task.payload)
        except Refused as refused:
            return "final" if refused.status < 500 else "again"
        return "done"

    async def sweep(self, app: App) -> None:
        """See Door."""
        headers = {"authorization": f"Bearer {app.settings.task_secret}"}
        await _json(_SWEEP, "POST", "/cron/sweep", headers, {})

    async def _of(self, app: App, user_id: str, edge: ASGIApp, method: str, path: str) -> Data:
        headers = {"authorization": self._token(app, user_id)}
        return await _json(edge, method, path, headers, None)

    def _token(self, app: App, user_id: str) -> str:
        if user_id not in self._tokens:
            self._tokens[user_id] = sessions.issue(app, Session(user_id, 1))
        return f"Bearer {self._tokens[user_id]}"


def _shown(job: Job) -> Data:
    return {"id": job.id, "status": job.status}


async def _refusing(step: Awaitable[T]) -> T:
    try:
        return await step
    except AppError as error:
        raise Refused(error.code, error.status) from error


async def _json(
    edge: ASGIApp, method: str, path: str, headers: Mapping[str, str], body: Data | None
) -> Data:
    raw = b"" if body is None else json.dumps(body).encode()
    answer: Data = json.loads(await _ask(edge, method, path, headers, raw))
    return answer


async def _ask(
    edge: ASGIApp, method: str, path: str, headers: Mapping[str, str], body: bytes
) -> bytes:
    """One request, as uvicorn would hand it over. Raises `Refused`, and what the function did not
    expect: its server answers 500 to that, and raises it again."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await edge(_scope(method, path, headers, body), receive, send)
    status = sent[0]["status"]
    answer = b"".join(message["body"] for message in sent[1:])
    if status >= 400:
        raise Refused(json.loads(answer).get("error", {}).get("code", "?"), status)
    return answer


def _scope(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Scope:
    given = [(name.encode(), value.encode()) for name, value in headers.items()]
    length = (b"content-length", str(len(body)).encode())
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "scheme": "https",
        "headers": [*given, (b"content-type", b"application/json"), length],
        "client": ("192.0.2.1", 1),
        "server": ("reelmint.example", 443),
    }


_CREATE = http.api([create_function.router])
_STATUS = http.api([status_function.router])
_HOOK = http.api([webhook_function.router])
_TASK = http.api([task_function.router])
_SWEEP = http.api([sweep_function.router])
