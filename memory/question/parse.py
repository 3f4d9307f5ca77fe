"""Parse a question: what it is about, and which times, channels and people it means."""

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from memory.authors import Authors
from memory.names.known import KnownNames
from memory.question.channels import NamedPlaces, channels_in, here_in, may_name_channels
from memory.question.discussions import resolved
from memory.question.misspelt import Spelling, corrected_names
from memory.question.namesakes import namesakes
from memory.question.plain import plain_question
from memory.question.speakers import may_name_speakers, people_surely_in, speakers_in
from memory.question.topic import Selection, has_topic, remove_phrases, selection_in
from memory.question.versions import asks_for_state, edits_in, moment_of, until_moment
from memory.search.interface import MemoryReader
from time_expressions.conventions import Conventions
from time_expressions.find import DiscussionPhrase, TimePhrase, Times, times_in
from time_expressions.folding import FoldedText, Span, folded, words_of
from time_expressions.window import Window

_COUNTED = re.compile(r"\bdays\s+(?:ago|back)\b", re.IGNORECASE)
_WEEKDAY = re.compile(r"\b(?:last|past|previous)\s+(?:mon|tues|wednes|thurs|fri|satur|sun)day\b", re.IGNORECASE)
_LONGEST_DAY = timedelta(hours=25)
_DAY, _WEEK = timedelta(days=1), timedelta(weeks=1)
_WEEKS = 3


def fallback_days(phrase: str, window: Window) -> Iterator[Window]:
    """Yield the days, the likeliest first, that a phrase for one day means where nothing was said on that day.

    Who asks what was said on a day takes it for granted that something was. "38 days ago" may count full days, and
    38 times 24 hours reach into the 39th day back; "last Saturday" may be the last one that was talked on, within
    some weeks. A phrase that names its day by the calendar means no other.
    """
    if window.start is None or window.end is None or window.end - window.start > _LONGEST_DAY:
        return
    if _COUNTED.search(phrase):
        yield Window(window.start - _DAY, window.end - _DAY)
    elif _WEEKDAY.search(phrase):
        for weeks in range(1, _WEEKS + 1):
            yield Window(window.start - weeks * _WEEK, window.end - weeks * _WEEK)


LONGEST_QUESTION = 2000
"""Characters of a question; what a message in Discord may have."""


_MOST_MENTIONS = 8  # of people, that are searched for by name
_LAST_TALKS = frozenset({"last talk", "last chat"})
_BEFORE_TALKS = frozenset(
    {"in", "during", "from", "of", "since", "until", "before", "after", "at", "for", "by", "about"}
)
_MENTION = re.compile(r"<@!?(?P<author_id>\d{1,19})>", re.ASCII)

FindTimes = Callable[..., Times]
"""What finds the times in a text, called as `time_expressions.find.times_in` is."""


@dataclass(frozen=True, slots=True)
class ParsedQuestion:
    """What a question asks for.

    `topic` is the question without its phrases of time and place, empty when it asks for nothing but a time ("what
    did we talk about last Friday?"). `places` are those that it names ("in #deploys") and may be read; those of the
    channel in which it is asked when it counts discussions ("our first session"); else all that may be read. No
    `times` mean all time. `authors` are those whose words it asks for ("what did Ana say yesterday?"), None when it
    asks for nobody's in particular; `author_names` are the same people as it calls them, for
    `memory.question.speakers.authors_called`, and `namesakes` are sentences about names that several of them share.
    `conversations` are the channels and threads that it is confined to where the places are too many: a public thread
    is read by whoever reads its channel. `channels` are the names of the channels that it is confined to, if it is;
    `unknown` are those that it names and that are none of the places, as it writes them: with no other channel beside
    them there are no places. It is not `complete` when it was parsed before all names of people and channels were
    known.

    `rest` is the question without its phrases of time and place, also where the topic is empty, and `called` are the
    words, folded, by which it calls its authors. Where it asks for messages by their order alone, "the last 5 messages"
    or "catch me up", `selection` says which. `read_as` are the names that it misspells.

    Where the topic was completed from the questions before it, `own_topic` is what the question says itself, which is
    searched for as well, and `condensed` what a model has made of both. `given` are the messages that answered those:
    others come first, and when it asks for `others_only` ("who else?") they are no answer. A question that asks for
    several things at once has `parts`, each of which is searched for by itself.

    With `as_of` the state of that moment is asked for: nothing that was said later counts, and edited messages are read
    as they were; `before_edits` they are read as they were sent.
    """

    text: str
    topic: str
    places: frozenset[int]
    times: tuple[TimePhrase, ...] = ()
    authors: Authors | None = None
    author_names: tuple[str, ...] = ()
    namesakes: tuple[str, ...] = ()
    conversations: frozenset[int] | None = None
    channels: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    complete: bool = True
    rest: str = ""
    called: frozenset[str] = frozenset()
    selection: Selection | None = None
    read_as: tuple[Spelling, ...] = ()
    own_topic: str | None = None
    condensed: str = ""
    given: frozenset[int] = frozenset()
    others_only: bool = False
    parts: "tuple[ParsedQuestion, ...]" = ()
    as_of: datetime | None = None
    before_edits: bool = False

    @property
    def windows(self) -> tuple[Window, ...]:
        """The windows of its phrases."""
        return tuple(time.window for time in self.times)


