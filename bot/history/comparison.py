"""Compare what Discord shows of a place with what memory holds of it: what is new, what changed, what may be gone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from memory.message import Message
from memory.search.stored import StoredState


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """What one page of Discord's shows that memory does not know.

    `missing` are the ids of messages that memory holds and the page does not show: deleted, once Discord confirms it.
    """

    new: tuple[Message, ...] = ()
    edited: tuple[Message, ...] = ()
    missing: tuple[int, ...] = ()


def differences(
    shown: Sequence[Message], shown_ids: frozenset[int], stored: Mapping[int, StoredState], *, asked_at: datetime
) -> Differences:
    """Return how a page differs from memory.

    `shown` are the messages of the page to keep, `shown_ids` the ids of all on it, and `stored` is what memory holds of
    the stretch that the page covers. What was heard locally after the page was asked for, `asked_at`, is never undone:
    an older edit is none here, and a message that memory knows as deleted stays deleted.
    """
    new: list[Message] = []
    edited: list[Message] = []
    for message in shown:
        known = stored.get(message.message_id)
        if known is None:
            new.append(message)
        elif known.deleted_at is None and (state := edited_state(message, known, asked_at=asked_at)) is not None:
            edited.append(state)
    missing = (key for key, state in stored.items() if key not in shown_ids and state.deleted_at is None)
    return Differences(new=tuple(new), edited=tuple(edited), missing=tuple(missing))


def edited_state(message: Message, known: StoredState, *, asked_at: datetime) -> Message | None:
    """Return the state to record of a message where Discord shows a later one than memory holds; None where not.

    An application that answers late completes an empty message, which is no edit to Discord and has no time of one: it
    counts as completed when the page was asked for.
    """
    if message.edited_at is not None and (known.edited_at is None or message.edited_at > known.edited_at):
        return message
    is_completed = known.is_empty and message.edited_at == known.edited_at and (message.content or message.attachments)
    return replace(message, completed_at=asked_at) if is_completed else None
