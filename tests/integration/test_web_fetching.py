"""Pages are fetched over https from chosen hosts alone, wherever their names and redirects lead."""

import socket
import ssl
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest
import trustme
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from agent.web import fetch as fetching
from agent.web.fetch import Fetcher, PublicResolver, is_public
from errors import WebUnavailableError

HOST = "wiki.test"


class Names(AbstractResolver):
    """Resolves every name to some addresses, and remembers the names."""

    def __init__(self, *addresses: str) -> None:
        self.asked: list[str] = []
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in self._addresses
        ]

    async def close(self) -> None:
        return


class Site:
    """A https server on the loopback, and what it was asked."""

    def __init__(self) -> None:
        self.port = 0
        self.asked: list[tuple[str, str]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        posted = await request.post()
        self.asked.append((request.method, str(posted.get("q") or request.query.get("q"))))
        if request.path == "/away":
            raise web.HTTPFound(f"https://other.test:{self.port}/page")
        if request.path == "/missing":
            raise web.HTTPNotFound
        return web.Response(text="x" * 50_000 if request.path == "/long" else "caf\u00e9")

    def url(self, path: str, host: str = HOST) -> str:
        return f"https://{host}:{self.port}{path}"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def site(authority: trustme.CA) -> AsyncGenerator[Site]:
    site = Site()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", site.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST, "other.test").configure_cert(context)
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        site.port = runner.addresses[0][1]
        yield site
    finally:
        await runner.cleanup()


@pytest.fixture
def names() -> Names:
    return Names("127.0.0.1")


@pytest.fixture
def fetcher(names: Names, authority: trustme.CA) -> Fetcher:
    trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(trusted)
    return Fetcher(
        frozenset({HOST}), resolver=names, ssl_context=trusted, most_bytes=10_000, timeout=timedelta(seconds=20)
    )


@pytest.fixture
def loopback_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "is_public", lambda _: True)


@pytest.mark.usefixtures("loopback_is_public")
@pytest.mark.parametrize(("posts", "method"), [(False, "GET"), (True, "POST")])
async def test_a_chosen_host_is_asked_over_https(site: Site, fetcher: Fetcher, posts: bool, method: str) -> None:
    assert await fetcher.fetch(site.url("/page"), params={"q": "a b"}, posts=posts) == "caf\u00e9"
    assert site.asked == [(method, "a b")]


@pytest.mark.usefixtures("loopback_is_public")
@pytest.mark.parametrize("path", ["/away", "/missing", "/long"], ids=["a redirect", "no page", "too long a page"])
async def test_nothing_else_is_taken(site: Site, fetcher: Fetcher, names: Names, path: str) -> None:
    with pytest.raises(WebUnavailableError):
        await fetcher.fetch(site.url(path), params={})

    assert (len(site.asked), names.asked) == (1, [HOST])


@pytest.mark.usefixtures("loopback_is_public")
async def test_a_host_that_nobody_vouches_for_is_not_believed(site: Site, names: Names) -> None:
    with pytest.raises(WebUnavailableError):
        await Fetcher(frozenset({HOST}), resolver=names).fetch(site.url("/page"), params={})

    assert site.asked == []


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://wiki.test/", id="without encryption"),
        pytest.param("https://other.test/", id="another host"),
        pytest.param("https://wiki.test@other.test/", id="another host behind a name"),
        pytest.param("https://other.test@wiki.test/", id="a name of somebody"),
        pytest.param("https://wiki.test.other.test/", id="a host that begins alike"),
        pytest.param("https://127.0.0.1/", id="an address"),
        pytest.param("file:///etc/passwd", id="a file"),
    ],
)
async def test_no_other_host_is_even_resolved(fetcher: Fetcher, names: Names, url: str) -> None:
    with pytest.raises(WebUnavailableError):
        await fetcher.fetch(url, params={})

    assert names.asked == []


async def test_a_chosen_host_that_leads_into_the_own_network_is_not_asked(site: Site, fetcher: Fetcher) -> None:
    with pytest.raises(WebUnavailableError):
        await fetcher.fetch(site.url("/page"), params={})

    assert site.asked == []


async def test_a_host_with_a_public_and_a_private_address_is_refused() -> None:
    with pytest.raises(OSError, match="not public"):
        await PublicResolver(Names("93.184.216.34", "10.0.0.7")).resolve(HOST)


@pytest.mark.parametrize("address", ["93.184.216.34", "2a00:1450:4001:80b::200e", "64:ff9b::5db8:d822"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",  # noqa: S104
            "224.0.0.1",
        ),
        *("255.255.255.255", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1%eth0", "fd00::1", "ff02::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe"),
    ],
)
def test_all_others_are_not(address: str) -> None:
    assert not is_public(address)
