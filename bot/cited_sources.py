"""Show what an answer cites at length, as far as whoever looks may read it by now."""

from collections.abc import Collection, Iterator, Mapping
from zoneinfo import ZoneInfo

from agent.markdown import block, inline, quoted, whole
from agent.markdown import file_name as shown_file
from bot.rendering import day_and_time, neutralised
from memory.mentions import in_discord
from memory.message import Message

QUOTE_LENGTH = 400  # characters of a message
MOST_SHOWN = 20

NO_SOURCES = "This answer cites nothing that I could show."
NONE_LEFT = "What this answer cites was deleted or changed, or you may not read it: there is nothing that I could show."
SOME_MISSING = "{} of what the answer cites cannot be shown: it was deleted, or you may not read it."
EDITED = "{} was edited since this answer was given."
DELETED = "{} was deleted since this answer was given."


def changed_since(numbers: Mapping[int, int], *, edited: Collection[int], deleted: Collection[int]) -> str:
    """Return a line for each kind of change that messages have seen, by the numbers of their marks; empty for none."""
    lines = []
    for words, ids in ((EDITED, edited), (DELETED, deleted)):
        marks = [f"[{number}]" for number, message_id in sorted(numbers.items()) if message_id in ids]
        if marks:
            lines.append(f"-# {words.format(', '.join(marks))}")
    return "\n".join(lines)


def render_cited(cited: Mapping[int, Message], *, missing: int, time_zone: ZoneInfo, changed: str = "") -> str:
    """Return messages by the numbers of their marks, each with its link, author, channel, time and a long quote.

    What has `changed` is told before how many are `missing`.
    """
    lines = [line for number in sorted(cited)[:MOST_SHOWN] for line in _lines(number, cited[number], time_zone)]
    if changed:
        lines.append(changed)
    if missing:
        lines.append(f"-# {SOME_MISSING.format(missing)}")
    return neutralised("\n".join(lines))


def _lines(number: int, message: Message, time_zone: ZoneInfo) -> Iterator[str]:
    where = f"{'' if message.guild_id is None else '#'}{inline(message.channel_name)}"
    mark = f"[[{number}]](<{message.link}>)" if message.link else f"[{number}]"
    yield f"{mark} **{inline(message.author_name)}** in {where}, {day_and_time(message.sent_at, time_zone)}"
    text = in_discord(message.content)
    end = len(text) if len(text) <= QUOTE_LENGTH else whole(text, QUOTE_LENGTH)
    quote = quoted(block(text, 0, end))
    if quote:
        yield f"{quote}{' …' if end < len(text) else ''}"
    yield from (f"> ({shown_file(file.name)})" for file in message.attachments)
