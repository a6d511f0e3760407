"""Each step costs as many database calls as it was designed to, and no more."""

from shared.job_states import State
from shared.ports import Inbound
from shared.usecases.describe_work import callback_mac
from shared.usecases.read_jobs import read_job
from shared.usecases.read_session import Session
from shared.usecases.receive_webhook import receive_webhook
from shared.usecases.sign_in_local import sign_in_local
from tests.cloud.conftest import Counted


async def test_one_job_costs_three_calls_a_step_and_none_for_the_webhook(counted: Counted) -> None:
    job = await counted.create()
    assert job.state is State.READY
    assert counted.rpcs.take() <= 3, "create: places, documents, commit"

    await counted.run("dispatch_job")
    assert counted.rpcs.take() <= 3, "dispatch: read, claim, accept"

    mac = callback_mac(counted.app.settings.hook_secret, "sandbox", job.id)
    await receive_webhook(counted.app, "sandbox", job.id, mac, Inbound({}, b"{}"))
    assert counted.rpcs.take() == 0, "the webhook reads nothing"

    await counted.run("check_job")
    assert counted.rpcs.take() <= 3, "finish: job, job with slot, commit"

    await counted.run("store_result")
    assert counted.rpcs.take() <= 3, "store: job, job with wallet, commit"

    done = await read_job(counted.app, counted.session.user_id, job.id)
    assert done.state is State.DONE
    assert counted.rpcs.take() == 1, "status: one read"


async def test_a_full_pool_costs_a_create_no_more(counted: Counted) -> None:
    places = counted.app.catalogue.pools["sandbox"].slots
    for number in range(places + 1):
        owner = await sign_in_local(counted.app, f"u{number}@example.test", "en")
        counted.session = Session(owner.account.id, 1)
        counted.rpcs.take()
        job = await counted.create()
        assert counted.rpcs.take() <= 3
        assert job.state is (State.READY if number < places else State.PARKED)