async def parse_question(
    text: str,
    *,
    places: frozenset[int],
    here: int,
    now: datetime,
    time_zone: ZoneInfo,
    memory: MemoryReader,
    conventions: Conventions | None = None,
    all_time: bool = False,
    find_times: FindTimes = times_in,
) -> ParsedQuestion:
    """Parse a question that is asked in the place `here` by somebody who may read `places`.

    A time in the future is part of the topic: nothing was said then. With `all_time` the phrases of time count for
    nothing but the topic. Without `conventions` they are as in `times_in`. Of a text that is longer than
    LONGEST_QUESTION only so much is parsed; all of it is searched for.

    Raises DatabaseUnavailableError when memory is needed to know what it means, and none answers.
    """
    typed, text = text, plain_question(text)[: max(len(text), LONGEST_QUESTION)]
    find = partial(_find_times, now=now, time_zone=time_zone, conventions=conventions, find_times=find_times)
    # The grammar may take a tenth of a second, for which the event loop has something else to do.
    words, found = await asyncio.to_thread(_words_and_times, text, find)
    names = await _names(words, places, memory, needed=bool(found.discussions) or here not in places)
    question = await asyncio.to_thread(corrected_names, text, names, here=here)
    if question.read_as:
        text = question.text
        words, found = await asyncio.to_thread(_words_and_times, text, find)
    channels = channels_in(words, names, here=here) if may_name_channels(text) else NamedPlaces()
    places = frozenset() if channels.unknown and not channels.places else places
    dated = text
    people = people_surely_in(words, names.within(places)) if found.windows else []
    if people := _taken_for_times(found, people):
        dated = _blanked(text, people)
        found = await asyncio.to_thread(find, dated)
    counted = channels.places or here_in(names, here) or places & {here}
    times = await _with_discussions(
        dated, found, counted=counted, names=names, here=here, now=now.astimezone(time_zone), memory=memory
    )
    conversations = channels.places or (counted if found.discussions else None)
    searched = places if conversations is None else names.access_ids(conversations) or conversations & places
    within = _narrower(conversations, searched)
    narrowed = memory if within is None else memory.in_conversations(within)
    times = tuple([await _on_a_day_with_words(time, searched, narrowed) for time in times])
    phrases = [time.span for time in times]
    speakers = speakers_in(words, names.within(places), dated=phrases, channels=channels.spans)
    edits = edits_in(text)
    rest = remove_phrases(text, [*channels.spans, *phrases, *edits])
    as_of = None if all_time else moment_of(times)
    times = times if as_of is None else until_moment(times, as_of)
    confined = bool(channels.places or speakers.authors)
    selection = selection_in(rest, names=speakers.words, at_a_time=bool(times), confined=confined)
    if as_of and selection is None and asks_for_state(rest):
        selection = Selection()  # what was known last by then
    time_alone = bool(times) and not has_topic(rest, names=speakers.words)
    return ParsedQuestion(
        typed,
        topic="" if selection or time_alone else _with_names(rest, names),
        places=searched,
        times=() if all_time else times,
        authors=speakers.authors,
        author_names=speakers.called,
        namesakes=namesakes(speakers, names.within(searched)),
        conversations=within,
        channels=names.channel_names(conversations or frozenset()) if within or searched != places else (),
        unknown=channels.unknown,
        complete=names.complete,
        rest=rest,
        called=speakers.names,
        selection=selection,
        read_as=question.read_as,
        as_of=as_of,
        before_edits=bool(edits),
    )


