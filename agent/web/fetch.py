"""Fetch text from a few allowed hosts over https, and from no address of the operator's own network."""

import ipaddress
import socket
import ssl
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from errors import WebUnavailableError

MOST_BYTES = 1_000_000
"""Of one answer, after it was unpacked."""

TIMEOUT = timedelta(seconds=8)

USER_AGENT = "Backscroll (a Discord bot that remembers; aiohttp)"

_CHUNK = 16_384
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the internet, also the one that another one stands for."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in _NAT64:  # how a host with an IPv4 address is reached from a network that has none
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None and not is_public(str(inner)):
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


class PublicResolver(AbstractResolver):
    """Resolves hosts, and refuses those with an address that is not public.

    The connection is made to the addresses that were looked at, so a host cannot have others a moment later.
    """

    def __init__(self, resolver: AbstractResolver) -> None:
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a host; raise OSError when one of them is not public."""
        found = await self._resolver.resolve(host, port, family)
        if not all(is_public(result["host"]) for result in found):
            raise OSError(f"{host} has an address that is not public")
        return found

    async def close(self) -> None:
        """Release the resolver."""
        await self._resolver.close()


class Fetcher:
    """Fetches from some hosts and nowhere else; it follows no redirect and asks no proxy.

    `resolver` and `ssl_context` are aiohttp's usual ones unless they are given.
    """

    def __init__(
        self,
        hosts: frozenset[str],
        *,
        resolver: AbstractResolver | None = None,
        ssl_context: ssl.SSLContext | None = None,
        most_bytes: int = MOST_BYTES,
        timeout: timedelta = TIMEOUT,
    ) -> None:
        self._hosts = hosts
        self._resolver = resolver
        self._ssl = ssl_context
        self._most_bytes = most_bytes
        self._timeout = timeout

    async def fetch(self, url: str, *, params: Mapping[str, str], posts: bool = False) -> str:
        """Return the text of an answer to GET, or with `posts` to POST; raise WebUnavailableError for any other."""
        parts = urlsplit(url)
        if parts.scheme != "https" or parts.hostname not in self._hosts or parts.username is not None:
            raise WebUnavailableError("only https and the hosts that were chosen are asked")
        try:
            return await self._fetch(url, params, "POST" if posts else "GET")
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise WebUnavailableError(f"{parts.hostname} did not answer") from error

    async def _fetch(self, url: str, params: Mapping[str, str], method: str) -> str:
        resolver = PublicResolver(self._resolver or aiohttp.ThreadedResolver())
        connector = aiohttp.TCPConnector(resolver=resolver, ssl=self._ssl or True, use_dns_cache=False)
        payload = {"data" if method == "POST" else "params": dict(params)}
        async with (
            aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=self._timeout.total_seconds()),
                headers={"User-Agent": USER_AGENT},
                cookie_jar=aiohttp.DummyCookieJar(),
            ) as session,
            session.request(method, url, allow_redirects=False, **payload) as response,  # type: ignore[arg-type]
        ):
            if response.status != 200:
                raise WebUnavailableError(f"{urlsplit(url).hostname} answered with status {response.status}")
            return (await self._read(response)).decode("utf-8", "replace")

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK):
            body += chunk
            if len(body) > self._most_bytes:
                raise WebUnavailableError("an answer was too long")
        return bytes(body)
