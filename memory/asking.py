"""Read a question: what it is about, which time and which channel it means."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from memory.channels import channels_in, may_name_channels
from memory.discussions import resolved
from memory.findings import Findings, Window
from memory.folding import FoldedText
from memory.known_names import KnownNames
from memory.presumed_days import presumed_days
from memory.spans import located, without
from memory.speakers import NOBODY, Speakers, may_name_speakers, speakers_in
from memory.topics import asks_for_talk_alone
from memory.windows import TimePhrase, Times, times_in

LONGEST_QUESTION = 2000
"""Characters of a question; what a message in Discord may have."""


class Knows(Protocol):
    """The part of `memory.search.Memory` that a question is read with.

    Every method raises DatabaseUnavailableError when no memory answers.
    """

    async def discussions(self, *, places: frozenset[int]) -> list[Window]:
        """Return the discussions held in these places, in time order."""
        ...

    async def known_names(self, *, places: frozenset[int]) -> KnownNames:
        """Return the names of the people and channels of these places, as far as they are known by now."""
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
    topic nobody else's are wanted, with a topic they are a hint. `channels` are the names of the channels that it is
    confined to, if it is. It is not `complete` when it was read before all names of people and channels were known.

    `rest` is the question without its phrases of time and place, also where the topic is empty, and `called` are the
    words, folded, by which it calls its authors.
    """

    text: str
    topic: str
    places: frozenset[int]
    times: tuple[TimePhrase, ...] = ()
    authors: frozenset[str] = frozenset()
    channels: tuple[str, ...] = ()
    complete: bool = True
    rest: str = ""
    called: frozenset[str] = frozenset()

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

    A time that is yet to come is part of the topic: nothing was said then. Of a text that is longer than
    LONGEST_QUESTION only so much is read; all of it is searched for.

    Raises DatabaseUnavailableError when memory is needed to know what it means, and none answers.
    """
    # The grammar may take a tenth of a second, for which the event loop has something else to do.
    read, said = await asyncio.to_thread(_words_and_times, text[:LONGEST_QUESTION], now, time_zone, read_times)
    names = await _names(read, places, memory, discussions=bool(said.discussions))
    place_spans, named = channels_in(read, names) if may_name_channels(text) else ([], frozenset[int]())
    counted = named or places & {here}
    times = await _with_discussions(
        text, said, counted=counted, here=here, now=now.astimezone(time_zone), memory=memory
    )
    searched = named or (counted if said.discussions else places)
    times = tuple([await _on_a_day_with_words(time, searched, memory) for time in times])
    speakers = _speakers(read, names.within(searched))
    question = without(text, [*place_spans, *located(text, [time.phrase for time in times])])
    topic = "" if times and asks_for_talk_alone(question, names=speakers.words) else question
    channels = names.channel_names(searched) if searched != places else ()
    return Asked(
        text,
        topic,
        searched,
        times,
        speakers.authors,
        channels,
        names.complete,
        rest=question,
        called=speakers.words,
    )


def _words_and_times(text: str, now: datetime, time_zone: ZoneInfo, read_times: ReadsTimes) -> tuple[FoldedText, Times]:
    return FoldedText(text), _looking_back(read_times(text, now=now, time_zone=time_zone), now)


async def _names(text: FoldedText, places: frozenset[int], memory: Knows, *, discussions: bool) -> KnownNames:
    """Return the names that a text may hold; those of no place when it needs none."""
    needed = discussions or may_name_channels(text.text) or may_name_speakers(text)
    return await memory.known_names(places=places) if places and needed else KnownNames(frozenset())


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


def _speakers(text: FoldedText, names: KnownNames) -> Speakers:
    return speakers_in(text, names) if may_name_speakers(text) else NOBODY
