"""Which addresses may be called: the rules against forged requests through URLs of others.

Two checks, both needed. `target_of` reads an URL and holds its name, scheme and port against what
the caller allows. `is_open` judges the address that the name resolved to, which is chosen by
whoever owns the name.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx

URL_CHARS_MAX = 4096
HOST_CHARS_MAX = 253

_PORTS = {"https": 443, "http": 80}

_PRINTABLE = re.compile(r"[!-~]+")
_SCHEME_AND_AUTHORITY = re.compile(r"[A-Za-z]+://([^/?#]*)")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
# libc reads 0x7f.1, 0177.1, 127.1 and 2130706433 as addresses; no real name ends in such a label.
_NUMBER_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")

# What the local profile may be allowed to call. Link-local addresses, where clouds keep their
# metadata, are not among them.
_OWN_NETWORKS = (
    IPv4Network("127.0.0.0/8"),
    IPv4Network("10.0.0.0/8"),
    IPv4Network("172.16.0.0/12"),
    IPv4Network("192.168.0.0/16"),
    IPv6Network("::1/128"),
    IPv6Network("fc00::/7"),
)

# The IANA special-purpose registries, and one more: 168.63.129.16 looks public and is Azure's.
_CLOSED_IPV4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)

# In IPv6 only the global unicast block is open. IPv4-mapped (::ffff:0:0/96), NAT64 (64:ff9b::/96),
# loopback, unique local, link-local and multicast addresses all lie outside it.
_OPEN_IPV6 = IPv6Network("2000::/3")
_CLOSED_IPV6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # Teredo, benchmarking, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4 carries an IPv4 address
        "2620:4f:8000::/48",
        "3fff::/20",  # documentation
    )
)


class Refused(Exception):
    """This is not called. The message names the rule and never the path, which may be signed."""


@dataclass(frozen=True, slots=True)
class Target:
    """A checked URL, taken apart. What is sent is built from these parts, so no second parser can
    see another host than the one that was checked."""

    scheme: str
    host: str
    port: int
    path: bytes

    @property
    def authority(self) -> str:
        """The Host header: the name, and the port where it is not the scheme's own."""
        if self.port == _PORTS[self.scheme]:
            return f"[{self.host}]" if ":" in self.host else self.host
        return endpoint(self.host, self.port)

    @property
    def url(self) -> str:
        """The URL again, to resolve a relative redirect against."""
        return f"{self.scheme}://{self.authority}{self.path.decode('ascii')}"


def endpoint(host: str, port: int) -> str:
    """`host:port` as it stands in an URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def target_of(
    url: str,
    *,
    hosts: Collection[str],
    plain_hosts: Collection[str] = (),
    allowed_private: Collection[str] = (),
) -> Target:
    """Take an allowed URL apart, or raise `Refused`.

    `hosts` are exact names, or `*.name` for any host below it. http is for `plain_hosts`, and a
    port other than the scheme's own is for the `host:port` endpoints of `allowed_private`.
    """
    parsed = _parsed(url)
    host = parsed.host
    if not _is_host(host):
        raise Refused("not a plain host name")
    if not _is_listed(host, hosts):
        raise Refused(f"host {host} is not allowed")
    if parsed.scheme not in _PORTS:
        raise Refused("only https is called")
    if parsed.scheme == "http" and host not in plain_hosts:
        raise Refused(f"host {host} is not called without TLS")
    own_port = _PORTS[parsed.scheme]
    port = own_port if parsed.port is None else parsed.port
    if port != own_port and endpoint(host, port) not in allowed_private:
        raise Refused(f"port {port} of {host} is not allowed")
    return Target(parsed.scheme, host, port, parsed.raw_path)


def is_open(address: str, *, may_be_private: bool = False) -> bool:
    """Whether a resolved address may be connected to."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and ip.scope_id is not None:
        return False
    if may_be_private and any(ip in network for network in _OWN_NETWORKS):
        return True
    return _is_public(ip)


def _parsed(url: str) -> httpx.URL:
    # Parsers disagree on backslashes, spaces, control characters and letters that fold into ASCII.
    if len(url) > URL_CHARS_MAX or not _PRINTABLE.fullmatch(url) or "\\" in url:
        raise Refused("not a plain URL")
    match = _SCHEME_AND_AUTHORITY.match(url)
    if match is None:
        raise Refused("not an absolute URL")
    if "@" in match[1] or "%" in match[1] or match[1].endswith(":"):
        raise Refused("user info, escapes and empty ports are not allowed")
    try:
        return httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise Refused("not an URL") from error


def _is_host(host: str) -> bool:
    try:
        ip = ip_address(host)
    except ValueError:
        labels = host.split(".")
        return (
            len(host) <= HOST_CHARS_MAX
            and all(_LABEL.fullmatch(label) for label in labels)
            and not _NUMBER_LABEL.fullmatch(labels[-1])
        )
    return str(ip) == host


def _is_listed(host: str, hosts: Collection[str]) -> bool:
    return any(
        host.endswith(name[1:]) if name.startswith("*.") else host == name
        for name in map(str.lower, hosts)
    )


def _is_public(ip: IPv4Address | IPv6Address) -> bool:
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in _CLOSED_IPV4)
    return ip in _OPEN_IPV6 and not any(ip in network for network in _CLOSED_IPV6)
