"""Say what documents are made of: the sections that are read, and the passages that are found and cited."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

PATH_SEPARATOR = " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} "
"""What stands between two headings where a path of them is shown or embedded."""


class Audience(StrEnum):
    """Who may read a collection."""

    GUILD = "guild"  # everybody in its guild
    PLACES = "places"  # whoever may read one of its places
    SESSION = "session"  # the one private session that owns it
    PUBLIC = "public"  # everybody, by the operator's word


class SourceKind(StrEnum):
    """Where documents come from."""

    SITE = "site"  # web pages below an address
    FOLDER = "folder"  # files on the operator's disk
    GIT = "git"  # files of a Git repository
    FILE = "file"  # one that a person posted or uploaded
    VIDEO = "video"  # the captions of a video, by its address


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of a document under one heading, as Markdown, and where it stands.

    `path` are the headings above it and its own, from the outermost on. `anchor` is the fragment that leads there,
    `page` counts pages from 1 and `page_label` is what is printed on that one. `start` and `end` are seconds of a
    recording.
    """

    path: tuple[str, ...]
    markdown: str
    anchor: str | None = None
    page: int | None = None
    page_label: str | None = None
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedDocument:
    """A document as it was read: its title, and its sections in their order."""

    title: str
    media_type: str
    sections: tuple[Section, ...]
    pages: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A piece of one section that is found by itself: `content` is what is shown and quoted, as Markdown.

    The rest is as in Section.
    """

    ordinal: int
    path: tuple[str, ...]
    content: str
    anchor: str | None = None
    page: int | None = None
    page_label: str | None = None
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True, slots=True)
class PassageKey:
    """What tells a passage from all others: a document that changes gets a new version with passages of its own."""

    passage_id: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPassage:
    """A passage as it is stored, with the document that it is a piece of.

    `address` leads to the document: of a page on the web, of the message that a file was posted in, of a video. A
    document was `fetched_at` a moment, and says what was true then.
    """

    key: PassageKey
    document_id: int
    collection_id: int
    kind: SourceKind
    title: str
    address: str
    fetched_at: datetime
    passage: Passage


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedPassage:
    """A passage that a search found, or a neighbour of one, with the parts of its score.

    `similarity` is that of its vector to the question's, None where that is not known; `lexical` is its BM25 score.
    """

    stored: StoredPassage
    hit: bool
    similarity: float | None = None
    lexical: float = 0.0
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class PassageResult:
    """What a search of documents found: excerpts of neighbouring passages, the best first."""

    excerpts: tuple[tuple[RankedPassage, ...], ...]
    by_words_alone: bool = False
    unreachable: tuple[str, ...] = field(default=())
