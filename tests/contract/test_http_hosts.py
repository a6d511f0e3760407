"""Whom the Http port calls: only what is allowed, at an address that was checked."""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared.adapters.http_client import HttpxClient
from shared.ports import HttpLimits, HttpRequest, NotSent

# Loading all the world's certificates takes a while, and most tests here end before TLS.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

PUBLIC = "93.184.216.34"
API = "api.vendor.test"
HOSTS = (API, "*.cdn.vendor.test")

# Every one is refused although its own host is on the allow-list: no single rule carries all.
HOSTILE_URLS = [
    # Schemes.
    "file:///etc/passwd",
    "ftp://api.vendor.test/",
    "gopher://api.vendor.test:70/_",
    "ws://api.vendor.test/",
    "unix:///run/docker.sock",
    "data:text/plain,hello",
    "javascript:alert(1)",
    "//api.vendor.test/",
    "api.vendor.test/",
    "",
    "https:api.vendor.test/",
    "https:/api.vendor.test/",
    "https:///api.vendor.test/",
    "http+unix://api.vendor.test/",
    # No TLS.
    "http://api.vendor.test/",
    "HTTP://api.vendor.test/",
    "http://api.vendor.test:443/",
    # Ports.
    "https://api.vendor.test:22/",
    "https://api.vendor.test:80/",
    "https://api.vendor.test:8443/",
    "https://api.vendor.test:0/",
    "https://api.vendor.test:99999/",
    "https://api.vendor.test:-1/",
    "https://api.vendor.test:x/",
    "https://api.vendor.test:/",
    "https://api.vendor.test:443:443/",
    # User info and escapes in the authority.
    "https://api.vendor.test@169.254.169.254/",
    "https://169.254.169.254@api.vendor.test/",
    "https://user:password@api.vendor.test/",
    "https://@api.vendor.test/",
    "https://api.vendor.test%2f@10.0.0.1/",
    "https://api%2evendor.test/",
    "https://%31%32%37.0.0.1/",
    # Parsers that disagree.
    "https://api.vendor.test\\@169.254.169.254/",
    "https:\\\\api.vendor.test\\",
    "https://api.vendor.test\t.evil.test/",
    "https://api.vendor.test\n/",
    "https://api.vendor.test\r\nHost: evil.test/",
    " https://api.vendor.test/",
    "https://api.vendor.test/a b",
    "https://api.vendor.test\x00.evil.test/",
    # Letters and dots beyond ASCII.
    "https://api。vendor。test/",
    "https://ａｐｉ.vendor.test/",
    "https://api.vendor.tesⓣ/",
    "https://１２７.0.0.1/",
    "https://①②⑦.⓪.⓪.①/",
    "https://аpi.vendor.test/",
    # IPv4 in all the ways libc reads it.
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0x0.0x0.0x1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.0.0.1./",
    "https://127.0.0.01/",
    "https://0/",
    "https://0.0.0.0/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://2852039166/latest/meta-data/",
    "https://0xa9fea9fe/latest/meta-data/",
    "https://168.63.129.16/machine",
    "https://255.255.255.255/",
    "https://256.256.256.256/",
    # IPv6 in all its forms.
    "https://[::1]/",
    "https://[::]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:169.254.169.254]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[ff02::1]/",
    "https://[::127.0.0.1]/",
    "https://[v1.x]/",
    "https://[::1/",
    # Names that are no names.
    "https://api.vendor.test./",
    "https://.vendor.test/",
    "https://api..vendor.test/",
    "https://-api.vendor.test/",
    "https://*.cdn.vendor.test/",
    "https:///",
    "https://?x",
    "https://" + "a" * 300 + ".test/",
    "https://api.vendor.test/" + "a" * 5000,
]

UNLISTED_URLS = [
    "https://evil.test/",
    "https://vendor.test/",
    "https://evilapi.vendor.test/",
    "https://api.vendor.test.evil.test/",
    "https://cdn.vendor.test/",
    "https://evilcdn.vendor.test/",
    "https://metadata.google.internal/computeMetadata/v1/",
    "https://localhost/",
]

CLOSED_ADDRESSES = [
    "0.0.0.0",
    "10.1.2.3",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.170.2",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:93.184.216.34",
    "::ffff:0:127.0.0.1",
    "64:ff9b::5db8:d822",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:5db8:d822::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1%eth0",
    "fec0::1",
    "ff02::1",
    "not an address",
    "",
]


