"""Search Wikipedia, and the web through DuckDuckGo."""

import json
from collections.abc import Collection
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from agent.config import WEB, WEB_SITES, WIKIPEDIA
from agent.types import WebPage
from agent.web.pages import WebSearch
from errors import WebUnavailableError

_MOST = 3
_DUCKDUCKGO = "html.duckduckgo.com"
_REGION = "wt-wt"  # no region
_LONGEST_TITLE, _LONGEST_EXTRACT = 200, 1200  # characters


class Fetches(Protocol):
    """Fetches text; see `agent.web.fetch.Fetcher`."""

    async def fetch(self, url: str, *, params: dict[str, str], posts: bool = False) -> str:
        """Return the text of an answer; raise WebUnavailableError."""


class Wikipedia:
    """Searches the Wikipedia of one language by MediaWiki's API: the beginnings of the articles that fit best."""

    def __init__(self, fetcher: Fetches, *, language: str = "en") -> None:
        self._fetcher = fetcher
        self._host = f"{language}.wikipedia.org"

    async def search(self, words: str) -> list[WebPage]:
        """Return the articles that fit some words, the best first; raise WebUnavailableError."""
        params = {
            "action": "query",
            "format": "json",
            "formatversion": "2",
            "generator": "search",
            "gsrsearch": words,
            "gsrlimit": str(_MOST),
            "prop": "extracts|info",
            "exintro": "1",
            "explaintext": "1",
            "exlimit": "max",
            "inprop": "url",
        }
        text = await self._fetcher.fetch(f"https://{self._host}/w/api.php", params=params)
        try:
            answer = json.loads(text)
            found = sorted(answer.get("query", {}).get("pages", ()), key=lambda page: page.get("index", _MOST))
            pages = [self._page(page) for page in found]
        except (ValueError, AttributeError, TypeError, KeyError) as error:
            raise WebUnavailableError("Wikipedia's answer cannot be read") from error
        return [page for page in pages if page.extract and urlsplit(page.address).hostname == self._host][:_MOST]

    def _page(self, page: dict[str, object]) -> WebPage:
        return _cut(str(page["title"]), str(page["fullurl"]), str(page.get("extract") or ""), "Wikipedia")


class DuckDuckGo:
    """Searches the web by DuckDuckGo's page without scripts, which the package ddgs reads."""

    def __init__(self, fetcher: Fetches) -> None:
        from ddgs.engines.duckduckgo import Duckduckgo

        self._fetcher = fetcher
        self._engine = Duckduckgo()

    async def search(self, words: str) -> list[WebPage]:
        """Return the pages that fit some words, the best first; raise WebUnavailableError."""
        params = self._engine.build_payload(words, _REGION, "moderate", None)
        text = await self._fetcher.fetch(self._engine.search_url, params=params, posts=True)
        try:
            found = self._engine.post_extract_results(self._engine.extract_results(text))
        except Exception as error:  # lxml's errors share no base with anything
            raise WebUnavailableError("DuckDuckGo's answer cannot be read") from error
        pages = [_cut(result.title, _target(result.href), result.body, "the web") for result in found]
        return [page for page in pages if page.title and urlsplit(page.address).scheme == "https"][:_MOST]


def open_sites(names: Collection[str], *, language: str = "en") -> tuple[WebSearch, ...]:
    """Return the searches of the sites of these names, in the order of WEB_SITES; what they need is imported now."""
    if not names:
        return ()
    from agent.web.fetch import Fetcher

    def wikipedia() -> WebSearch:
        return Wikipedia(Fetcher(frozenset({f"{language}.wikipedia.org"})), language=language)

    def web() -> WebSearch:
        return DuckDuckGo(Fetcher(frozenset({_DUCKDUCKGO})))

    made = {WIKIPEDIA: wikipedia, WEB: web}
    return tuple(made[name]() for name in WEB_SITES if name in names)


def _target(url: str) -> str:
    """Return where a result leads, also when it leads there over DuckDuckGo."""
    parts = urlsplit(f"https:{url}" if url.startswith("//") else url)
    if (parts.hostname or "").endswith("duckduckgo.com") and parts.path == "/l/":
        return next(iter(parse_qs(parts.query).get("uddg", ())), "")
    return parts.geturl()


def _cut(title: str, address: str, extract: str, site: str) -> WebPage:
    return WebPage(
        title=" ".join(title[:_LONGEST_TITLE].split()),
        address=address,
        extract=" ".join(extract[:_LONGEST_EXTRACT].split()),
        site=site,
    )
