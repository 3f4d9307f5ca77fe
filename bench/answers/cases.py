"""Read the questions that are asked, with what answers them, and choose some of every kind."""

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from types import MappingProxyType

from bench.locomo import CATEGORIES, read_chats
from bench.processes import ROOT
from bench.questions import SAMPLES
from errors import InputFileError
from memory.message import Message

HUNDRED = ROOT / "bench" / "questions.tsv"
SIXTY = ROOT / "bench" / "answers" / "questions.tsv"
PLANTED = ROOT / "bench" / "answers" / "planted.csv"

STAFF = 1090000000000000001
"""The channel among the planted messages that nobody who asks may read."""

RULES = frozenset({"any", "all", "each", "only", "number", "nothing", "safe"})
_WITHOUT_NUMBERS = frozenset({"nothing", "safe"})
_NUMBER = re.compile(r"\d{1,19}")
_AFTER_THE_CHAT = timedelta(days=1)  # questions about a chat of which no time is known are asked then

Window = tuple[datetime | None, datetime | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """Messages to ask about: those of some CSVs or these, when they are asked about, and the channels out of reach."""

    name: str
    now: datetime
    paths: tuple[Path, ...] = ()
    messages: tuple[Message, ...] = ()
    hidden: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a right answer cites.

    - `any`, `all`, `each`: a message of each group: all are one group, or each is one, or they stand between pluses;
    - `only`: something, and nothing but these messages;
    - `number`: the answer begins with one of these numbers;
    - `nothing`: the answer cites nothing;
    - `safe`: whatever it is, nothing leaks.
    """

    rule: str
    groups: tuple[frozenset[int], ...]

    @property
    def messages(self) -> frozenset[int]:
        """All messages that may be cited."""
        return frozenset().union(*self.groups)

    @property
    def is_cited(self) -> bool:
        """Whether a right answer cites messages."""
        return self.rule in {"any", "all", "each", "only"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A question about a chat, with what is right.

    `before` is asked first, in the same conversation. What the answer is searched in should be the `window`, if there
    is one. No answer may have a word of the `secrets`; a model that writes a word of the `baits` has done what a
    message told it. The `reference` is how a person would answer.
    """

    chat: str
    kind: str
    text: str
    wanted: Wanted
    window: Window | None = None
    before: str = ""
    secrets: tuple[str, ...] = ()
    baits: tuple[str, ...] = ()
    reference: str = ""

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return f"{self.chat} | {self.before} | {self.text}"


OUR_CHATS = MappingProxyType(
    {
        **{name: Chat(name=name, now=sample.now, paths=(sample.path,)) for name, sample in SAMPLES.items()},
        "planted": Chat(
            name="planted",
            now=SAMPLES["sample"].now,
            paths=(SAMPLES["sample"].path, PLANTED),
            hidden=frozenset({STAFF}),
        ),
    }
)


def read_cases(path: Path) -> list[Case]:
    """Return the questions of a list with tabs between its columns; raise InputFileError for one that is none."""
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE, restval="", strict=True))
        return with_all_baits([_case(row) for row in rows])
    except (OSError, KeyError, ValueError, csv.Error) as error:
        raise InputFileError(f"{path} is no list of questions ({error!r}): correct --questions.") from error


def with_all_baits(cases: Sequence[Case]) -> list[Case]:
    """Return the questions, each with the baits of all that are asked about its chat: a message may meddle anywhere."""
    baits = {
        case.chat: tuple(dict.fromkeys(bait for other in cases if other.chat == case.chat for bait in other.baits))
        for case in cases
    }
    return [replace(case, baits=baits[case.chat]) for case in cases]


def _case(row: dict[str, str]) -> Case:
    if row["sample"] not in OUR_CHATS or not row["question"]:
        raise ValueError(row["sample"])
    wanted = read_wanted(row["wanted"])
    return Case(
        chat=row["sample"],
        kind=row.get("kind") or _kind_of(wanted),
        text=row["question"],
        wanted=wanted,
        window=_window(row.get("window", "")),
        before=row.get("before", ""),
        secrets=_listed(row.get("secret", "")),
        baits=_listed(row.get("bait", "")),
        reference=row.get("reference", ""),
    )


def read_wanted(text: str) -> Wanted:
    """Return what a cell says that is wanted; raise ValueError for anything else."""
    rule, _, rest = text.partition(" ")
    groups = [frozenset(map(int, _NUMBER.findall(group))) for group in rest.split("+")]
    groups = [group for group in groups if group]
    if rule not in RULES or bool(groups) is (rule in _WITHOUT_NUMBERS) or _NUMBER.sub("", rest).strip(" +"):
        raise ValueError(text)
    if rule == "all":
        groups = [frozenset({number}) for group in groups for number in sorted(group)]
    return Wanted(rule, tuple(groups))


def _kind_of(wanted: Wanted) -> str:
    return {"number": "number", "nothing": "unanswerable", "only": "listing", "all": "listing"}.get(wanted.rule, "fact")


def _window(text: str) -> Window | None:
    if not text:
        return None
    start, end = (datetime.fromisoformat(part).replace(tzinfo=UTC) if part else None for part in text.split("/"))
    return start, end


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split("|") if part)


def read_locomo(paths: Sequence[Path]) -> tuple[list[Chat], list[Case]]:
    """Return the chats of files in LoCoMo's format, and their questions; raise InputFileError for a file of another."""
    chats = read_chats(paths, session="bench") if paths else []
    cases = [
        Case(
            chat=chat.name,
            kind=f"LoCoMo {CATEGORIES.get(question.category, 'other')}",
            text=question.text,
            wanted=Wanted("each", tuple(frozenset({message}) for message in sorted(question.evidence))),
            reference=question.answer,
        )
        for chat in chats
        for question in chat.questions
    ]
    asked = [
        Chat(
            name=chat.name,
            now=max(message.sent_at for message in chat.messages) + _AFTER_THE_CHAT,
            messages=chat.messages,
        )
        for chat in chats
    ]
    return asked, cases


def chosen(cases: Iterable[Case], limit: int | None) -> list[Case]:
    """Return up to so many questions that stand for all: one of every kind in turn, each kind spread over its list.

    The first of a smaller number are those of a larger one, so that models can be compared on what both were asked.
    """
    kinds: defaultdict[str, list[Case]] = defaultdict(list)
    for case in cases:
        kinds[case.kind].append(case)
    turns = zip_longest(*(_spread(kind) for kind in kinds.values()))
    return [case for turn in turns for case in turn if case is not None][:limit]


def _spread(cases: Sequence[Case]) -> list[Case]:
    """Return a list in an order in which every beginning of it comes from all over it, and always the same."""
    return [cases[place] for place in sorted(range(len(cases)), key=_bits_reversed)]


def _bits_reversed(number: int, width: int = 16) -> int:
    return int(f"{number:0{width}b}"[::-1], 2)


Report = Callable[[str], None]
"""Hears one line for each question that has been answered."""
