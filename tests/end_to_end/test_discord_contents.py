"""Everything that is said in a simulated Discord is kept as it changes, whoever says it and in whatever form."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from zoneinfo import ZoneInfo

import discord
import pytest
import simcord
from simcord.backend.models import MessageSticker, Poll, PollAnswer
from simcord.backend.serializers import channel_payload, message_payload
from simcord.enums import ChannelType
from sqlalchemy import select

from bot.client import Bot
from bot.other_bots import OtherBots
from db.databases import Database
from db.engines import transaction
from db.schema import RevisionRow
from memory.authors import webhook_author_id
from memory.capture.journal import Journal
from memory.capture.recorder import open_recorder
from memory.embedding.embedder import Embedder
from memory.index import store
from memory.message import Kind, Message, Reaction, Source, fold
from ops.promotion.sources.detect import open_source
from tests.builders import whole
from tests.end_to_end.test_discord import NOTHING
from tests.fakes_discord import NOW, FakeAsker, FakeRecorder, services
from tests.promotions import bring_in, means_of

PATIENCE = timedelta(seconds=60)


@dataclass
class Files:
    """Gives the bot files as Discord's CDN does, from where the simulated Discord keeps them."""

    env: simcord.Env | None = None
    asked: list[str] = field(default_factory=list)

    async def read(self, url: str) -> bytes:
        assert self.env is not None
        self.asked.append(url)
        content = self.env.backend.cdn.get(url)
        if content is None:
            raise ValueError("Discord answers with status 404")
        return content


@pytest.fixture
def recorder() -> FakeRecorder:
    return FakeRecorder()


@pytest.fixture
def files() -> Files:
    return Files()


@pytest.fixture
def simcord_bot(recorder: FakeRecorder, files: Files) -> Bot:
    return Bot(services(recorder, FakeAsker(NOTHING)), read_file=files.read, reaction_pause=timedelta(0))


@dataclass
class Place:
    """A server with a channel, two people, and what the bot keeps of it."""

    env: simcord.Env
    recorder: FakeRecorder
    guild: simcord.GuildHandle
    general: simcord.ChannelHandle
    ana: simcord.MemberActor
    ben: simcord.MemberActor

    def states_of(self, message: discord.Message) -> list[Message]:
        return [state for state in self.recorder.messages if state.message_id == message.id]

    def now(self, message: discord.Message) -> Message:
        """Return what a message comes to."""
        (state,), _ = fold(self.states_of(message))
        return state

    async def until(self, message: discord.Message, states: int) -> Message:
        """Wait until so many states of a message are kept; return what they come to."""
        while len(self.states_of(message)) < states:
            await self.recorder.news.get()
        return self.now(message)


@pytest.fixture
async def place(simcord_env: simcord.Env, recorder: FakeRecorder, files: Files) -> Place:
    files.env = simcord_env
    guild = simcord_env.create_guild("Guild")
    return Place(
        simcord_env,
        recorder,
        guild,
        general=guild.create_text_channel("general"),
        ana=guild.add_member(simcord_env.create_user("ana"), nick="Ana"),
        ben=guild.add_member(simcord_env.create_user("ben"), nick="Ben"),
    )


def sources_of(state: Message) -> list[tuple[Source, str]]:
    return [(part.source, state.content[part.start : part.end]) for part in state.parts]


# ---- edits and deletions


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
async def test_edits_add_up_to_the_last_one_in_whatever_order_they_are_heard_of(
    order: Sequence[int], place: Place
) -> None:
    sent = await place.ana.send(place.general, "one")
    payload = message_payload(place.env.backend, place.env.backend.get_message(place.general.id, sent.id))
    edits = [
        payload | {"content": text, "edited_timestamp": (NOW + timedelta(minutes=minute)).isoformat()}
        for minute, text in enumerate(("two", "three", "four"), 1)
    ]

    for index in order:
        place.env.backend.emit("MESSAGE_UPDATE", edits[index])
        await place.env.settle()

    assert place.now(sent).content == "four"
    assert len(place.states_of(sent)) == 4


