"""An answer as plain text for the terminal."""

import unicodedata
from datetime import datetime
from zoneinfo import ZoneInfo

from agent.answers import Answer, Source
from agent.footer import footer
from agent.spoilers import without_spoilers
from memory.mentions import readable

_LONGEST_QUOTE = 80  # characters
_TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}  # bidirectional overrides


def render(answer: Answer, time_zone: ZoneInfo) -> str:
    """Return the answer, its sources, notes and footer, ready to print; control characters are taken out."""
    sources = [_source(source, answer.text, time_zone) for source in answer.sources]
    sourced = "\n".join(["Sources:", *sources]) if sources else ""
    parts = [answer.text, sourced, *map("({})".format, answer.notes), _footer(answer)]
    return printable(readable("\n\n".join(part for part in parts if part), time_zone))


def printable(text: str) -> str:
    """Return text without the characters by which a message could command the terminal or turn its lines around.

    Half a surrogate pair, which a language model may write and no stream takes, is left out too.
    """
    return "".join(letter for letter in text if letter in "\n\t" or not _commands(letter))


def _commands(letter: str) -> bool:
    return unicodedata.category(letter) in {"Cc", "Cs"} or unicodedata.bidirectional(letter) in _TURNING


def _footer(answer: Answer) -> str:
    searched = footer(answer.searched)
    return f"{searched}; /all searches all time" if answer.is_limited else searched


def _on_clock(moment: datetime, time_zone: ZoneInfo) -> datetime:
    """Return a time on a clock, or as it is where the calendar ends before that clock shows it."""
    try:
        return moment.astimezone(time_zone)
    except OverflowError:
        return moment


def _source(source: Source, answer: str, time_zone: ZoneInfo) -> str:
    """Return who said it, where and when; what was said too, without spoilers, unless the answer has it already."""
    message = source.message
    said = " ".join(without_spoilers(readable(message.content, time_zone)).split())
    sent = _on_clock(message.sent_at, time_zone)
    line = (
        f"[{source.number}] {message.author_name} in #{message.channel_name}, {sent:%a} {sent.day} {sent:%b %Y %H:%M}"
    )
    if message.content.strip().split("\n")[0][:_LONGEST_QUOTE] not in answer:
        line += f": {said if len(said) <= _LONGEST_QUOTE else f'{said[: _LONGEST_QUOTE - 1]}…'}"
    return f"{line}\n    {message.link}" if message.link else line
