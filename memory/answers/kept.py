"""A question that was asked, and its answer, as they are kept."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple, Self


class State(StrEnum):
    """How far a question has come."""

    ASKED = "asked"
    READY = "ready"
    SENDING = "sending"  # Discord may have taken the answer, or may not
    DELIVERED = "delivered"
    GIVEN_UP = "given up"


class Rating(IntEnum):
    """What somebody thinks of an answer."""

    UP = 1
    DOWN = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptQuestion:
    """A question as it was asked.

    `question_id` is the id of the interaction, or of the message, that asked it. `channel_id` is that of its channel or
    thread, `access_id` that of what opens it, as of a message. `about` are messages that it points at. An interaction,
    which has an `application_id`, is answered with its `token` while that lives.
    """

    question_id: int
    guild_id: int | None
    channel_id: int
    access_id: int
    asker_id: int
    text: str
    asked_at: datetime
    private: bool = False
    all_time: bool = False
    about: tuple[int, ...] = ()
    locale: str = ""
    application_id: int | None = None
    token: str | None = field(default=None, repr=False)


class KeptPage(NamedTuple):
    """A page of the web that is shown under an answer, with its own words; it is no part of memory."""

    title: str
    address: str
    extract: str
    site: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """An answer before it is rendered.

    `sources` are the messages that its marks stand for, by number; `beside` are those that are named beside one of
    them, as a message is to which it replies. `places` are those that it was allowed to use, and `shown_places` those
    whose messages it was made from. `footer` says where it was looked for. `versions` tell what made it, such as the
    models. `pages` are shown under it. One of `former` messages tells of them as they were once. It takes account of
    what was edited up to `edits_known_to`; without that, up to when it was asked for.
    """

    text: str
    outcome: str
    sources: Mapping[int, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    footer: str = ""
    places: frozenset[int] = frozenset()
    shown_places: frozenset[int] = frozenset()
    versions: Mapping[str, str] = field(default_factory=dict)
    beside: Mapping[int, int] = field(default_factory=dict)
    pages: tuple[KeptPage, ...] = ()
    former: bool = False
    edits_known_to: datetime | None = None

    @property
    def cites(self) -> list[int]:
        """The ids of all messages whose words it may have."""
        return sorted({*self.sources.values(), *self.beside.values()})

    def numbers_of(self, message_ids: Collection[int]) -> set[int]:
        """Return the numbers of the marks that stand for these messages, or have one of them named beside theirs."""
        marks = (*self.sources.items(), *self.beside.items())
        return {number for number, message_id in marks if message_id in message_ids}

    def dump(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "text": self.text,
            "outcome": self.outcome,
            "sources": [[number, message_id] for number, message_id in self.sources.items()],
            "notes": list(self.notes),
            "footer": self.footer,
            "places": sorted(self.places),
            "shown_places": sorted(self.shown_places),
            "versions": dict(self.versions),
            "beside": [[number, message_id] for number, message_id in self.beside.items()],
            "pages": [list(page) for page in self.pages],
            "former": self.former,
        }

    @classmethod
    def load(cls, value: Mapping[str, Any]) -> Self:
        """Return what was dumped; raise KeyError, TypeError or ValueError for anything else."""
        return cls(
            text=str(value["text"]),
            outcome=str(value["outcome"]),
            sources={int(number): int(message_id) for number, message_id in value["sources"]},
            notes=tuple(map(str, value["notes"])),
            footer=str(value["footer"]),
            places=frozenset(map(int, value["places"])),
            shown_places=frozenset(map(int, value["shown_places"])),
            versions={str(name): str(version) for name, version in value["versions"].items()},
            beside={int(number): int(message_id) for number, message_id in value.get("beside", ())},
            pages=tuple(KeptPage(*map(str, page)) for page in value.get("pages", ())),
            former=bool(value.get("former", False)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A question with what has become of it; `changed_at` is when its state was last written.

    `message_ids` are the messages that show the answer. Of what it cites, `edited` and `deleted` have changed since.
    """

    question: KeptQuestion
    state: State
    changed_at: datetime
    attempts: int = 0
    answer: KeptAnswer | None = None
    message_ids: tuple[int, ...] = ()
    edited: frozenset[int] = frozenset()
    deleted: frozenset[int] = frozenset()

    @property
    def message_id(self) -> int | None:
        """The first message that shows the answer."""
        return self.message_ids[0] if self.message_ids else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """A question whose answer was rated, and the sum of the thumbs."""

    question: KeptQuestion
    answer: KeptAnswer
    rating: int


class Posted(NamedTuple):
    """The first message that answers a question, and its channel or thread."""

    question_id: int
    channel_id: int
    message_id: int
