"""Decide whether what a message said before an edit may be shown, and give the message as it was."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from difflib import SequenceMatcher

from memory.message import Message, Revision, authored
from memory.stop_words import FUNCTION_WORDS
from time_expressions.folding import words_of

MOST_COMPARED = 400
"""Words of a text that are compared; of a longer message nothing is said that it does not say now."""

_MOST_FOR_ONE = 3
"""Words that one new word may stand for: who replaces more than that takes something out."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NO_REPLACEMENT = _words("""
    removed deleted redacted censored edited edit snip nvm nevermind never mind oops sorry private secret hidden
    entfernt geloscht supprime borrado eliminado x xx xxx xxxx
""")
"""Words that stand where something was taken out."""

_PERSONAL = re.compile(r"[^\s@]{1,64}@[^\s@]{1,64}\.|\d(?:[\s().+/-]?\d){6,}|\b\w{1,16}://|\|\|")
"""An address of a mailbox or a page, a number of seven digits or more, or a spoiler: none is edited out by chance."""


def as_it_was(message: Message, revisions: Iterable[Revision], *, moment: datetime) -> Message | None:
    """Return a message as it was at a moment before its last edit; None when that is not known or may not be shown.

    `revisions` are what it and others said until they were edited, in no order.
    """
    own = sorted((revision for revision in revisions if revision.message_id == message.message_id), key=_time)
    former = next((revision for revision in own if revision.revised_at > moment), None)
    if former is None or not may_be_shown(former.content, message.content):
        return None
    edited_at = max((revision.revised_at for revision in own if revision.revised_at <= moment), default=None)
    text = former.content
    return replace(message, content=text, parts=authored(text), edited_at=edited_at, completed_at=None)


def _time(revision: Revision) -> datetime:
    return revision.revised_at


def may_be_shown(former: str, now: str) -> bool:
    """Return whether an edit has corrected a text, or added to it, and taken nothing out.

    Whoever takes something out of a message wants it gone, and Discord shows it to nobody any more.
    """
    before, after = words_of(former), words_of(now)
    if not after or max(len(before), len(after)) > MOST_COMPARED:
        return False
    if any(found not in now for found in _personal(former)):
        return False
    operations = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return not any(
        _takes_out(kind, before[first:last], after[start:end]) for kind, first, last, start, end in operations
    )


def _personal(text: str) -> list[str]:
    return [found[0] for found in _PERSONAL.finditer(text)]


def _takes_out(kind: str, old: Sequence[str], new: Sequence[str]) -> bool:
    telling = [word for word in old if word not in FUNCTION_WORDS]
    if kind not in {"delete", "replace"} or not telling:
        return False
    return kind == "delete" or set(new) <= _NO_REPLACEMENT or len(telling) > _MOST_FOR_ONE * len(new)
