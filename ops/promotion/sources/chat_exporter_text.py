"""Read the plain text of DiscordChatExporter: a block about the channel, then one message below the other."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from pandas import DataFrame

from memory.capture.message_csv import lines_in
from ops.promotion.records import ROWS, RawBatch
from ops.promotion.sources.encodings import escape_undecodable, open_as_text
from ops.promotion.sources.files import Location, opened
from ops.promotion.sources.survey import Survey, survey_file

_RULE = re.compile(r"={20,100}")
_CHANNEL = re.compile(r"Channel: (?:.{1,200} / )?(.{1,200})")
_HEAD = re.compile(r"\[([^\[\]]{0,30}\d[^\[\]]{5,40})\] (.{1,100}?)( \(pinned\))?")
_ID = re.compile(r"\[(\d{15,20})\]")
_SECTION = re.compile(r"\{(Attachments|Embed|Embeds|Stickers|Reactions|Forwarded Message|Inline Emojis?)\}")
_LONGEST_HEADER = 30  # lines
_MOST_LINES = 50_000  # of a message
_COLUMNS = ("sent_at", "author_name", "content", "attachments")


@dataclass(slots=True)
class _Post:
    """A message while its lines are read."""

    sent_at: str
    author: str
    lines: list[str]
    """As they stand in the file, the first with the time and the author."""
    words: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    section: str = ""

    def add(self, line: str) -> None:
        """Take in a further line."""
        if len(self.lines) >= _MOST_LINES:
            return
        self.lines.append(line)
        if found := _SECTION.fullmatch(line):
            self.section = found[1]
        elif self.section == "Attachments":
            self.files += [line] if line else []
        elif self.section != "Reactions" and (line or not self.section):
            self.words.append(f"(sticker: {line})" if self.section == "Stickers" else line)

    def row(self) -> tuple[str, str, str, str]:
        """Return the values of _COLUMNS."""
        return self.sent_at, self.author, "\n".join(self.words).strip("\n"), " ".join(self.files)


@dataclass(frozen=True, slots=True)
class TextExport:
    """An export of a channel as plain text."""

    path: Location
    encoding: str
    surveyed: Survey = field(default_factory=Survey)

    def read(self) -> Iterator[RawBatch]:
        """Yield what the file holds; raises InputFileError."""
        with opened(self.path) as (plain, raw), open_as_text(plain, self.encoding) as text:
            lines = (escape_undecodable(line.text.rstrip("\r\n"))[0] for line in lines_in(text))
            place = self._place(lines)
            posts = _posts(lines)
            first = 1
            while batch := list(islice(posts, ROWS)):
                columns = dict(zip(_COLUMNS, zip(*(post.row() for post in batch), strict=True), strict=True))
                index = range(first, first + len(batch))
                yield RawBatch(
                    source=self.path.name,
                    first_record=first,
                    frame=DataFrame(
                        columns | {name: [value] * len(batch) for name, value in place.items()}, index=index, dtype=str
                    ),
                    end_bytes=raw.tell(),
                    records=["\n".join(post.lines) for post in batch],
                    day_first=self.surveyed.day_first,
                )
                first += len(batch)

    def _place(self, lines: Iterator[str]) -> dict[str, str]:
        """Return the channel that the block at the beginning names, and stop behind the block."""
        place = {}
        rules = 0
        for line in islice(lines, _LONGEST_HEADER):
            rules += bool(_RULE.fullmatch(line))
            if found := _CHANNEL.fullmatch(line):
                place["channel_name"] = found[1]
            if rules == 2:
                break
        ids = _ID.findall(self.path.name)
        return place | ({"channel_id": ids[-1]} if ids else {})


def is_export(text: str) -> bool:
    """Return whether a text begins as such an export."""
    lines = text.splitlines()[:_LONGEST_HEADER]
    return bool(lines and _RULE.fullmatch(lines[0]) and any(line.startswith("Channel: ") for line in lines))


def open_export(path: Location, *, encoding: str, day_first: bool | None) -> TextExport:
    """Return an export whose dates are understood; raises InputFileError when they may mean two things."""
    export = TextExport(path, encoding)
    surveyed = survey_file(path, export.read(), day_first=day_first)
    return replace(export, surveyed=surveyed)


def _posts(lines: Iterator[str]) -> Iterator[_Post]:
    """Yield the messages; what stands behind the rule at the end is none."""
    post: _Post | None = None
    after_blank = True
    for line in lines:
        if after_blank and (found := _HEAD.fullmatch(line)):
            if post is not None:
                yield post
            post = _Post(found[1], found[2], [line])
        elif after_blank and _RULE.fullmatch(line):
            break
        elif post is not None:
            post.add(line)
        after_blank = not line
    if post is not None:
        yield post
