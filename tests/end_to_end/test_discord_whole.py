"""The whole bot on a simulated Discord: real capture, database, embeddings and search; what people get to read."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import discord
import pytest
import simcord
from langchain_core.language_models import BaseChatModel
from simcord.results import ResponseMessage
from sqlalchemy import select

from agent.agent import Agent
from agent.conversations import Conversations
from agent.model_answers import MODEL_FAILED
from agent.quotation import NEVER_MENTIONED, WHERE
from bot.answer_buttons import SHOW_REST
from bot.client import Bot
from bot.commands import ONE_MORE_FOR_YOU
from bot.services import Services
from db.databases import Database
from db.engines import transaction
from db.schema import MessageRow
from memory.capture.recorder import Recorder, open_recorder
from memory.embedding.embedder import Embedder
from memory.message import Kind
from memory.places.writer import PlaceWriter
from memory.preferences import TimeZones
from memory.search.memory import Memory
from tests.agents import of
from tests.fakes import ScriptedModel, calls, says
from tests.fakes_guild_settings import FakeGuildSettings
from tests.seen import seen

PATIENCE = timedelta(seconds=60)
HIDDEN = discord.PermissionOverwrite(view_channel=False)
SHOWN = discord.PermissionOverwrite(view_channel=True)
NEVER_SAID = NEVER_MENTIONED.format(words='"Zed"', where=WHERE)
"""What is answered about a word of a hidden channel, as about one that nobody has ever said."""


@dataclass(frozen=True, slots=True)
class Town:
    """A guild with three members and three channels, one of which only Cleo can read."""

    recorder: Recorder
    short_term: Database
    guild: simcord.GuildHandle
    general: simcord.ChannelHandle
    releases: simcord.ChannelHandle
    mods: simcord.ChannelHandle
    ana: simcord.MemberActor
    ben: simcord.MemberActor
    cleo: simcord.MemberActor
    staff: simcord.RoleHandle

    async def ask(
        self,
        asker: simcord.MemberActor,
        text: str,
        *,
        place: simcord.ChannelHandle | None = None,
        private: bool = False,
    ) -> ResponseMessage:
        """Return what a member gets for /chat once everything said so far is searchable."""
        assert await self.recorder.settle(timeout=PATIENCE)
        result = await asker.slash(place or self.general, "chat", text=text, private=private)
        assert result.response is not None
        return result.response

    def link(self, message: discord.Message) -> str:
        return f"https://discord.com/channels/{self.guild.id}/{message.channel.id}/{message.id}"

    async def stored(self, kind: Kind) -> list[str]:
        """Return the texts of one kind in short-term memory."""
        assert await self.recorder.settle(timeout=PATIENCE)
        async with transaction(self.short_term.sessions) as session:
            return list(await session.scalars(select(MessageRow.content).where(MessageRow.kind == kind.value)))


OpenTown = Callable[..., AbstractAsyncContextManager[Town]]


@pytest.fixture
def open_town(
    tmp_path: Path, short_term: Database, long_term: Database, memory: Memory, embedder: Embedder
) -> OpenTown:
    """Opens the bot with a language model, as main_async.py does, on a Discord without sockets."""

    @asynccontextmanager
    async def open_with(model: BaseChatModel | None = None) -> AsyncGenerator[Town]:
        async with (
            open_recorder(
                session="whole",
                journal_path=tmp_path / "whole.csv",
                not_added_path=tmp_path / "whole_not_added.csv",
                sessions=short_term.sessions,
                embedder=embedder,
                batch=64,
            ) as recorder,
        ):
            agent = Agent(
                () if model is None else of(model),
                memory=memory,
                conversations=Conversations(long_term.sessions),
            )
            bot = Bot(services(recorder, agent, TimeZones(long_term.sessions)))
            async with simcord.run(bot, settle_timeout=PATIENCE.total_seconds()) as env:
                yield town(env, recorder, short_term)

    return open_with


def services(recorder: Recorder, agent: Agent, time_zones: TimeZones, places: PlaceWriter | None = None) -> Services:
    async def about(_: int | None) -> str:
        return "-"

    return Services(
        recorder=recorder,
        asker=agent,
        about=about,
        session=recorder.session,
        time_zones=time_zones,
        guild_settings=FakeGuildSettings(),
        time_zone=ZoneInfo("UTC"),
        clock=discord.utils.utcnow,
        places=places,
    )


def town(env: simcord.Env, recorder: Recorder, short_term: Database) -> Town:
    guild = env.create_guild("Guild")
    staff = guild.create_role("Staff")
    assert env.bot.user is not None
    for_staff: dict[Any, discord.PermissionOverwrite] = {guild.default_role: HIDDEN, staff: SHOWN, env.bot.user: SHOWN}
    return Town(
        recorder,
        short_term,
        guild,
        general=guild.create_text_channel("general"),
        releases=guild.create_text_channel("releases"),
        mods=guild.create_text_channel("mods", overwrites=for_staff),
        ana=guild.add_member(env.create_user("ana"), nick="Ana"),
        ben=guild.add_member(env.create_user("ben"), nick="Ben"),
        cleo=guild.add_member(env.create_user("cleo"), nick="Cleo", roles=[staff]),
        staff=staff,
    )


async def test_a_question_is_answered_for_all_with_links_to_the_messages_that_prove_it(
    open_town: OpenTown,
) -> None:
    async with open_town() as town:
        await town.ana.send(town.general, "lunch is at the harbour today")
        proof = await town.ben.send(town.releases, "release 0.4 was moved to the 12th of November")
        await town.cleo.send(town.general, "has anybody seen my umbrella?")

        result = await town.ask(town.ana, "when is release 0.4?")

    assert not result.ephemeral
    shown = seen(result)
    assert f'"release 0.4 was moved to the 12th of November" [[1]](<{town.link(proof)}>)' in shown
    assert f"[[1]](<{town.link(proof)}>) Ben in #releases" in shown.partition("**Sources**")[2]
    assert "umbrella" not in shown


async def test_what_is_said_in_a_hidden_channel_is_told_only_in_private_to_those_who_read_it(
    open_town: OpenTown,
) -> None:
    async with open_town() as town:
        await town.cleo.send(town.mods, "we will ban the spammer Zed on Friday")

        for_ana = [await town.ask(town.ana, "when is Zed banned?", private=private) for private in (False, True)]
        for_all = await town.ask(town.cleo, "when is Zed banned?")
        for_cleo = await town.ask(town.cleo, "when is Zed banned?", private=True)
        for_mods = await town.ask(town.cleo, "when is Zed banned?", place=town.mods)

    for result in (*for_ana, for_all):
        assert NEVER_SAID in seen(result)
        assert "Friday" not in seen(result)
        assert str(town.mods.id) not in seen(result)
    assert "ban the spammer Zed on Friday" in seen(for_cleo)
    assert for_cleo.ephemeral
    assert "ban the spammer Zed on Friday" in seen(for_mods)


async def test_what_the_asker_alone_may_read_is_offered_to_them_alone_and_shown_by_a_button(
    open_town: OpenTown,
) -> None:
    async with open_town() as town:
        await town.cleo.send(town.mods, "we will ban the spammer Zed on Friday")
        assert await town.recorder.settle(timeout=PATIENCE)

        asked = await town.cleo.slash(town.general, "chat", text="when is Zed banned?")
        by_ana = await town.ana.slash(town.general, "chat", text="when is Zed banned?")
        (offer,) = asked.followups
        shown = await town.cleo.click(offer, label=SHOW_REST)

        assert asked.response is not None
        assert by_ana.response is not None
        assert shown.response is not None
        assert seen(asked.response) == seen(by_ana.response) == NEVER_SAID
        assert (offer.ephemeral, seen(offer)) == (True, ONE_MORE_FOR_YOU.format(1))
        assert by_ana.followups == []
        assert shown.ephemeral
        assert "ban the spammer Zed on Friday" in seen(shown.response)


async def test_links_people_and_days_are_counted_of_what_everybody_there_may_read(open_town: OpenTown) -> None:
    async with open_town() as town:
        shared = await town.ben.send(town.general, "here is the tracker: https://issues.example/board")
        await town.ana.send(town.general, "thanks, that is **neat** \N{PARTY POPPER}")
        await town.ben.send(town.general, "new issues come in there every day")
        await town.cleo.send(town.mods, "our tracker is https://secret.example/tracker")

        posted = seen(await town.ask(town.ana, "who posted that link to the tracker?"))
        active = seen(await town.ask(town.ana, "wer hat am meisten geschrieben?"))
        busiest = seen(await town.ask(town.ana, "which day was **busiest** in #genral?"))
        emoji = seen(await town.ask(town.ana, "how often was \N{PARTY POPPER} used?"))

        assert "https://issues.example/board" in posted
        assert town.link(shared) in posted
        assert "**Ben** has most: 2 of 3 messages" in active
        assert "**3 messages**" in busiest
        assert 'I read "#genral" as "#general".' in busiest
        assert "**1 message**" in emoji
        assert not any("secret.example" in text or "Cleo" in text for text in (posted, active, busiest, emoji))


async def test_an_edit_and_a_deletion_are_honoured_in_the_next_answer(
    open_town: OpenTown,
) -> None:
    async with open_town() as town:
        edited = await town.ana.send(town.general, "the meeting room is number 4")
        deleted = await town.ben.send(town.general, "the password of the cafe is swordfish")
        before = [await town.ask(town.cleo, question) for question in ("which meeting room?", "which cafe password?")]

        await town.ana.edit(edited, "the meeting room is number 7")
        await town.ben.delete(deleted)
        after = [await town.ask(town.cleo, question) for question in ("which meeting room?", "which cafe password?")]

    assert "is number 4" in seen(before[0])
    assert "swordfish" in seen(before[1])
    assert "is number 7" in seen(after[0])
    assert "is number 4" not in seen(after[0])
    assert "swordfish" not in seen(after[1])


async def test_commands_and_answers_are_kept_as_what_they_are_and_never_cited(
    open_town: OpenTown,
) -> None:
    async with open_town() as town:
        proof = await town.ana.send(town.general, "the ferry to the island leaves at noon")
        first = await town.ask(town.ben, "when does the ferry leave?")
        second = await town.ask(town.ben, "when does the ferry leave?")

        assert await town.stored(Kind.COMMAND) == ["/chat when does the ferry leave?"] * 2
        assert await town.stored(Kind.ANSWER) == [seen(first), seen(second)]

    assert seen(second) == seen(first)
    assert seen(second).count("discord.com/channels/") == 2
    assert seen(second).count(town.link(proof)) == 2


async def test_what_a_webhook_says_in_a_card_is_found_and_cited(open_town: OpenTown) -> None:
    card = discord.Embed(title="Build 714 failed", description="the migration of photo_events timed out")

    async with open_town() as town:
        await town.ana.send(town.general, "lunch is at the harbour today")
        proof = await town.guild.create_webhook(town.releases, "CI").send(embed=card)

        result = await town.ask(town.ben, "which build failed at the migration?")

    assert "the migration of photo\\_events timed out" in seen(result)
    assert f"https://discord.com/channels/{town.guild.id}/{town.releases.id}/{proof.id}" in seen(result)


async def test_what_one_of_those_said_who_share_a_proxy_is_found_by_their_name(open_town: OpenTown) -> None:
    async with open_town() as town:
        proxy = town.guild.create_webhook(town.general, "proxy")
        original = await town.ana.send(town.general, "L: the spare key is under the third pot")
        luna = await proxy.send("the spare key is under the third pot", username="Luna")
        await town.ana.delete(original)
        sol = await proxy.send("the spare key is lost for good", username="Sol")

        answer = await town.ask(town.ben, "what did Luna say about the spare key?")

        assert town.link(luna) in seen(answer)
        assert town.link(sol) not in seen(answer)
        assert town.link(original) not in seen(answer)


async def test_what_somebody_hid_as_a_spoiler_stays_hidden(open_town: OpenTown) -> None:
    async with open_town() as town:
        await town.ana.send(town.general, "the murderer in the film of Friday is ||the gardener||")

        result = await town.ask(town.ben, "who is the murderer in the film?")

    text, _, sources = seen(result).partition("**Sources**")
    assert "||the gardener||" in text
    assert text.count("gardener") == 1
    assert sources.rstrip().endswith("is (spoiler)")


async def test_a_recalled_mention_reaches_nobody(open_town: OpenTown) -> None:
    async with open_town() as town:
        await town.ana.send(town.general, f"@everyone <@{town.ben.id}> the picnic is on Sunday")

        result = await town.ask(town.cleo, "when is the picnic?")

    assert "the picnic is on Sunday" in seen(result)
    assert "@everyone" not in seen(result)
    assert not result.message.mention_everyone
    assert not result.message.mentions


@pytest.mark.parametrize(
    "line",
    [pytest.param(ConnectionError("refused"), id="it cannot be reached"), pytest.param(says(" "), id="no words")],
)
async def test_a_language_model_that_fails_is_replaced_by_quotes_with_a_note(line: Any, open_town: OpenTown) -> None:
    model = ScriptedModel([calls("search_messages", query="backup"), line])
    async with open_town(model) as town:
        proof = await town.ana.send(town.general, "the backup runs every night at two")

        result = await town.ask(town.ben, "when does the backup run?")

    assert len(model.heard) == 2
    assert f'"the backup runs every night at two" [[1]](<{town.link(proof)}>)' in seen(result)
    assert seen(result).endswith(f"-# {MODEL_FAILED}")


async def test_a_language_model_writes_the_answer_and_its_marks_become_links(open_town: OpenTown) -> None:
    model = ScriptedModel([calls("search_messages", query="backup"), says("Every night at two [1], @everyone [7].")])
    async with open_town(model) as town:
        proof = await town.ana.send(town.general, "the backup runs every night at two")

        result = await town.ask(town.ben, "when does the backup run?")

    assert seen(result).startswith(f"Every night at two [[1]](<{town.link(proof)}>), @\u200beveryone")
    assert "[7]" not in seen(result)
    assert "the backup runs every night at two" in model.heard[1][-1].text


async def test_a_question_goes_on_from_the_asker_s_own_and_from_nobody_else_s(open_town: OpenTown) -> None:
    async with open_town() as town:
        await town.ana.send(town.general, "the regatta begins on Saturday at the old pier")
        await town.ben.send(town.releases, "the regatta needs a new flag")
        await town.ask(town.ana, "what was said about the regatta in #general?")

        own = seen(await town.ask(town.ana, "and in #releases?"))
        of_another = seen(await town.ask(town.ben, "and in #releases?"))

    assert "the regatta needs a new flag" in own
    assert 'searched "regatta" in #releases' in own
    assert 'searched "regatta"' not in of_another


async def test_an_answer_as_of_a_moment_shows_what_was_said_by_then(open_town: OpenTown) -> None:
    async with open_town() as town:
        await town.ana.send(town.general, "the regatta begins on Saturday at the old pier")

        answer = seen(await town.ask(town.ben, "when does the regatta begin, as of yesterday?"))

    assert "old pier" not in answer
    assert "as of" in answer
