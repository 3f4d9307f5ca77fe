"""An answer on its way to those who read it: rights change meanwhile, and the asker may read more than the others."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import discord
import pytest
import simcord
from simcord.backend.models.channel import Overwrite
from simcord.enums import ChannelType, OverwriteType
from simcord.results import ResponseMessage

from agent.progress import UNWATCHED, Watcher
from agent.types import Answer, Outcome, Question
from bot.answer_buttons import SEARCH_ALL_TIME, SHOW_REST
from bot.client import Bot
from bot.command_runner import UNSENDABLE
from bot.commands import NO_MORE_FOR_YOU, RIGHTS_CHANGED
from memory.message import Kind
from tests.end_to_end.test_discord import HIDDEN, LIMITED, SHOWN, Overwrites, a_source
from tests.fakes_discord import FakeAsker, FakeRecorder, services
from tests.seen import seen

NOTHING = Answer(text="I found nothing.", outcome=Outcome.NOTHING_FOUND)
SECRET = "the wizard hides in the cellar"
FRESH_FOR = timedelta(seconds=0.5)
"""How long the bot here believes what Discord said of somebody's roles."""


async def nothing() -> None:
    """Let nothing happen meanwhile."""


class Scene(FakeAsker):
    """Tells the secret of a channel to those questions that may use it; `meanwhile` happens while it thinks."""

    def __init__(self) -> None:
        super().__init__(NOTHING)
        self.channel_id = 0
        self.length = 1
        self.meanwhile: Callable[[], Awaitable[None]] = nothing

    async def ask(self, question: Question, *, watcher: Watcher = UNWATCHED) -> Answer:
        self.questions.append(question)
        await self.meanwhile()
        if self.channel_id not in question.places:
            return NOTHING
        return Answer(text=f"{SECRET} " * self.length, shown_places=frozenset({self.channel_id}))


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def recorder() -> FakeRecorder:
    return FakeRecorder()


@pytest.fixture
def simcord_bot(scene: Scene, recorder: FakeRecorder) -> Bot:
    return Bot(services(recorder, scene))


class Town:
    """A server with a channel for all, one with a secret that all may read so far, and one for the staff."""

    def __init__(self, env: simcord.Env, scene: Scene) -> None:
        assert env.bot.user is not None
        self.env = env
        self.guild = env.create_guild("Guild")
        self.staff = self.guild.create_role("Staff")
        self.general = self.guild.create_text_channel("general")
        self.news = self.guild.create_text_channel("news")
        for_staff: Overwrites = {self.guild.default_role: HIDDEN, self.staff: SHOWN, env.bot.user: SHOWN}
        self.cellar = self.guild.create_text_channel("cellar", overwrites=for_staff)
        self.boss = self.guild.add_member(env.create_user("boss"), roles=[self.staff])
        self.ana = self.guild.add_member(env.create_user("ana"), nick="Ana")
        self.shown: list[str] = []
        """What was read in any message, before and after each edit."""
        self._listen()
        scene.channel_id = self.news.id

    def _listen(self) -> None:
        backend: Any = self.env.backend
        commit, edit = backend.commit_message, backend.edit_message

        def committed(message: Any, **options: Any) -> Any:
            self.shown.append(seen(message))
            return commit(message, **options)

        def edited(*arguments: Any) -> Any:
            message = edit(*arguments)
            self.shown.append(seen(message))
            return message

        backend.commit_message, backend.edit_message = committed, edited

    async def close_news(self) -> None:
        """Close the channel with the secret to all, and let the bot hear of it."""
        nobody = Overwrite(self.guild.default_role.id, OverwriteType.ROLE, deny=HIDDEN.pair()[1].value)
        self.env.backend.set_overwrite(self.news.id, nobody)
        await heard()

    async def ask(self, asker: simcord.MemberActor, **options: Any) -> ResponseMessage:
        result = await asker.slash(self.general, "chat", text="where is the wizard?", **options)
        assert result.response is not None
        return result.response


