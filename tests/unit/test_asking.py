"""A question is read for its topic, its time, its channels and its speakers."""

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from memory.names.known import Index, KnownNames, Named
from memory.question.parse import ParsedQuestion, parse_question
from memory.question.topic import MOST_SELECTED, Selection
from memory.search.results import Excerpt, RankedMessage, SearchResult
from tests.builders import START, message, minute
from tests.fakes import FakeMemory
from tests.phrases import in_text
from time_expressions.find import DiscussionPhrase, TimePhrase, Times
from time_expressions.window import Window

NOW = minute(24 * 60)
PARIS = ZoneInfo("Europe/Paris")
LAST_WEEK = Window(minute(-7 * 24 * 60), minute(0))
YESTERDAY = Window(minute(-24 * 60), minute(0))
FIRST, SECOND = Window(minute(0), minute(10)), Window(minute(100), minute(110))

GENERAL, DEPLOYS, A_THREAD, SECRET = 1, 2, 3, 9
READABLE = frozenset({GENERAL, DEPLOYS, A_THREAD})


@dataclass
class FakeKnowledge(FakeMemory):
    """What a memory knows of channels and people; it notes in `lookups` what it is asked for."""

    names: dict[str, frozenset[int]] = field(default_factory=dict)
    authors: frozenset[str] = frozenset()
    said: Sequence[datetime] = ()
    elsewhere: frozenset[int] = frozenset()
    complete: bool = True
    lookups: list[tuple[str, frozenset[int]]] = field(default_factory=list)

    async def discussions(self, *, places: frozenset[int]) -> list[Window]:
        self.lookups.append(("discussions", places))
        return list(self.held)

    async def known_names(self, *, places: frozenset[int]) -> KnownNames:
        self.lookups.append(("known_names", places))
        return KnownNames(places, (self._index(),), self.complete)

    def _index(self) -> Index:
        """Return the channels as they are named, and the authors, who spoke everywhere but in `elsewhere`."""
        index = Index()
        for name, bearers in self.names.items():
            for place in bearers:
                index.add(Named(place, min(bearers), name, "", START))
        for place in (GENERAL, DEPLOYS, A_THREAD, SECRET):
            for author in self.authors if place not in self.elsewhere else ():
                index.add(Named(place, place, "", author, minute(-1)))
        return index

    async def list_messages(
        self, *, places: frozenset[int], windows: Sequence[Window] = (), limit: int = 50, **_: Any
    ) -> SearchResult:
        self.lookups.append(("list_messages", places))
        there = [message(sent_at=when) for when in self.said if any(when in window for window in windows)]
        return SearchResult(tuple(Excerpt((RankedMessage(one, hit=True),)) for one in there[:limit]))


CHANNELS = {
    "general": frozenset({GENERAL}),
    "deploys": frozenset({DEPLOYS, A_THREAD}),
}


def reads(windows: Iterable[TimePhrase] = (), discussions: Iterable[DiscussionPhrase] = ()) -> Callable[..., Times]:
    """Return a reader that finds these phrases in whatever text it is given, for the right moment and zone."""

    def find(text: str, *, now: datetime, time_zone: ZoneInfo, conventions: object) -> Times:
        assert (now, time_zone) == (NOW, PARIS)
        return in_text(text, Times(tuple(windows), tuple(discussions)))

    return find


async def ask(
    text: str,
    *,
    phrases: Iterable[TimePhrase | DiscussionPhrase] = (),
    here: int = GENERAL,
    memory: FakeKnowledge | None = None,
) -> ParsedQuestion:
    """Read a question in which the grammar finds these phrases."""
    listed = list(phrases)
    times = [one for one in listed if isinstance(one, TimePhrase)]
    counts = [one for one in listed if isinstance(one, DiscussionPhrase)]
    return await parse_question(
        text,
        places=READABLE,
        here=here,
        now=NOW,
        time_zone=PARIS,
        memory=memory or FakeKnowledge(names=CHANNELS, authors=frozenset({"Ana", "Ben Stone", "cleo"})),
        find_times=reads(times, counts),
    )


def named(asked: ParsedQuestion) -> set[str]:
    """Return the names of those whose words a question asks for; they have no ids here."""
    assert asked.authors is None or not (asked.authors.ids or asked.authors.excluded)
    return set(asked.authors.names) if asked.authors else set()


LAST = TimePhrase("last week", LAST_WEEK)

# The topic