@dataclass
class Sockets(httpcore.AsyncNetworkBackend):
    """Notes who is connected to, and leads every connection to one local port."""

    port: int = 0
    connected: list[str] = field(default_factory=list)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.connected.append(f"{host}:{port}")
        if not self.port:
            raise httpcore.ConnectError("nobody is there")
        return await httpcore.AnyIOBackend().connect_tcp("127.0.0.1", self.port, timeout)


async def as_libc_does(host: str, port: int) -> Sequence[str]:
    try:
        return [socket.inet_ntoa(socket.inet_aton(host))]
    except OSError:
        return [host if ":" in host else PUBLIC]


def resolving_to(*addresses: str) -> Callable[[str, int], Awaitable[Sequence[str]]]:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return resolve


def host_written_in(url: str) -> str:
    authority = url.partition("//")[2].split("/")[0].rpartition("@")[2]
    return authority.strip("[]") if authority.startswith("[") else authority.partition(":")[0]


# ---------------------------------------------------------------- whom it calls


def test_the_table_of_hostile_urls_is_long_enough() -> None:
    assert len(set(HOSTILE_URLS)) >= 60


@pytest.mark.parametrize("url", HOSTILE_URLS)
async def test_a_hostile_url_is_refused_by_its_form_or_address_alone(url: str) -> None:
    sockets = Sockets()
    client = HttpxClient(tls=NO_TLS, resolve=as_libc_does, sockets=sockets)
    limits = HttpLimits(hosts=(*HOSTS, host_written_in(url), host_written_in(url).lower()))
    with pytest.raises(NotSent):
        await client.send(HttpRequest("GET", url), limits)
    with pytest.raises(NotSent):
        await anext(client.stream(HttpRequest("GET", url), limits))
    assert sockets.connected == []
    await client.close()


@pytest.mark.parametrize("url", UNLISTED_URLS)
async def test_a_host_that_is_not_listed_is_not_even_resolved(url: str) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        raise AssertionError("a name was asked for")

    client = HttpxClient(tls=NO_TLS, resolve=resolve)
    with pytest.raises(NotSent):
        await client.send(HttpRequest("GET", url), HttpLimits(hosts=HOSTS))
    await client.close()


@pytest.mark.parametrize("address", CLOSED_ADDRESSES)
async def test_an_allowed_name_with_a_closed_address_is_not_connected_to(address: str) -> None:
    sockets = Sockets()
    client = HttpxClient(tls=NO_TLS, resolve=resolving_to(address), sockets=sockets)
    with pytest.raises(NotSent):
        await client.send(HttpRequest("GET", f"https://{API}/"), HttpLimits(hosts=HOSTS))
    assert sockets.connected == []
    await client.close()


async def test_one_closed_address_among_open_ones_spoils_the_name() -> None:
    sockets = Sockets()
    client = HttpxClient(tls=NO_TLS, resolve=resolving_to(PUBLIC, "10.0.0.1"), sockets=sockets)
    with pytest.raises(NotSent):
        await client.send(HttpRequest("GET", f"https://{API}/"), HttpLimits(hosts=HOSTS))
    assert sockets.connected == []
    await client.close()


@pytest.mark.parametrize("address", ["169.254.169.254", "0.0.0.0", "fe80::1", "224.0.0.1"])
async def test_even_an_allowed_private_endpoint_never_means_link_local(address: str) -> None:
    sockets = Sockets()
    client = HttpxClient(
        tls=NO_TLS, resolve=resolving_to(address), sockets=sockets, allowed_private={f"{API}:443"}
    )
    with pytest.raises(NotSent):
        await client.send(HttpRequest("GET", f"https://{API}/"), HttpLimits(hosts=HOSTS))
    assert sockets.connected == []
    await client.close()


async def test_an_allowed_private_endpoint_is_allowed_at_its_own_port_only() -> None:
    sockets = Sockets()
    client = HttpxClient(
        tls=NO_TLS,
        resolve=resolving_to("127.0.0.1"),
        sockets=sockets,
        plain_hosts={API},
        allowed_private={f"{API}:9000"},
    )
    for url in (f"http://{API}/", f"https://{API}/", f"http://{API}:9001/"):
        with pytest.raises(NotSent):
            await client.send(HttpRequest("GET", url), HttpLimits(hosts=HOSTS))
    assert sockets.connected == []
    with pytest.raises(NotSent):
        await client.send(HttpRequest("GET", f"http://{API}:9000/"), HttpLimits(hosts=HOSTS))
    assert sockets.connected == ["127.0.0.1:9000"]
    await client.close()


