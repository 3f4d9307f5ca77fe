"""Look once more at the messages that an answer cites, just before it is given."""

import logging

from agent.context import Recall
from agent.transcript import ShownMessages
from agent.types import Question
from errors import DatabaseUnavailableError
from memory.message import Message

UNCHECKED = "The citations could not be checked a second time; a message may have been deleted just now."

logger = logging.getLogger(__name__)


async def still_there(
    cited: dict[int, Message], *, evidence: ShownMessages, question: Question, memory: Recall
) -> tuple[dict[int, Message], tuple[str, ...]]:
    """Return those of the messages, by number, that may still be shown, as they are now, and notes for the person.

    When memory does not tell, they are returned as they were, with UNCHECKED.
    """
    if not cited:
        return {}, ()
    try:
        present = await memory.lookup([message.message_id for message in cited.values()], places=question.places)
    except DatabaseUnavailableError as error:
        logger.warning("citations in channel %d not checked: %r", question.channel_id, error)
        return cited, (UNCHECKED,)
    now = {number: present.get(message.message_id) for number, message in cited.items()}
    return {number: message for number, message in now.items() if message and evidence.may_show(message)}, ()