@pytest.mark.parametrize(
    "text",
    [
        "what did we discuss last week?",
        "tell me what we talked about last week",
        "summarise what was said last week",
        "What sorts of things did we chat about during last week?",
        "what happened last week",
        "what did people say in last week?",
        "Last week, what came up?",
        "Could you give me a short recap of the conversation from last week, please?",
        "tl;dr of last week",
        "catch me up on last week!",
        "what did I miss since last week?",
        "Which subjects were touched on last week?",
        "What's been going on (last week)?",
        "Remind me of everything that we went over last week.",
        "show me the messages from last week",
        "what took place last week",
        "WHAT DID WE TALK ABOUT last week?",
        "last week?",
    ],
)
async def test_a_question_for_nothing_but_a_time_has_no_topic(text: str) -> None:
    phrase = TimePhrase("Last week" if "Last week" in text else "last week", LAST_WEEK)

    asked = await ask(text, phrases=[phrase])

    assert asked.topic == ""
    assert asked.windows == (LAST_WEEK,)
    assert asked.places == READABLE


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("what did we say about the logo last week?", "what did we say about the logo?"),
        ("When was the launch in last week's plan?", "When was the launch plan?"),
        ("In last week, who broke the build?", "who broke the build?"),
        ("what  did we decide  since last week ?", "what did we decide?"),
        ("the deploy of last week, the rollback", "the deploy, the rollback"),
        ("what was said about IT last week?", "what was said about IT?"),
        ("who, during the last week, talked to Ted?", "who, talked to Ted?"),
        ("did the server fall over (last week)?", "did the server fall over?"),
        ("what colour did we choose for the banner back in last week", "what colour did we choose for the banner"),
    ],
)
async def test_a_topic_is_the_question_without_its_time(text: str, topic: str) -> None:
    assert (await ask(text, phrases=[LAST])).topic == topic


async def test_a_question_without_a_time_keeps_its_words() -> None:
    asked = await ask("what did we decide?")

    assert asked == ParsedQuestion("what did we decide?", "what did we decide?", READABLE, rest=asked.text)


async def test_a_question_without_a_topic_still_has_its_words() -> None:
    asked = await ask("how many messages did Ben Stone post last week in #deploys?", phrases=[LAST])

    assert (asked.topic, asked.rest) == ("", "how many messages did Ben Stone post?")
    assert asked.called == {"ben", "stone"}


async def test_a_time_to_come_is_part_of_the_topic() -> None:
    tomorrow = TimePhrase("tomorrow", Window(NOW + timedelta(hours=14), NOW + timedelta(hours=38)))

    asked = await ask("what did we plan for tomorrow?", phrases=[tomorrow])

    assert (asked.topic, asked.times) == ("what did we plan for tomorrow?", ())


async def test_several_phrases_of_time_are_all_taken_out_and_all_looked_into() -> None:
    yesterday = TimePhrase("yesterday", YESTERDAY)

    asked = await ask("what was said of the logo last week and yesterday?", phrases=[LAST, yesterday])

    assert asked.topic == "what was said of the logo and?"
    assert asked.windows == (LAST_WEEK, YESTERDAY)


async def test_what_the_grammar_takes_for_time_is_taken_out_where_it_is_a_whole_word() -> None:
    may = TimePhrase("may", LAST_WEEK)

    assert (await ask("what dismay had the mayor in may?", phrases=[may])).topic == "what dismay had the mayor?"


# Channels


@pytest.mark.parametrize(
    ("text", "topic", "places"),
    [
        pytest.param("what broke in #deploys?", "what broke?", {DEPLOYS, A_THREAD}, id="a channel with its threads"),
        pytest.param("what broke in the #Deploys channel?", "what broke?", {DEPLOYS, A_THREAD}, id="in any case"),
        pytest.param("what broke in <#2>?", "what broke?", {DEPLOYS, A_THREAD}, id="a mention"),
        pytest.param("what broke in the thread <#3>?", "what broke?", {A_THREAD}, id="called a thread"),
        pytest.param("what broke from <#3>?", "what broke?", {A_THREAD}, id="a thread alone"),
        pytest.param("#deploys: what broke?", "what broke?", {DEPLOYS, A_THREAD}, id="at the beginning"),
        pytest.param("what broke in #general and #deploys?", "what broke?", READABLE, id="two channels"),
        pytest.param("what is #deploys about?", "what is #deploys about?", READABLE, id="a topic"),
    ],
)
async def test_a_question_is_confined_to_the_channels_it_names(text: str, topic: str, places: Set[int]) -> None:
    asked = await ask(text)

    assert (asked.topic, asked.places) == (topic, places)


