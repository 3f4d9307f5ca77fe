"""Discord's own search as a second source, where memory has not read the time that a question is about."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import discord
import pytest
import simcord
from simcord.backend.errors import BackendError
from simcord.enums import ChannelType
from simcord.http import router
from sqlalchemy.ext.asyncio import async_sessionmaker

from agent.agent import Agent
from bot.answering import CHANGED_JUST_NOW
from bot.beyond import INDEX_NOT_READY, NOT_SEARCHED
from bot.client import Bot
from bot.features.search import asking
from bot.history.cited_check import COULD_NOT_BE_CHECKED, Checked
from bot.paging import FORWARD
from errors import DatabaseUnavailableError
from memory.message import Kind, Message
from memory.search_session import SearchableDatabase
from overviews.all import Overviews
from tests.end_to_end.test_discord import HIDDEN, SHOWN, Overwrites, marked
from tests.fakes import FakeMemory
from tests.fakes_discord import NOW, FakeAsker, FakeRecorder, services
from tests.seen import seen

LONG_AGO = NOW - timedelta(days=300)
FIRST_ID = discord.utils.time_snowflake(LONG_AGO)
NOT_READY: dict[str, Any] = {"message": "Index not yet available.", "code": 110000, "documents_indexed": 0}
FOREVER = (0, 2**63 - 1)


@dataclass(frozen=True)
class Stretch:
    covered: tuple[int, int]


class Ledger:
    """Covers what a test says."""

    def __init__(self) -> None:
        self.covered: dict[int, tuple[int, int]] = {}
        self.is_away = False

    async def of_places(self, places: Collection[int]) -> Mapping[int, Sequence[Stretch]]:
        if self.is_away:
            raise DatabaseUnavailableError("PostgreSQL did not answer")
        return {place: [Stretch(ids)] for place, ids in self.covered.items() if place in places}


class RememberingRecorder(FakeRecorder):
    """Puts what it keeps into a memory at once."""

    def __init__(self, memory: FakeMemory) -> None:
        super().__init__()
        self.memory = memory

    async def record(self, message: Message, *, patience: timedelta | None = None) -> None:
        await super().record(message, patience=patience)
        self.memory.messages.append(message)


class Search:
    """Discord's search: gives its pages in order, the last one again and again, and keeps what it was asked."""

    def __init__(self) -> None:
        self.pages: list[Any] = [{"total_results": 0, "messages": []}]
        self.asked: list[dict[str, Any]] = []
        self._id = FIRST_ID

    def __call__(self, context: router.RequestContext) -> Any:
        self.asked.append(dict(context.params))
        page = self.pages.pop(0) if len(self.pages) > 1 else self.pages[0]
        if isinstance(page, Exception):
            raise page
        return page

    def hit(self, channel_id: int, text: str, **fields: Any) -> list[dict[str, Any]]:
        """Return a message of Ana's of long ago as Discord's search wraps it."""
        self._id += 1
        message: dict[str, Any] = {
            "id": str(self._id),
            "channel_id": str(channel_id),
            "author": {"id": "77", "username": "ana", "global_name": "Ana", "discriminator": "0", "avatar": None},
            "content": text,
            "timestamp": LONG_AGO.isoformat(),
            "edited_timestamp": None,
            "type": 0,
            "mentions": [],
            "attachments": [],
            "embeds": [],
        }
        return [message | fields]

    def finds(self, *hits: list[dict[str, Any]], **fields: Any) -> None:
        self.pages = [
            {"total_results": len(hits), "messages": list(hits), "doing_deep_historical_index": False} | fields
        ]


@pytest.fixture
def search(monkeypatch: pytest.MonkeyPatch) -> Search:
    search = Search()
    path = ["guilds", "{guild_id}", "messages", "search"]
    monkeypatch.setitem(router._ROUTES, "GET", [*router._ROUTES["GET"], (path, search)])
    return search


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def memory() -> FakeMemory:
    return FakeMemory()


@pytest.fixture
def recorder(memory: FakeMemory) -> RememberingRecorder:
    return RememberingRecorder(memory)


