"""Read the web page that DiscordChatExporter makes of a channel, as its parts are marked by their classes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from pandas import DataFrame

from errors import InputFileError
from memory.message import Kind, sanitize
from ops.promotion.records import ROWS, RawBatch
from ops.promotion.sources.encodings import open_as_text
from ops.promotion.sources.files import Location, opened

_PIECE = 256 * 1024  # characters that are parsed at once
_LARGEST = 16 * 2**20  # characters that the parser may keep while it waits for the end of a tag
_DEEPEST = 200  # tags within each other whose meaning is kept
_MARK = "chatlog__message"
_ID = re.compile(r"(?:container-|, ?')(\d{1,20})")
_ID_IN_NAME = re.compile(r"\[(\d{15,20})\]")
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_BLOCKS = frozenset({"div", "p", "pre", "li", "blockquote"})
_ROLES = {
    "chatlog__author": "author_name",
    "chatlog__author-name": "author_name",
    "chatlog__system-notification-author": "author_name",
    "chatlog__timestamp": "sent_at",
    "chatlog__short-timestamp": "sent_at",
    "chatlog__system-notification-timestamp": "sent_at",
    "chatlog__content": "content",
    "chatlog__system-notification-content": "content",
    "chatlog__embed": "card",
    "chatlog__attachment": "file",
    "chatlog__sticker": "sticker",
    "chatlog__reply": "reply",
    "chatlog__reference": "reply",
    "chatlog__edited-timestamp": "ignored",
    "chatlog__reactions": "ignored",
    "preamble__entry": "place",
}
"""What the text within an element of a class is; each element is what the nearest of these around it is."""

_COLUMNS = ("message_id", "sent_at", "author_id", "author_name", "reply_to", "kind", "content", "attachments")


@dataclass(slots=True)
class _Post:
    """A message while it is read."""

    message_id: str
    author_id: str
    author_name: str
    sent_at: str = ""
    reply_to: str = ""
    kind: Kind = Kind.MESSAGE
    texts: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, None] = field(default_factory=dict)

    def row(self) -> list[str]:
        """Return the values of _COLUMNS; the time in an id of Discord is that of no zone, and the more precise one."""
        words = _joined(self.texts.get("content", [])) or _joined(self.texts.get("card", []))
        stickers = [f"(sticker: {name})" for name in self.texts.get("sticker", []) if name.strip()]
        content = "\n".join(part for part in (words, *stickers) if part)
        sent_at = "" if len(self.message_id) >= 17 else self.sent_at
        values = [self.message_id, sent_at, self.author_id, self.author_name, self.reply_to, self.kind.value, content]
        return [sanitize(value) for value in (*values, " ".join(self.files))]


class _Parser(HTMLParser):
    """Collects messages; `posts` are those that are whole."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.posts: list[_Post] = []
        self.place: list[str] = []
        self._post: _Post | None = None
        self._open: list[tuple[str, str]] = []
        """Tags that are open, each with its role."""
        self._author = ("", "")
        self.is_whole = False

    @property
    def waiting(self) -> int:
        """How many characters wait for the end of a tag."""
        return len(self.rawdata)

    def finish(self) -> None:
        """Take the last message for whole."""
        if self._post is not None:
            self.posts.append(self._post)
            self._post = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an element is, and what its attributes tell."""
        values = {name: value or "" for name, value in attrs}
        classes = values.get("class", "").split()
        if "chatlog__message-group" in classes:
            self._author = ("", "")
        if "chatlog__message-container" in classes:
            self._begin(values)
        role = next((_ROLES[name] for name in classes if name in _ROLES), self._role)
        if any(name.startswith("chatlog__system-notification") for name in classes) and self._post is not None:
            self._post.kind = Kind.SYSTEM
        self._note(tag, role, values, classes)
        if tag not in _VOID and len(self._open) < _DEEPEST:
            self._open.append((tag, role))
            if role == "place" and "preamble__entry" in classes:
                self.place.append("")

    def handle_endtag(self, tag: str) -> None:
        """Close an element, and those within it that nothing closes."""
        self.is_whole = self.is_whole or tag == "html"
        for at in range(len(self._open) - 1, -1, -1):
            if self._open[at][0] == tag:
                if tag in _BLOCKS:
                    self._add(self._open[at][1], "\n")
                del self._open[at:]
                return

    def handle_data(self, data: str) -> None:
        """Take in a text as what it is of."""
        self._add(self._role, data)

    @property
    def _role(self) -> str:
        return self._open[-1][1] if self._open else ""

    def _begin(self, values: dict[str, str]) -> None:
        self.finish()
        found = _ID.search(values.get("id", ""))
        self._post = _Post(values.get("data-message-id", "") or (found[1] if found else ""), *self._author)

    def _note(self, tag: str, role: str, values: dict[str, str], classes: list[str]) -> None:
        post = self._post
        if post is None:
            return
        if role == "author_name" and values.get("data-user-id"):
            post.author_id, post.author_name = values["data-user-id"], ""
        elif role == "sent_at" and values.get("title"):
            post.sent_at = values["title"]
        elif role == "reply" and (found := _ID.search(values.get("onclick", "") or values.get("href", ""))):
            post.reply_to = found[1]
        elif role == "file" and (address := values.get("href") or values.get("src")):
            post.files[address] = None
        elif tag == "br":
            self._add(role, "\n")
        elif tag == "img" and role in {"content", "card", "sticker"}:
            self._add(role, values.get("alt", "") if role != "sticker" or "alt" in values else values.get("title", ""))

    def _add(self, role: str, text: str) -> None:
        if role == "place" and self.place:
            self.place[-1] += text
        post = self._post
        if post is None or role in {"", "ignored", "reply", "file", "sent_at", "place"}:
            return
        if role == "author_name":
            post.author_name += text.strip("\n")
            self._author = (post.author_id, post.author_name)
        else:
            post.texts.setdefault(role, []).append(text)


@dataclass(frozen=True, slots=True)
class HtmlExport:
    """An export of a channel as a web page."""

    path: Location
    encoding: str
    me: int | None

    def read(self) -> Iterator[RawBatch]:
        """Yield what the file holds; raises InputFileError."""
        parser = _Parser()
        first = 1
        with opened(self.path) as (plain, raw), open_as_text(plain, self.encoding) as text:
            while piece := text.read(_PIECE):
                parser.feed(piece)
                if parser.waiting > _LARGEST:
                    raise InputFileError(f"{self.path} is damaged (a tag has no end): export the channel again.")
                if len(parser.posts) >= ROWS:
                    yield self._chunk(parser, first, raw.tell())
                    first += len(parser.posts)
                    parser.posts = []
            parser.close()
            parser.finish()
            if parser.posts:
                yield self._chunk(parser, first, raw.tell())
        if not parser.is_whole:
            raise InputFileError(f"{self.path} is cut off: export the channel again.")
        if first == 1 and not parser.posts:
            raise InputFileError(f"{self.path} is a page of HTML without messages: export the channel again, as JSON.")

    def _chunk(self, parser: _Parser, first: int, end_bytes: int) -> RawBatch:
        for post in parser.posts:
            if post.kind is Kind.MESSAGE and post.author_id and post.author_id == str(self.me):
                post.kind = Kind.ANSWER
        rows = [post.row() for post in parser.posts]
        columns: dict[str, object] = dict(zip(_COLUMNS, zip(*rows, strict=True), strict=True))
        place = parser.place[1].strip() if len(parser.place) > 1 else ""
        ids = _ID_IN_NAME.findall(self.path.name)
        columns["channel_name"] = [place.rpartition(" / ")[2]] * len(rows)
        columns["channel_id"] = [ids[-1] if ids else ""] * len(rows)
        index = range(first, first + len(rows))
        frame = DataFrame(columns, index=index, dtype=str)
        return RawBatch(source=self.path.name, first_record=first, frame=frame, end_bytes=end_bytes)


def is_export(text: str) -> bool:
    """Return whether the beginning of a page is that of an export, which has its styles before its messages."""
    return _MARK in text


def _joined(pieces: list[str]) -> str:
    """Return a text without the blanks that stand for the layout of the page."""
    lines = [" ".join(line.split(" ")).strip() for line in "".join(pieces).strip().splitlines()]
    kept = [line for at, line in enumerate(lines) if line or (at and lines[at - 1])]
    return "\n".join(kept)
