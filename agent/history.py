"""The earlier questions of a conversation that a question builds on, with what their answers cited as it is now."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from agent.answers import Answer, Question
from agent.citations import without_marks
from agent.context import Recall
from agent.conversations import Turn
from memory.messages import Message

_CHARACTERS = 4  # of a token, as languages in Latin letters have them
_OVERHEAD = 12  # tokens that a message's number, time, channel and author take


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier question and the messages that its answer cited, in their present state.

    The answer is not among it: it is no evidence, and may have words of messages that are gone by now.
    """

    question: str
    messages: tuple[Message, ...] = ()


def finished_turn(question: Question, answer: Answer) -> Turn:
    """Return a turn to keep; marks are left out, for the next run numbers its messages anew."""
    return Turn(
        asked_at=question.now,
        question=question.text,
        answer=without_marks(answer.text),
        cites=tuple(source.message.message_id for source in answer.sources),
        audience=answer.shown_places,
    )


async def earlier_questions(
    turns: Sequence[Turn], *, question: Question, memory: Recall, max_tokens: int
) -> list[Earlier]:
    """Return the newest turns that a question may build on and that fit into about `max_tokens`, oldest first.

    Left out is a turn that may tell of a place which this question may not use, and one whose answer cites a message
    that was deleted, erased or edited since. Raises DatabaseUnavailableError when memory does not tell which those are.
    """
    allowed = [turn for turn in turns if turn.question.strip() and turn.audience <= question.places]
    cited = {message_id for turn in allowed for message_id in turn.cites}
    present = await memory.lookup(cited, places=question.places) if cited else {}
    return _fitting([_earlier(turn, present) for turn in allowed if _holds(turn, present)], max_tokens=max_tokens)


def approximate_tokens(text: str) -> int:
    """Return about how many tokens a text is to a model."""
    return ceil(len(text) / _CHARACTERS)


def _holds(turn: Turn, present: Mapping[int, Message]) -> bool:
    """Tell whether all that a turn cites is there as it was when the question was asked."""
    cited = [present.get(message_id) for message_id in turn.cites]
    return all(message and (not message.edited_at or message.edited_at <= turn.asked_at) for message in cited)


def _earlier(turn: Turn, present: Mapping[int, Message]) -> Earlier:
    return Earlier(" ".join(turn.question.split()), tuple(present[message_id] for message_id in turn.cites))


def _fitting(turns: Iterable[Earlier], *, max_tokens: int) -> list[Earlier]:
    kept: list[Earlier] = []
    left = max_tokens
    for turn in reversed(list(turns)):
        left -= _OVERHEAD + approximate_tokens(turn.question)
        left -= sum(_OVERHEAD + approximate_tokens(message.content) for message in turn.messages)
        if left < 0:
            break
        kept.append(turn)
    return kept[::-1]
