"""Find, among the messages of an excerpt, those that answer a message that asks a question."""

import re
from collections.abc import Sequence
from datetime import timedelta

from memory.message import Message
from memory.search.terms import all_stems, keywords_of
from time_expressions.folding import words_of

SOON = timedelta(minutes=10)
"""How long after a question the next messages of others are taken to answer it."""

MOST_FOLLOWING = 4
"""Messages after a question that may answer it without being replies."""

QUESTION_MARKS = ("?", "\uff1f", "\u061f")
_SHORT = 200  # characters: a question mark in a longer message is no more than a part of it
_END = re.compile(r"([.!?\uff1f\u061f\n]+)")
_MOST_KEYWORDS = 12  # words from which on more of them make no better answer
ASKING_WORDS = frozenset(["what", "who", "whom", "whose", "where", "when", "why", "how", "which"])


def asks(message: Message) -> bool:
    """Return whether a message asks something."""
    return is_question(message.content.strip())


def is_question(text: str) -> bool:
    """Return whether a text asks something."""
    if ends_with_question_mark(text) or _begins_with_asking(text):
        return True
    return len(text) <= _SHORT and any(mark in word for word in _words(text) for mark in QUESTION_MARKS)


def ends_with_question_mark(text: str) -> bool:
    """Return whether a text, without space behind it, ends with a question mark of any script."""
    return text.endswith(QUESTION_MARKS)


def only_asks(message: Message) -> bool:
    """Return whether a message asks and says nothing besides: its answer can stand in its place."""
    text = message.content.strip()
    parts = _END.split(f"{text}\n")
    sentences = [(words, end) for words, end in zip(parts[::2], parts[1::2], strict=False) if words.strip()]
    return _begins_with_asking(text) or (bool(sentences) and all(_is_asking_end(end) for _, end in sentences))


def _is_asking_end(end: str) -> bool:
    return any(mark in end for mark in QUESTION_MARKS)


def _begins_with_asking(text: str) -> bool:
    return len(text) <= _SHORT and not ASKING_WORDS.isdisjoint(words_of(text)[:1])


def _words(text: str) -> list[str]:
    return [word for word in text.split() if "://" not in word]


def answers_to(message: Message, others: Sequence[Message], *, topic: str) -> list[Message]:
    """Return the messages that answer a question in a message; none for a message without one, or without an answer.

    They are the best of its direct replies, or else of what others said next in its place. Best is who is asked for,
    then what tells most: "yes" is an answer where there is none that says more.
    """
    if not asks(message):
        return []
    replies = [other for other in others if other.reply_to == message.message_id] or _following(message, others)
    named = all_stems(topic)
    return sorted(replies, key=lambda reply: _worth(reply, named), reverse=True)[:1]


def _following(message: Message, others: Sequence[Message]) -> list[Message]:
    """Return the next messages in the place of a message, as far as they are no replies to another one.

    Whoever asks may answer too, where nobody else says a word.
    """
    following = sorted(
        (
            other
            for other in others
            if other.place_id == message.place_id and message.sent_at < other.sent_at <= message.sent_at + SOON
        ),
        key=lambda other: (other.sent_at, other.message_id),
    )[:MOST_FOLLOWING]
    apart = [other for other in following if other.reply_to is None]
    return [other for other in apart if other.author_name != message.author_name] or apart


def _worth(message: Message, named: frozenset[str]) -> tuple[bool, bool, int, float]:
    """Return what sorts answers: by somebody whom the question names, no question back, many keywords, early."""
    keywords = min(len(keywords_of(message.content)) + len(message.attachments), _MOST_KEYWORDS)
    return bool(all_stems(message.author_name) & named), not asks(message), keywords, -message.sent_at.timestamp()
