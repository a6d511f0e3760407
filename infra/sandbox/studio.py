"""Makes the media of an order: fetches its pictures, then renders in a small pool of threads."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import httpx

from infra.sandbox.generations import Media
from infra.sandbox.orders import Order

WORKERS = 2
FETCH_TIMEOUT_SECONDS = 15
PICTURE_MAX_BYTES = 20_000_000
REDIRECTS_MAX = 3


class NotMade(Exception):
    """The order cannot be made into media; `code` and the message go into its `error`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Studio:
    """A bounded pool of threads. Pillow and x264 let go of the interpreter while they work."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(WORKERS, "render")
        self._instant: dict[str, Media] = {}
        self._client = httpx.AsyncClient(
            follow_redirects=True, max_redirects=REDIRECTS_MAX, trust_env=False
        )

    async def warm_up(self) -> None:
        """Make the media that instant generations share, so that the first is quick too."""
        for kind in ("video", "image"):
            await self.make_instant(kind)

    async def make_instant(self, kind: str) -> Media:
        from infra.sandbox.films import tiny_media

        if kind not in self._instant:
            loop = asyncio.get_running_loop()
            self._instant[kind] = await loop.run_in_executor(self._pool, tiny_media, kind)
        return self._instant[kind]

    async def make(self, order: Order) -> Media:
        """The real thing; raises NotMade. When the caller is cancelled, rendering stops."""
        from infra.sandbox.films import RENDERERS, Scene
        from infra.sandbox.scenery import UnreadablePicture

        stop = Event()
        try:
            scene = Scene(
                caption=order.caption,
                resolution=order.resolution,
                aspect_ratio=order.aspect_ratio,
                duration_seconds=order.duration_seconds,
                start=await self._fetch(order.start_image_url),
                end=await self._fetch(order.end_image_url),
            )
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, RENDERERS[order.kind], scene, stop)
        except UnreadablePicture as error:
            raise NotMade("image_unreadable", str(error)) from error
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise NotMade("image_unavailable", f"the picture cannot be fetched: {error}") from error
        finally:
            stop.set()

    async def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        await self._client.aclose()

    async def _fetch(self, url: str | None) -> bytes | None:
        from infra.sandbox.scenery import read_data_url

        if url is None:
            return None
        if url.startswith("data:"):
            return read_data_url(url)
        async with asyncio.timeout(FETCH_TIMEOUT_SECONDS), self._client.stream("GET", url) as reply:
            reply.raise_for_status()
            return await _read_bounded(reply)


async def _read_bounded(reply: httpx.Response) -> bytes:
    content = bytearray()
    async for chunk in reply.aiter_bytes():
        content += chunk
        if len(content) > PICTURE_MAX_BYTES:
            raise NotMade("image_unreadable", f"the picture is over {PICTURE_MAX_BYTES} bytes")
    return bytes(content)
