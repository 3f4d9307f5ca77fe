"""Read chats that have a time on every turn, and questions about what was said when.

A folder holds `chat_<number>.json`, an object with the list of turns of every session, `session_1` and so on, and for
every type of question `questions/<type>.json`: from a chat's number to a list of questions, each with its phrasings
(`questions`) and the numbers of the turns that answer it (`relevant_docs`). Questions of a type whose name begins
with "content" have a topic besides their time.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, TypeAdapter

from bench.inputs import read_json
from errors import InputFileError
from memory.message import Attachment, Message

_CHAT = re.compile(r"chat_(\d+)")
_SESSION = re.compile(r"session_(\d+)")
_TIME_FORMAT = "%I:%M:%S %p on %A %d %B, %Y"
_MOST_MESSAGES = 1_000_000  # of one chat: keeps the ids of two chats apart
_TOPICAL = "content"


def _time(text: str) -> datetime:
    return datetime.strptime(text, _TIME_FORMAT).replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Turn:
    speaker: str
    text: str
    date_time: Annotated[datetime, BeforeValidator(_time)]
    response_number: int
    blip_caption: str | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    questions: Annotated[list[str], Field(min_length=1)]
    relevant_docs: list[int]


_TURNS = TypeAdapter(dict[str, list[_Turn] | str])
_QUESTIONS = TypeAdapter(dict[str, list[_Asked]])


@dataclass(frozen=True, slots=True)
class Question:
    """A question in several phrasings, and the ids of the messages that answer it."""

    kind: str
    phrasings: tuple[str, ...]
    wanted: frozenset[int]

    @property
    def has_topic(self) -> bool:
        """Whether it asks for more than what was said at a time."""
        return self.kind.startswith(_TOPICAL)


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation in a channel of its own, in time order, and the questions that are asked at its end."""

    channel: int
    messages: tuple[Message, ...]
    questions: tuple[Question, ...]

    @property
    def places(self) -> frozenset[int]:
        """The channel, as the places that may be read."""
        return frozenset({self.channel})

    @property
    def now(self) -> datetime:
        """The time of the last message."""
        return self.messages[-1].sent_at


def read_chats(folder: Path, *, session: str) -> list[Chat]:
    """Return the chats of a folder as messages of a program session; raise InputFileError when it has none."""
    paths = {int(found[1]): path for path in folder.glob("chat_*.json") if (found := _CHAT.fullmatch(path.stem))}
    by_kind = {
        path.stem: read_json(path, _QUESTIONS, what="a list of questions for every chat")
        for path in sorted(folder.glob("questions/*.json"))
    }
    if not paths or not by_kind:
        raise InputFileError(f"{folder} has no chat_<number>.json or no questions/<type>.json: correct --data.")
    return [
        Chat(channel, _messages(path, channel, session), _questions(by_kind, channel))
        for channel, path in sorted(paths.items())
    ]


def _messages(path: Path, channel: int, session: str) -> tuple[Message, ...]:
    held = read_json(path, _TURNS, what="a chat with a time on every turn")
    turns = [turn for name, value in held.items() if _SESSION.fullmatch(name) for turn in _listed(value)]
    if not turns:
        raise InputFileError(f"{path} has no turns in session_1, session_2, ...: correct --data.")
    messages = [_message(turn, channel, session) for turn in turns]
    return tuple(sorted(messages, key=lambda message: (message.sent_at, message.message_id)))


def _listed(value: list[_Turn] | str) -> Sequence[_Turn]:
    return value if isinstance(value, list) else ()


def _message(turn: _Turn, channel: int, session: str) -> Message:
    """Return a turn as a message; what its picture shows is the name of an attachment."""
    return Message(
        message_id=_id(channel, turn.response_number),
        sent_at=turn.date_time,
        session=session,
        channel_id=channel,
        channel_name=f"chat-{channel}",
        author_name=turn.speaker,
        content=turn.text,
        attachments=(Attachment(name=turn.blip_caption, url=""),) if turn.blip_caption else (),
    )


def _questions(by_kind: Mapping[str, Mapping[str, Sequence[_Asked]]], channel: int) -> tuple[Question, ...]:
    return tuple(
        Question(
            kind, tuple(dict.fromkeys(one.questions)), frozenset(_id(channel, number) for number in one.relevant_docs)
        )
        for kind, of_chats in by_kind.items()
        for one in of_chats.get(str(channel), ())
    )


def _id(channel: int, number: int) -> int:
    return channel * _MOST_MESSAGES + number