async def heard() -> None:
    """Let the bot hear the events that were sent so far."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def town(simcord_env: simcord.Env, scene: Scene) -> Town:
    return Town(simcord_env, scene)


# ---- rights change while an answer is made, and while it is shown


async def test_an_answer_is_shown_as_it_was_made_when_nothing_changes(town: Town, scene: Scene) -> None:
    assert SECRET in seen(await town.ask(town.ana))
    assert len(scene.questions) == 1


@pytest.mark.parametrize("private", [pytest.param(False, id="public"), pytest.param(True, id="private")])
async def test_what_comes_from_a_channel_that_is_closed_meanwhile_is_never_shown(
    private: bool, town: Town, scene: Scene
) -> None:
    scene.meanwhile = town.close_news

    response = await town.ask(town.ana, private=private)

    assert seen(response) == "I found nothing."
    assert not any(SECRET in text for text in town.shown)
    assert [town.news.id in question.places for question in scene.questions] == [True, False]


async def test_what_comes_from_a_channel_whose_role_the_asker_loses_meanwhile_is_never_shown(
    town: Town, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.members.FRESH_FOR", FRESH_FOR)
    scene.channel_id = town.cellar.id

    async def demote() -> None:
        await asyncio.sleep(1.2 * FRESH_FOR.total_seconds())
        town.env.backend.edit_member(town.guild.id, town.boss.id, {"role_ids": []})
        await heard()

    before = await town.ask(town.boss, private=True)
    scene.meanwhile = demote
    after = await town.ask(town.boss, private=True)

    assert SECRET in seen(before)
    assert seen(after) == "I found nothing."


async def test_an_asker_who_has_left_meanwhile_is_shown_nothing(
    town: Town, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.members.FRESH_FOR", FRESH_FOR)

    async def leave() -> None:
        await asyncio.sleep(1.2 * FRESH_FOR.total_seconds())
        town.guild.remove_member(town.ana)

    scene.meanwhile = leave

    await town.ask(town.ana)

    assert not any(SECRET in text for text in town.shown)


async def test_a_role_that_comes_to_see_a_channel_meanwhile_keeps_from_it_what_that_role_cannot_read(
    town: Town, scene: Scene
) -> None:
    scene.channel_id = town.cellar.id
    guests = town.guild.create_role("Guests")

    async def open_cellar() -> None:
        seen = Overwrite(guests.id, OverwriteType.ROLE, allow=SHOWN.pair()[0].value, deny=1 << 16)
        town.env.backend.set_overwrite(town.cellar.id, seen)  # without its history
        await heard()

    before = await town.boss.slash(town.cellar, "chat", text="where is the wizard?")
    scene.meanwhile = open_cellar
    after = await town.boss.slash(town.cellar, "chat", text="where is the wizard?")

    assert before.response is not None
    assert after.response is not None
    assert SECRET in seen(before.response)
    assert SECRET not in seen(after.response)


async def test_the_later_messages_of_a_long_answer_are_not_sent_once_a_channel_is_closed(
    town: Town, scene: Scene, recorder: FakeRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.length = 200
    real = discord.Interaction.edit_original_response

    async def close_after_the_first(interaction: discord.Interaction, **fields: Any) -> Any:
        sent = await real(interaction, **fields)
        await town.close_news()
        return sent

    monkeypatch.setattr(discord.Interaction, "edit_original_response", close_after_the_first)

    result = await town.ana.slash(town.general, "chat", text="where is the wizard?")

    assert result.response is not None
    assert seen(result.response) == "I found nothing."
    assert result.followups == []
    assert [SECRET in text for text in town.shown if text.strip()] == [True, False]
    assert [message.content for message in recorder.of_kind(Kind.ANSWER)] == ["I found nothing."]


async def test_rights_that_change_again_and_again_end_in_a_sentence(town: Town, scene: Scene) -> None:
    rooms = [town.guild.create_text_channel(f"room {number}") for number in range(3)]
    closed = Overwrite(town.guild.default_role.id, OverwriteType.ROLE, deny=HIDDEN.pair()[1].value)

    async def close_one() -> None:
        room = rooms[len(scene.questions) - 1]
        scene.channel_id = room.id
        town.env.backend.set_overwrite(room.id, closed)
        await heard()

    scene.meanwhile = close_one

    assert seen(await town.ask(town.ana)) == RIGHTS_CHANGED
    assert len(scene.questions) == 3


async def test_what_may_not_stay_is_overwritten_also_when_no_other_answer_can_be_made(
    town: Town, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.length = 200
    real = discord.Interaction.edit_original_response

    async def fail_after_the_first(interaction: discord.Interaction, **fields: Any) -> Any:
        sent = await real(interaction, **fields)
        await town.close_news()
        scene.meanwhile = fail
        return sent

    async def fail() -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(discord.Interaction, "edit_original_response", fail_after_the_first)

    result = await town.ana.slash(town.general, "chat", text="where is the wizard?")

    assert result.response is not None
    assert seen(result.response) == UNSENDABLE
    assert result.followups == []


async def test_the_number_of_what_was_counted_in_a_channel_that_is_closed_meanwhile_is_not_shown(
    town: Town, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def count(question: Question, *, watcher: Watcher = UNWATCHED) -> Answer:
        scene.questions.append(question)
        await town.close_news()
        return Answer(text=f"{len(question.places)} messages", outcome=Outcome.COUNTED)

    monkeypatch.setattr(scene, "ask", count)

    assert seen(await town.ask(town.ana)) == "1 messages"
    assert "2 messages" not in town.shown


async def test_an_answer_from_all_time_is_looked_at_again_before_it_is_shown_as_well(
    town: Town, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask(question: Question, *, watcher: Watcher = UNWATCHED) -> Answer:
        if not question.all_time:
            return LIMITED
        await town.close_news()
        scene.questions.append(question)
        told = Answer(text=SECRET, shown_places=frozenset({town.news.id}))
        return told if town.news.id in question.places else NOTHING

    monkeypatch.setattr(scene, "ask", ask)

    again = await town.ana.click(await town.ask(town.ana), label=SEARCH_ALL_TIME)

    assert again.response is not None
    assert seen(again.response) == "I found nothing."
    assert [town.news.id in question.places for question in scene.questions] == [True, False]
    assert not any(SECRET in text for text in town.shown)


# ---- what the asker alone may read


def quoting(town: Town, number: int) -> Callable[[Question], Answer]:
    """Return what finds so many sources in the cellar."""
    sources = tuple(a_source(n, 10**18 + n, town.guild.id, town.cellar.id) for n in range(1, number + 1))
    text = " ".join(f"{SECRET} [{source.number}]" for source in sources)

    def quotes(question: Question) -> Answer:
        if town.cellar.id not in question.places:
            return NOTHING
        shown = frozenset({town.cellar.id})
        return Answer(text=text, outcome=Outcome.QUOTED, sources=sources, shown_places=shown)

    return quotes


@pytest.mark.parametrize(
    ("number", "words"),
    [
        pytest.param(2, "There are 2 more sources that only you can see.", id="two"),
        pytest.param(1, "There is 1 more source that only you can see.", id="one"),
    ],
)
async def test_the_asker_alone_is_told_how_much_more_only_they_can_see(
    number: int, words: str, town: Town, scene: Scene
) -> None:
    scene.quotes = quoting(town, number)

    result = await town.boss.slash(town.general, "chat", text="where is the wizard?")
    elsewhere = await town.ana.slash(town.general, "chat", text="where is the wizard?")

    assert result.response is not None
    assert elsewhere.response is not None
    assert not result.ephemeral
    assert seen(result.response) == seen(elsewhere.response)  # the public one tells nothing of it
    (offer,) = result.followups
    assert (offer.ephemeral, seen(offer)) == (True, words)
    assert elsewhere.followups == []
    assert offer.id not in {message.id for message in town.general.history(viewer=town.ana)}


async def test_the_button_shows_the_rest_to_whoever_presses_and_to_nobody_else(town: Town, scene: Scene) -> None:
    scene.quotes = quoting(town, 2)
    (offer,) = (await town.boss.slash(town.general, "chat", text="where is the wizard?")).followups

    shown = await town.boss.click(offer, label=SHOW_REST)

    assert shown.ephemeral
    assert shown.response is not None
    assert SECRET in seen(shown.response)
    assert "**Sources**" in seen(shown.response)
    assert not any(SECRET in seen(message) for message in town.general.history(viewer=town.ana)[1:])


async def test_the_button_shows_what_may_be_read_by_the_time_it_is_pressed(town: Town, scene: Scene) -> None:
    scene.quotes = quoting(town, 2)
    (offer,) = (await town.boss.slash(town.general, "chat", text="where is the wizard?")).followups
    town.env.backend.edit_member(town.guild.id, town.boss.id, {"role_ids": []})

    shown = await town.boss.click(offer, label=SHOW_REST)

    assert shown.response is not None
    assert seen(shown.response) == NO_MORE_FOR_YOU


async def test_a_private_answer_and_one_in_a_direct_message_offer_no_rest(town: Town, scene: Scene) -> None:
    scene.quotes = quoting(town, 2)

    private = await town.boss.slash(town.general, "chat", text="where is the wizard?", private=True)
    direct = await town.boss.user.slash("chat", text="where is the wizard?")

    assert private.followups == []
    assert direct.followups == []


async def test_an_offer_that_fails_leaves_the_answer_as_it_is(town: Town, scene: Scene) -> None:
    def broken(_: Question) -> Answer:
        raise RuntimeError("a defect")

    scene.quotes = broken

    result = await town.boss.slash(town.general, "chat", text="where is the wizard?")

    assert result.response is not None
    assert SECRET in seen(result.response)
    assert result.followups == []


# ---- private threads


class Threads:
    """Private threads in a channel for all; `hits` are those in which memory finds something, the best first."""

    def __init__(self, town: Town, scene: Scene, *, number: int) -> None:
        backend, self._town = town.env.backend, town
        assert town.env.bot.user is not None
        self.ids = []
        for _ in range(number):
            thread = backend.create_thread(town.general.id, "x", town.boss.id, type=ChannelType.PRIVATE_THREAD)
            backend.add_thread_member(thread.id, town.env.bot.user.id)
            self.ids.append(thread.id)
        self.hits: list[int] = []
        scene.quotes = self._quote

    def _quote(self, question: Question) -> Answer:
        """Return what is found in the first of the places with hits."""
        found = [thread_id for thread_id in self.hits if thread_id in question.places][:1]
        return Answer(text="", shown_places=frozenset(found))

    @property
    def asked(self) -> list[int]:
        """The threads about whose members Discord was asked."""
        paths = [request.path.split("/") for request in self._town.env.http_requests if request.method == "GET"]
        return [int(path[2]) for path in paths if "thread-members" in path]


async def test_discord_is_asked_who_has_joined_only_those_private_threads_that_have_hits(
    town: Town, scene: Scene
) -> None:
    threads = Threads(town, scene, number=30)
    await town.env.settle()
    threads.hits = threads.ids[:1]
    town.env.backend.add_thread_member(threads.ids[0], town.ana.id)

    await town.ask(town.ana, private=True)

    assert threads.asked == threads.ids[:1]
    assert threads.ids[0] in scene.questions[0].places
    assert not set(threads.ids[1:]) & scene.questions[0].places


async def test_hits_in_the_private_threads_of_others_do_not_hide_those_in_ones_own(town: Town, scene: Scene) -> None:
    threads = Threads(town, scene, number=3)
    await town.env.settle()
    threads.hits = threads.ids
    town.env.backend.add_thread_member(threads.ids[1], town.ana.id)

    await town.ask(town.ana, private=True)

    assert set(threads.ids) & scene.questions[0].places == {threads.ids[1]}


async def test_a_public_answer_looks_into_no_private_thread(town: Town, scene: Scene) -> None:
    threads = Threads(town, scene, number=3)
    await town.env.settle()
    threads.hits = threads.ids
    town.env.backend.add_thread_member(threads.ids[1], town.ana.id)

    await town.ask(town.ana)

    assert threads.asked == []
    assert not set(threads.ids) & scene.questions[0].places


async def test_a_private_thread_that_the_asker_is_removed_from_meanwhile_is_told_of_no_more(
    town: Town, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.members.FRESH_FOR", FRESH_FOR)
    threads = Threads(town, scene, number=1)
    await town.env.settle()
    threads.hits = threads.ids
    scene.channel_id = threads.ids[0]
    town.env.backend.add_thread_member(threads.ids[0], town.ana.id)

    async def remove() -> None:
        town.env.backend.remove_thread_member(threads.ids[0], town.ana.id)
        await asyncio.sleep(1.2 * FRESH_FOR.total_seconds())

    scene.meanwhile = remove

    await town.ask(town.ana, private=True)

    assert threads.ids[0] in scene.questions[0].places
    assert not any(SECRET in text for text in town.shown)