class Verdict:
    """Says of the messages of a test that they have changed, and lets that happen."""

    def __init__(self, recorder: RememberingRecorder) -> None:
        self.states: dict[str, Message | None] = {}
        self.is_late = self.is_away = False
        self.seen: list[str] = []
        self._recorder = recorder

    async def check(self, messages: Collection[Message]) -> Checked:
        self.seen += [message.content for message in messages]
        if self.is_away:
            return Checked(unchecked=frozenset(message.message_id for message in messages))
        changed = [message for message in messages if message.content in self.states]
        for message in changed if not self.is_late else ():
            state = self.states[message.content]
            stored = self._recorder.memory.messages
            stored.remove(message)
            if state is not None:
                stored.append(replace(message, content=state.content, edited_at=state.edited_at))
        return Checked(changed=frozenset(message.message_id for message in changed))


@pytest.fixture
def verdict(recorder: RememberingRecorder) -> Verdict:
    return Verdict(recorder)


@pytest.fixture
def simcord_bot(
    recorder: RememberingRecorder,
    memory: FakeMemory,
    ledger: Ledger,
    verdict: Verdict,
    monkeypatch: pytest.MonkeyPatch,
) -> Bot:
    given = services(recorder, FakeAsker(RuntimeError("not asked")))
    database = SearchableDatabase("none", async_sessionmaker(), bm25=False, hypertable=False)
    overviews = Overviews(memory=memory, databases=(database, database))  # a search asks the memory alone
    monkeypatch.setattr(asking, "coverage_of", lambda _: ledger)
    bot = Bot(replace(given, asker=Agent((), memory=memory), overviews=overviews))
    answerer = bot._commands.answerer
    answerer._coverage, answerer._cited_check = ledger, verdict
    return bot


class Town:
    """A server with a channel for all and one for the staff; nothing was ever heard there."""

    def __init__(self, env: simcord.Env) -> None:
        assert env.bot.user is not None
        self.env = env
        self.guild = env.create_guild("Guild")
        self.staff = self.guild.create_role("Staff")
        self.general = self.guild.create_text_channel("general")
        for_staff: Overwrites = {self.guild.default_role: HIDDEN, self.staff: SHOWN, env.bot.user: SHOWN}
        self.cellar = self.guild.create_text_channel("cellar", overwrites=for_staff)
        self.boss = self.guild.add_member(env.create_user("boss"), roles=[self.staff])
        self.ana = self.guild.add_member(env.create_user("ana"), nick="Ana")

    async def ask(self, text: str = "when does the ferry leave?", **options: Any) -> str:
        result = await self.ana.slash(self.general, "chat", text=text, **options)
        assert result.response is not None
        return seen(result.response)


@pytest.fixture
def town(simcord_env: simcord.Env) -> Town:
    return Town(simcord_env)


@pytest.fixture
def ferry(town: Town, search: Search) -> list[dict[str, Any]]:
    return search.hit(town.general.id, "the ferry does leave at noon")


async def test_what_discord_finds_is_stored_quoted_and_marked(
    town: Town, search: Search, ferry: list[dict[str, Any]], recorder: RememberingRecorder
) -> None:
    search.finds(ferry)

    answer = await town.ask()

    assert '"the ferry does leave at noon" [[1]](<https://discord.com/channels/' in answer
    assert "-# [1] found by Discord's search; I have not read that far yet." in answer
    stored = next(message for message in recorder.messages if "ferry does" in message.content)
    assert (stored.message_id, stored.channel_id, stored.guild_id) == (
        int(ferry[0]["id"]),
        town.general.id,
        town.guild.id,
    )
    assert (stored.author_id, stored.author_name, stored.channel_name) == (77, "Ana", "general")


async def test_discord_is_asked_in_the_askers_channels_for_the_words_that_tell(
    town: Town, search: Search, ferry: list[dict[str, Any]]
) -> None:
    search.finds(ferry)

    await town.ask("when does the ferry leave for the island?")

    (asked,) = search.asked
    assert asked["channel_id"] == [str(town.general.id)]
    assert asked["content"].split() == ["ferry", "leave", "island"]
    assert (asked["limit"], asked["include_nsfw"], asked["sort_by"]) == (25, "false", "relevance")
    assert not {"min_id", "max_id", "author_id"} & asked.keys()


