"""The earlier turns of a conversation that a question builds on."""

from collections.abc import Iterable, Sequence
from math import ceil

from agent.answers import Answer, Question
from agent.citations import without_marks
from agent.conversations import Turn

_CHARACTERS = 4  # of a token, as languages in Latin letters have them
_OVERHEAD = 3  # tokens that begin and end a message
_ROLES = ("user", "assistant")


def finished_turn(question: Question, answer: Answer, history: Iterable[Turn]) -> Turn:
    """Return a turn to keep; marks are left out, for the next run numbers its messages anew.

    What the model was shown of earlier turns may stand in the answer as well, so it is for those who may read all of
    them.
    """
    return Turn(
        asked_at=question.now,
        question=question.text,
        answer=without_marks(answer.text),
        cites=tuple(source.message.message_id for source in answer.sources),
        audience=answer.shown_places.union(*(turn.audience for turn in history)),
    )


def fitting(turns: Sequence[Turn], *, max_tokens: int) -> list[Turn]:
    """Return the newest turns that fit into about `max_tokens`, oldest first.

    Turns without words are left out: providers reject an empty message.
    """
    kept: list[Turn] = []
    left = max_tokens
    for turn in reversed([turn for turn in turns if turn.question.strip() and turn.answer.strip()]):
        left -= approximate_tokens(turn)
        if left < 0:
            break
        kept.append(turn)
    return kept[::-1]


def approximate_tokens(turn: Turn) -> int:
    """Return about how many tokens a turn is to a model, counted as LangChain's `count_tokens_approximately` does."""
    lengths = (len(role) + len(text) for role, text in zip(_ROLES, (turn.question, turn.answer), strict=True))
    return sum(ceil(length / _CHARACTERS) + _OVERHEAD for length in lengths)