async def test_names_are_asked_of_readable_places_alone_and_never_widen_them() -> None:
    leaky = FakeKnowledge(names={"secret": frozenset({SECRET, GENERAL})})

    asked = await ask("what broke in #secret?", memory=leaky)

    assert leaky.lookups == [("known_names", READABLE)]
    assert asked.places == {GENERAL}


async def test_a_question_without_channels_people_or_counts_asks_memory_nothing() -> None:
    memory = FakeKnowledge()

    await ask("why is the sky blue last week", phrases=[LAST], memory=memory)

    assert memory.lookups == []


# Discussions


async def test_discussions_are_those_of_the_channel_in_which_they_are_counted() -> None:
    memory = FakeKnowledge(held=[FIRST, SECOND])

    asked = await ask(
        "what did we discuss in our first session?", phrases=[DiscussionPhrase("first session", 1, 1)], memory=memory
    )

    assert memory.lookups == [("known_names", READABLE), ("discussions", frozenset({GENERAL}))]
    assert (asked.windows, asked.places) == ((FIRST,), CHANNELS["general"])


async def test_discussions_of_a_named_channel_are_counted_there() -> None:
    memory = FakeKnowledge(held=[FIRST, SECOND], names=CHANNELS)

    asked = await ask(
        "what was said in the last session in #deploys?",
        phrases=[DiscussionPhrase("last session", -1, -1)],
        memory=memory,
    )

    assert ("discussions", CHANNELS["deploys"]) in memory.lookups
    assert (asked.windows, asked.places, asked.topic) == ((SECOND,), CHANNELS["deploys"], "")


async def test_discussions_counted_where_the_asker_may_not_read_find_nothing() -> None:
    asked = await ask("our first session", phrases=[DiscussionPhrase("first session", 1, 1)], here=SECRET)

    assert asked.places == frozenset()


async def test_earlier_today_ends_where_the_discussion_of_this_channel_began() -> None:
    today = Window(minute(-60), minute(120))
    memory = FakeKnowledge(held=[FIRST, Window(minute(24 * 60 - 20), NOW)])
    earlier = TimePhrase("earlier today", replace(today, end=NOW), earlier=True)

    asked = await ask("what did we discuss earlier today?", phrases=[earlier], memory=memory)

    assert asked.windows == (Window(minute(-60), minute(24 * 60 - 20)),)
    assert asked.places == READABLE


async def test_earlier_today_in_another_channel_is_not_cut_by_what_is_said_there() -> None:
    memory = FakeKnowledge(held=[Window(minute(24 * 60 - 20), NOW)], names=CHANNELS)
    earlier = TimePhrase("earlier today", Window(minute(-60), NOW), earlier=True)

    asked = await ask("what was said in #deploys earlier today?", phrases=[earlier], memory=memory)

    assert asked.windows == (Window(minute(-60), NOW),)


# Days on which nothing was said


def days_ago(days: float, *, hours: float = 24) -> Window:
    """Return so many hours from the moment that many days before now."""
    return Window(NOW - timedelta(days=days), NOW - timedelta(days=days) + timedelta(hours=hours))


@pytest.mark.parametrize(
    ("phrase", "said", "window"),
    [
        pytest.param("9 days ago", [9.5, 8.5], days_ago(9), id="said on that day"),
        pytest.param("9 days ago", [9.5], days_ago(10), id="said on the day before"),
        pytest.param("9 days ago", [10.5, 7.5], days_ago(9), id="said two days before and on the day after"),
        pytest.param("last Saturday", [8.5], days_ago(9), id="said on that Saturday"),
        pytest.param("Last Saturday", [15.5, 22.5], days_ago(16), id="said the Saturday before"),
        pytest.param("last saturday", [29.5], days_ago(30), id="said three weeks before"),
        pytest.param("last Saturday", [36.5], days_ago(9), id="said too long ago"),
        pytest.param("12 November", [9.5, 15.5], days_ago(9), id="a day by the calendar"),
    ],
)
async def test_a_day_without_words_is_not_the_day_that_is_meant(phrase: str, said: list[float], window: Window) -> None:
    memory = FakeKnowledge(said=[NOW - timedelta(days=days) for days in said])
    time = TimePhrase(phrase, days_ago(9))

    asked = await ask(f"what did we discuss {phrase}?", phrases=[time], memory=memory)

    assert asked.times == (TimePhrase(phrase, window),)


