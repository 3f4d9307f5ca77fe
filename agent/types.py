"""The question that goes into the agent, and the answer that comes out of it, as values."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from memory.filters import Guild
from memory.message import Message
from overviews.who import MayBeListed
from time_expressions.conventions import OURS, Conventions, DateOrder, date_order
from time_expressions.find import TimePhrase
from time_expressions.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question, with who asks it, from where, and what they may read.

    It is asked in a `guild`, or in direct messages (None). `places` are the ids of the channels, with their public
    threads, and private threads that the answer may use; the model can neither see nor change them. An answer to a
    `private` question is shown to the asker alone. A question of `all_time` is searched over all time, whatever time it
    names. Days and months in digits come in the asker's `date_order`, or as is usual in their time zone. `about` are
    the ids of messages that it points at, the nearest first: the one that it replies to, say.
    """

    text: str
    channel_id: int
    asker_id: int
    asker_name: str
    places: frozenset[int]
    now: datetime
    time_zone: ZoneInfo
    guild: Guild = None
    private: bool = False
    all_time: bool = False
    date_order: DateOrder | None = None
    kept: bool = True
    """Whether it may be kept, as a turn of a conversation; it is answered either way."""
    about: tuple[int, ...] = ()
    may_be_listed: MayBeListed | None = field(default=None, compare=False, repr=False)
    """Tells which people an answer may name as knowing something; None for everybody who wrote."""

    @property
    def effective_date_order(self) -> DateOrder:
        """The order in which days and months in digits are read: the asker's, or the usual one in their time zone."""
        return self.date_order or date_order(locale=None, time_zone=self.time_zone, setting=None)

    @property
    def conventions(self) -> Conventions:
        """What words of time mean in it."""
        return OURS.in_order(self.effective_date_order)


@dataclass(frozen=True, slots=True)
class Source:
    """A stored message that a mark such as `[1]` in the answer points to.

    A message may be named `beside` it, as that is to which it replies.
    """

    number: int
    message: Message
    beside: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebPage:
    """A page of the web, with words of its own; nothing of it is memory, and it is kept with its answer alone."""

    title: str
    address: str
    extract: str
    site: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """Where an answer was looked for, with the asker's clock and the time of the question to write it with.

    No `windows` are all time; it `went_beyond` when the question named a time and all time was searched instead.
    `channels` are the names of those that the question was about, none when it named none. `ordered` are the dates of
    the question that the other order of day and month would have made others, which were read in the `date_order`.
    `texts` were searched for where they are others than the question. Nothing counted that was said after `as_of`.
    Where messages were read as they were then, or before they were edited, they are `former` ones.
    """

    windows: tuple[Window, ...]
    went_beyond: bool
    channels: tuple[str, ...]
    now: datetime
    time_zone: ZoneInfo
    ordered: tuple[TimePhrase, ...] = ()
    date_order: DateOrder = DateOrder.DAY_FIRST
    texts: tuple[str, ...] = ()
    as_of: datetime | None = None
    former: bool = False


class Outcome(StrEnum):
    """What became of a question; whoever needs to know compares this, and never the sentences of an answer."""

    ANSWERED = "answered"  # a language model wrote the answer, and its marks hold
    COUNTED = "counted"  # a number or a list, by SQL
    QUOTED = "quoted"
    NOTHING_FOUND = "nothing found"
    MEMORY_UNREACHABLE = "memory unreachable"
    FAILED = "failed"  # an error that nobody foresaw; it is in the log
    TURNED_AWAY = "turned away"  # the asker has too many questions open

    @property
    def is_final(self) -> bool:
        """Whether it may become a turn of a conversation; no later question can build on the others."""
        return self in {Outcome.ANSWERED, Outcome.COUNTED, Outcome.QUOTED, Outcome.NOTHING_FOUND}


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """With what an agent answers, so that a question can be asked again under the same conditions.

    `model` is the name of the language model, "extractive" for none, `prompt` a fingerprint of the instructions and
    tools that it gets, empty where no model was asked, and `embedding` the name of the embedding model, empty where it
    is not known.
    """

    model: str = "extractive"
    prompt: str = ""
    embedding: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer whose every `[n]` stands for one of its sources.

    `notes` are sentences for the person about how the answer came about: that the language model failed, say,
    or that one of the two memories could not be reached. `searched` is None when nothing was looked up. `shown_places`
    are the channels and threads of all messages that it was made from, cited or not. `versions` tell with what it was
    made; the `outcome` tells whether the model wrote it.
    """

    text: str
    outcome: Outcome = Outcome.ANSWERED
    sources: tuple[Source, ...] = ()
    notes: tuple[str, ...] = ()
    searched: Searched | None = None
    shown_places: frozenset[int] = frozenset()
    versions: Versions = Versions()
    pages: tuple[WebPage, ...] = ()
    """Pages of the web that are shown under it: they are no memory."""
    trace_id: str = ""
    """The id of the trace that tells how it came about; empty where nothing was recorded."""

    @property
    def is_limited(self) -> bool:
        """Whether it was searched for in some windows, and not in all time."""
        return self.searched is not None and bool(self.searched.windows)
