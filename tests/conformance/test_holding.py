"""The real memory and the fake one agree which messages hold a link, a file, a picture or a poll."""

from collections.abc import AsyncIterator

import pytest

from memory.embedding.embedder import Embedder
from memory.holding import Holding
from memory.message import Attachment, Part, Source
from memory.search.interface import MemoryReader
from memory.search.memory import Memory
from memory.search.results import SearchResult
from tests.builders import edit, message
from tests.conformance.databases import create_databases, open_memory
from tests.fakes import FakeMemory
from tests.servers import Server

HERE = frozenset({1})


def file(name: str, content_type: str | None = None) -> Attachment:
    return Attachment(name=name, url="https://cdn.example/x", content_type=content_type)


SAVED = [
    message(1, "the kiln log is at https://kiln.example/log"),
    message(2, "kiln: http:// is no link, and ftp://kiln.example is none either"),
    message(3, "a photo of the kiln", attachments=(file("kiln.JPG"),)),
    message(4, "the bill for the kiln", attachments=(file("bill.pdf", "application/pdf"),)),
    message(5, "another photo of the kiln", attachments=(file("scan", "image/png"), file("bill.pdf"))),
    message(6, "Poll: which kiln?\n- gas\n- wood"),
    message(7, "Poll: which kiln? says a text", parts=(Part(source=Source.AUTHORED, start=0, end=29),)),
    message(8, "which kiln\n- gas", parts=(Part(source=Source.POLL, start=0, end=16),)),
    message(9, "the kiln is hot"),
    message(10, "kiln plans: https://kiln.example/plans"),
]
CURRENT = [
    edit(10, "the kiln has no plans any more", at=60),
    message(61, "kiln pictures <https://kiln.example/a.png>", attachments=(file("jpg"),)),
]


@pytest.fixture(scope="module")
def databases(server: Server, embedder: Embedder) -> tuple[str, str]:
    return create_databases(server, embedder, short=CURRENT, long=SAVED)


@pytest.fixture
async def real_memory(server: Server, embedder: Embedder, databases: tuple[str, str]) -> AsyncIterator[Memory]:
    async with open_memory(server, embedder, databases) as memory:
        yield memory


@pytest.fixture(params=["real", "fake"])
def memory(request: pytest.FixtureRequest, real_memory: Memory) -> MemoryReader:
    """Each of the two memories; the fake one does not merge, so it has the edited message as it is now."""
    saved = [one for one in SAVED if one.message_id != CURRENT[0].message_id]
    return real_memory if request.param == "real" else FakeMemory(list(CURRENT), saved=saved)


def ids(found: SearchResult) -> list[int]:
    return sorted(line.message.message_id for excerpt in found.excerpts for line in excerpt.lines)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        pytest.param([], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 61], id="anything"),
        pytest.param(["link"], [1, 61], id="a link, as it was edited in the other memory"),
        pytest.param(["file"], [3, 4, 5, 61], id="a file"),
        pytest.param(["picture"], [3, 5], id="a picture, by its type or the ending of its name"),
        pytest.param(["poll"], [6, 8], id="a poll, by its part or how it is written"),
        pytest.param(["link", "file"], [61], id="all of several"),
        pytest.param(["poll", "file"], [], id="what nothing holds"),
    ],
)
async def test_listings_and_searches_find_what_holds(
    memory: MemoryReader, wanted: list[str], expected: list[int]
) -> None:
    holding = frozenset(map(Holding, wanted))

    assert ids(await memory.list_messages(places=HERE, holding=holding)) == expected
    found = await memory.search("kiln", places=HERE, holding=holding, limit=50, with_context=False)
    assert ids(found) == expected


async def test_a_search_without_context_shows_each_message_alone(memory: MemoryReader) -> None:
    found = await memory.search("kiln", places=HERE, limit=3, with_context=False)

    assert [len(excerpt.lines) for excerpt in found.excerpts] == [1, 1, 1]
