"""Render an answer as Discord messages."""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from zoneinfo import ZoneInfo

from agent.citations import footer
from agent.markdown import address, inline, line, trimmed
from agent.spoilers import PLACEHOLDER, split_code, without_spoilers
from agent.types import Answer, Source
from agent.web.pages import shown_pages
from bot.tables import with_tables
from memory.mentions import in_discord
from memory.message import Message, sanitize
from memory.message_text import SPOILER
from memory.plain_text import visible

MESSAGE_LIMIT = 2000  # characters that Discord takes in one message

# As Discord reads it: a fence is a pair of marks anywhere, and a language is alone on its line with the first mark.
_SPAN = re.compile(
    r"```(?:(?P<language>[\w+.#-]{0,20})\n)?(?P<code>.+?)\n?```"
    r"|\\[^0-9A-Za-z\s]"
    r"|\|\|(?P<hidden>.+?)\|\|"
    r"|\[\[\d{1,9}\]\]\(<[^\s<>]{1,300}>\)|<[^\s<>]{1,1600}>|``[^\n]{1,300}?``|`[^`\n]{1,300}`",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class _Span:
    """What belongs together in a text: where it and the body begin and end within which it may be cut.

    Where it is cut it is closed, and opened again behind the cut.
    """

    start: int
    body_start: int
    body_end: int
    end: int
    opening: str = ""

    @classmethod
    def from_match(cls, match: re.Match[str]) -> Self:
        """Return the span; one without a body, such as a link, is not to be cut at all."""
        if match["code"] is not None:
            opening = f"```{match['language'] or ''}\n"
            return cls(match.start(), match.start("code"), match.end("code"), match.end(), opening)
        if match["hidden"] is not None:
            return cls(match.start(), match.start("hidden"), match.end("hidden"), match.end(), "||")
        return cls(match.start(), match.end(), match.end(), match.end())

    def closing(self, text: str, end: int) -> str:
        """Return what closes the span at a cut."""
        if self.opening == "||":
            return "||"
        return "```" if text[end - 1] == "\n" else "\n```"


class _Spans:
    """The spans of a text, in order; which one is at a position is found without looking at all of them."""

    def __init__(self, text: str) -> None:
        self._spans = [_Span.from_match(match) for match in _SPAN.finditer(text)]
        self._starts = [span.start for span in self._spans]

    def around(self, position: int) -> _Span | None:
        """Return the span that a cut at this position would part."""
        number = bisect_left(self._starts, position) - 1
        span = self._spans[number] if number >= 0 else None
        return span if span is not None and position < span.end else None

    def opened(self, position: int) -> _Span | None:
        """Return the span whose body goes on behind a cut at this position."""
        span = self.around(position)
        return span if span is not None and span.body_start < position < span.body_end else None


def split_message(text: str, limit: int = MESSAGE_LIMIT) -> Iterator[str]:
    """Yield parts of at most `limit` characters (64 or more) that together are the text, unchanged.

    A part ends after a line where it can, after a space when one line is too long, anywhere when even a word is.
    Code and spoilers that go on in the next part are closed here and opened again there, code with its language: those
    marks are all that is added. Links, emoji, times and code within a line are not cut. The time it takes grows with
    the length of the text, whatever is in it.
    """
    spans = _Spans(text)
    start = 0
    opening = ""
    while len(opening) + len(text) - start > limit:
        end = _cut(text, start, start + limit - len(opening), spans)
        span = spans.opened(end)
        yield opening + text[start:end] + (span.closing(text, end) if span else "")
        start, opening = end, span.opening if span else ""
    if start < len(text):
        yield opening + text[start:]


def _cut(text: str, start: int, latest: int, spans: _Spans) -> int:
    """Return where to end the part that begins at `start`, at `latest` or before."""
    after_space = anywhere = None
    for end in range(latest, start, -1):
        if not _may_cut(text, end, latest, spans):
            continue
        if text[end - 1] == "\n":
            return end
        if after_space is None and text[end - 1] == " ":
            after_space = end
        anywhere = anywhere or end
    return after_space or anywhere or latest


def _may_cut(text: str, end: int, latest: int, spans: _Spans) -> bool:
    """Tell whether a part may end here: never within marks or behind a backslash, nor where no mark has room."""
    span = spans.around(end)
    if span is None:
        return True
    if not span.body_start < end < span.body_end or text[end - 1] == "\\":
        return False
    return end + len(span.closing(text, end)) <= latest


MAX_SOURCES = 10
_MOST_READ = 20_000  # characters of an answer; in any style it is cut long before
EXCERPT_LENGTH = 80  # characters

NOTHING_TO_SAY = "I have no answer to that."
CUT_NOTE = "-# The answer is longer than I may post, so it is cut here."

_MENTION = re.compile(r"@(?=everyone|here|[!&]?\d)")
_MARK = re.compile(r"\\.|\[(?P<number>\d{1,4})\](?!\()", re.DOTALL)
_REST_OF_LINK = re.compile(r"(?<!\\)\](?=\()")
_PREVIEWED = re.compile(r"<https?://[^\s<>]{1,1500}>|(?P<address>https?://[^\s<>`\[\]]{1,1500})")
_CLICKABLE = re.compile(r"(?<!\\)<(?=/[\w -]{1,40}:\d|id:\w)|(?:(?<=\.gg)|(?<=discord\.com)|(?<=discordapp\.com))/")
"""What Discord makes a button or an invitation of: a slash command, a page of the server, an address without https."""

_MASKED_LINK = re.compile(r"(?<!\\)\[(?P<words>[^\[\]\n]{1,200})\]\((?P<address><?https?://[^\s<>()]{1,1000}>?)\)")


@dataclass(frozen=True, slots=True)
class Rendered:
    """An answer as it is shown: its text, a line for each source, and sentences on how it came about."""

    text: str
    sources: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def render(answer: Answer, time_zone: ZoneInfo) -> Rendered:
    """Return an answer in Discord's Markdown: its text with linked marks, its sources, its notes with its footer."""
    links = {source.number: source.message.link for source in answer.sources}
    written = neutralised(answer.text[: 4 * _MOST_READ]).strip()[:_MOST_READ]
    text = _with_plain_addresses(_with_bare_links(with_tables(written)))
    pages = neutralised(shown_pages(answer.pages))
    shown = [_with_links(text or NOTHING_TO_SAY, links), *([pages] if pages else [])]
    return Rendered("\n\n".join(shown), tuple(_sources(answer, time_zone)), tuple(_notes(answer)))


def render_text(text: str) -> list[str]:
    """Return a text of the program's own, or of many lines, as the parts of a reply; there is one, with words."""
    shown = neutralised(text)
    return [shown if shown.strip() else NOTHING_TO_SAY]


def neutralised(text: str) -> str:
    """Return a text in which nothing that looks like a mention of people is one, and which can be sent.

    Mentions of channels go back to the form that Discord names to those who may see them. What nobody sees is left out.
    """
    return _MENTION.sub("@\N{ZERO WIDTH SPACE}", in_discord(visible(sanitize(text))))


def _with_bare_links(text: str) -> str:
    """Return what a model wrote with the address of each link shown: its words could be those of another address."""

    def bare(link: re.Match[str]) -> str:
        return f"{link['words']} ({address(link['address'].strip('<>'))})"

    return _outside_code(text, lambda part: _REST_OF_LINK.sub(r"\\]", _MASKED_LINK.sub(bare, part)))


def _with_plain_addresses(text: str) -> str:
    """Return what a model wrote with its addresses as links without a preview, and nothing else to click on."""

    def plain(found: re.Match[str]) -> str:
        if found["address"] is None:
            return found[0]
        url = trimmed(found["address"])
        return f"{address(url)}{found[0][len(url) :]}"

    def changed(part: str) -> str:
        written: list[str] = []
        position = 0
        for found in _PREVIEWED.finditer(part):
            written += [_CLICKABLE.sub(r"\\\g<0>", part[position : found.start()]), plain(found)]
            position = found.end()
        return "".join([*written, _CLICKABLE.sub(r"\\\g<0>", part[position:])])

    return _outside_code(text, changed)


def _with_links(text: str, links: dict[int, str | None]) -> str:
    """Make each mark outside of code a link to the message that it stands for."""

    def linked(found: re.Match[str]) -> str:
        number = found["number"]
        link = links.get(int(number)) if number else None
        return _mark(int(number), link) if link else found[0]

    return _outside_code(text, lambda part: _MARK.sub(linked, part))


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    return "".join(part if is_code else change(part) for is_code, part in split_code(text))


def _mark(number: int, link: str | None) -> str:
    """Return `[n]`, as a link where there is one.

    The inner brackets are not escaped: Discord shows a backslash inside a masked link. The angle brackets keep it
    from adding a preview.
    """
    return f"[[{number}]](<{link}>)" if link else f"[{number}]"


def _sources(answer: Answer, time_zone: ZoneInfo) -> Iterator[str]:
    for source in answer.sources[:MAX_SOURCES]:
        yield _source_line(source, time_zone)


def _notes(answer: Answer) -> Iterator[str]:
    if len(answer.sources) > MAX_SOURCES:
        yield f"and {len(answer.sources) - MAX_SOURCES} more"
    for note in answer.notes:
        if note.strip():
            yield _one_line(neutralised(note))
    if searched := footer(answer.searched):
        yield neutralised(searched)


def _source_line(source: Source, time_zone: ZoneInfo) -> str:
    message = source.message
    where = f"{'' if message.guild_id is None else '#'}{inline(message.channel_name)}"
    when = day_and_time(message.sent_at, time_zone)
    words = f"{_mark(source.number, message.link)} {inline(message.author_name)} in {where}, {when}: {excerpt(message)}"
    return neutralised(words)


def day_and_time(moment: datetime, time_zone: ZoneInfo) -> str:
    """Return a time on the reader's clock, or on UTC's where the calendar ends before that clock shows it."""
    with suppress(OverflowError):
        moment = moment.astimezone(time_zone)
    return f"{moment:%a} {moment.day} {moment:%b %Y %H:%M}"


def excerpt(message: Message) -> str:
    """Return the beginning of a message as one line, or the names of its files; a placeholder hides what was hidden."""
    files = ", ".join(_file(file.name) for file in message.attachments)
    return line(without_spoilers(in_discord(message.content)).strip() or files, longest=EXCERPT_LENGTH)


def _file(name: str) -> str:
    """Return a file by its name, unless the file is hidden until somebody clicks on it."""
    return PLACEHOLDER if name.startswith(SPOILER) else f"({name})"


def _one_line(text: str) -> str:
    return " ".join(text.split())
