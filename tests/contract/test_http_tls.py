"""Vendors behind TLS that cannot be trusted, and redirects away from one that can: through the
driver and the Http port, on real sockets.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared.adapters.http_client import HttpxClient
from shared.adapters.providers.driver import Driver
from shared.adapters.providers.translator import Account
from shared.adapters.system import SystemClock
from shared.errors import VendorBusy, VendorUnknown
from shared.ports import HttpLimits, HttpReply, HttpRequest, NoReply, NotSent, Parcel, Ticket, Work
from tests.contract.test_http_hosts import PUBLIC, Sockets

API = "api.vendor.test"
FILES = "files.cdn.vendor.test"
PRIVATE = "10.0.0.5"
FILM = b"\x00\x00\x00\x18ftypmp42 and so on"
FETCH_MAX_BYTES = 1_000_000
DAY = timedelta(days=1)

PRIVATE_KEY = ec.generate_private_key(ec.SECP256R1())
AUTHORITY_KEY = ec.generate_private_key(ec.SECP256R1())
STRANGERS_KEY = ec.generate_private_key(ec.SECP256R1())
AUTHORITY = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "The authority that we trust")])

WORK = Work(
    ticket=Ticket("sandbox", "sandbox", "job_1", "video", "sandbox-video-1"),
    prompt="A red fox",
    negative_prompt=None,
    duration_seconds=2,
    resolution="480p",
    aspect_ratio="16:9",
    audio=False,
    count=1,
    images={},
    callback_url="",
)


# ---------------------------------------------------------------- certificates


@dataclass(frozen=True)
class Certificate:
    """What a server shows. Without a signer it has signed itself."""

    names: tuple[str, ...] = (API, FILES)
    begins: timedelta = -DAY
    ends: timedelta = DAY
    signer: ec.EllipticCurvePrivateKey | None = AUTHORITY_KEY

    def made(self) -> x509.Certificate:
        """The certificate; a stranger signs in the name of the authority."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.names[0])])
        now = datetime.now(UTC)
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in self.names])
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(AUTHORITY if self.signer else subject)
            .public_key(PRIVATE_KEY.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + self.begins)
            .not_valid_after(now + self.ends)
            .add_extension(alternatives, critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .sign(self.signer or PRIVATE_KEY, hashes.SHA256())
        )


GOOD = Certificate()
BAD_CERTIFICATES = {
    "signed by itself": replace(GOOD, signer=None),
    "signed by a stranger": replace(GOOD, signer=STRANGERS_KEY),
    "expired": replace(GOOD, begins=-2 * DAY, ends=-DAY),
    "not valid yet": replace(GOOD, begins=DAY, ends=2 * DAY),
    "of another host": replace(GOOD, names=("www.vendor.test",)),
    "of the zone alone": replace(GOOD, names=("vendor.test",)),
    "of one label below": replace(GOOD, names=("*.api.vendor.test",)),
}


