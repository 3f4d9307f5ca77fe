"""Find the questions to which nobody has reacted in any way.

A message that asks is open unless somebody other than its author

- replied to it, at any time and in any place; the bot may be the one who did,
- wrote in the thread or forum post that began with it,
- wrote one of the next FOLLOWING messages of others in its place, within SOON, that asks nothing itself and replies to
  nothing, or to what the asker said since: in a quiet place the next message is the answer, in a busy one only what
  comes at once can be,
- reacted to it with an emoji (whose author nobody keeps, so that one's own counts as well).

A forum post asks by being one, whatever its words. Of several questions that a person asks in a row the first stands
for all of them. What has too few words to be a question ("What?", "u ok?") is none: `is_worth_asking`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import islice

from memory.message import Message
from memory.search.replies import asks
from overviews.traces import Trace
from time_expressions.folding import words_of

FOLLOWING = 4
"""Messages of others after a question among which its answer is looked for."""

SOON = timedelta(hours=2)
"""How long after a question they can have come."""

FEWEST_WORDS = 3
"""Words of a question that somebody can answer."""

_RUN_TOGETHER = 0x0E00  # from Thai on, scripts have no spaces between words, so that letters are counted
_FEWEST_LETTERS = 6


def open_questions(traces: Sequence[Trace]) -> list[Trace]:
    """Return what may ask and is open, in time order, of messages in that order."""
    by_place: dict[int, list[Trace]] = defaultdict(list)
    repliers: dict[int, set[str]] = defaultdict(set)
    for trace in traces:
        if not trace.is_answer:
            by_place[trace.place_id].append(trace)
        if trace.reply_to is not None:
            repliers[trace.reply_to].add(trace.author)
    speakers = {place_id: {trace.author for trace in said} for place_id, said in by_place.items()}
    found = [
        trace
        for said in by_place.values()
        for trace in _unfollowed(said)
        if not _others(repliers, trace) and not _others(speakers, trace)
    ]
    return sorted(found, key=lambda trace: (trace.sent_at, trace.message_id))


def is_worth_asking(message: Message) -> bool:
    """Return whether a message asks something that somebody can answer; a forum post does by being one."""
    if message.message_id == message.thread_id:
        return True
    words = " ".join(word for word in message.content.split() if "://" not in word and not word.startswith("<"))
    run_together = sum(letter.isalpha() and ord(letter) >= _RUN_TOGETHER for letter in words)
    return asks(message) and (len(words_of(words)) >= FEWEST_WORDS or run_together >= _FEWEST_LETTERS)


def _unfollowed(said: Sequence[Trace]) -> list[Trace]:
    """Return what may ask in one place and what others did not follow up, without a person's further questions."""
    found: list[Trace] = []
    asked_before: dict[str, Trace] = {}
    for number, trace in enumerate(said):
        if not (trace.asks or trace.is_post):
            continue
        before = asked_before.get(trace.author)
        asked_before[trace.author] = trace
        if before is not None and trace.sent_at - before.sent_at <= SOON:
            continue
        if not trace.reactions and (trace.is_post or not _is_followed(trace, islice(said, number + 1, None))):
            found.append(trace)
    return found


def _is_followed(question: Trace, later: Iterable[Trace]) -> bool:
    own: set[int] = set()
    following = 0
    for trace in later:
        if trace.sent_at > question.sent_at + SOON or following == FOLLOWING:
            return False
        if trace.author == question.author:
            own.add(trace.message_id)
            continue
        following += 1
        if trace.reply_to in own or (trace.reply_to is None and not trace.asks):
            return True
    return False


def _others(people: Mapping[int, set[str]], question: Trace) -> bool:
    """Return whether somebody else than who asked is among the people that stand under the id of a question."""
    return bool(people.get(question.message_id, frozenset()) - {question.author})
