"""The terminal lists messages from a real memory: /search, /timeline and /who, and what it says of other words."""

import pytest

from db.databases import Database
from memory.embedding.embedder import Embedder
from memory.search.memory import Memory
from overviews.all import Overviews
from terminal.channel import CHANNEL_ID
from tests.builders import message, remember
from tests.unit.test_terminal_channel import Notebook, Screen, channel
from tests.unit.test_who_knows import SOLID

pytestmark = pytest.mark.server

FERRY = message(1, "the ferry leaves at nine: https://ferry.example/times", channel_id=CHANNEL_ID, author_id=7)
HUSH = message(2, "the ferry ||sinks at noon||", channel_id=CHANNEL_ID, author_id=8, author_name="ben")
GLAZE = [
    message(number, text, channel_id=CHANNEL_ID, author_id=8, author_name="ben") for number, text in enumerate(SOLID, 3)
]


@pytest.fixture
async def screen(short_term: Database, embedder: Embedder, memory: Memory) -> Screen:
    """What is shown for lines that list messages, after what is said above was stored."""
    await remember(short_term, embedder, [FERRY, HUSH, *GLAZE])
    await memory.load_names()
    overviews = Overviews(memory=memory, databases=(memory.short_term, memory.long_term))
    screen = Screen()
    speaking = channel(Notebook(), screen, overviews=overviews.commands)
    for line in (
        "/search ferry",
        '/search ferry from:ana in:#general has:link when:"this week"',
        "/search ferry form:ana",
        "/search",
        "/timeline today",
        "/timeline blue",
        "/who knows copper glaze",
    ):
        await speaking.handle(line)
    return screen


async def test_each_command_lists_messages_or_says_what_to_do(screen: Screen) -> None:
    ferry, narrowed, unknown, nothing, timeline, blue, who = screen

    assert "Search for ferry: 2 messages" in ferry
    assert "100%: ana in #general, Tue 3 Nov 2026 10:01: the ferry leaves at nine" in ferry
    assert "Search for ferry: 1 message\n" in narrowed
    assert "(searched Mon 2 Nov 00:00 - Sun 8 Nov 24:00 Europe/Paris)" in narrowed
    assert unknown == "There is no filter form: filter by from, in, has, when or order."
    assert nothing == "Say what to search for: words, or a filter such as from, in, has or when."
    assert "#general: 7 messages by 2 people" in timeline
    assert blue.startswith("I do not read a time in “blue”")
    assert "ben: 5 messages, last on 3 Nov 2026" in who


async def test_spoilers_stay_hidden(screen: Screen) -> None:
    assert "the ferry (spoiler)" in screen[0]
    assert not any("sinks" in shown for shown in screen)