async def test_more_than_a_day_is_taken_as_it_is() -> None:
    memory = FakeKnowledge(said=[NOW - timedelta(days=7.5)])
    week = TimePhrase("the 7 days before last Saturday", days_ago(16, hours=7 * 24))

    asked = await ask("the 7 days before last Saturday", phrases=[week], memory=memory)

    assert asked.times == (week,)
    assert memory.lookups == []


# Speakers


@pytest.mark.parametrize(
    ("text", "authors"),
    [
        ("what did Ana say last week?", {"Ana"}),
        ("what did ana and Cleo talk about last week?", {"Ana", "cleo"}),
        ("what did Ben mention last week?", {"Ben Stone"}),
        ("what did Ben Stone write last week?", {"Ben Stone"}),
        ("Ana's messages from last week", {"Ana"}),
        ("last week, what was said by Cleo?", {"cleo"}),
        ("last week, according to Ana?", {"Ana"}),
    ],
)
async def test_whose_words_are_asked_for_is_no_topic(text: str, authors: Set[str]) -> None:
    asked = await ask(text, phrases=[LAST])

    assert (named(asked), asked.topic) == (authors, "")


@pytest.mark.parametrize(
    ("text", "authors"),
    [
        pytest.param("what did Ana say about the logo last week?", {"Ana"}, id="a topic besides"),
        pytest.param("what did Ana say to Ben last week?", {"Ana"}, id="somebody who is spoken to"),
        pytest.param("what did we say about Ana last week?", set(), id="somebody who is spoken of"),
        pytest.param("what did Anabel say last week?", set(), id="a longer name"),
        pytest.param("what did Dora say last week?", set(), id="somebody unknown"),
        pytest.param("did Ana's cat come home last week?", set(), id="what belongs to somebody"),
    ],
)
async def test_names_do_not_make_a_question_empty(text: str, authors: Set[str]) -> None:
    asked = await ask(text, phrases=[LAST])

    assert named(asked) == authors
    assert asked.topic


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("Irmak", "what did \u0131rmak say?", id="Turkish, without dots"),
        pytest.param("\u0131l\u0131m", "what did ILIM say?", id="Turkish, shouted"),
        pytest.param("\u0130brahim", "what did ibrahim say?", id="Turkish, with a dot"),
        pytest.param("Jürgen Weiß", "what did JURGEN WEISS say?", id="German"),
        pytest.param("Νίκος", "what did ΝΙΚΟΣ say?", id="Greek"),
        pytest.param("Zoë", "Zoe's messages", id="without the accent"),
        pytest.param("Zoe\u0308", "according to zoë, who won?", id="the accent apart"),
        pytest.param("\uff21\uff4e\uff41", "what was posted by ana?", id="full width"),
        pytest.param("Ana", "what did \uff21\uff4e\uff41 say?", id="full width in the question"),
        pytest.param("~ \U0001f525 Max \U0001f525 ~", "what did max say?", id="without signs"),
        pytest.param("O'Brien", "O\u2019Brien's messages", id="an apostrophe"),
        pytest.param("Jean-Luc Picard", "what did jean-luc say?", id="by the first word"),
        pytest.param("a.b(c)*", "did A.B(C)* say so?", id="what a pattern would take for signs of its own"),
        pytest.param("Ben Stone", "what did Ben  Stone say?", id="two spaces"),
        pytest.param("ana", "what did @Ana say?", id="with the sign of a mention"),
    ],
)
async def test_a_name_is_found_however_it_is_typed(name: str, text: str) -> None:
    memory = FakeKnowledge(authors=frozenset({name, "Somebody Else"}))

    assert named(await ask(text, memory=memory)) == {name}


@pytest.mark.parametrize("name", ["\u0131stanbul", "Istanbul", "\u0130STANBUL", "istanbul"])
async def test_a_channel_is_found_however_it_is_typed(name: str) -> None:
    memory = FakeKnowledge(names={name: frozenset({DEPLOYS})})

    for text in ("what broke in #istanbul?", "what broke in #\u0131stanbul?", "what broke in #\u0130STANBUL?"):
        assert (await ask(text, memory=memory)).places == {DEPLOYS}


