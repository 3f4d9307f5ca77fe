"""People see, take along and erase what is held of them, and moderators messages and channels, on Discord."""

import csv
import io
import json
import zipfile
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import discord
import pytest
import simcord
from simcord.backend.models.channel import Overwrite
from simcord.enums import OverwriteType
from sqlalchemy import text

from agent.types import Answer
from bot.client import Bot
from bot.features.forget import asking, erasure
from bot.features.memory.replies import NOTHING
from db.databases import Database
from errors import DatabaseUnavailableError, SessionError
from memory.capture.erased import Erased
from memory.capture.recorder import Recorder, open_recorder
from memory.embedding.embedder import Embedder
from memory.personal import PersonalData
from ops.erasure import erase as erase_module
from ops.erasure.live import LiveErasure
from tests.fakes_discord import FakeAsker, FakeRecorder, services
from tests.seen import seen
from util_async import background_task

pytestmark = pytest.mark.server

PATIENCE = timedelta(seconds=60)
HIDDEN = discord.PermissionOverwrite(view_channel=False)
SHOWN = discord.PermissionOverwrite(view_channel=True)


@dataclass(frozen=True)
class Town:
    env: simcord.Env
    recorder: Recorder
    short_term: Database
    journal: Path
    guild: simcord.GuildHandle
    general: simcord.ChannelHandle
    staff: simcord.ChannelHandle
    ana: simcord.MemberActor
    bob: simcord.MemberActor
    mod: simcord.MemberActor
    chief: simcord.MemberActor

    async def say(self, who: simcord.MemberActor, where: simcord.ChannelHandle, words: str) -> discord.Message:
        said = await who.send(where, words)
        await self.env.settle()
        assert await self.recorder.settle(timeout=PATIENCE)
        return said

    async def contents(self) -> set[str]:
        assert await self.recorder.settle(timeout=PATIENCE)
        async with self.short_term.engine.connect() as connection:
            return set(await connection.scalars(text("SELECT content FROM messages WHERE kind = 'message'")))

    def lines(self) -> str:
        return self.journal.read_text(encoding="utf-8")


OpenTown = Callable[[], AbstractAsyncContextManager[Town]]


@pytest.fixture
def open_town(tmp_path: Path, short_term: Database, long_term: Database, embedder: Embedder) -> OpenTown:
    """Opens the bot with its recorder and its erasures, on a Discord without sockets."""
    storage, backups = tmp_path / "storage", tmp_path / "backups"
    (storage / "town").mkdir(parents=True)

    @asynccontextmanager
    async def opened() -> AsyncGenerator[Town]:
        erased = Erased()
        running: list[simcord.Env] = []  # whose clock stands still until somebody advances it
        journal = storage / "town" / "town.csv"
        async with open_recorder(
            session="town",
            journal_path=journal,
            not_added_path=storage / "town" / "town_not_added.csv",
            sessions=short_term.sessions,
            embedder=embedder,
            batch=16,
            erased=erased,
        ) as recorder:
            erasing = LiveErasure(
                short_term=short_term,
                long_term=long_term,
                storage_dir=storage,
                backup_dir=backups,
                timeout=PATIENCE,
                running=recorder,
                erased=erased,
                clock=lambda: running[0].now() if running else discord.utils.utcnow(),
            )
            given = replace(
                services(FakeRecorder(), FakeAsker(Answer(text="-"))),
                recorder=recorder,
                session="town",
                clock=lambda: running[0].now() if running else discord.utils.utcnow(),
                erasing=erasing,
                personal=PersonalData(short_term.sessions, long_term.sessions, session="town"),
            )
            async with (
                background_task(erasing.run()),
                simcord.run(Bot(given), settle_timeout=PATIENCE.total_seconds()) as env,
            ):
                running.append(env)
                yield town(env, recorder, short_term, journal)

    return opened


def town(env: simcord.Env, recorder: Recorder, short_term: Database, journal: Path) -> Town:
    guild = env.create_guild("Guild")
    mods = guild.create_role("mods", permissions=discord.Permissions(manage_messages=True))
    chiefs = guild.create_role("chiefs", permissions=discord.Permissions(manage_guild=True))
    assert env.bot.user is not None
    for_staff: dict[Any, discord.PermissionOverwrite] = {guild.default_role: HIDDEN, mods: SHOWN, env.bot.user: SHOWN}
    return Town(
        env,
        recorder,
        short_term,
        journal,
        guild,
        general=guild.create_text_channel("general"),
        staff=guild.create_text_channel("staff", overwrites=for_staff),
        ana=guild.add_member(env.create_user("ana")),
        bob=guild.add_member(env.create_user("bob")),
        mod=guild.add_member(env.create_user("mod"), roles=[mods]),
        chief=guild.add_member(env.create_user("chief"), roles=[chiefs]),
    )


