"""Take a vendor's webhook: verify it, queue a look at the job, answer. It touches no document."""

from shared.app import App
from shared.errors import WebhookRefused
from shared.ids import task_key
from shared.ports import Inbound, Task
from shared.usecases.dispatch_job import is_callback_mac
from shared.usecases.tasks import CHECK


async def receive_webhook(app: App, provider: str, job_id: str, mac: str, inbound: Inbound) -> None:
    """Queue one check of the job. Raises `WebhookRefused`, `NotFound`, `QueueUnavailable`.

    The payload is a hint: nothing in it is believed until the vendor is asked.
    """
    if not is_callback_mac(app.settings.hook_secret, provider, job_id, mac):
        raise WebhookRefused("This is not a callback address of ours.")
    hint = app.vendors.hint(provider, inbound, app.clock.now_ms())
    key = task_key("hook", job_id, inbound.body.hex())
    payload = {"job_id": job_id, "task_id": hint.task_id}
    await app.queue.push(Task("check_job", key, payload, CHECK))