async def test_a_deletion_stays_one_whatever_comes_after_it(place: Place) -> None:
    sent = await place.ana.send(place.general, "a secret")
    payload = message_payload(place.env.backend, place.env.backend.get_message(place.general.id, sent.id))

    await place.ana.delete(sent)
    place.env.backend.emit("MESSAGE_UPDATE", payload | {"edited_timestamp": NOW.isoformat(), "content": "edited"})
    await place.env.settle()

    assert place.now(sent).deleted_at == NOW


async def test_messages_that_are_deleted_at_once_are_each_deleted(place: Place) -> None:
    sent = [await place.ana.send(place.general, text) for text in ("one", "two", "three")]

    place.env.backend.bulk_delete_messages(place.general.id, [message.id for message in sent[:2]])
    await place.env.settle()

    assert [place.now(message).deleted_at for message in sent] == [NOW, NOW, None]


# ---- places


@pytest.mark.parametrize(
    ("kind", "is_public"), [(ChannelType.PUBLIC_THREAD, True), (ChannelType.PRIVATE_THREAD, False)]
)
async def test_a_message_in_a_thread_tells_whether_whoever_reads_the_channel_reads_it(
    kind: ChannelType, is_public: bool, place: Place
) -> None:
    thread_id = place.env.backend.create_thread(place.general.id, "a thread", place.ana.id, type=kind).id
    thread = next(thread for thread in place.general.threads if thread.id == thread_id)
    thread_members = place.env.backend.get_thread(thread_id).thread_members
    thread_members[place.env.bot.user.id] = place.env.backend.now_iso()  # type: ignore[union-attr]

    sent = await place.ana.send(thread, "in the thread")
    await place.ana.delete(sent)

    assert [state.in_public_thread for state in place.states_of(sent)] == [is_public, is_public]
    assert place.now(sent).access_id == (place.general.id if is_public else thread_id)


async def test_the_first_message_of_a_forum_post_has_its_title_and_its_tags(place: Place) -> None:
    backend = place.env.backend
    forum = place.guild.create_forum_channel("help")
    channel = backend.get_channel(forum.id)
    channel.available_tags = [
        {"id": number, "name": name, "moderated": False, "emoji_id": None, "emoji_name": None}
        for number, name in (("71", "Kiln"), ("72", "Solved"))
    ]
    backend.emit("CHANNEL_UPDATE", dict(channel_payload(backend, channel)))
    post = backend.create_thread(forum.id, "Cold kiln", place.ana.id, applied_tags=[71, 72], broadcast=False)
    backend.announce_thread_create(post)
    sent = await place.ana.send(place.general, "the kiln stays cold")
    payload = message_payload(backend, backend.get_message(place.general.id, sent.id))

    # the first message of a post has its id, which the simulated Discord does not know
    backend.emit("MESSAGE_CREATE", payload | {"id": str(post.id), "channel_id": str(post.id)})
    await place.env.settle()

    kept = place.recorder.messages[-1]
    assert (kept.channel_name, kept.thread_id, kept.in_public_thread) == ("help › Cold kiln", post.id, True)
    assert sources_of(kept) == [(Source.AUTHORED, "the kiln stays cold"), (Source.TITLE, "(tags: Kiln, Solved)")]


# ---- replies, forwards, files


async def test_a_forward_tells_what_it_is_a_copy_of_and_has_all_that_is_in_it(place: Place) -> None:
    original = await place.ana.send(place.general, "the plan", attachments=[("plan.png", b"x"), ("kiln.png", b"y")])
    reply = await place.ben.send(place.general, "thanks", reply_to=original)

    forward = await place.ben.forward(original, place.general)

    kept, replied = place.now(forward), place.now(reply)
    assert (kept.forwarded_from, kept.reply_to, replied.forwarded_from) == (original.id, None, None)
    assert replied.reply_to == original.id
    assert sources_of(kept) == [(Source.FORWARD, "the plan")]
    assert [file.name for file in kept.attachments] == ["plan.png", "kiln.png"]