async def test_a_name_that_changes_its_address_is_checked_for_every_connection() -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    asked = 0

    async def resolve(host: str, port: int) -> Sequence[str]:
        nonlocal asked
        asked += 1
        return next(answers)

    sockets = Sockets()
    client = HttpxClient(tls=NO_TLS, resolve=resolve, sockets=sockets)
    for _ in range(2):
        with pytest.raises(NotSent):
            await client.send(HttpRequest("GET", f"https://{API}/"), HttpLimits(hosts=HOSTS))
    assert asked == 2
    assert sockets.connected == [f"{PUBLIC}:443"]
    await client.close()


async def test_the_next_address_is_tried_when_the_first_does_not_answer() -> None:
    sockets = Sockets()
    client = HttpxClient(
        tls=NO_TLS,
        resolve=resolving_to(PUBLIC, "93.184.216.35", "93.184.216.36", "93.184.216.37"),
        sockets=sockets,
    )
    with pytest.raises(NotSent):
        await client.send(HttpRequest("GET", f"https://{API}/"), HttpLimits(hosts=HOSTS))
    assert sockets.connected == [f"93.184.216.{last}:443" for last in (34, 35, 36)]
    await client.close()


@pytest.mark.parametrize("error", [socket.gaierror(-2, "unknown"), UnicodeError("too long")])
async def test_a_name_that_does_not_resolve_was_not_sent_to(error: Exception) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        raise error

    client = HttpxClient(tls=NO_TLS, resolve=resolve)
    with pytest.raises(NotSent):
        await client.send(HttpRequest("GET", f"https://{API}/"), HttpLimits(hosts=HOSTS))
    await client.close()


async def test_a_resolver_that_hangs_is_given_up_in_the_connect_time() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        await asyncio.sleep(60)
        return [PUBLIC]

    client = HttpxClient(tls=NO_TLS, resolve=resolve)
    began = time.monotonic()
    with pytest.raises(NotSent):
        await client.send(
            HttpRequest("GET", f"https://{API}/"), HttpLimits(hosts=HOSTS, connect_seconds=0.1)
        )
    assert time.monotonic() - began < 2
    await client.close()


# ---------------------------------------------------------------- what it sends, over TLS


def certificate_for(name: str, folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's and a trusting client's side of one self-made certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = folder / f"{name}.pem"
    file.write_bytes(private + certificate)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cadata=certificate.decode())


@asynccontextmanager
async def tls_server(context: ssl.SSLContext, heard: list[bytes]) -> AsyncIterator[int]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_the_pinned_connection_still_speaks_of_the_name(tmp_path: Path) -> None:
    context, trust = certificate_for(API, tmp_path)
    asked_for: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: asked_for.append(name)
    heard: list[bytes] = []
    async with tls_server(context, heard) as port:
        sockets = Sockets(port)
        client = HttpxClient(resolve=resolving_to(PUBLIC), sockets=sockets, tls=trust)
        reply = await client.send(
            HttpRequest("GET", f"https://{API}/v1?x=%2F&y=1"), HttpLimits(hosts=HOSTS)
        )
        await client.close()
    assert reply.body == b"ok"
    assert sockets.connected == [f"{PUBLIC}:443"]
    assert asked_for == [API]
    head = heard[0].lower().split(b"\r\n")
    assert head[0] == b"get /v1?x=%2f&y=1 http/1.1"
    assert b"host: api.vendor.test" in head
    assert b"accept-encoding: identity" in head


async def test_a_certificate_of_another_name_ends_the_call_before_it_is_made(
    tmp_path: Path,
) -> None:
    context, trust = certificate_for("other.test", tmp_path)
    heard: list[bytes] = []
    async with tls_server(context, heard) as port:
        client = HttpxClient(resolve=resolving_to(PUBLIC), sockets=Sockets(port), tls=trust)
        with pytest.raises(NotSent):
            await client.send(HttpRequest("POST", f"https://{API}/"), HttpLimits(hosts=HOSTS))
        await client.close()
    assert heard == []
