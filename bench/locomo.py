"""Read chats with questions from files in LoCoMo's format.

The format (https://github.com/snap-research/locomo) is a list of samples. The `conversation` of each has a list of
turns for every session, `session_1` and so on, and beside it the time at which the session began; its `qa` are
questions with the ids of the turns that prove the answer.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from errors import InputFileError
from memory.message import Attachment, Message

CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}

_SESSION = re.compile(r"session_(\d+)")
_BETWEEN_IDS = re.compile(r"[\s,;]+")
_TIME_FORMAT = "%I:%M %p on %d %B, %Y"
_BETWEEN_TURNS = timedelta(minutes=1)  # the format has no time but that of the session
_MOST_MESSAGES = 1_000_000  # of one chat: keeps the ids of two chats apart


@dataclass(frozen=True, slots=True)
class Question:
    """A question with the ids of the messages that prove its answer, and the answer, if the file has one."""

    text: str
    category: int
    evidence: frozenset[int]
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation, held in a channel of its own, the questions that can be scored, and each message's session."""

    name: str
    messages: tuple[Message, ...]
    questions: tuple[Question, ...]
    sessions: tuple[int, ...]

    @property
    def place_id(self) -> int:
        """The channel."""
        return self.messages[0].place_id


def read_chats(paths: Sequence[Path], *, session: str) -> list[Chat]:
    """Return the chats of some files as messages of a program session; raise InputFileError for a file that has none.

    A question without evidence, or whose evidence is not in the chat, cannot be scored and is left out.
    """
    chats: list[Chat] = []
    for path in paths:
        samples = _samples(path)
        try:
            chats += [_chat(sample, len(chats) + number, session) for number, sample in enumerate(samples, start=1)]
        except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
            raise InputFileError(
                f"{path} is not in LoCoMo's format ({type(error).__name__}: {error}): "
                "give a list of samples with 'conversation' and 'qa'."
            ) from error
    return chats


def _samples(path: Path) -> list[Mapping[str, Any]]:
    try:
        samples = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputFileError(f"{path} cannot be read ({error.strerror}): correct the path.") from error
    except ValueError as error:
        raise InputFileError(f"{path} is not JSON ({error}): give a file in LoCoMo's format.") from error
    if not isinstance(samples, list) or not samples:
        raise InputFileError(f"{path} holds no list of samples: give a file in LoCoMo's format.")
    return samples


def _chat(sample: Mapping[str, Any], number: int, session: str) -> Chat:
    turns = list(_turns(sample["conversation"]))
    messages = [
        _message(turn, sent_at, number * _MOST_MESSAGES + place, channel=number, session=session)
        for place, (_, turn, sent_at) in enumerate(turns)
    ]
    ids = {turn["dia_id"]: message.message_id for (_, turn, _), message in zip(turns, messages, strict=True)}
    asked = [_question(one, ids) for one in sample["qa"]]
    if not messages:
        raise ValueError("a conversation without turns")
    name = str(sample.get("sample_id", number))
    answerable = tuple(question for question in asked if question.evidence)
    return Chat(name, tuple(messages), answerable, tuple(session_number for session_number, _, _ in turns))


def _turns(conversation: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any], datetime]]:
    """Yield the turns of a conversation in order, each with the number of its session before it and its time behind."""
    sessions = sorted(int(found[1]) for key in conversation if (found := _SESSION.fullmatch(key)))
    for number in sessions:
        begun = datetime.strptime(conversation[f"session_{number}_date_time"], _TIME_FORMAT).replace(tzinfo=UTC)
        for place, turn in enumerate(conversation[f"session_{number}"]):
            yield number, turn, begun + place * _BETWEEN_TURNS


def _message(turn: Mapping[str, Any], sent_at: datetime, message_id: int, *, channel: int, session: str) -> Message:
    """Return a turn as a message; what its picture shows is the name of an attachment."""
    caption = turn.get("blip_caption")
    return Message(
        message_id=message_id,
        sent_at=sent_at,
        session=session,
        channel_id=channel,
        channel_name=f"chat-{channel}",
        author_name=turn["speaker"],
        content=turn["text"],
        attachments=(Attachment(name=caption, url=""),) if caption else (),
    )


def _question(asked: Mapping[str, Any], ids: Mapping[str, int]) -> Question:
    named = [name for entry in asked.get("evidence") or () for name in _BETWEEN_IDS.split(entry)]
    evidence = frozenset(ids[name] for name in named if name in ids)
    return Question(asked["question"], int(asked["category"]), evidence, str(asked.get("answer", "")))
