"""Read a question: what it is about, which time and which channel it means."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from memory.channels import channels_in, may_name_channels
from memory.discussions import resolved
from memory.findings import Findings, Window
from memory.presumed_days import presumed_days
from memory.spans import Span, located, without
from memory.speakers import may_name_speakers, speakers_in
from memory.topics import asks_for_talk_alone
from memory.windows import TimePhrase, Times, times_in


class Knows(Protocol):
    """The part of `memory.search.Memory` that a question is read with.

    Every method raises DatabaseUnavailableError when no memory answers.
    """

    async def discussions(self, *, places: frozenset[int]) -> list[Window]:
        """Return the discussions held in these places, in time order."""
        ...

    async def place_names(self, *, places: frozenset[int]) -> dict[str, frozenset[int]]:
        """Return the names of these channels and threads, each with the places that bear it."""
        ...

    async def author_names(self, *, places: frozenset[int]) -> frozenset[str]:
        """Return the names of all who said something in these places."""
        ...

    async def list_messages(self, *, places: frozenset[int], windows: Sequence[Window], limit: int) -> Findings:
        """Return the first `limit` messages of the windows."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question asks for.

    `topic` is the question without its phrases of time and place, empty when it asks for nothing but a time ("what
    did we talk about last Friday?"). `places` are those that it names ("in #deploys") and may be read; those of the
    channel in which it is asked when it counts discussions ("our first session"); else all that may be read. No
    `times` mean all time. `authors` are those whose words it asks for ("what did Ana say yesterday?"): with an empty
    topic nobody else's are wanted, with a topic they are a hint.
    """

    text: str
    topic: str
    places: frozenset[int]
    times: tuple[TimePhrase, ...] = ()
    authors: frozenset[str] = frozenset()

    @property
    def windows(self) -> tuple[Window, ...]:
        """The windows of its phrases."""
        return tuple(time.window for time in self.times)


class ReadsTimes(Protocol):
    """What finds the time in a text, as `memory.windows.times_in` does."""

    def __call__(self, text: str, *, now: datetime, time_zone: ZoneInfo) -> Times:
        """Return what a text says of time."""
        ...


async def understand(
    text: str,
    *,
    places: frozenset[int],
    here: int,
    now: datetime,
    time_zone: ZoneInfo,
    memory: Knows,
    read_times: ReadsTimes = times_in,
) -> Asked:
    """Read a question that is asked in the place `here` by somebody who may read `places`.

    A time that is yet to come is part of the topic: nothing was said then.

    Raises DatabaseUnavailableError when memory is needed to know what it means, and none answers.
    """
    said = _looking_back(read_times(text, now=now, time_zone=time_zone), now)
    place_spans, named = await _named_places(text, places, memory)
    counted = named or places & {here}
    times = await _with_discussions(
        text, said, counted=counted, here=here, now=now.astimezone(time_zone), memory=memory
    )
    searched = named or (counted if said.discussions else places)
    times = tuple([await _on_a_day_with_words(time, searched, memory) for time in times])
    authors = await _speakers(text, searched, memory)
    question = without(text, [*place_spans, *located(text, [time.phrase for time in times])])
    topic = "" if times and asks_for_talk_alone(question, speakers=authors) else question
    return Asked(text, topic, searched, times, authors)


def _looking_back(said: Times, now: datetime) -> Times:
    """Return the times without those to come: of "what is planned for next Friday?" something was said before."""
    return replace(said, windows=tuple(one for one in said.windows if not one.window.start or one.window.start < now))


async def _with_discussions(
    text: str, said: Times, *, counted: frozenset[int], here: int, now: datetime, memory: Knows
) -> tuple[TimePhrase, ...]:
    """Return the phrases with their windows; the discussions are asked for only where a phrase speaks of them."""
    earlier = here in counted and any(time.earlier for time in said.windows)
    discussions = await memory.discussions(places=counted) if said.discussions or earlier else []
    return resolved(text, said, discussions, now=now)


async def _on_a_day_with_words(time: TimePhrase, places: frozenset[int], memory: Knows) -> TimePhrase:
    """Return a phrase with the day that it means, when nothing was said on the day that its words give."""
    others = list(presumed_days(time.phrase, time.window))
    for window in (time.window, *others) if others else ():
        findings = await memory.list_messages(places=places, windows=(window,), limit=1)
        if findings.excerpts:
            return replace(time, window=window)
    return time


async def _named_places(text: str, places: frozenset[int], memory: Knows) -> tuple[list[Span], frozenset[int]]:
    """Return where readable channels are named, and which they are."""
    if not places or not may_name_channels(text):
        return [], frozenset()
    spans, named = channels_in(text, await memory.place_names(places=places))
    return spans, named & places


async def _speakers(text: str, places: frozenset[int], memory: Knows) -> frozenset[str]:
    if not places or not may_name_speakers(text):
        return frozenset()
    return speakers_in(text, await memory.author_names(places=places))