@pytest.mark.parametrize("name", ["we", "The Doctor", "messages", "\u200b", "say"])
async def test_who_is_called_like_a_word_of_english_is_not_meant_by_every_question(name: str) -> None:
    memory = FakeKnowledge(authors=frozenset({name}))

    for text in ("what did we say about Ana's messages?", "what are the messages of the week?"):
        assert named(await ask(text, memory=memory)) == set()


def months(text: str, **_: object) -> Times:
    """Read "April" as a time, as often as it stands in a text."""
    return in_text(text, Times((TimePhrase("April", LAST_WEEK),) * text.count("April")))


@pytest.mark.parametrize(
    ("text", "people", "windows"),
    [
        pytest.param("what did April say?", {"April"}, (), id="she said"),
        pytest.param("April's messages", {"April"}, (), id="what is hers"),
        pytest.param("what was said in April?", set(), (LAST_WEEK,), id="said in the month"),
        pytest.param("messages from April", set(), (LAST_WEEK,), id="either"),
        pytest.param("what did April say in April?", {"April"}, (LAST_WEEK,), id="both"),
    ],
)
async def test_a_month_is_a_person_where_it_says_something(
    text: str, people: Set[str], windows: tuple[Window, ...]
) -> None:
    memory = FakeKnowledge(authors=frozenset({"April", "Cleo"}))

    asked = await parse_question(
        text, places=READABLE, here=GENERAL, now=NOW, time_zone=PARIS, memory=memory, find_times=months
    )

    assert (named(asked), asked.windows) == (people, windows)


async def test_who_is_mentioned_is_searched_for_by_name() -> None:
    class Mentioned(FakeKnowledge):
        async def known_names(self, *, places: frozenset[int]) -> KnownNames:
            index = Index()
            index.add(Named(GENERAL, GENERAL, "general", "Ben Stone", START, 77))
            return KnownNames(places, (index,))

    asked = await ask("what should <@77> and <@88> bring?", memory=Mentioned())

    assert asked.topic == "what should Ben Stone and <@88> bring?"


@pytest.mark.parametrize("text", ["what broke in #secret?", "what broke in #nowhere?", "what broke in <#9>?"])
async def test_a_question_for_a_channel_that_is_unknown_looks_nowhere(text: str) -> None:
    asked = await ask(text)

    assert (asked.places, asked.unknown) == (frozenset(), (text.split()[-1].rstrip("?"),))


async def test_the_longest_name_counts_and_only_where_it_may_be_read() -> None:
    both = FakeKnowledge(authors=frozenset({"Ana", "Ana Maria"}))
    hidden = FakeKnowledge(authors=frozenset({"Ana Maria"}), elsewhere=READABLE)

    assert named(await ask("what did Ana Maria say?", memory=both)) == {"Ana Maria"}
    assert named(await ask("what did Ana Maria say?", memory=hidden)) == set()


async def test_a_question_that_is_read_before_all_names_are_known_says_so() -> None:
    memory = FakeKnowledge(complete=False)

    assert not (await ask("what did Ana say?", memory=memory)).complete
    assert (await ask("why is the sky blue?", memory=memory)).complete


async def test_the_channels_that_a_question_is_confined_to_are_told_by_name() -> None:
    assert (await ask("what broke in #General and <#2>?")).channels == ()  # all that may be read
    assert (await ask("what broke in <#2>?")).channels == ("deploys",)


async def test_a_whole_name_hides_no_other_that_has_the_same_word() -> None:
    memory = FakeKnowledge(authors=frozenset({"Ben", "Ben Stone", "Benedict"}))

    asked = await ask("what did Ben say?", memory=memory)

    assert named(asked) == {"Ben", "Ben Stone"}
    assert asked.namesakes == ("Two people are called Ben here: Ben and Ben Stone.",)


@pytest.mark.parametrize(
    ("elsewhere", "authors"),
    [
        pytest.param({GENERAL}, {"Ana"}, id="she spoke there"),
        pytest.param({DEPLOYS, A_THREAD}, {"Ana"}, id="she spoke elsewhere, and nobody else is meant"),
        pytest.param(READABLE, set(), id="she spoke where nobody asks"),
    ],
)
async def test_speakers_of_a_channel_are_those_who_are_known_where_the_asker_may_read(
    elsewhere: Set[int], authors: Set[str]
) -> None:
    memory = FakeKnowledge(names=CHANNELS, authors=frozenset({"Ana"}), elsewhere=frozenset(elsewhere))

    asked = await ask("what did Ana say in #deploys?", memory=memory)

    assert (asked.places, named(asked)) == (CHANNELS["deploys"], authors)
    assert memory.lookups == [("known_names", READABLE)]


