"""Render an answer as Discord messages."""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from agent.answers import Answer, Source
from agent.citations import split_code
from agent.escaping import address, inline, line
from agent.footer import footer
from agent.spoilers import PLACEHOLDER, without_spoilers
from agent.visible import visible
from bot.splitting import MESSAGE_LIMIT, split_message
from memory.mentions import in_discord
from memory.messages import Message, storable
from memory.words import SPOILER

MAX_MESSAGES = 5
MAX_SOURCES = 10
_MOST_READ = 2 * MAX_MESSAGES * MESSAGE_LIMIT  # characters of an answer; beyond half of them it is cut
EXCERPT_LENGTH = 80  # characters

NOTHING_TO_SAY = "I have no answer to that."
CUT_NOTE = "-# The answer is longer than I may post, so it is cut here."

_MENTION = re.compile(r"@(?=everyone|here|[!&]?\d)")
_MARK = re.compile(r"\\.|\[(?P<number>\d{1,4})\](?!\()", re.DOTALL)
_REST_OF_LINK = re.compile(r"(?<!\\)\](?=\()")
_MASKED_LINK = re.compile(r"(?<!\\)\[(?P<words>[^\[\]\n]{1,200})\]\((?P<address><?https?://[^\s<>()]{1,1000}>?)\)")


def render(answer: Answer, time_zone: ZoneInfo) -> list[str]:
    """Return the messages that show an answer: its text with linked marks, its sources, its notes, its footer.

    A long answer is cut before its sources and notes are: without them nobody could check it.
    """
    links = {source.number: source.message.link for source in answer.sources}
    text = _with_bare_links(neutralised(answer.text[: 4 * _MOST_READ]).strip()[:_MOST_READ])
    body = _with_links(text or NOTHING_TO_SAY, links)
    ending = _ending(answer, time_zone)
    whole = _messages("\n\n".join(filter(None, (body, ending))), most=MAX_MESSAGES + 1)
    if len(whole) <= MAX_MESSAGES:
        return whole
    last = _messages("\n".join(filter(None, (CUT_NOTE, ending))), most=MAX_MESSAGES - 1)
    return _messages(body, most=MAX_MESSAGES - len(last)) + last


def render_text(text: str) -> list[str]:
    """Return the messages that show a text of the program's own; there is at least one."""
    return _messages(neutralised(text), most=MAX_MESSAGES) or [NOTHING_TO_SAY]


def neutralised(text: str) -> str:
    """Return a text in which nothing that looks like a mention of people is one, and which can be sent.

    Mentions of channels go back to the form that Discord names to those who may see them. What nobody sees is left out.
    """
    return _MENTION.sub("@\N{ZERO WIDTH SPACE}", in_discord(visible(storable(text))))


def _messages(text: str, *, most: int) -> list[str]:
    """Split a text into as many parts at most, and leave out blank ones, which Discord refuses."""
    return list(islice((part for part in split_message(text) if part.strip()), most))


def _with_bare_links(text: str) -> str:
    """Return what a model wrote with the address of each link shown: its words could be those of another address."""

    def bare(link: re.Match[str]) -> str:
        return f"{link['words']} ({address(link['address'].strip('<>'))})"

    return _outside_code(text, lambda part: _REST_OF_LINK.sub(r"\\]", _MASKED_LINK.sub(bare, part)))


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


def _ending(answer: Answer, time_zone: ZoneInfo) -> str:
    lines = []
    if answer.sources:
        lines.append("**Sources**")
        lines += [_source_line(source, time_zone) for source in answer.sources[:MAX_SOURCES]]
    if len(answer.sources) > MAX_SOURCES:
        lines.append(f"-# and {len(answer.sources) - MAX_SOURCES} more")
    lines += [f"-# {_one_line(neutralised(note))}" for note in answer.notes if note.strip()]
    if searched := footer(answer.searched):
        lines.append(f"-# {neutralised(searched)}")
    return "\n".join(lines)


def _source_line(source: Source, time_zone: ZoneInfo) -> str:
    message = source.message
    where = f"{'' if message.guild_id is None else '#'}{inline(message.channel_name)}"
    when = _day_and_time(message.sent_at, time_zone)
    words = (
        f"{_mark(source.number, message.link)} {inline(message.author_name)} in {where}, {when}: {_excerpt(message)}"
    )
    return neutralised(words)


def _day_and_time(moment: datetime, time_zone: ZoneInfo) -> str:
    """Return a time on the reader's clock, or on UTC's where the calendar ends before that clock shows it."""
    with suppress(OverflowError):
        moment = moment.astimezone(time_zone)
    return f"{moment:%a} {moment.day} {moment:%b %Y %H:%M}"


def _excerpt(message: Message) -> str:
    """Return the beginning of a message as one line, or the names of its files; a placeholder hides what was hidden."""
    files = ", ".join(_file(file.name) for file in message.attachments)
    return line(without_spoilers(in_discord(message.content)).strip() or files, longest=EXCERPT_LENGTH)


def _file(name: str) -> str:
    """Return a file by its name, unless the file is hidden until somebody clicks on it."""
    return PLACEHOLDER if name.startswith(SPOILER) else f"({name})"


def _one_line(text: str) -> str:
    return " ".join(text.split())
