"""Take a vendor's webhook: verify it, queue a look at the job, answer. It touches no document."""

from shared.app import App
from shared.errors import WebhookRefused
from shared.ids import task_key
from shared.ports import Data, Inbound, Task
from shared.usecases.describe_work import is_callback_mac
from shared.usecases.tasks import CHECK


async def receive_webhook(app: App, provider: str, job_id: str, mac: str, inbound: Inbound) -> Data:
    """Queue one check of the job; returns what the vendor is answered. Raises `WebhookRefused`,
    `NotFound`, `QueueUnavailable`, `Unavailable`.

    The payload is a hint: nothing in it is believed until the vendor is asked.
    """
    if not is_callback_mac(app.settings.hook_secret, provider, job_id, mac):
        raise WebhookRefused("This is not a callback address of ours.")
    hint = await app.vendors.hint(provider, inbound, app.clock.now_ms())
    answer = {"received": True} if hint.answer is None else hint.answer
    if not hint.is_news:
        return answer
    key = task_key("hook", job_id, inbound.body.hex())
    payload = {"job_id": job_id, "task_id": hint.task_id}
    await app.queue.push(Task("check_job", key, payload, CHECK))
    return answer