def parse_words(
    text: str,
    *,
    places: frozenset[int],
    now: datetime,
    time_zone: ZoneInfo,
    conventions: Conventions | None = None,
    all_time: bool = False,
) -> ParsedQuestion:
    """Parse a question by its words alone, when memory does not answer: no names and no discussions are known."""
    times = () if all_time else times_in(text, now=now, time_zone=time_zone, conventions=conventions).windows
    as_of = moment_of(times)
    times = times if as_of is None else until_moment(times, as_of)
    return ParsedQuestion(text, topic=text, places=places, times=times, complete=False, as_of=as_of)


def _words_and_times(text: str, find: Callable[[str], Times]) -> tuple[FoldedText, Times]:
    return FoldedText(text[:LONGEST_QUESTION]), find(text)


def _find_times(
    text: str, *, now: datetime, time_zone: ZoneInfo, conventions: Conventions | None, find_times: FindTimes
) -> Times:
    text = text[:LONGEST_QUESTION]
    found = _without_future(find_times(text, now=now, time_zone=time_zone, conventions=conventions), now)
    counts = (count for count in found.discussions if not _counts_nothing(count, text))
    return replace(found, discussions=tuple(counts))


def _counts_nothing(count: DiscussionPhrase, text: str) -> bool:
    """Return whether a phrase counts no talks: "when did we last talk about it?", "mentioned for the last time"."""
    start, end = count.span
    leading, following = words_of(text[:start])[-1:], words_of(text[end:])[:1]
    phrase = folded(count.phrase)
    if phrase == "the last time":
        return leading == ["for"]
    is_verb = following == ["about"] and bool(leading) and leading[0] not in _BEFORE_TALKS
    return is_verb and phrase in _LAST_TALKS


def _taken_for_times(found: Times, people: Sequence[Span]) -> list[Span]:
    """Return where people are named whose names were taken for times, as in "what did April say?"."""
    dated = [time.span for time in found.windows]
    return [(start, end) for start, end in people if any(first < end and start < last for first, last in dated)]


def _blanked(text: str, spans: Sequence[Span]) -> str:
    """Return a text of the same length with nothing to read in these stretches."""
    for start, end in spans:
        text = text[:start] + "_" * (end - start) + text[end:]
    return text


def _with_names(question: str, names: KnownNames) -> str:
    """Return a question with the newest name of each person whom it mentions as "<@123>", for so they are searched."""

    def name_of(mention: re.Match[str]) -> str:
        return names.name_of(int(mention["author_id"])) or mention[0]

    named = _MENTION.sub(name_of, question, count=_MOST_MENTIONS)
    return named if len(named) <= LONGEST_QUESTION else question


async def _names(text: FoldedText, places: frozenset[int], memory: MemoryReader, *, needed: bool) -> KnownNames:
    """Return the names that a text may hold; those of no place when it needs none."""
    needed = needed or may_name_channels(text.text) or may_name_speakers(text) or "<@" in text.text
    return await memory.known_names(places=places) if places and needed else KnownNames(frozenset())


def _without_future(found: Times, now: datetime) -> Times:
    """Return the times without future ones: what is planned for next Friday was said before."""
    past = (time for time in found.windows if not time.window.start or time.window.start < now)
    return replace(found, windows=tuple(past))


def _narrower(conversations: frozenset[int] | None, searched: frozenset[int]) -> frozenset[int] | None:
    """Return to which channels and threads a search of these places is confined; None when the places say it all."""
    return None if conversations is None or searched <= conversations else conversations


async def _with_discussions(
    text: str,
    found: Times,
    *,
    counted: frozenset[int],
    names: KnownNames,
    here: int,
    now: datetime,
    memory: MemoryReader,
) -> tuple[TimePhrase, ...]:
    """Return the phrases with their windows; the discussions are asked for only where a phrase speaks of them."""
    earlier = here in counted and any(time.earlier for time in found.windows)
    discussions = []
    if found.discussions or earlier:
        searched = names.access_ids(counted) or counted
        within = _narrower(counted, searched)
        narrowed = memory if within is None else memory.in_conversations(within)
        discussions = await narrowed.discussions(places=searched)
    return resolved(text, found, discussions, now=now)


async def _on_a_day_with_words(time: TimePhrase, places: frozenset[int], memory: MemoryReader) -> TimePhrase:
    """Return a phrase with the day that it means, when nothing was said on the day that its words give."""
    fallbacks = list(fallback_days(time.phrase, time.window))
    for window in (time.window, *fallbacks) if fallbacks else ():
        findings = await memory.list_messages(places=places, windows=(window,), limit=1)
        if findings.excerpts:
            return replace(time, window=window)
    return time