async def test_a_text_file_is_read_after_its_message_and_again_after_an_edit(place: Place, files: Files) -> None:
    sent = await place.ana.send(
        place.general, "see the log", attachments=[("kiln.log", b"900 degrees at noon"), ("kiln.png", b"x")]
    )
    read = await place.until(sent, 2)
    await place.ana.edit(sent, "see this log")
    edited = await place.until(sent, 4)

    assert (read.content, read.edited_at, read.completed_at) == ("see the log\n900 degrees at noon", None, NOW)
    assert edited.content == "see this log\n900 degrees at noon"
    assert sources_of(edited) == [(Source.AUTHORED, "see this log"), (Source.FILE, "900 degrees at noon")]
    assert len(files.asked) == 2
    _, revisions = fold(place.states_of(sent))
    assert [revision.content for revision in revisions] == ["see the log\n900 degrees at noon"]


async def test_a_file_that_is_gone_costs_nothing_but_its_words(place: Place) -> None:
    place.env.backend.cdn._blobs = _Nothing()

    sent = await place.ana.send(place.general, "see", attachments=[("a.txt", b"lost")])
    await place.ana.send(place.general, "next")
    await place.env.settle()

    assert [state.content for state in place.states_of(sent)] == ["see"]


class _Nothing(dict[str, bytes]):
    def __setitem__(self, key: str, value: bytes) -> None:
        return


# ---- polls, stickers, voices, cards


async def test_a_poll_is_completed_by_its_votes_when_it_ends(place: Place) -> None:
    answers = [PollAnswer(answer_id=1, text="Soup", emoji=None), PollAnswer(answer_id=2, text="Pie", emoji=None)]
    poll = Poll(question="Lunch?", answers=answers, expiry=(NOW + timedelta(hours=1)).isoformat())
    stored = place.env.backend.create_message(place.general.id, place.ana.id, "", poll=poll)
    await place.env.settle()
    (sent,) = place.general.history()
    for member in (place.ana, place.ben):
        await member.vote(sent, answer=2)

    place.env.backend.expire_poll(place.general.id, stored.id)
    await place.env.settle()

    first, last = place.states_of(sent)
    assert first.content == "Poll: Lunch?\n- Soup\n- Pie"
    assert last.content == "Poll: Lunch?\n- Soup (0 votes)\n- Pie (2 votes)\n(the poll has closed)"
    assert (last.edited_at, last.completed_at) == (None, NOW)
    assert place.now(sent).content == last.content
    assert [source for source, _ in sources_of(last)] == [Source.POLL]


async def test_the_end_of_a_poll_is_kept_that_was_begun_before_the_bot(place: Place) -> None:
    poll = Poll(question="Lunch?", answers=[PollAnswer(answer_id=1, text="Soup", emoji=None)], expiry=NOW.isoformat())
    stored = place.env.backend.create_message(place.general.id, place.ana.id, "", poll=poll)
    await place.env.settle()
    place.env.bot._connection._messages = None

    place.env.backend.expire_poll(place.general.id, stored.id)
    await place.env.settle()

    assert place.recorder.messages[-1].content.endswith("(the poll has closed)")


async def test_stickers_and_voices_are_kept_as_what_they_are(place: Place) -> None:
    sticker = MessageSticker(id=5, name="Wave", format_type=1, guild_id=place.guild.id)
    voice = place.env.backend.store_attachments(place.general.id, [("voice-message.ogg", b"x")])
    voice[0] |= {"duration_secs": 4.0, "waveform": "AAAA"}

    place.env.backend.create_message(place.general.id, place.ana.id, "", stickers=[sticker], attachments=voice)
    await place.env.settle()

    (kept,) = place.recorder.messages
    assert sources_of(kept) == [(Source.VOICE, "(voice message, 4 s)"), (Source.STICKER, "(sticker: Wave)")]


async def test_a_card_that_is_added_later_completes_the_message_of_a_bot(place: Place) -> None:
    hook = place.guild.create_webhook(place.general, "CI")
    sent = await hook.send("red again")
    payload = message_payload(place.env.backend, place.env.backend.get_message(place.general.id, sent.id))
    card = {"type": "rich", "title": "Build 7", "description": "failed"}

    place.env.backend.emit("MESSAGE_UPDATE", payload | {"embeds": [card]})
    await place.env.settle()

    kept = place.now(sent)
    assert sources_of(kept) == [(Source.AUTHORED, "red again"), (Source.CARD, "Build 7\nfailed")]
    assert (kept.edited_at, kept.completed_at) == (None, NOW)