async def test_who_may_read_nothing_is_told_nothing() -> None:
    memory = FakeKnowledge(names=CHANNELS, authors=frozenset({"Ana"}))

    asked = await parse_question(
        "what did Ana say in #deploys?",
        places=frozenset(),
        here=GENERAL,
        now=NOW,
        time_zone=PARIS,
        memory=memory,
        find_times=reads(),
    )

    assert memory.lookups == []
    assert (asked.places, asked.authors) == (frozenset(), None)


def test_the_times_of_the_tests_are_what_they_say() -> None:
    assert NOW - timedelta(days=1) == minute(0)
    assert NOW.tzinfo is UTC


# Selections


@pytest.mark.parametrize(
    ("text", "selection"),
    [
        pytest.param("catch me up", Selection(), id="what was missed"),
        pytest.param("tl;dr", Selection(), id="for short"),
        pytest.param("what's new?", Selection(), id="what is new"),
        pytest.param("any news?", Selection(), id="news"),
        pytest.param("what were the last messages?", Selection(), id="the last ones"),
        pytest.param("show me the latest 5 messages", Selection(count=5), id="a number of them"),
        pytest.param("the last three messages please", Selection(count=3), id="a number in words"),
        pytest.param("the last 9999999 messages", Selection(count=MOST_SELECTED), id="too many"),
        pytest.param("what did <@200000000000000001> say?", Selection(), id="an id is no number"),
        pytest.param("what was the last message?", Selection(count=1), id="the last one"),
        pytest.param("what was the first message ever?", Selection(newest=False, count=1), id="the first one"),
        pytest.param("the first 4 messages", Selection(newest=False, count=4), id="the first ones"),
        pytest.param("what happened in #deploys?", Selection(), id="in a channel"),
        pytest.param("in #deploys", Selection(), id="nothing but a channel"),
        pytest.param("what did Ana say?", Selection(), id="by somebody"),
        pytest.param("the last message of Ben Stone", Selection(count=1), id="the last one of somebody"),
    ],
)
async def test_messages_are_asked_for_by_their_order_alone(text: str, selection: Selection) -> None:
    asked = await ask(text)

    assert (asked.topic, asked.selection) == ("", selection)


@pytest.mark.parametrize(
    "text",
    [
        "who has the key?",
        "what should Ben bring?",
        "what is the new key?",
        "who is on call?",
        "what was the last price of the kiln?",
        "what was said on 11/12/2026?",
        "what was said at 4:30?",
        "what did Ana say about the logo?",
        "who was there?",
        "when is the firing?",
        "",
    ],
)
async def test_a_question_with_a_topic_asks_for_no_order(text: str) -> None:
    asked = await ask(text)

    assert (asked.topic, asked.selection) == (text, None)


async def test_the_last_messages_of_a_time_are_asked_for_by_their_order_too() -> None:
    asked = await ask("what were the last 3 messages last week?", phrases=[LAST])

    assert (asked.topic, asked.selection, asked.windows) == ("", Selection(count=3), (LAST_WEEK,))


async def test_what_was_said_in_a_time_is_asked_for_whole() -> None:
    assert (await ask("what did we talk about last week?", phrases=[LAST])).selection is None


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("when did we last talk about the logo?", False),
        ("when did Ana last talk about the logo?", False),
        ("what was said in last talk about the logo?", True),
    ],
)
async def test_a_verb_counts_no_discussions(text: str, counted: bool) -> None:
    memory = FakeKnowledge(held=[FIRST], names=CHANNELS)

    asked = await ask(text, phrases=[DiscussionPhrase("last talk", -1, -1)], memory=memory)

    assert bool(asked.times) is counted
    assert ("last talk" in asked.rest) is not counted


async def test_the_last_time_of_something_is_no_talk() -> None:
    phrase = DiscussionPhrase("the last time", -1, -1)
    memory = FakeKnowledge(held=[FIRST], names=CHANNELS)

    assert not (await ask("when was it mentioned for the last time?", phrases=[phrase], memory=memory)).times
    assert (await ask("what did we say the last time?", phrases=[phrase], memory=memory)).times


async def test_whose_pictures_are_meant_is_known() -> None:
    assert (await ask("Ben's pictures")).called == {"ben"}
