"""Pages of the web that answer a question beside memory: who finds them, and how they are shown."""

import re
from collections.abc import Sequence
from typing import Protocol

from agent.markdown import Markdown, address, inline, line
from agent.types import WebPage

HEADING = Markdown("**Not from memory**")

LONGEST_EXTRACT = 400
"""Characters that are shown of a page."""

_MARK = re.compile(r"\[web ?(?P<number>\d{1,2})\]", re.IGNORECASE)
_SENTENCE = re.compile(r"[^.!?]*(?:[.!?]+(?!\s|\Z|\[)[^.!?]*)*(?:[.!?]+(?:[ \t]?\[[^\[\]\n]{1,40}\])*[ \t]*)?")


class WebSearch(Protocol):
    """Finds pages of one site or of the web."""

    async def search(self, words: str) -> list[WebPage]:
        """Return the pages that fit some words, the best first; raise WebUnavailableError."""


def without_web_sentences(text: str) -> tuple[str, tuple[int, ...]]:
    """Return an answer without the sentences that cite pages, and the numbers of these pages.

    What a model makes of a page is proven by no message: readers get the page's own words.
    """
    if not _MARK.search(text):
        return text, ()
    cited: dict[int, None] = {}
    lines = []
    for written in text.split("\n"):
        kept = []
        for sentence in _SENTENCE.findall(written):
            numbers = [int(number) for number in _MARK.findall(sentence)]
            cited |= dict.fromkeys(numbers)
            if sentence and not numbers:
                kept.append(sentence)
        if kept or not written.strip():
            lines.append("".join(kept).rstrip())
    return "\n".join(lines).strip(), tuple(cited)


def shown_pages(pages: Sequence[WebPage], *, heading: Markdown = HEADING) -> Markdown:
    """Return pages under a heading that says what they are not, each with its own words and its plain address."""
    if not pages:
        return Markdown("")
    return Markdown("\n".join([heading, *map(_shown, pages)]))


def _shown(page: WebPage) -> str:
    extract = line(page.extract, longest=LONGEST_EXTRACT)
    return f"- {inline(page.title)} ({inline(page.site)}): {extract} {address(page.address)}"
