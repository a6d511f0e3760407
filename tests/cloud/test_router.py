"""The router of `make cloud-local`, in front of a function that closes idle connections."""

import asyncio
from collections import defaultdict

import httpx

from infra.cloud_local.processes import Processes
from infra.cloud_local.router import router
from tests.contract.test_http import local, whole


async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer a request as if the connection stayed open; close it when the next one comes."""
    writer.write(whole(b"{}"))
    await reader.read(1)
    raise ConnectionResetError


async def test_no_request_is_lost_on_a_connection_that_a_function_is_closing() -> None:
    async with local(answer_once) as function:
        nobody = Processes([])
        app = router(defaultdict(lambda: function.url), nobody, function.url, function.url)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://site") as site:
            answers = [await site.get("/v1/models") for _ in range(3)]
        nobody.stop()
    assert [answer.status_code for answer in answers] == [200, 200, 200]