def trust() -> ssl.SSLContext:
    """A client that trusts the authority and nobody else."""
    now = datetime.now(UTC)
    root = (
        x509.CertificateBuilder(AUTHORITY, AUTHORITY, AUTHORITY_KEY.public_key(), 1)
        .not_valid_before(now - 9 * DAY)
        .not_valid_after(now + 9 * DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(AUTHORITY_KEY, hashes.SHA256())
    )
    return ssl.create_default_context(cadata=root.public_bytes(PEM).decode())


def shown(certificate: Certificate, folder: Path) -> ssl.SSLContext:
    """A server's side of a certificate."""
    file = folder / "server.pem"
    key = PRIVATE_KEY.private_bytes(
        PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(key + certificate.made().public_bytes(PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


PEM = serialization.Encoding.PEM


# ---------------------------------------------------------------- a vendor and its caller


@dataclass
class Vendor:
    """A server of ours that is met at any name, and what it heard."""

    port: int = 0
    heard: list[bytes] = field(default_factory=list)
    connections: int = 0


@asynccontextmanager
async def serving(
    answer: bytes = b"", context: ssl.SSLContext | None = None
) -> AsyncIterator[Vendor]:
    """Every request gets this answer; without one the server never says a word."""
    vendor = Vendor()
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        vendor.connections += 1
        try:
            if not answer:
                await asyncio.sleep(60)
            vendor.heard.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(answer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            vendor.connections -= 1
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    vendor.port = server.sockets[0].getsockname()[1]
    async with server:
        yield vendor
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def whole(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """An answer after which the connection is closed."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def moved_to(location: str) -> bytes:
    return whole(b"", f"location: {location}", status="302 Found")


@asynccontextmanager
async def calling(
    port: int,
    tls: ssl.SSLContext | None = None,
    plain_hosts: Sequence[str] = (),
    resolve: Callable[[str, int], Awaitable[Sequence[str]]] | None = None,
) -> AsyncIterator[tuple[HttpxClient, Driver, Sockets]]:
    """The Http port and a driver with an account, whose every connection leads to this port."""

    async def everywhere(host: str, port: int) -> Sequence[str]:
        return [PUBLIC]

    sockets = Sockets(port)
    client = HttpxClient(
        resolve=resolve or everywhere, sockets=sockets, tls=tls or trust(), plain_hosts=plain_hosts
    )
    account = Account("sandbox", "sandbox", f"https://{API}", "a-key", (), (FILES,))
    accounts = {"sandbox": account}
    yield client, Driver(client, accounts, SystemClock(), connect_seconds=0.5), sockets
    await client.close()


async def sent(client: HttpxClient, url: str = f"https://{API}/v1") -> HttpReply:
    limits = HttpLimits((API, FILES), connect_seconds=0.5, total_seconds=2)
    return await client.send(HttpRequest("POST", url, json={"a": 1}), limits)


async def streamed(client: HttpxClient, url: str = f"https://{API}/film") -> bytes:
    limits = HttpLimits((API, FILES), connect_seconds=0.5, total_seconds=2)
    return b"".join([chunk async for chunk in client.stream(HttpRequest("GET", url), limits)])


async def fetched(driver: Driver, url: str = f"https://{API}/film") -> bytes:
    chunks = driver.fetch(WORK.ticket, Parcel(url), FETCH_MAX_BYTES)
    return b"".join([chunk async for chunk in chunks])


# ---------------------------------------------------------------- who it is


async def test_a_certificate_of_an_authority_that_we_trust_is_good(tmp_path: Path) -> None:
    async with (
        serving(whole(FILM), shown(GOOD, tmp_path)) as vendor,
        calling(vendor.port) as (client, driver, _),
    ):
        assert (await sent(client)).body == FILM
        assert await streamed(client) == FILM
        assert await fetched(driver) == FILM
    assert len(vendor.heard) == 3


@pytest.mark.parametrize("bad", BAD_CERTIFICATES)
async def test_who_shows_a_bad_certificate_hears_nothing_of_us(bad: str, tmp_path: Path) -> None:
    async with (
        serving(whole(FILM), shown(BAD_CERTIFICATES[bad], tmp_path)) as vendor,
        calling(vendor.port) as (client, driver, sockets),
    ):
        with pytest.raises(NotSent):
            await sent(client)
        with pytest.raises(NotSent):
            await streamed(client)
        with pytest.raises(VendorBusy) as busy:
            await driver.submit(WORK, 2)
        with pytest.raises(VendorUnknown) as unavailable:
            await fetched(driver)
    assert sockets.connected == [f"{PUBLIC}:443"] * 4, "it was met"
    assert vendor.heard == []
    assert busy.value.code == "provider_busy"
    assert unavailable.value.code == "result_unavailable"


async def test_only_the_world_s_authorities_are_trusted_unless_somebody_says_otherwise(
    tmp_path: Path,
) -> None:
    sockets = Sockets()
    async with serving(whole(FILM), shown(GOOD, tmp_path)) as vendor:
        sockets.port = vendor.port

        async def everywhere(host: str, port: int) -> Sequence[str]:
            return [PUBLIC]

        client = HttpxClient(resolve=everywhere, sockets=sockets)
        with pytest.raises(NotSent):
            await sent(client)
        await client.close()
    assert sockets.connected == [f"{PUBLIC}:443"]
    assert vendor.heard == []


async def test_a_server_that_speaks_no_tls_hears_nothing_of_us() -> None:
    async with serving(whole(FILM)) as vendor, calling(vendor.port) as (client, driver, _):
        with pytest.raises(NotSent):
            await sent(client)
        with pytest.raises(VendorBusy):
            await driver.submit(WORK, 2)
    assert not any(b"a-key" in heard or b"/v1" in heard for heard in vendor.heard)


async def test_a_handshake_that_never_ends_is_given_up_in_the_connect_time() -> None:
    async with serving() as silent, calling(silent.port) as (client, driver, _):
        began = time.monotonic()
        with pytest.raises(NotSent):
            await sent(client)
        with pytest.raises(VendorBusy):
            await driver.submit(WORK, 10)
        assert time.monotonic() - began < 3
        assert silent.connections == 2, "both were connected"


# ---------------------------------------------------------------- where it leads


async def test_a_redirect_to_a_host_with_a_bad_certificate_brings_nothing(tmp_path: Path) -> None:
    context = shown(replace(GOOD, names=(API,)), tmp_path)
    async with (
        serving(moved_to(f"https://{FILES}/film"), context) as vendor,
        calling(vendor.port) as (client, driver, sockets),
    ):
        with pytest.raises(NoReply):
            await streamed(client)
        with pytest.raises(VendorUnknown):
            await fetched(driver)
    assert len(sockets.connected) == 4, "each was followed to the other host"
    assert len(vendor.heard) == 2, "which heard nothing"


@pytest.mark.parametrize(
    "location",
    [
        f"http://{API}/film",
        f"http://{API}:443/film",
        f"http://{FILES}/film",
        f"HTTP://{FILES}:443/film",
        "http:/film",
    ],
)
async def test_no_redirect_leads_from_tls_to_none(tmp_path: Path, location: str) -> None:
    async with (
        serving(moved_to(location), shown(GOOD, tmp_path)) as vendor,
        calling(vendor.port) as (client, driver, sockets),
    ):
        with pytest.raises(NoReply):
            await streamed(client)
        with pytest.raises(VendorUnknown) as unavailable:
            await fetched(driver)
    assert len(sockets.connected) == len(vendor.heard) == 2, "nobody went on"
    assert unavailable.value.code == "result_unavailable"


@pytest.mark.parametrize(
    "addresses", [(PRIVATE,), ("127.0.0.1",), ("169.254.169.254",), ("::1",), (PUBLIC, PRIVATE)]
)
async def test_a_redirect_to_a_name_with_a_private_address_is_not_followed(
    tmp_path: Path, addresses: tuple[str, ...]
) -> None:
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return addresses if host == FILES else [PUBLIC]

    async with (
        serving(moved_to(f"https://{FILES}/film"), shown(GOOD, tmp_path)) as vendor,
        calling(vendor.port, resolve=resolve) as (client, driver, sockets),
    ):
        with pytest.raises(NoReply):
            await streamed(client)
        with pytest.raises(VendorUnknown) as unavailable:
            await fetched(driver)
    assert asked == [API, FILES] * 2, "the name is allowed, and was resolved"
    assert sockets.connected == [f"{PUBLIC}:443"] * 2
    assert len(vendor.heard) == 2
    assert unavailable.value.code == "result_unavailable"
    assert FILES in unavailable.value.detail
    assert "/film" not in unavailable.value.detail, "an address may be signed"


async def test_three_redirects_are_followed_and_a_circle_is_not(tmp_path: Path) -> None:
    async with (
        serving(moved_to(f"https://{FILES}/film"), shown(GOOD, tmp_path)) as vendor,
        calling(vendor.port) as (_, driver, sockets),
    ):
        with pytest.raises(VendorUnknown) as unavailable:
            await fetched(driver)
    assert len(sockets.connected) == len(vendor.heard) == 4
    assert "redirects once too often" in unavailable.value.detail


async def test_a_plain_vendor_does_not_make_its_results_plain(tmp_path: Path) -> None:
    """Only the hosts of the local profile are called without TLS; no redirect adds one."""
    async with (
        serving(moved_to(f"http://{FILES}/film"), shown(GOOD, tmp_path)) as vendor,
        calling(vendor.port, plain_hosts=[API]) as (client, _, sockets),
    ):
        with pytest.raises(NoReply):
            await streamed(client)
    assert len(sockets.connected) == len(vendor.heard) == 1