async def test_discord_is_asked_of_the_time_of_the_question(
    town: Town, search: Search, ferry: list[dict[str, Any]]
) -> None:
    search.finds(ferry)

    await town.ask("when did the ferry leave on 5 January 2026?")

    low, high = int(search.asked[0]["min_id"]), int(search.asked[0]["max_id"])
    day = datetime(2026, 1, 4, 23, tzinfo=UTC)  # in Paris
    assert discord.utils.snowflake_time(low + 1) == day
    assert discord.utils.snowflake_time(high) == day + timedelta(days=1)


async def test_discord_is_asked_for_the_words_of_whom_the_question_names(
    town: Town, search: Search, ferry: list[dict[str, Any]]
) -> None:
    await town.ana.send(town.general, "hello")
    search.finds(ferry)

    await town.ask("what did Ana say about the ferry?")

    assert search.asked[0]["author_id"] == [str(town.ana.id)]


async def test_age_restricted_channels_are_asked_of_where_the_answer_may_quote_them(
    town: Town, search: Search, simcord_env: simcord.Env
) -> None:
    await marked(simcord_env, town.general, nsfw=True)

    await town.ask()

    assert search.asked[0]["include_nsfw"] == "true"


async def test_words_that_no_message_has_together_are_tried_once_with_the_longest(town: Town, search: Search) -> None:
    await town.ask("when does the ferry leave for the island?")

    assert [query["content"] for query in search.asked] == ["ferry leave island", "island"]


async def test_what_memory_has_read_is_not_asked_again(town: Town, search: Search, ledger: Ledger) -> None:
    ledger.covered = {town.general.id: FOREVER}

    await town.ask()

    assert search.asked == []


async def test_a_channel_that_was_heard_since_it_was_made_is_not_asked(
    town: Town, search: Search, ledger: Ledger
) -> None:
    ledger.covered = {town.general.id: (town.general.id, FOREVER[1])}

    await town.ask()

    assert search.asked == []


@pytest.mark.parametrize(
    ("text", "is_asked"),
    [
        pytest.param("when did the ferry leave yesterday?", False, id="a time that was read"),
        pytest.param("when did the ferry leave in March 2026?", True, id="a time before that"),
        pytest.param("when does the ferry leave?", True, id="all time"),
    ],
)
async def test_only_a_time_that_memory_has_not_read_is_asked_for(
    text: str, is_asked: bool, town: Town, search: Search, ledger: Ledger
) -> None:
    ledger.covered = {town.general.id: (discord.utils.time_snowflake(NOW - timedelta(days=60)), FOREVER[1])}

    await town.ask(text)

    assert bool(search.asked) is is_asked


async def test_a_message_that_memory_had_read_is_not_marked(
    town: Town, search: Search, ferry: list[dict[str, Any]], ledger: Ledger
) -> None:
    ledger.covered = {town.general.id: (FIRST_ID, FIRST_ID + 10)}
    search.finds(ferry)

    answer = await town.ask()

    assert "the ferry does leave" in answer
    assert "found by Discord's search" not in answer


async def test_a_channel_that_the_asker_cannot_read_is_neither_asked_nor_told(
    town: Town, search: Search, recorder: RememberingRecorder
) -> None:
    search.finds(search.hit(town.cellar.id, "the secret ferry does leave at midnight"))

    answers = [await town.ask(), await town.ask(private=True)]

    assert not any("midnight" in answer for answer in answers)
    assert not any(str(town.cellar.id) in query["channel_id"] for query in search.asked)
    assert not any("midnight" in message.content for message in recorder.messages)


THREADS = {
    "public": ChannelType.PUBLIC_THREAD.value,
    "private": ChannelType.PRIVATE_THREAD.value,
}


