"""Write recalled messages as fenced data that a model can cite and cannot mistake for instructions."""

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from types import MappingProxyType
from zoneinfo import ZoneInfo

from memory.mentions import readable
from memory.message import Kind, Message, MessageKey
from memory.plain_text import one_line, visible
from memory.search.results import Excerpt, RankedMessage, SearchResult

BY_WORDS_ALONE = (
    "The embedding model is still loading, so this was searched by its words alone: ask again in a minute to have "
    "meanings compared as well."
)

UNKNOWN_SUBJECT = "I do not remember the message that you ask about, or may not use it here."


class ShownMessages:
    """The messages that the tools of one run have shown, and which memories did not answer them."""

    def __init__(self, places: frozenset[int]) -> None:
        self.nonce = secrets.token_hex(6)
        """A word that nobody could write into a message beforehand; it is part of the fence."""
        self._places = places
        self._numbers: dict[MessageKey, int] = {}
        self._messages: dict[int, Message] = {}
        self._unreachable: set[str] = set()
        self._by_words_alone = False
        self._answers = 0
        self._failures = 0
        self._lacks_subject = False
        self._read_around = 0
        self._stated: list[str] = []

    def unnumbered(self) -> "ShownMessages":
        """Return the same with nothing shown yet; what is known of the memories that answered stays."""
        fresh = ShownMessages(self._places)
        for name, value in vars(self).items():
            if name not in {"_numbers", "_messages"}:
                setattr(fresh, name, copy(value))
        return fresh

    def may_show(self, message: Message) -> bool:
        """Return whether a message may be shown: a second lock, behind the one in memory itself."""
        return message.access_id in self._places and message.deleted_at is None and message.kind != Kind.ANSWER

    def number(self, message: Message) -> int:
        """Return the number of a message, giving it the next one when it is new."""
        number = self._numbers.setdefault(message.key, len(self._numbers) + 1)
        self._messages[number] = message
        return number

    def message(self, number: int) -> Message | None:
        """Return the message that was shown under a number."""
        return self._messages.get(number)

    def messages(self, numbers: Iterable[int]) -> dict[int, Message]:
        """Return the messages of those numbers that were shown."""
        return {number: self._messages[number] for number in numbers if number in self._messages}

    @property
    def shown(self) -> Mapping[int, Message]:
        """The messages that have been shown, by their numbers."""
        return MappingProxyType(self._messages)

    def state(self, sentence: str) -> None:
        """Note what a tool of ours has counted and told the model: its numbers stand in no message."""
        self._stated.append(sentence)

    @property
    def stated(self) -> tuple[str, ...]:
        """What tools of ours have counted."""
        return tuple(self._stated)

    def count_reading(self) -> int:
        """Note that one more message is read around; return of how many that was done."""
        self._read_around += 1
        return self._read_around

    @property
    def contents(self) -> list[str]:
        """What the messages say that have been shown."""
        return [message.content for message in self._messages.values()]

    @property
    def names(self) -> frozenset[str]:
        """What the people and channels are called whose messages have been shown."""
        return frozenset(
            name for message in self._messages.values() for name in (message.author_name, message.channel_name)
        )

    def record(self, findings: SearchResult) -> None:
        """Note that memory answered, and which part of it did not."""
        self._answers += 1
        self._unreachable.update(findings.unreachable)
        self._by_words_alone |= findings.by_words_alone

    def record_outage(self) -> None:
        """Note that no memory answered a call."""
        self._failures += 1

    def record_unknown_subject(self) -> None:
        """Note that nothing is known, or may be shown, of the messages that the question points at."""
        self._lacks_subject = True

    @property
    def shown_places(self) -> frozenset[int]:
        """The channels and threads of the messages that have been shown."""
        return frozenset(message.access_id for message in self._messages.values())

    @property
    def memory_is_out(self) -> bool:
        """Whether memory was asked, and never answered."""
        return self._failures > 0 and self._answers == 0

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the person about what could not be reached."""
        notes = [
            f"The {name} memory could not be reached, so messages may be missing here."
            for name in sorted(self._unreachable)
        ]
        if not notes and self._failures:
            notes.append("Memory did not answer every search, so messages may be missing here.")
        if self._by_words_alone:
            notes.append(BY_WORDS_ALONE)
        if self._lacks_subject:
            notes.append(UNKNOWN_SUBJECT)
        return tuple(notes)


MESSAGE_LIMIT = 1500
"""Characters of one message that the model sees."""

_SHORTEST = 200  # characters of a message that is cut to make room for others

OUTPUT_LIMIT = 8000
"""Characters of one tool's output: about 2,000 tokens, which small models can still read."""

_LOOKALIKE = re.compile(
    r"[<\uff1c\ufe64](?=[ \t]{0,8}(?:/[ \t]{0,8})?(?:(?:messages?|pages)\b|[|\uff5c\u00a6\u2223]|<?SYS>"
    r"|[^\W\d_]{0,20}[^\W\x00-\x7f]))"
    r"|(?<!\w)<(?=/?(?:s|bos|eos|pad|unk|sop|eop|(?:system|user|human|assistant|tool|function|invoke|parameter|think"
    r"|thought|reason|instruction|prompt|start_of|end_of|im_|extra_id)\w{0,24})[>\s=])"
    r"|\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_\w{1,20}|gMASK)\])",
    re.IGNORECASE,
)
"""The start of what a fence, a turn of a model's chat template, or a tool's answer looks like.

A tag with a letter of another script could be one of them in disguise.
"""

