"""What is counted is what one finds by looking at every message; any question and any word can be counted."""

import asyncio
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from memory.authors import Authors
from memory.counting.question import read_request
from memory.counting.results import Matter, Tally
from memory.counting.words import Sought
from memory.embedding.embedder import Embedder
from memory.message import Kind, Message, merged, sanitize
from memory.search.memory import Memory
from memory.search_session import searchable_database
from tests.builders import message, minute, remember
from tests.fuzz.limits import in_time
from tests.fuzz.strategies import names, questions, texts
from tests.fuzz.test_database import FEW, memories
from tests.servers import Server
from time_expressions.folding import words_of

HERE, SECRET = 1, 9
_WITH_THE_WORD = ("kiln", "Kilns", "KILN!", "k\u00edln", "the/kiln.", "https://kiln.example/a")
_WITHOUT = ("kilnx", "akiln", "glaze", "", "||hidden||", "(((", "\u91c9\u85ac", "https://b.example/(c)")

contents = st.lists(st.sampled_from(_WITH_THE_WORD + _WITHOUT), max_size=4).map(" ".join)
states = st.lists(
    st.builds(
        lambda number, content, place, author, edited, deleted, kind: message(
            number,
            content,
            channel_id=place,
            author_name=author,
            edited_at=minute(100 + edited) if edited else None,
            deleted_at=minute(200) if deleted else None,
            kind=kind,
        ),
        st.integers(1, 12),
        contents,
        st.just(HERE),
        st.just("ana"),
        st.integers(0, 3),
        st.sampled_from([False, False, False, True]),
        st.sampled_from([Kind.MESSAGE, Kind.MESSAGE, Kind.MESSAGE, Kind.ANSWER]),
    ),
    max_size=12,
    unique_by=lambda state: state.message_id,
)
"""One state of each of some messages, as one of the memories knows it."""


def in_places(some: list[Message]) -> list[Message]:
    """Return messages of which every third is in a place that may not be read, and every second by Ben."""
    return [
        replace(
            one,
            channel_id=SECRET if one.message_id % 3 == 0 else HERE,
            author_name="Ben" if one.message_id % 2 else "ana",
        )
        for one in some
    ]


def now(short: list[Message], long: list[Message]) -> list[Message]:
    """Return the messages that may be read as both memories together know them."""
    known: dict[int, Message] = {}
    for state in [*short, *long]:
        known[state.message_id] = merged(known[state.message_id], state) if state.message_id in known else state
    return [
        one for one in known.values() if one.deleted_at is None and one.kind is Kind.MESSAGE and one.channel_id == HERE
    ]


def has_the_word(one: Message) -> bool:
    return any(part in _WITH_THE_WORD for part in one.content.split())


def ids(tally: Tally) -> set[int]:
    return {example.message.message_id for example in tally.examples}


@FEW
@given(st.lists(st.tuples(states, states), min_size=1, max_size=1), st.lists(texts, max_size=6))
def test_a_count_is_what_one_finds_by_looking_at_every_message(
    server: Server, embedder: Embedder, held: list[tuple[list[Message], list[Message]]], terms: list[str]
) -> None:
    async def check() -> None:
        async with memories(server, embedder) as (short_term, long_term):
            short, long = map(in_places, held[0])
            await remember(short_term, embedder, short)
            await remember(long_term, embedder, long)
            memory = Memory(searchable_database(short_term), searchable_database(long_term), embedder)
            there = now(short, long)

            every = await memory.tally(Matter(), places=frozenset({HERE}), limit=100)
            kilns = await memory.tally(Matter(terms="kiln"), places=frozenset({HERE}), limit=100)
            links = await memory.tally(Matter(sought=Sought.LINKS), places=frozenset({HERE}), limit=100)
            bens = await memory.tally(
                Matter(), places=frozenset({HERE}), authors=Authors(names=frozenset({"Ben"})), limit=100
            )

            assert ids(every) == {one.message_id for one in there}
            assert ids(kilns) == {one.message_id for one in there if has_the_word(one)}
            assert ids(links) == {one.message_id for one in there if "https://" in one.content}
            assert ids(bens) == {one.message_id for one in there if one.author_name == "Ben"}
            for tally in (every, kilns, links, bens):
                assert tally.messages == len(tally.examples) == sum(share.messages for share in tally.shares)
                assert tally.items == sum(len(example.items) for example in tally.examples)
            for term in terms:
                matter = Matter(sought=Sought.FILES, terms=sanitize(term), attribute=sanitize(term))
                assert (await memory.tally(matter, places=frozenset({HERE}))).messages == 0

    asyncio.run(check())


@given(questions(), st.frozensets(names, max_size=3))
def test_any_question_is_told_from_one_for_a_number(text: str, people: frozenset[str]) -> None:
    called = frozenset(word for name in people for word in words_of(name))

    with in_time(len(text)):
        request = read_request(text, called=called)

    if request is not None:
        assert set(words_of(request.terms)) <= set(words_of(text))
        assert set(words_of(request.by)) <= set(words_of(text))