# ---- reactions


async def test_reactions_are_counted_as_they_come_and_go(place: Place) -> None:
    sent = await place.ana.send(place.general, "ship it?")
    await place.ana.react(sent, "👍")
    await place.ben.react(sent, "👍")
    await place.ben.react(sent, "🔥")
    await place.until(sent, 2)
    await place.env.settle()
    assert place.states_of(sent)[-1].reactions == (Reaction(emoji="👍", count=2), Reaction(emoji="🔥", count=1))

    await place.ben.unreact(sent, "👍")
    await place.env.settle()
    place.env.backend.clear_reaction(place.general.id, sent.id, "🔥")
    await place.env.settle()

    last = place.states_of(sent)[-1]
    assert last.reactions == (Reaction(emoji="👍", count=1),)
    assert (last.reactions_at, last.content, last.edited_at) == (NOW, "ship it?", None)


async def test_reactions_to_a_message_from_before_the_bot_are_asked_for(place: Place) -> None:
    sent = await place.ana.send(place.general, "ship it?")
    await place.ana.react(sent, "👍")
    place.env.bot._connection._messages = None
    before = len(place.states_of(sent))

    await place.ben.react(sent, "👍")
    await place.until(sent, before + 1)

    last = place.states_of(sent)[-1]
    assert (last.reactions, last.content) == ((Reaction(emoji="👍", count=2),), "ship it?")
    assert (last.guild_id, last.author_id) == (place.guild.id, place.ana.id)


async def test_reactions_to_the_bots_own_answers_make_no_evidence_of_them(place: Place) -> None:
    result = await place.ana.slash(place.general, "chat", text="what is new?")
    answer = result.response
    assert answer is not None
    posted = place.general.history()[-1]

    await place.ben.react(posted, "👍")
    await place.env.settle()

    assert {state.kind for state in place.states_of(posted)} == {Kind.ANSWER}
    assert place.now(posted).reactions == (Reaction(emoji="👍", count=1),)


# ---- webhooks and other bots


async def test_a_webhook_is_a_person_for_each_of_its_names(place: Place) -> None:
    hook = place.guild.create_webhook(place.general, "proxy")

    luna, sol, again = [await hook.send("hello", username=name) for name in ("Luna", "Sol", "Luna")]

    kept = [place.now(message) for message in (luna, sol, again)]
    assert [state.author_id for state in kept] == [webhook_author_id(hook.id, name) for name in ("Luna", "Sol", "Luna")]
    assert [state.author_name for state in kept] == ["Luna", "Sol", "Luna"]


async def test_a_proxied_message_is_the_proxys_and_the_original_is_deleted(place: Place) -> None:
    hook = place.guild.create_webhook(place.general, "proxy")

    original = await place.ana.send(place.general, "L: I have the key")
    copy = await hook.send("I have the key", username="Luna")
    await place.ana.delete(original)

    assert place.now(original).deleted_at == NOW
    assert (place.now(copy).author_name, place.now(copy).deleted_at) == ("Luna", None)


@pytest.mark.parametrize(
    ("kept", "contents"),
    [
        pytest.param(None, ["by a bot", "by a webhook", "by ana"], id="all"),
        pytest.param(frozenset(), ["by a webhook", "by ana"], id="none"),
    ],
)
async def test_other_bots_are_kept_as_it_is_set(
    kept: frozenset[int] | None, contents: list[str], place: Place, recorder: FakeRecorder
) -> None:
    wanted = replace(services(recorder, FakeAsker(NOTHING)), other_bots=OtherBots(kept))
    await place.env.restart_bot(Bot(wanted, reaction_pause=timedelta(0)))
    helper = place.guild.add_member(place.env.create_user("helper", bot=True))
    hook = place.guild.create_webhook(place.general, "CI")

    by_bot = await helper.send(place.general, "by a bot")
    await hook.send("by a webhook")
    await place.ana.send(place.general, "by ana")
    await helper.edit(by_bot, "by a bot")
    await place.ana.react(by_bot, "👍")
    await place.env.settle()

    assert list(dict.fromkeys(state.content for state in recorder.messages)) == contents


