"""What a search found as plain text for the terminal."""

from zoneinfo import ZoneInfo

from agent.spoilers import without_spoilers
from agent.visible import printable, visible
from memory.findings import Excerpt, Findings, Line
from memory.mentions import readable
from terminal.rendering import file_name, name


def render_excerpts(findings: Findings, time_zone: ZoneInfo) -> str:
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


def _line(line: Line, time_zone: ZoneInfo) -> str:
    message = line.message
    sent = message.sent_at.astimezone(time_zone)
    words = visible(without_spoilers(readable(message.content, time_zone))).split()
    said = " ".join([*words, *map(file_name, message.attachments)])
    shown = f"{'>' if line.hit else ' '} {sent:%a} {sent.day} {sent:%b %Y %H:%M} {name(message.author_name)}: {said}"
    return f"{shown}\n    {message.link}" if line.hit and message.link else shown