@pytest.mark.parametrize(
    ("kind", "parent", "is_found"),
    [
        pytest.param("public", "general", True, id="a public thread of a channel for all"),
        pytest.param("private", "general", False, id="a private thread"),
        pytest.param("public", "cellar", False, id="a public thread of a hidden channel"),
        pytest.param(None, "general", False, id="a thread of which nothing is known"),
    ],
)
async def test_an_archived_thread_is_told_of_where_its_parent_may_be_read(
    kind: str | None, parent: str, is_found: bool, town: Town, search: Search, recorder: RememberingRecorder
) -> None:
    parent_id = getattr(town, parent).id
    thread = {"id": "123456", "name": "boats", "parent_id": str(parent_id), "type": THREADS.get(kind or "")}
    search.finds(search.hit(123456, "the ferry does leave at noon"), threads=[thread] if kind else [])

    answer = await town.ask()

    found = recorder.of_kind(Kind.MESSAGE)
    assert ("noon" in answer) is is_found
    assert [(m.thread_id, m.channel_id, m.channel_name) for m in found] == (
        [(123456, parent_id, "general › boats")] if is_found else []
    )


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"type": 7, "content": ""}, id="a system message"),
        pytest.param({"author": {"id": "OWN", "username": "me"}}, id="the bot's own"),
        pytest.param({"id": "no number"}, id="one that cannot be read"),
    ],
)
async def test_what_nobody_said_is_no_hit(
    fields: dict[str, Any], town: Town, search: Search, recorder: RememberingRecorder
) -> None:
    assert town.env.bot.user is not None
    if "author" in fields:
        fields = {"author": {**fields["author"], "id": str(town.env.bot.user.id)}}
    search.finds(search.hit(town.general.id, "the ferry does leave at noon", **fields))

    answer = await town.ask()

    assert "noon" not in answer
    assert not any("ferry does" in message.content for message in recorder.messages)


@pytest.mark.parametrize(
    "page",
    [
        pytest.param({"messages": [[]]}, id="an empty hit"),
        pytest.param({"messages": "many"}, id="words"),
        pytest.param({}, id="nothing"),
        pytest.param([1], id="a list"),
        pytest.param("<html>", id="a text"),
    ],
)
async def test_a_page_of_another_form_costs_nothing_but_itself(page: Any, town: Town, search: Search) -> None:
    search.pages = [page]

    assert "I found nothing about that" in await town.ask()


async def test_an_index_that_is_soon_ready_is_waited_for(
    town: Town, search: Search, ferry: list[dict[str, Any]]
) -> None:
    search.finds(ferry)
    search.pages = [NOT_READY | {"retry_after": 0}, *search.pages]

    answer = await town.ask()

    assert "the ferry does leave" in answer
    assert INDEX_NOT_READY not in answer
    assert len(search.asked) == 2


@pytest.mark.parametrize("wait", [pytest.param(60, id="a minute"), pytest.param(None, id="unknown")])
async def test_an_index_that_is_not_ready_is_not_nothing_found(wait: int | None, town: Town, search: Search) -> None:
    search.pages = [NOT_READY | {"retry_after": wait}]

    answer = await town.ask()

    assert f"-# {INDEX_NOT_READY}" in answer
    assert len(search.asked) == 1


@pytest.mark.parametrize("status", [403, 429, 500])
async def test_an_answer_goes_on_without_a_search_that_fails(
    status: int, town: Town, search: Search, recorder: RememberingRecorder
) -> None:
    search.pages = [BackendError(status, 0, "no")]

    nothing = await town.ask()
    await town.ana.send(town.general, "the bus does leave at one")
    something = await town.ask("when does the bus leave?")

    assert f"-# {NOT_SEARCHED}" in nothing
    assert "the bus does leave" in something
    assert NOT_SEARCHED not in something


async def test_an_answer_goes_on_without_a_ledger_that_does_not_answer(
    town: Town, search: Search, ledger: Ledger
) -> None:
    ledger.is_away = True

    assert NOT_SEARCHED in await town.ask()
    assert search.asked == []


