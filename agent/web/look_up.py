"""Look words of one question up on the web, and number the pages that are found."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta

from agent.types import WebPage
from agent.web.pages import WebSearch
from agent.web.question_words import MOST_WORDS, words_in, words_to_ask
from errors import WebUnavailableError
from memory.search.terms import keywords_of
from time_expressions.folding import folded
from tracing import span

MOST_LOOK_UPS = 2
"""Queries for one question."""

MOST_PAGES = 3
"""Pages that are taken of one site."""

LIMIT = timedelta(seconds=10)
"""How long one look-up may take."""

logger = logging.getLogger(__name__)


class WebLookUp:
    """What one question has looked up: pages by their numbers, and which of them the answer cites."""

    def __init__(self, searches: Sequence[WebSearch], question: str) -> None:
        self._searches = searches
        self._question = question
        self._count = 0
        self._pages: dict[int, WebPage] = {}
        self._cited: dict[int, None] = {}

    @property
    def has_pages(self) -> bool:
        """Whether anything was found."""
        return bool(self._pages)

    @property
    def cited(self) -> tuple[WebPage, ...]:
        """The pages that the answer cites."""
        return tuple(self._pages[number] for number in self._cited)

    def cite(self, numbers: Iterable[int]) -> None:
        """Take note of pages that an answer cites; numbers that no page has are left out."""
        self._cited |= dict.fromkeys(number for number in numbers if number in self._pages)

    async def look_up(self, words: str) -> list[tuple[int, WebPage]]:
        """Return the pages that fit some words of the question, with their numbers.

        Raises ValueError for other words and for one look-up too many, WebUnavailableError when no site answers.
        """
        query = words_to_ask(words, self._question)
        if self._count >= MOST_LOOK_UPS:
            raise ValueError("The web was searched often enough for this question: answer from what you were shown.")
        self._count += 1
        with span("web", query=query) as looked:
            found = await asyncio.gather(*(_search(search, query) for search in self._searches))
            looked.note(found=sum(len(pages or ()) for pages in found))
        if all(pages is None for pages in found):
            raise WebUnavailableError("no site of the web answered")
        return [(self._number(page), page) for pages in found for page in (pages or ())[:MOST_PAGES]]

    def _number(self, page: WebPage) -> int:
        known = next((number for number, other in self._pages.items() if other.address == page.address), None)
        number = known or len(self._pages) + 1
        self._pages[number] = page
        return number


NO_WEB = "The web could not be searched just now."


async def look_up_instead(question: str, searches: Sequence[WebSearch]) -> tuple[tuple[WebPage, ...], str]:
    """Return what the web has for a question that memory has nothing for, and a note when it could not be asked."""
    telling = {word.text for word in keywords_of(question)}
    words = " ".join([word for word in words_in(question) if folded(word) in telling][:MOST_WORDS])
    try:
        return tuple(page for _, page in await WebLookUp(searches, question).look_up(words)), ""
    except ValueError:  # it has no words that say what it is about
        return (), ""
    except WebUnavailableError:
        return (), NO_WEB


async def _search(search: WebSearch, query: str) -> list[WebPage] | None:
    """Return what a site finds; None when it does not answer in time."""
    try:
        async with asyncio.timeout(LIMIT.total_seconds()):
            return await search.search(query)
    except (WebUnavailableError, TimeoutError) as error:
        logger.warning("a site of the web did not answer: %r", error)
    except Exception:  # what a site sends may be anything
        logger.exception("what a site of the web sent cannot be read")
    return None
