"""Read the messages that a question points at, and search with their words."""

import re
from collections.abc import Sequence
from dataclasses import replace

from agent.types import Question
from memory.mentions import people_named
from memory.message import Kind, Message
from memory.question.parse import ParsedQuestion
from memory.search.interface import MemoryReader
from memory.search.terms import keywords_of

MOST_MESSAGES = 8
"""Messages that a question may point at: a few replies, or what an answer has cited."""

MOST_WORDS = 400
"""Characters of these messages that are searched for: more would say less about each of them."""

_POINTING = frozenset({"mean", "means", "meant", "meaning", "explain", "context", "understand", "refer", "referring"})
"""Words that ask about what is pointed at, and name nothing themselves: "what did he mean by that?"."""

_COMMAND = re.compile(r"^/\w{1,32}(?: text:)? ?")
_MENTION = re.compile(r"<@!?[^<>\n]{0,120}>")


async def messages_about(question: Question, memory: MemoryReader) -> tuple[Message, ...]:
    """Return the messages that a question points at, in its order, as far as the answer may use them.

    Earlier questions to the bot are among them. Raises DatabaseUnavailableError when memory does not answer.
    """
    wanted = question.about[:MOST_MESSAGES]
    found = await memory.lookup(wanted, places=question.places) if wanted else {}
    return tuple(found[message_id] for message_id in wanted if message_id in found)


def said_in(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Return those of some messages that are no questions to the bot, and so may be shown and cited."""
    return tuple(message for message in messages if message.kind is not Kind.COMMAND)


def asked_in(messages: Sequence[Message]) -> tuple[str, ...]:
    """Return the earlier questions among some messages, each on one line and without what calls the bot."""
    return tuple(
        " ".join(_MENTION.sub(" ", _COMMAND.sub("", message.content)).split())
        for message in messages
        if message.kind is Kind.COMMAND
    )


def points_only(parsed: ParsedQuestion) -> bool:
    """Return whether a question has no words of its own to search for: "what is this about?"."""
    return all(word.text in _POINTING for word in keywords_of(parsed.rest or parsed.text))


def with_their_words(parsed: ParsedQuestion, messages: Sequence[Message]) -> ParsedQuestion:
    """Return a question that is searched for with the words of the messages that it points at as well.

    One that asks for messages by their order alone stays as it is.
    """
    if parsed.selection or not messages:
        return parsed
    words = [*asked_in(messages), *(people_named(message.content) for message in said_in(messages))]
    pointed_at = " ".join(" ".join(words).split())[:MOST_WORDS]
    own = "" if points_only(parsed) else parsed.topic
    return replace(parsed, topic=f"{own} {pointed_at}".strip())