# ---- all of it, in both memories and the CSV


async def say_everything(path: Path, short_term: Database, embedder: Embedder) -> dict[str, int]:
    """Have people say something in every form, record it, and return the ids of what they said."""
    files = Files()
    async with open_recorder(
        session=path.stem,
        journal_path=path,
        not_added_path=path.with_name("not_added.csv"),
        sessions=short_term.sessions,
        embedder=embedder,
        batch=64,
    ) as recorder:
        given = replace(services(FakeRecorder(), FakeAsker(NOTHING)), recorder=recorder, session=path.stem)
        bot = Bot(given, read_file=files.read, reaction_pause=timedelta(0))
        async with simcord.run(bot, settle_timeout=PATIENCE.total_seconds()) as env:
            files.env = env
            sent = await _say(env)
        assert await recorder.settle(timeout=PATIENCE)
    return sent


async def _say(env: simcord.Env) -> dict[str, int]:
    guild = env.create_guild("Guild")
    general = guild.create_text_channel("general")
    ana, ben = (guild.add_member(env.create_user(name)) for name in ("ana", "ben"))
    hook = guild.create_webhook(general, "proxy")
    edited = await ana.send(general, "on Tuesday")
    await ana.edit(edited, "on Wednesday")
    await ben.react(edited, "👍")
    file = await ana.send(general, "see the log", attachments=[("kiln.log", b"900 degrees")])
    forward = await ben.forward(edited, general)
    original = await ana.send(general, "L: I have the key")
    luna = await hook.send("I have the key", username="Luna")
    await ana.delete(original)
    await env.settle()
    return {
        "edited": edited.id,
        "file": file.id,
        "forward": forward.id,
        "deleted": original.id,
        "luna": luna.id,
        "luna's id": webhook_author_id(hook.id, "Luna"),
    }


async def stored(database: Database) -> dict[int, Message]:
    async with transaction(database.sessions) as session:
        rows = (await session.execute(select(*store.MESSAGE_COLUMNS))).mappings()
        return {row["message_id"]: store.to_message(row) for row in rows}


async def test_edits_completions_counts_and_deletions_reach_both_memories_and_the_csv(
    tmp_path: Path, short_term: Database, long_term: Database, embedder: Embedder
) -> None:
    path = tmp_path / "kiln.csv"
    sent = await say_everything(path, short_term, embedder)

    states = whole(Journal(path)).messages
    in_short_term = await stored(short_term)
    source = open_source(path, mapping={}, time_zone=ZoneInfo("UTC"), me=None)
    await bring_in(source, means_of(long_term, short_term, embedder, tmp_path))
    in_long_term = await stored(long_term)

    of_edited = [state for state in states if state.message_id == sent["edited"]]
    assert [(state.content, bool(state.edited_at), bool(state.reactions_at)) for state in of_edited] == [
        ("on Tuesday", False, False),
        ("on Wednesday", True, False),
        ("on Wednesday", True, True),
    ]
    assert [state.message_id for state in states if state.deleted_at] == [sent["deleted"]]
    assert in_long_term == in_short_term == {state.message_id: state for state in fold(states)[0]}
    assert in_short_term[sent["edited"]].content == "on Wednesday"
    assert in_short_term[sent["edited"]].reactions == (Reaction(emoji="👍", count=1),)
    assert in_short_term[sent["file"]].content.endswith("\n900 degrees")
    assert in_short_term[sent["forward"]].forwarded_from == sent["edited"]
    assert in_short_term[sent["luna"]].author_id == sent["luna's id"]
    for database in (short_term, long_term):
        async with transaction(database.sessions) as session:
            former = (await session.execute(select(RevisionRow.message_id, RevisionRow.content))).all()
        assert [tuple(row) for row in former] == [(sent["edited"], "on Tuesday")]
