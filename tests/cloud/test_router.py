"""The router of `make cloud-local`, in front of a function that closes idle connections."""

import asyncio
import json
from pathlib import Path

import httpx

from infra.cloud_local.processes import Processes
from infra.cloud_local.router import router

MANIFEST = Path(__file__).parents[2] / "terraform" / "manifest.json"


async def test_no_request_is_lost_on_a_connection_that_a_function_is_closing() -> None:
    ended: asyncio.Queue[None] = asyncio.Queue()

    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer a request as if the connection stayed open; close it when the next one comes."""
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        await reader.read(1)
        writer.close()
        await writer.wait_closed()
        ended.put_nowait(None)

    server = await asyncio.start_server(answer_once, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    urls = dict.fromkeys(json.loads(MANIFEST.read_text())["functions"], url)
    nobody = Processes([])
    app = router(urls, nobody, url, url)
    async with (
        server,
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://site") as site,
    ):
        answers = [await site.get("/v1/models") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 200]
        for _ in answers:
            await ended.get()
    nobody.stop()
