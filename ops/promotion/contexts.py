"""Find what was said before messages that come in large numbers, mostly in the order of their times."""

from bisect import bisect_left
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime

from memory.index.index_text import CONTEXT_MESSAGES
from memory.message import Kind, Message

Ask = Callable[[Sequence[Message]], Awaitable[list[tuple[int, Message]]]]
"""Returns, from memory, pairs of a message's id and one that was sent before it in its place."""

_Moment = tuple[datetime, int]

_PLACES = 10_000  # channels and threads whose last messages are kept at hand


class Contexts:
    """Keeps the last messages of each place; memory is asked only for what came out of turn, or is the first there."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._latest: OrderedDict[int, list[Message]] = OrderedDict()

    async def preceding(self, messages: Sequence[Message], wanted: Sequence[Message]) -> dict[int, list[Message]]:
        """Return what was said before each wanted one of some messages, by its id; remember the last of all."""
        said = self._by_place(messages)
        moments = {place_id: [_moment(one) for one in said[place_id]] for place_id in {one.place_id for one in wanted}}
        found: dict[int, list[Message]] = {}
        unsure = []
        for one in wanted:
            end = bisect_left(moments[one.place_id], _moment(one))
            found[one.message_id] = said[one.place_id][max(0, end - CONTEXT_MESSAGES) : end]
            if not self._is_sure(one, found[one.message_id]):
                unsure.append(one)
        if unsure:
            _add(found, await self._ask(unsure))
        for place_id, listed in said.items():
            self._remember(place_id, listed)
        return found

    def _by_place(self, messages: Iterable[Message]) -> dict[int, list[Message]]:
        """Return what stands before others: what was remembered and these messages, in the order of their times."""
        said: dict[int, list[Message]] = defaultdict(list)
        for message in messages:
            place = said[message.place_id]
            if message.deleted_at is None and message.kind is Kind.MESSAGE:
                place.append(message)
        for place_id, place in said.items():
            known = {one.message_id for one in place}
            place.extend(one for one in self._latest.get(place_id, ()) if one.message_id not in known)
            place.sort(key=_moment)
        return said

    def _is_sure(self, message: Message, before: Sequence[Message]) -> bool:
        """Tell whether memory cannot know of a message that stands nearer before this one."""
        if message.edited_at is not None or len(before) < CONTEXT_MESSAGES:  # an edited one may have been said long ago
            return False
        latest = self._latest.get(message.place_id)
        return not latest or _moment(latest[-1]) < _moment(message)

    def _remember(self, place_id: int, said: list[Message]) -> None:
        if said:
            self._latest[place_id] = said[-CONTEXT_MESSAGES:]
            self._latest.move_to_end(place_id)
        if len(self._latest) > _PLACES:
            self._latest.popitem(last=False)


def _add(found: dict[int, list[Message]], asked: Iterable[tuple[int, Message]]) -> None:
    """Put what memory knows among what was found: the last of both stand before a message."""
    both: dict[int, dict[int, Message]] = defaultdict(dict)
    for message_id, earlier in asked:
        both[message_id].update({one.message_id: one for one in [earlier, *found[message_id]]})
    for message_id, earlier_ones in both.items():
        found[message_id] = sorted(earlier_ones.values(), key=_moment)[-CONTEXT_MESSAGES:]


def _moment(message: Message) -> _Moment:
    return message.sent_at, message.message_id
