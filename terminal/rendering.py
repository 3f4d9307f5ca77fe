"""An answer as plain text for the terminal."""

from datetime import datetime
from zoneinfo import ZoneInfo

from agent.citations import footer
from agent.markdown import Markdown, block, line, unescaped
from agent.spoilers import PLACEHOLDER, without_spoilers
from agent.types import Answer, Source
from agent.web.pages import shown_pages
from memory.mentions import readable
from memory.message import Attachment, Message
from memory.message_text import SPOILER
from memory.plain_text import is_blank, printable, visible
from memory.search.results import Excerpt, RankedMessage, SearchResult
from overviews.overview import Line, Overview, Section, Shown

NAMELESS = "(no name)"

_NOT_MEMORY = Markdown("Not from memory:")
_LONGEST_QUOTE = 80  # characters


def render(answer: Answer, time_zone: ZoneInfo) -> str:
    """Return the answer, its sources, notes and footer, ready to print, with a placeholder for all that is hidden.

    Control characters are taken out.
    """
    text = unescaped(readable(without_spoilers(answer.text), time_zone))
    sources = [_source(source, text, time_zone) for source in answer.sources]
    sourced = "\n".join(["Sources:", *sources]) if sources else ""
    pages = unescaped(shown_pages(answer.pages, heading=_NOT_MEMORY))
    parts = [text, pages, sourced, *map("({})".format, map(unescaped, answer.notes)), _footer(answer)]
    return printable("\n\n".join(part for part in parts if part))


def name(text: str) -> str:
    """Return a name, of a person, a channel or a file, on one line."""
    line = " ".join(visible(text).split())
    return NAMELESS if is_blank(line) else line


def file_name(file: Attachment) -> str:
    """Return the name of a file, or a placeholder for one that is hidden until somebody clicks on it."""
    return PLACEHOLDER if file.name.startswith(SPOILER) else f"[{name(file.name)}]"


def _footer(answer: Answer) -> str:
    searched = footer(answer.searched, written=name)
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
    said = without_spoilers(readable(message.content, time_zone)).strip()
    sent = _on_clock(message.sent_at, time_zone)
    who, where = name(message.author_name), name(message.channel_name)
    heading = f"[{source.number}] {who} in #{where}, {sent:%a} {sent.day} {sent:%b %Y %H:%M}"
    if unescaped(block(said.split("\n")[0]))[:_LONGEST_QUOTE] not in answer:
        heading += f": {unescaped(line(said, longest=_LONGEST_QUOTE))}"
    return f"{heading}\n    {message.link}" if message.link else heading


def render_excerpts(findings: SearchResult, time_zone: ZoneInfo) -> str:
    """Return excerpts ready to print, each under its channel; a `>` marks what was found, not what is around it.

    What was hidden as a spoiler stays hidden.
    """
    parts = [_excerpt(excerpt, time_zone) for excerpt in findings.excerpts] or ["Nothing was found."]
    if findings.unreachable:
        parts.append(f"({' and '.join(findings.unreachable)} memory did not answer; messages may be missing.)")
    return printable("\n\n".join(parts))


def _excerpt(excerpt: Excerpt, time_zone: ZoneInfo) -> str:
    heading = f"#{name(excerpt.lines[0].message.channel_name)}"
    return "\n".join([heading, *(_line(line, time_zone) for line in excerpt.lines)])


def _line(line: RankedMessage, time_zone: ZoneInfo) -> str:
    message = line.message
    sent = message.sent_at.astimezone(time_zone)
    words = visible(without_spoilers(readable(message.content, time_zone))).split()
    said = " ".join([*words, *map(file_name, message.attachments)])
    shown = f"{'>' if line.hit else ' '} {sent:%a} {sent.day} {sent:%b %Y %H:%M} {name(message.author_name)}: {said}"
    return f"{shown}\n    {message.link}" if line.hit and message.link else shown


def render_overview(overview: Overview, time_zone: ZoneInfo) -> str:
    """Return an overview ready to print, with a placeholder for all that is hidden."""
    parts = [overview.title, *([overview.empty] if overview.is_empty else [])]
    parts += [_section(section, time_zone) for section in overview.sections if section.lines or section.is_more]
    parts += [f"({note})" for note in overview.notes]
    return printable("\n\n".join(part for part in parts if part))


def _section(section: Section, time_zone: ZoneInfo) -> str:
    lines = [_overview_line(line, time_zone) for line in section.lines]
    return "\n".join(filter(None, [section.heading, *lines, f"  ({section.is_more})" if section.is_more else ""]))


def _overview_line(shown: Line, time_zone: ZoneInfo) -> str:
    message = shown.message
    if message is None:
        return f"- {shown.words}"
    parts = [_heading(message, shown.shown, time_zone)]
    if Shown.QUOTE in shown.shown:
        said = " ".join([without_spoilers(readable(message.content, time_zone)), *map(file_name, message.attachments)])
        parts.append(unescaped(line(said.strip(), longest=_LONGEST_QUOTE)))
    words = ": ".join(filter(None, [shown.words, *parts]))
    return f"- {words}\n    {message.link}" if message.link else f"- {words}"


def _heading(message: Message, shown: Shown, time_zone: ZoneInfo) -> str:
    who = name(message.author_name) if Shown.AUTHOR in shown else ""
    where = f"in #{name(message.channel_name)}" if Shown.PLACE in shown else ""
    sent = _on_clock(message.sent_at, time_zone)
    when = f"{sent:%a} {sent.day} {sent:%b %Y %H:%M}" if Shown.TIME in shown else ""
    return ", ".join(filter(None, (" ".join(filter(None, (who, where))), when)))
