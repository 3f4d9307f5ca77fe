"""List what was decided: messages that somebody has marked, as they stand now or stood at a moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from memory.decisions import Decision, Decisions, Standing, standing_at
from memory.message import Message
from memory.search.interface import MemoryReader
from memory.stop_words import FUNCTION_WORDS
from overviews.overview import Line, Overview, Section, Shown, Viewer
from time_expressions.conventions import OURS
from time_expressions.find import times_in
from time_expressions.folding import words_of

MOST_LISTED = 50
MOST_EARLIER = 24  # a select of Discord's has 25 options, and one of them is "none"

NOT_A_TIME = "I do not know which time that is: say it as in `last March`, `two weeks ago` or `2026-03-31`."
NONE_YET = "Nothing is marked as a decision here that may be shown."
NONE_FITS = "No decision that may be shown here fits that."

_AS_OF = " as of "
_SHORTEST_START = 4  # characters that two forms of a word have in common at least
_INSTANT = timedelta(microseconds=1)
_LONGEST_COMPARED = 4000  # characters of a message


@dataclass(frozen=True, slots=True)
class Marked:
    """A decision with the message that says it, as that reads now."""

    decision: Decision
    message: Message


@dataclass(frozen=True, slots=True)
class DecisionList:
    """Makes lists of decisions from `marks`, and from what `memory` holds of their messages.

    A title goes with its message: whoever may not read that learns of neither. So does what took its place.
    """

    marks: Decisions
    memory: MemoryReader

    async def overview(
        self, viewer: Viewer, *, topic: str = "", as_of: str = "", channel_id: int | None = None
    ) -> Overview:
        """Return the decisions on a topic that counted at a moment, of a channel or of all, newest first.

        Raises ValueError for a moment that is none, DatabaseUnavailableError.
        """
        moment = _moment_of(as_of, viewer) if as_of else viewer.now
        marked = await self.readable(viewer)
        messages = {known.decision.message_id: known.message for known in marked}
        decisions = [known.decision for known in marked]
        replaced_since = {
            standing.decision.message_id: standing.replaced_by
            for standing in standing_at(decisions, viewer.now)
            if standing.replaced_by is not None
        }
        standing = [
            found
            for found in standing_at(decisions, moment)
            if found.replaced_by is None
            and _is_in(found.decision, channel_id)
            and _fits(topic, found.decision, messages[found.decision.message_id])
        ]
        listed = [
            line
            for found in standing[:MOST_LISTED]
            for line in _lines(found, messages, replaced_since.get(found.decision.message_id), viewer.now)
        ]
        more = len(standing) - MOST_LISTED
        return Overview(
            title=_title(topic, moment if as_of else None, viewer),
            sections=(Section(lines=tuple(listed), is_more=f"{more} older ones fit, too" if more > 0 else ""),),
            empty=NONE_FITS if topic or as_of or channel_id else NONE_YET,
        )

    async def readable(self, viewer: Viewer) -> list[Marked]:
        """Return the decisions, withdrawn and replaced ones too, whose messages are remembered and may be read.

        Raises DatabaseUnavailableError.
        """
        if not viewer.places:
            return []
        decisions = await self.marks.of(viewer.guild)
        memory = self.memory.in_guild(viewer.guild)
        messages = await memory.lookup([known.message_id for known in decisions], places=viewer.places)
        return [Marked(known, messages[known.message_id]) for known in decisions if known.message_id in messages]

    async def earlier_ones(self, viewer: Viewer, *, than: Message) -> list[Marked]:
        """Return decisions from before a message that it may take the place of, those with most of its words first."""
        words = _words(than.content)
        marked = await self.readable(viewer)
        messages = {known.decision.message_id: known.message for known in marked}
        earlier = [
            Marked(found.decision, messages[found.decision.message_id])
            for found in standing_at([known.decision for known in marked], viewer.now)
            if found.replaced_by is None
            and (found.decision.sent_at, found.decision.message_id) < (than.sent_at, than.message_id)
        ]
        alike = sorted(earlier, key=lambda known: -len(words & _words_of(known.decision, known.message)))
        return alike[:MOST_EARLIER]

    async def is_remembered(self, viewer: Viewer, message_id: int) -> bool:
        """Return whether memory holds a message, so that it can be listed."""
        found = await self.memory.in_guild(viewer.guild).lookup([message_id], places=viewer.places)
        return message_id in found

    async def command(self, viewer: Viewer, text: str) -> Overview:
        """Make the list from the text behind a command: a topic, "as of" a moment, both or neither."""
        before, as_of, after = f" {text}".rpartition(_AS_OF)
        return await self.overview(viewer, topic=(before if as_of else after).strip(), as_of=after if as_of else "")


def _moment_of(text: str, viewer: Viewer) -> datetime:
    """Return the last instant of what a text means, as far as that is over."""
    conventions = None if viewer.date_order is None else OURS.in_order(viewer.date_order)
    times = times_in(text, now=viewer.now, time_zone=viewer.time_zone, conventions=conventions)
    if not times.windows:
        raise ValueError(NOT_A_TIME)
    end = times.windows[-1].window.end
    return viewer.now if end is None else min(viewer.now, end - _INSTANT)


def _title(topic: str, moment: datetime | None, viewer: Viewer) -> str:
    about = f" about {topic}" if topic else ""
    when = ""
    if moment is not None:
        local = moment.astimezone(viewer.time_zone)
        when = f" as of {local:%a} {local.day} {local:%b %Y %H:%M} ({viewer.time_zone.key})"
    return f"Decisions{about}{when}"


def _lines(
    found: Standing, messages: dict[int, Message], replaced_since: Decision | None, now: datetime
) -> Sequence[Line]:
    """Return the line of a decision, and below it what it replaced and what has replaced it since."""
    decision = found.decision
    message = messages[decision.message_id]
    signs = [
        *(["edited since"] if message.edited_at is not None and message.edited_at > decision.marked_at else []),
        *(["withdrawn since"] if not decision.counts_at(now) else []),
    ]
    words = " ".join(filter(None, (decision.title, f"({', '.join(signs)})" if signs else "")))
    lines = [Line(words=words, message=message)]
    if found.replaces is not None:
        lines.append(_link("replaces", found.replaces, messages))
    if replaced_since is not None:
        lines.append(_link("replaced since by", replaced_since, messages))
    return lines


def _link(words: str, decision: Decision, messages: dict[int, Message]) -> Line:
    shown = Shown.TIME if decision.title else Shown.TIME | Shown.QUOTE
    return Line(
        words=f"\N{DOWNWARDS ARROW WITH TIP RIGHTWARDS} {words} {decision.title}".rstrip(),
        message=messages[decision.message_id],
        shown=shown,
    )


def _is_in(decision: Decision, channel_id: int | None) -> bool:
    return channel_id is None or channel_id in {decision.channel_id, decision.thread_id}


def _fits(topic: str, decision: Decision, message: Message) -> bool:
    """Return whether a title and its message have all words of a topic, whatever their endings."""
    wanted = _words(topic)
    words = _words_of(decision, message) if wanted else frozenset()
    return all(word in words or any(_is_form_of(word, other) for other in words) for word in wanted)


def _is_form_of(word: str, other: str) -> bool:
    shorter, longer = sorted((word, other), key=len)
    return len(shorter) >= _SHORTEST_START and longer.startswith(shorter)


def _words_of(decision: Decision, message: Message) -> frozenset[str]:
    return _words(f"{decision.title} {message.content}")


def _words(text: str) -> frozenset[str]:
    return frozenset(words_of(text[:_LONGEST_COMPARED])) - FUNCTION_WORDS