async def test_an_answer_goes_on_without_a_ledger_that_hangs(
    town: Town, search: Search, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(_: Collection[int]) -> Mapping[int, Sequence[Stretch]]:
        await asyncio.sleep(60)
        return {}

    monkeypatch.setattr("bot.beyond.LEDGER_LIMIT", timedelta(milliseconds=50))
    monkeypatch.setattr(ledger, "of_places", hang)

    assert NOT_SEARCHED in await town.ask()


async def test_an_answer_goes_on_when_what_discord_finds_cannot_be_written_down(
    town: Town, search: Search, ferry: list[dict[str, Any]], recorder: RememberingRecorder
) -> None:
    search.finds(ferry)
    recorder.refuses = {Kind.MESSAGE}

    assert NOT_SEARCHED in await town.ask()


async def test_a_direct_message_is_not_searched_for_by_discord(town: Town, search: Search) -> None:
    await town.ana.user.slash("chat", text="when does the ferry leave?")

    assert search.asked == []


# ---- what is cited is read again


@pytest.fixture
async def lunch(town: Town, ledger: Ledger) -> str:
    ledger.covered = {town.general.id: FOREVER}
    await town.ana.send(town.general, "lunch is at the harbour")
    await town.ana.send(town.general, "lunch was rather cold")
    return "lunch is at the harbour"


async def test_what_is_cited_is_read_again_before_it_is_shown(town: Town, lunch: str, verdict: Verdict) -> None:
    answer = await town.ask("where is lunch at the harbour?")

    assert lunch in answer
    assert lunch in verdict.seen


async def test_a_message_that_was_deleted_unheard_is_not_quoted(town: Town, lunch: str, verdict: Verdict) -> None:
    verdict.states = {lunch: None}

    answer = await town.ask("where is lunch at the harbour?")

    assert "harbour" not in answer


async def test_a_message_that_was_edited_unheard_is_quoted_as_it_is_now(
    town: Town, lunch: str, verdict: Verdict, memory: FakeMemory
) -> None:
    verdict.states = {lunch: replace(memory.messages[0], content="lunch is at the mill", edited_at=NOW)}

    answer = await town.ask("where is lunch at the harbour?")

    assert "lunch is at the mill" in answer
    assert "harbour" not in answer


async def test_what_has_changed_and_is_not_yet_stored_is_not_shown(town: Town, lunch: str, verdict: Verdict) -> None:
    verdict.states, verdict.is_late = {lunch: None}, True

    answer = await town.ask("where is lunch at the harbour?")

    assert answer == CHANGED_JUST_NOW


async def test_what_discord_does_not_say_anything_about_is_quoted_with_a_note(
    town: Town, lunch: str, verdict: Verdict
) -> None:
    verdict.is_away = True

    answer = await town.ask("where is lunch at the harbour?")

    assert lunch in answer
    assert f"-# {COULD_NOT_BE_CHECKED}" in answer


# ---- /search


async def search_for(town: Town, text: str = "ferry", **options: Any) -> simcord.results.ResponseMessage:
    result = await town.ana.slash(town.general, "search", text=text, **options)
    assert result.response is not None
    return result.response


async def test_a_search_lists_what_discord_finds_and_says_so(
    town: Town, search: Search, ferry: list[dict[str, Any]]
) -> None:
    search.finds(ferry)

    listed = seen(await search_for(town))

    assert "the ferry does leave at noon" in listed
    assert "-# 1 of these was found by Discord's search; I have not read that far yet." in listed
    assert search.asked[0]["channel_id"] == [str(town.general.id)]


async def test_a_search_asks_discord_only_about_what_was_not_read_and_where_it_looks(
    town: Town, search: Search, ledger: Ledger
) -> None:
    ledger.covered[town.general.id] = FOREVER
    await search_for(town)
    asked_of_what_was_read = list(search.asked)
    lobby = town.guild.create_text_channel("lobby")
    town.guild.create_text_channel("attic")
    await search_for(town, channel=lobby)

    assert asked_of_what_was_read == []
    assert [query["channel_id"] for query in search.asked] == [[str(lobby.id)]]


async def test_a_search_that_finds_nothing_says_when_discord_could_not_look(town: Town, search: Search) -> None:
    search.pages = [NOT_READY]

    assert INDEX_NOT_READY in seen(await search_for(town))


async def test_turning_pages_does_not_ask_discord_again(
    town: Town, search: Search, memory: FakeMemory, ferry: list[dict[str, Any]]
) -> None:
    search.finds(ferry)
    page = await search_for(town)
    [stored] = [message for message in memory.messages if message.author_id == 77]
    memory.messages += [replace(stored, message_id=stored.message_id + number) for number in range(1, 30)]
    page = await search_for(town)
    asked = len(search.asked)

    await town.ana.click(page, label=FORWARD)

    assert len(search.asked) == asked
    assert "the ferry does leave at noon" in seen(page)