def words_of(result: Any) -> str:
    assert result.response is not None
    assert result.response.ephemeral
    return seen(result.response)


async def agreed(member: simcord.MemberActor, form: Any, answer: str = asking.YES) -> str:
    return words_of(await member.submit_modal(form, {"answer": [answer]}))


async def test_forget_me_erases_what_somebody_said_and_nobody_else_loses_a_word(open_town: OpenTown) -> None:
    async with open_town() as town:
        await town.say(town.ana, town.general, "the spare key lies under the flowerpot")
        await town.say(town.bob, town.general, "thank you for that")
        await town.say(town.ana, town.general, "you are welcome to it")

        form = await town.ana.slash(town.general, "forget me")
        shown = str(form.modal)
        told = await agreed(town.ana, form)

        assert "2 messages" in shown
        assert told.startswith("Forgotten: ")
        assert await town.contents() == {"thank you for that"}
        assert "flowerpot" not in town.lines()
        await town.env.advance_time(1)
        await town.say(town.ana, town.general, "and what I say now is kept")
        assert await town.contents() == {"thank you for that", "and what I say now is kept"}


async def test_nothing_goes_without_a_yes(open_town: OpenTown) -> None:
    async with open_town() as town:
        await town.say(town.ana, town.general, "the spare key lies under the flowerpot")

        form = await town.ana.slash(town.general, "forget me")

        assert await agreed(town.ana, form, asking.NO) == asking.NOTHING_DONE
        assert "flowerpot" in town.lines()


async def test_a_message_is_its_authors_to_erase_or_a_moderators(open_town: OpenTown) -> None:
    async with open_town() as town:
        hers = await town.say(town.ana, town.general, "a message of mine")
        his = await town.say(town.bob, town.general, "a message of his")
        theirs = await town.say(town.mod, town.staff, "a message among moderators")

        for message in (his, theirs):
            refused = await town.ana.slash(town.general, "forget message", message=message.jump_url)
            assert words_of(refused) == asking.NOT_YOURS
        assert words_of(await town.ana.context_menu(town.general, "Forget this", his)) == asking.NOT_YOUR_MESSAGE
        unknown = await town.ana.slash(town.general, "forget message", message=str(his.id + 5))
        assert words_of(unknown) == asking.NOT_YOURS

        form = await town.ana.slash(town.general, "forget message", message=hers.jump_url)
        assert (await agreed(town.ana, form)).startswith("Forgotten: 1 message")
        form = await town.mod.context_menu(town.general, "Forget this", his)
        assert (await agreed(town.mod, form)).startswith("Forgotten: 1 message")
        assert await town.contents() == {"a message among moderators"}
        assert "a message of" not in town.lines()


@pytest.mark.parametrize("given", ["yesterday", "https://example.org/", "1" * 40, "-3", "\u0663"])
async def test_what_is_no_message_is_answered_in_a_sentence(open_town: OpenTown, given: str) -> None:
    async with open_town() as town:
        result = await town.ana.slash(town.general, "forget message", message=given)
        assert words_of(result) == asking.NOT_A_MESSAGE


async def test_a_channel_is_for_those_who_manage_the_server_and_see_it(open_town: OpenTown) -> None:
    async with open_town() as town:
        await town.say(town.ana, town.general, "said in general")
        await town.say(town.mod, town.staff, "said among moderators")

        refused = await town.mod.slash(town.general, "forget channel", channel=town.general)
        assert words_of(refused) == asking.NOT_YOUR_CHANNEL

        form = await town.chief.slash(town.general, "forget channel", channel=town.general)
        assert "1 message of 1 person" in str(form.modal)
        assert (await agreed(town.chief, form)).startswith("Forgotten: ")
        assert await town.contents() == {"said among moderators"}