_MARK = re.compile(
    r"(?<![\w\])])\\?[\[\uff3b\u3010](?P<inside>(?:(?:message|msg|source|web|no\.?) ?)?#?\d{1,9}"
    r"(?:[\d, ]{0,40}|[ ]?[\"'\u201c\u2020][^\[\]\u3011\uff3d\n]{0,200}))\\?[\]\uff3d\u3011]",
    re.IGNORECASE,
)
"""What looks like the number of a message, with words copied from it or without; an index, as in `a[1]`, does not."""

_ENDS_NAME = re.compile(r":(?=\s|\Z)")
"""What stands between a name and what was said."""

_ANGLE = "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}"


NumberedLine = tuple[int, RankedMessage]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a tool gave to the model: its text, and each line that is in it with its number."""

    text: str
    lines: tuple[tuple[int, RankedMessage], ...]


def format_messages(findings: SearchResult, *, evidence: ShownMessages, time_zone: ZoneInfo) -> Shown:
    """Return the messages as numbered lines inside a fence, with times in `time_zone`.

    Numbers come from `evidence`, and only for what fits into OUTPUT_LIMIT; the text says when something did not.
    """
    admitted = _admitted(findings, evidence)
    if not admitted:
        return Shown("Nothing was found.", ())
    written: list[str] = []
    shown: list[tuple[int, RankedMessage]] = []
    left = OUTPUT_LIMIT
    for excerpt in admitted:
        for line in excerpt.lines:
            text = line_of(line.message, time_zone)
            left -= len(text) + 8
            if left < 0:
                return _closed(written, shown, admitted, evidence)
            number = evidence.number(line.message)
            written.append(f"[{number}] {text}")
            shown.append((number, line))
        written.append("--")
    return _closed(written, shown, admitted, evidence)


def format_lines(lines: Sequence[RankedMessage], *, evidence: ShownMessages, time_zone: ZoneInfo, space: int) -> Shown:
    """Return some messages as numbered lines inside a fence, as many as fit into a `space` in characters.

    Each gets a third of it at most, so that there is room for others.
    """
    written: list[str] = []
    shown: list[tuple[int, RankedMessage]] = []
    for line in lines:
        text = _cut(line_of(line.message, time_zone), max(_SHORTEST, space // 3))
        space -= len(text) + 8
        if (space < 0 and shown) or not evidence.may_show(line.message):
            continue
        number = evidence.number(line.message)
        written.append(f"[{number}] {text}")
        shown.append((number, line))
    return _closed(written, shown, [], evidence) if shown else Shown("Nothing was found.", ())


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]} … (cut)"


def local_time(message: Message, time_zone: ZoneInfo) -> str:
    """Return when a message was sent, to the minute, on the clock of `time_zone`."""
    return f"{message.sent_at.astimezone(time_zone):%Y-%m-%d %H:%M}"


def _admitted(findings: SearchResult, evidence: ShownMessages) -> list[Excerpt]:
    kept = [
        Excerpt(tuple(line for line in excerpt.lines if evidence.may_show(line.message)))
        for excerpt in findings.excerpts
    ]
    return [excerpt for excerpt in kept if excerpt.lines]


def line_of(message: Message, time_zone: ZoneInfo) -> str:
    """Return a message as a line of the fence has it, without its number: time, channel, author and what was said."""
    heading = f"{local_time(message, time_zone)} #{_name(message.channel_name)} {_name(message.author_name)}"
    return f"{neutralise(heading)}: {neutralise(_body(message, time_zone))}"


def _name(name: str) -> str:
    """Return a name on one line that cannot go on as if its bearer had said something."""
    return _ENDS_NAME.sub("", one_line(visible(name)))


def _body(message: Message, time_zone: ZoneInfo) -> str:
    """Return what was said, without Discord's markup, which a model cannot read, and without what people do not see.

    Its further lines are indented, so that none can pass for a numbered one.
    """
    text = visible(readable(message.content, time_zone))
    if len(text) > MESSAGE_LIMIT:
        text = f"{text[:MESSAGE_LIMIT]} … (cut)"
    names = "".join(f" (attachment: {_name(attachment.name)})" for attachment in message.attachments)
    return "\n    ".join(f"{text}{names}".strip().splitlines())


def neutralise(text: str) -> str:
    """Return a text in which nothing looks like a fence, a mark or a turn of a chat template."""
    text = _LOOKALIKE.sub(lambda match: "(" if match[0] == "[" else _ANGLE, text)
    return _MARK.sub(r"(\g<inside>)", text)


def _closed(
    written: list[str], shown: list[tuple[int, RankedMessage]], excerpts: list[Excerpt], evidence: ShownMessages
) -> Shown:
    if written and written[-1] == "--":
        written = written[:-1]
    parts = [f"<messages-{evidence.nonce}>", *written, f"</messages-{evidence.nonce}>"]
    missing = sum(len(excerpt.lines) for excerpt in excerpts) - len(shown)
    if missing > 0:
        parts.append(f"{missing} more did not fit here: use a narrower window or other words to see them.")
    return Shown("\n".join(parts), tuple(shown))
