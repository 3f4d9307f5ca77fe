"""Messages, links and files are counted and listed by SQL: each once, as it is now, and only where one may read."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from psycopg.sql import SQL
from sqlalchemy import func, literal, select, text

from bench.processes import ROOT
from db.databases import LONG_TERM, SHORT_TERM
from db.engines import open_engine, parse_dsn, sessions_of, transaction
from db.statements import fetch
from memory.authors import Authors
from memory.counting import queries
from memory.counting.queries import LINK, may_have_words
from memory.counting.results import Matter, Tally
from memory.counting.words import Sought
from memory.embedding.embedder import Embedder
from memory.filters import Filters
from memory.index.reembed import prepare
from memory.message import Attachment, Kind
from memory.search.memory import Memory
from memory.search_session import SearchableDatabase, searchable_database
from tests.builders import closed_port, deletion, edit, message, minute, remember
from tests.conftest import open_existing_database
from tests.servers import Server
from time_expressions.folding import words_of
from time_expressions.window import Window

pytestmark = pytest.mark.server

HERE = frozenset({1})
SECRET = 9
GUS = Authors(frozenset({6}))


def file(name: str, content_type: str | None = None) -> Attachment:
    return Attachment(name=name, url="https://cdn.example/x", content_type=content_type)


PROMOTED = (
    message(1, "Cobalt costs 90 euro a kilo", author_name="Gus", author_id=6),
    message(2, "cobalt is too dear", author_name="Ben", author_id=2),
    message(3, "no more COBALT, thanks", author_name="Ben (away)", author_id=2),
    message(4, "cobaltite is something else"),
    message(5, "cobalt in the staff room", channel_id=SECRET),
    message(6, "cobalt, says a bot", kind=Kind.ANSWER),
    message(7, "/chat how often was cobalt mentioned?", kind=Kind.COMMAND),
    message(8, "", deleted_at=minute(9)),
    message(10, "the glazes of the café: cobalt/iron"),
    message(11, "we glazed two pots at the Cafe"),
    message(12, "Das Glasurmaß ist größer"),
    message(13, "釉薬を買いました 😂"),
    message(14, "it is what it is"),
    message(20, "see https://example.org/papers/Glaze_basics.pdf, please"),
    message(21, "[raku](https://en.example.org/wiki/Raku_(ware)) and <https://youtu.be/abc>; https://youtu.be/abc."),
    message(22, "||https://example.org/secret||"),
    message(23, "http:// is no link and ftp://example.org is none that we list"),
    message(30, "", attachments=(file("kiln_shelf.JPG"), file("SPOILER_mug.png", "image/png"))),
    message(31, "the bill", attachments=(file("invoice_2026-10.pdf", "application/pdf"),)),
    message(32, "listen, no mp3", attachments=(file("voice-message.ogg", "audio/ogg"), file("a.bin", "video/mp4"))),
    message(33, "Poll: Raku or soda?\n- Raku\n- Soda", author_name="Ben", author_id=2),
    message(40, "the rusty nail", author_name="Cleo"),
    message(41, "a rusty bucket", author_name="Cleo"),
    message(42, "a rusty pipe", author_name="Cleo"),
)
RUNNING = (
    message(2, "cobalt is too dear", author_name="Ben", author_id=2),
    edit(40, "the shiny nail", at=50, author_name="Cleo"),
    deletion(41, at=51, author_name="Cleo"),
    message(50, "raku tomorrow", author_name="Ben", author_id=2),
    message(51, "RAKU today!", author_name="Gus", author_id=6),
)


@pytest.fixture(scope="module")
def names(server: Server, embedder: Embedder) -> tuple[str, str]:
    """A long-term and a short-term memory with the messages above, for all tests of this module."""

    async def create() -> tuple[str, str]:
        new = partial(server.create_database, width=await embedder.dimensions())
        short, long = new(SHORT_TERM), new(LONG_TERM)
        for name, created, held in ((SHORT_TERM, short, RUNNING), (LONG_TERM, long, PROMOTED)):
            async with open_existing_database(server, created, name=name) as database:
                await prepare(database, embedder)
                await remember(database, embedder, held)
        return short, long

    with asyncio.Runner() as runner:
        return runner.run(create())


@pytest.fixture
async def memory(server: Server, names: tuple[str, str], embedder: Embedder) -> AsyncIterator[Memory]:
    """Both memories."""
    async with (
        open_existing_database(server, names[0], name=SHORT_TERM) as short,
        open_existing_database(server, names[1], name=LONG_TERM) as long,
    ):
        yield Memory(searchable_database(short), searchable_database(long), embedder)


def ids(tally: Tally) -> list[int]:
    return [example.message.message_id for example in tally.examples]


def items(tally: Tally) -> list[str]:
    return sorted(item for example in tally.examples for item in example.items)


async def count(memory: Memory, sought: Sought = Sought.MESSAGES, **asked: Any) -> Tally:
    """Return all that there is of a matter, oldest first."""
    matter = Matter(sought=sought, terms=asked.pop("terms", ""), attribute=asked.pop("attribute", ""))
    return await memory.tally(matter, **{"places": HERE, "limit": 100, "newest_first": False, **asked})


# ---- words


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        pytest.param("cobalt", [1, 2, 3, 10], id="a word, whatever its case, and not in longer ones"),
        pytest.param("glaze", [10, 11, 20], id="stemmed, in an address too"),
        pytest.param("CAFÉ", [10, 11], id="without accents"),
        pytest.param("glasurmass", [12], id="a sharp s"),
        pytest.param("thanks cobalt", [3], id="all of the words"),
        pytest.param('"cobalt more"', [], id="a phrase that nobody used"),
        pytest.param('"more cobalt"', [3], id="a phrase"),
        pytest.param("cobalt or raku", [1, 2, 3, 10, 21, 33, 50, 51], id="either of two words"),
        pytest.param("釉薬", [13], id="a language without spaces"),
        pytest.param("😂", [13], id="a sign"),
        pytest.param('"it is what it is"', [14], id="words that say nothing"),
        pytest.param("' OR 1=1 --", [], id="an attack"),
        pytest.param("(((", [], id="unbalanced signs"),
        pytest.param("rusty", [42], id="edited and deleted in the other memory"),
        pytest.param("shiny", [40], id="as edited in the other memory"),
    ],
)
async def test_messages_with_words_are_counted_once_each(memory: Memory, terms: str, expected: list[int]) -> None:
    found = await count(memory, terms=terms)

    assert ids(found) == expected
    assert (found.messages, found.exact) == (len(expected), True)
    assert sum(share.messages for share in found.shares) == len(expected)


async def test_only_what_may_be_read_is_counted(memory: Memory) -> None:
    assert (await count(memory, terms="cobalt", places=frozenset())).messages == 0
    assert (await count(memory, terms="cobalt", places=frozenset({77}))).messages == 0
    assert ids(await count(memory, terms="cobalt", places=frozenset({SECRET}))) == [5]


async def test_times_and_authors_are_obeyed(memory: Memory) -> None:
    early = (Window(minute(0), minute(3)),)

    assert ids(await count(memory, terms="cobalt", windows=early)) == [1, 2]
    assert ids(await count(memory, terms="cobalt", authors=GUS)) == [1]
    assert ids(await count(memory, authors=GUS)) == [1, 51]


async def test_people_are_told_apart_by_their_ids_and_shown_by_their_newest_names(memory: Memory) -> None:
    found = await count(memory, terms="cobalt")

    newest = [(share.messages, share.newest and share.newest.message.author_name) for share in found.shares]
    assert newest == [(2, "Ben (away)"), (1, "Gus"), (1, "ana")]


async def test_the_first_and_the_last_come_in_the_order_of_time(memory: Memory) -> None:
    assert ids(await count(memory, terms="raku", limit=1)) == [21]
    assert ids(await count(memory, terms="raku", limit=1, newest_first=True)) == [51]


async def test_both_ends_are_read_at_once(memory: Memory) -> None:
    both = await count(memory, terms="raku", limit=1, last=1)
    few = await count(memory, terms="raku", limit=5, last=5)
    newest = await count(memory, terms="raku", limit=1, last=1, newest_first=True)

    assert (ids(both), [one.message.message_id for one in both.last]) == ([21], [51])
    assert [one.message.message_id for one in few.last] == ids(few)
    assert (ids(newest), [one.message.message_id for one in newest.last]) == ([51], [21])


_IRREGULAR = "dying lying tying died ties skies skis sky idly gently ugly early only singly crying hoping relational"


async def test_no_word_is_passed_over_for_the_letters_of_its_stem(server: Server, names: tuple[str, str]) -> None:
    """A message is cut into words only when it has the letters; this must never cost one that has the word."""
    words = sorted({*words_of((ROOT / "db" / "sample.csv").read_text(encoding="utf-8")), *_IRREGULAR.split()})
    statement = SQL("SELECT word FROM unnest(%(words)s::text[]) AS word WHERE {}")
    word, kiln = SQL("word"), SQL("'kiln'")
    async with (
        open_existing_database(server, names[0], name=SHORT_TERM) as database,
        transaction(database.sessions) as session,
    ):
        passed_over = await fetch(
            session, statement.format(SQL("NOT {}").format(may_have_words(word, word))), {"words": words}
        )
        possible = await fetch(session, statement.format(may_have_words(word, kiln)), {"words": words})

    assert len(words) > 2000
    assert not passed_over
    assert 0 < len(possible) < len(words) / 10


@pytest.mark.parametrize(
    "count_it",
    [
        pytest.param(partial(queries.count, oldest=1, newest=1), id="numbers"),
        pytest.param(partial(queries.read, keys=[(1, minute(1))]), id="messages"),
        pytest.param(queries.quarters, id="times"),
        pytest.param(partial(queries.best_of_people, people=5, each=2), id="people"),
    ],
)
async def test_what_stands_in_both_memories_is_looked_up_however_often_it_is_counted(
    server: Server, names: tuple[str, str], count_it: Callable[..., Awaitable[object]]
) -> None:
    """A plan for any values, which PostgreSQL makes after some runs, compares each message with all of them."""
    async with (
        open_existing_database(server, names[0], name=SHORT_TERM) as database,
        transaction(database.sessions) as session,
    ):
        await count_it(session, matter=Matter(), filters=Filters(places=HERE), excluded=range(1000))

        assert await session.scalar(text("SHOW plan_cache_mode")) == "force_custom_plan"


# ---- when it was said


async def test_each_message_counts_once_in_its_quarter_of_an_hour(memory: Memory) -> None:
    found = await memory.activity(Matter(terms="raku"), places=HERE)
    rusty = await memory.activity(Matter(terms="rusty"), places=HERE)

    assert found.quarters == {minute(15): 1, minute(30): 1, minute(45): 2}
    assert (rusty.quarters, rusty.exact) == ({minute(30): 1}, True)


async def test_what_is_deleted_elsewhere_or_the_bots_own_has_no_time(memory: Memory) -> None:
    everything = await memory.activity(Matter(), places=HERE)
    early = await memory.activity(Matter(), places=HERE, windows=(Window(minute(0), minute(15)),))

    assert everything.amount == (await count(memory)).messages
    assert early.amount == sum(number < 15 for number in ids(await count(memory)))
    assert (await memory.activity(Matter(), places=HERE, authors=GUS)).amount == 2
    assert (await memory.activity(Matter(), places=frozenset({77}))).amount == 0


async def test_links_have_times_too(memory: Memory) -> None:
    assert (await memory.activity(Matter(sought=Sought.LINKS), places=HERE)).quarters == {minute(15): 4}


# ---- links and files


@pytest.mark.parametrize(
    ("sought", "expected"),
    [
        (
            Sought.LINKS,
            [
                "https://en.example.org/wiki/Raku_(ware)",
                "https://example.org/papers/Glaze_basics.pdf",
                "https://example.org/secret",
                "https://youtu.be/abc",
            ],
        ),
        (Sought.PICTURES, ["SPOILER_mug.png", "kiln_shelf.JPG"]),
        (Sought.PDFS, ["https://example.org/papers/Glaze_basics.pdf", "invoice_2026-10.pdf"]),
        (Sought.RECORDINGS, ["voice-message.ogg"]),
        (Sought.VIDEOS, ["a.bin", "https://youtu.be/abc"]),
        (Sought.FILES, ["SPOILER_mug.png", "a.bin", "invoice_2026-10.pdf", "kiln_shelf.JPG", "voice-message.ogg"]),
        (Sought.POLLS, ["Raku or soda?"]),
    ],
)
async def test_links_and_files_are_found(memory: Memory, sought: Sought, expected: list[str]) -> None:
    found = await count(memory, sought)

    assert items(found) == expected
    assert (found.items, found.messages) == (len(expected), len(found.examples))


@pytest.mark.parametrize(
    ("sought", "asked", "expected"),
    [
        pytest.param(Sought.LINKS, {"terms": "glaze"}, [20], id="a word of the address"),
        pytest.param(Sought.LINKS, {"attribute": "youtube"}, [21], id="a site by its other name"),
        pytest.param(Sought.LINKS, {"attribute": "please"}, [20], id="a word beside the link"),
        pytest.param(Sought.LINKS, {"attribute": "%"}, [], id="a wildcard that is none"),
        pytest.param(Sought.FILES, {"attribute": "jpg"}, [30], id="an ending, whatever its case"),
        pytest.param(Sought.FILES, {"attribute": "mp3"}, [], id="an ending that only the message has"),
        pytest.param(Sought.PICTURES, {"terms": "kiln shelf"}, [30], id="words of a file's name"),
        pytest.param(Sought.FILES, {"attribute": "invoices"}, [31], id="a file's name in the singular"),
        pytest.param(Sought.FILES, {"authors": GUS}, [], id="nobody's"),
    ],
)
async def test_links_and_files_are_found_by_their_words(
    memory: Memory, sought: Sought, asked: dict[str, Any], expected: list[int]
) -> None:
    assert ids(await count(memory, sought, **asked)) == expected


async def test_of_two_links_the_one_is_listed_that_leads_there(memory: Memory) -> None:
    assert items(await count(memory, Sought.LINKS, attribute="youtube")) == ["https://youtu.be/abc"]


async def test_a_list_is_bounded_and_its_number_is_not(memory: Memory) -> None:
    found = await count(memory, Sought.LINKS, limit=1, newest_first=True)

    assert (ids(found), found.items) == ([22], 4)


async def test_a_memory_that_does_not_answer_is_named(memory: Memory) -> None:
    dead = parse_dsn(f"postgresql://nobody@127.0.0.1:{closed_port()}/none", name="DSN")
    async with open_engine(dead, pool_size=1, timeout=timedelta(seconds=5)) as engine:
        gone = SearchableDatabase(LONG_TERM, sessions_of(engine), bm25=False, hypertable=False)
        found = await count(Memory(memory.short_term, gone, memory.embedder), terms="raku")

    assert (found.messages, found.unreachable) == (2, (LONG_TERM,))


@pytest.mark.parametrize("part", ["(", "(a", "(a)", "a(", "http", "://(", "https://a", "https://(a)", "."])
async def test_hostile_addresses_take_no_time(server: Server, names: tuple[str, str], part: str) -> None:
    """PostgreSQL reads this pattern; the attack on all of Python's does not know of it."""
    hostile = f"https://{part * 4000}"[:16_000]
    pattern = select(func.count()).select_from(
        func.regexp_matches(literal(hostile), literal(LINK), "gi").table_valued("found")
    )
    async with (
        open_existing_database(server, names[0], name=SHORT_TERM) as database,
        transaction(database.sessions) as session,
    ):
        await session.execute(text("SET LOCAL statement_timeout = '1s'"))
        assert await session.scalar(pattern) is not None