async def test_posts_of_the_bot_that_repeat_what_is_forgotten_are_deleted(open_town: OpenTown) -> None:
    async with open_town() as town:
        said = await town.say(town.ana, town.general, "the spare key lies under the flowerpot")
        assert town.env.bot.user is not None
        result = await town.bob.slash(town.general, "chat", text="the spare key lies under the flowerpot?")
        assert result.response is not None

        told = await agreed(town.ana, await town.ana.context_menu(town.general, "Forget this", said))

        assert told.startswith("Forgotten: ")
        assert "flowerpot" not in "".join(await town.contents())


async def test_memory_tells_of_channels_that_the_person_can_read_and_counts_the_others(open_town: OpenTown) -> None:
    async with open_town() as town:
        await town.say(town.mod, town.general, "hello there")
        await town.say(town.mod, town.staff, "a word among us")
        await town.say(town.mod, town.staff, "and another")
        await town.say(town.ana, town.general, "hello to you")

        his = words_of(await town.mod.slash(town.general, "memory"))
        hers = words_of(await town.ana.slash(town.general, "memory"))

        assert "I hold 3 messages" in his.replace("**", "")
        assert f"<#{town.staff.id}>: 2 messages" in his
        assert f"<#{town.general.id}>: 1 message" in hers
        assert str(town.staff.id) not in hers
        town.env.backend.set_overwrite(town.staff.id, _closed_to(town.mod.id))
        await town.env.settle()
        afterwards = words_of(await town.mod.slash(town.general, "memory"))
        assert str(town.staff.id) not in afterwards
        assert "2 messages in 1 channel that you cannot read here" in afterwards


def _closed_to(member_id: int) -> Any:
    return Overwrite(member_id, OverwriteType.MEMBER, deny=1 << 10, allow=0)


async def test_an_export_holds_all_of_ones_own_words_and_nobody_elses(open_town: OpenTown) -> None:
    async with open_town() as town:
        await town.say(town.ana, town.general, "my first, with a comma")
        await town.say(town.bob, town.general, "not hers at all")
        edited = await town.say(town.ana, town.general, "my second")
        await town.ana.edit(edited, "my second, edited")
        await town.env.settle()
        assert await town.recorder.settle(timeout=PATIENCE)
        shown = await town.ana.slash(town.general, "memory")
        assert shown.response is not None

        result = await town.ana.click(shown.response, label="Export")

        assert result.response is not None
        assert result.response.ephemeral
        (file,) = result.response.attachments
        archive = zipfile.ZipFile(io.BytesIO(await file.read()))
        rows = list(csv.DictReader(io.StringIO(archive.read("messages.csv").decode())))
        assert [row["content"] for row in rows if row["kind"] == "message"] == [
            "my second, edited",
            "my first, with a comma",
        ]
        texts = list(csv.DictReader(io.StringIO(archive.read("earlier_texts.csv").decode())))
        assert [row["content"] for row in texts] == ["my second"]
        assert json.loads(archive.read("choices.json"))["time zone"] == []
        assert all("not hers" not in archive.read(name).decode() for name in archive.namelist())


async def test_nothing_is_told_where_there_is_nothing(open_town: OpenTown) -> None:
    async with open_town() as town:
        shown = words_of(await town.bob.slash(town.general, "memory"))

        assert shown.startswith((NOTHING, "**I hold 1 message"))  # the command itself


async def test_what_cannot_be_noted_is_not_begun(open_town: OpenTown, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> Any:
        raise SessionError("The disk is full: free some space.")

    async with open_town() as town:
        said = await town.say(town.ana, town.general, "the spare key lies under the flowerpot")
        form = await town.ana.context_menu(town.general, "Forget this", said)
        monkeypatch.setattr("ops.erasure.live.write_unfinished", full)

        assert await agreed(town.ana, form) == erasure.NOT_NOTED
        assert "flowerpot" in town.lines()


async def test_an_erasure_that_cannot_be_finished_says_so_and_is_gone_on_with(
    open_town: OpenTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: Any, **__: Any) -> Any:
        raise DatabaseUnavailableError("PostgreSQL did not answer")

    async with open_town() as town:
        said = await town.say(town.ana, town.general, "the spare key lies under the flowerpot")
        form = await town.ana.context_menu(town.general, "Forget this", said)
        with monkeypatch.context() as patch:
            patch.setattr(erase_module, "collect_rows", fails)
            told = await agreed(town.ana, form)

        assert told == erasure.FAILED
