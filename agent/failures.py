"""Log what went wrong, and answer where nothing could be looked up."""

import logging

from agent.quotation import MEMORY_OUT
from agent.types import Answer, Outcome, Question
from errors import DatabaseUnavailableError, TemporaryError

logger = logging.getLogger(__name__)

FAILED = "Something went wrong while I looked for an answer, and it has been logged. Please ask again in other words."


def log_failure(what: str, error: Exception) -> None:
    """Log a failure that is answered some other way: in one line, or with its traceback when nobody foresaw it."""
    if isinstance(error, TemporaryError | TimeoutError):
        logger.warning("%s: %r, from %r", what, error, error.__cause__)
    else:
        logger.error("%s", what, exc_info=error)


def unanswered(question: Question, error: Exception) -> Answer:
    """Return the answer where none could be looked up, and log why."""
    if isinstance(error, TimeoutError | DatabaseUnavailableError):
        logger.warning("memory did not answer channel %d: %r", question.channel_id, error)
        return Answer(text=MEMORY_OUT, outcome=Outcome.MEMORY_UNREACHABLE)
    logger.error("channel %d is not answered", question.channel_id, exc_info=error)
    return Answer(text=FAILED, outcome=Outcome.FAILED)
