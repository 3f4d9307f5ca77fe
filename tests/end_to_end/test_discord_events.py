"""Whatever Discord reports is kept: every type of message, words outside of the text, fields of unexpected forms."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import discord
import pytest
import simcord
from simcord.backend.serializers import message_payload
from simcord.enums import ChannelType

from bot.client import Bot
from memory.message import Kind, Message, fold
from tests.end_to_end.test_discord import NOTHING
from tests.fakes_discord import NOW, FakeAsker, FakeRecorder, services

FIRST_ID = discord.utils.time_snowflake(NOW - timedelta(days=1))
LATER = datetime(2026, 11, 3, 14, 59, 50, tzinfo=UTC).isoformat()
LONG_AGO = datetime(2026, 5, 1, 12, 0, tzinfo=UTC).isoformat()

MINIMAL: dict[str, Any] = {
    "timestamp": LATER,
    "edited_timestamp": None,
    "tts": False,
    "mention_everyone": False,
    "pinned": False,
    "mentions": [],
    "mention_roles": [],
    "attachments": [],
    "embeds": [],
}
CARD: dict[str, Any] = {"type": "rich", "title": "Build 7 failed", "fields": [{"name": "Step", "value": "tests"}]}

FILE: dict[str, Any] = {"id": "1", "size": 1, "url": "u", "proxy_url": "p"}
STICKER: dict[str, Any] = {"id": "1", "name": "Wave", "format_type": 1}


class Gateway:
    """Sends events about a channel to the bot as Discord would word them."""

    def __init__(self, env: simcord.Env, recorder: FakeRecorder) -> None:
        self._env = env
        self._recorder = recorder
        self.guild = env.create_guild("Guild")
        self.channel = self.guild.create_text_channel("general")
        self.author = {"id": "77", "username": "ana", "global_name": "Ana", "discriminator": "0", "avatar": None}
        self._id = FIRST_ID

    def payload(self, **fields: Any) -> dict[str, Any]:
        """Return a message of Ana's with a new id."""
        self._id += 1
        place = {"id": str(self._id), "channel_id": str(self.channel.id), "guild_id": str(self.guild.id)}
        return MINIMAL | place | {"author": self.author, "content": "", "type": 0} | fields

    async def send(self, event: str, payload: dict[str, Any]) -> list[Message]:
        """Send an event, and return what is kept of the message that it is about."""
        before = len(self._recorder.messages)
        self._env.backend.emit(event, payload)
        await self._env.settle()
        return [m for m in self._recorder.messages[before:] if str(m.message_id) == payload["id"]]

    async def create(self, **fields: Any) -> Message:
        """Send a message, and return the one line that is kept of it."""
        (kept,) = await self.send("MESSAGE_CREATE", self.payload(**fields))
        return kept


@pytest.fixture
def recorder() -> FakeRecorder:
    return FakeRecorder()


@pytest.fixture
def simcord_bot(recorder: FakeRecorder) -> Bot:
    return Bot(services(recorder, FakeAsker(NOTHING)))


@pytest.fixture
async def gateway(simcord_env: simcord.Env, recorder: FakeRecorder) -> Gateway:
    gateway = Gateway(simcord_env, recorder)
    await simcord_env.settle()
    return gateway


# ---- every event is kept

ODD: dict[str, Any] = {
    "embeds": [{"type": "poll_result"}, {"title": ["no text"], "fields": {}}],
    "components": [{"type": 9, "components": [{"type": 10, "content": "kept"}], "accessory": {"type": 98}}],
    "sticker_items": [{"id": "1", "name": "Wave", "format_type": 99}],
    "message_reference": {"type": 7},
    "member": {"nick": "Annie", "roles": [], "joined_at": None, "flags": 0},
    "nonce": {"a": 1},
}
UNREADABLE: dict[str, Any] = {
    "poll": {"question": {"text": "When?"}, "answers": [], "expiry": None, "allow_multiselect": False},
    "sticker_items": [{"name": "Wave"}],
    "attachments": [{"filename": "plan.txt"}, None],
    "edited_timestamp": "yesterday",
    "message_reference": 7,
}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({}, [], id="bare"),
        pytest.param({"content": "words"}, ["words"], id="with words"),
        pytest.param(ODD, ["kept", "(sticker: Wave)"], id="odd"),
        pytest.param(UNREADABLE | {"content": "words"}, ["words", "Poll: When?", "(sticker: Wave)"], id="unreadable"),
    ],
)
async def test_a_message_of_any_type_is_kept_once(fields: dict[str, Any], words: list[str], gateway: Gateway) -> None:
    for kind in (*(kind.value for kind in discord.MessageType), 99):
        kept = await gateway.create(type=kind, **fields)

        assert (kept.author_id, kept.channel_id, kept.guild_id) == (77, gateway.channel.id, gateway.guild.id), kind
        assert kept.author_name in {"Ana", "Annie"}, kind
        if kept.kind is Kind.MESSAGE:
            assert all(word in kept.content for word in words), kind
        else:
            assert kept.content, kind


FULL: dict[str, Any] = {
    "content": "words",
    "author": {"id": "77", "username": "ana", "global_name": "Ana", "discriminator": "0", "avatar": None},
    "member": {"nick": "Annie", "roles": [], "joined_at": LATER, "flags": 0},
    "attachments": [{"id": "1", "filename": "a.png", "size": 1, "url": "u", "proxy_url": "p", "description": "a cat"}],
    "embeds": [CARD],
    "components": [{"type": 17, "components": [{"type": 10, "content": "Release 4"}]}],
    "sticker_items": [STICKER],
    "poll": {"question": {"text": "When?"}, "answers": [], "expiry": LATER},
    "message_reference": {"type": 0, "message_id": "5", "channel_id": "6"},
    "referenced_message": None,
    "message_snapshots": [],
    "mentions": [],
    "mention_roles": [],
    "reactions": [],
    "flags": 0,
    "edited_timestamp": None,
    "timestamp": LATER,
    "webhook_id": "77",
    "application_id": "78",
    "application": {"id": "78", "name": "app", "description": "", "icon": None},
    "interaction_metadata": {"id": "79", "type": 2, "user": {"id": "77", "username": "ana", "discriminator": "0"}},
    "role_subscription_data": None,
    "purchase_notification": None,
    "call": {"participants": [], "ended_timestamp": None},
    "thread": None,
    "activity": None,
    "type": 0,
    "pinned": False,
    "nonce": None,
    "position": 1,
}
SURPRISES: list[Any] = [None, 7, "text", {}, [None], [{"id": "x"}], 2**70]


@pytest.mark.parametrize("event", ["MESSAGE_CREATE", "MESSAGE_UPDATE"])
async def test_no_form_that_a_field_may_take_costs_a_message(event: str, gateway: Gateway) -> None:
    edited = {"edited_timestamp": LATER} if event == "MESSAGE_UPDATE" else {}
    surprises = SURPRISES[::3] if edited else SURPRISES  # what reads the fields is the same
    for name in FULL.keys() - edited.keys():
        for surprise in surprises:
            kept = await gateway.send(event, gateway.payload(**FULL | edited | {name: surprise}))
            await asyncio.sleep(0)  # each is a step of its own: the loop is watched for long ones

            assert len(kept) == 1, (name, surprise)
            assert kept[0].place_id == gateway.channel.id, (name, surprise)
            if name != "content":
                assert "words" in kept[0].content or kept[0].kind is Kind.SYSTEM, (name, surprise)
            else:
                assert "(sticker: Wave)" in kept[0].content, surprise


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        pytest.param(discord.MessageType.guild_stream, "kept", id="an author whose activity is not known"),
        pytest.param(discord.MessageType.guild_incident_alert_mode_enabled, "kept", id="a time that is none"),
        pytest.param(discord.MessageType.recipient_add, "kept", id="nobody is mentioned"),
    ],
)
async def test_a_system_message_that_discord_py_cannot_word_keeps_its_text(
    kind: discord.MessageType, content: str, gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    kept = await gateway.create(type=kind.value, content=content)
    named = await gateway.create(type=kind.value)

    assert (kept.kind, kept.content) == (Kind.SYSTEM, content)
    assert named.content == kind.name.replace("_", " ")
    assert len([line for line in caplog.messages if str(kept.message_id) in line and "system content" in line]) == 1
    assert f"message {kept.message_id} of type {kind.value}" in caplog.text


async def test_what_discord_py_cannot_read_at_all_is_kept_from_the_event_itself(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    forwarded = {"content": "forwarded", "attachments": [{"filename": "x.png", "flags": 8, "url": "u", "size": 3}]}

    kept = await gateway.create(**UNREADABLE | {"message_snapshots": [{"message": forwarded}]})

    assert kept.content == "forwarded\nPoll: When?\n(sticker: Wave)"
    assert [file.name for file in kept.attachments] == ["plan.txt", "SPOILER_x.png"]
    assert (kept.kind, kept.reply_to, kept.edited_at) == (Kind.MESSAGE, None, None)
    assert kept.sent_at == discord.utils.snowflake_time(kept.message_id)
    assert "MESSAGE_CREATE" in caplog.text


async def test_an_edit_that_discord_py_cannot_read_is_kept_and_a_mere_update_is_not(gateway: Gateway) -> None:
    sent = gateway.payload(content="before")
    await gateway.send("MESSAGE_CREATE", sent)
    broken = {"poll": UNREADABLE["poll"], "content": "after"}

    updated = await gateway.send("MESSAGE_UPDATE", sent | broken)
    (edited,) = await gateway.send("MESSAGE_UPDATE", sent | broken | {"edited_timestamp": LATER})

    assert updated == []
    assert edited.content == "after\nPoll: When?"
    assert edited.edited_at == datetime.fromisoformat(LATER)


async def test_the_bots_own_messages_are_not_kept_twice_when_they_cannot_be_read(
    simcord_env: simcord.Env, gateway: Gateway
) -> None:
    assert simcord_env.bot.user is not None
    own = gateway.author | {"id": str(simcord_env.bot.user.id), "bot": True}

    assert await gateway.send("MESSAGE_CREATE", gateway.payload(author=own, **UNREADABLE)) == []


async def test_a_message_in_a_guild_that_is_not_known_is_no_direct_message(gateway: Gateway) -> None:
    kept = await gateway.create(guild_id="700000000000000777", content="words")

    assert (kept.guild_id, kept.channel_name, kept.content) == (700000000000000777, "", "words")


async def test_a_message_without_an_author_is_kept(gateway: Gateway) -> None:
    payload = gateway.payload(content="words")
    del payload["author"]

    (kept,) = await gateway.send("MESSAGE_CREATE", payload)

    assert (kept.content, kept.author_id, kept.author_name) == ("words", None, "")


# ---- words outside of the text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({"embeds": [CARD], "webhook_id": "77"}, "Build 7 failed\nStep: tests", id="a card of a webhook"),
        pytest.param(
            {"sticker_items": [{"id": "1", "name": "Wave", "format_type": 1}]}, "(sticker: Wave)", id="sticker"
        ),
        pytest.param(
            {"flags": 1 << 15, "components": [{"type": 17, "components": [{"type": 10, "content": "Release 4"}]}]},
            "Release 4",
            id="components",
        ),
        pytest.param(
            {
                "poll": {
                    "question": {"text": "Lunch?"},
                    "answers": [{"answer_id": 1, "poll_media": {"text": "Pizza", "emoji": {"id": None, "name": "🍕"}}}],
                    "expiry": LATER,
                }
            },
            "Poll: Lunch?\n- 🍕 Pizza",
            id="a poll",
        ),
        pytest.param(
            {
                "type": 46,
                "embeds": [
                    {
                        "type": "poll_result",
                        "fields": [
                            {"name": "poll_question_text", "value": "Lunch?"},
                            {"name": "victor_answer_text", "value": "Pizza"},
                            {"name": "victor_answer_votes", "value": "3"},
                            {"name": "total_votes", "value": "5"},
                        ],
                    }
                ],
            },
            "The poll has closed: Lunch?\nWinner: Pizza (3 of 5 votes)",
            id="the result of a poll",
        ),
        pytest.param(
            {
                "message_reference": {"type": 1, "message_id": "5", "channel_id": "6"},
                "message_snapshots": [
                    {
                        "message": {
                            "type": 0,
                            "content": "",
                            "embeds": [CARD],
                            "attachments": [],
                            "timestamp": LATER,
                            "edited_timestamp": None,
                            "sticker_items": [STICKER],
                            "components": [{"type": 10, "content": "in a component"}],
                        }
                    }
                ],
            },
            "Build 7 failed\nStep: tests\nin a component\n(sticker: Wave)",
            id="a forwarded message",
        ),
        pytest.param(
            {"attachments": [FILE | {"filename": "voice-message.ogg", "duration_secs": 72.6, "waveform": "AAAA"}]},
            "(voice message, 1 min 13 s)",
            id="a voice message",
        ),
        pytest.param(
            {"attachments": [FILE | {"filename": "r_sum.pdf", "title": "Résumé of May"}]},
            "(file: Résumé of May)",
            id="a file with a title",
        ),
        pytest.param(
            {"content": "see https://example.org", "embeds": [CARD | {"type": "article"}]},
            "see https://example.org",
            id="a preview is not said",
        ),
    ],
)
async def test_words_that_are_not_in_the_text_are_kept(fields: dict[str, Any], words: str, gateway: Gateway) -> None:
    assert (await gateway.create(**fields)).content == words


async def test_a_picture_is_kept_with_its_description_and_as_the_spoiler_that_it_is(gateway: Gateway) -> None:
    file = {"id": "1", "filename": "end.png", "size": 1, "url": "u", "proxy_url": "p", "flags": 8}

    kept = await gateway.create(attachments=[file | {"description": "who did it"}])

    assert kept.content == "||(picture: who did it)||"
    assert [attachment.name for attachment in kept.attachments] == ["SPOILER_end.png"]


async def test_what_an_application_says_after_it_was_thinking_is_kept(gateway: Gateway) -> None:
    thinking = gateway.payload(author=gateway.author | {"bot": True}, flags=1 << 7, type=20)

    (empty,) = await gateway.send("MESSAGE_CREATE", thinking)
    (said,) = await gateway.send("MESSAGE_UPDATE", thinking | {"flags": 0, "content": "It is sunny."})

    assert (empty.content, said.content, said.key) == ("", "It is sunny.", empty.key)
    assert (said.edited_at, said.completed_at) == (None, NOW)


# ---- whom and what a message mentions

BEN: dict[str, Any] = {"id": "88", "username": "ben8", "global_name": "Ben", "discriminator": "0", "avatar": None}
BEN_HERE: dict[str, Any] = BEN | {"member": {"nick": "Big Ben", "roles": [], "joined_at": None, "flags": 0}}


@pytest.mark.parametrize(
    "broken", [pytest.param({}, id="read"), pytest.param({"message_reference": 7}, id="unreadable")]
)
async def test_mentions_are_kept_with_the_names_of_then(broken: dict[str, Any], gateway: Gateway) -> None:
    role = gateway.guild.create_role("Potters")
    help_ = gateway.guild.create_text_channel("help")
    text = f"<@88> and <@!88> and <@&{role.id}> see <#{help_.id}>, not <@99>"

    kept = await gateway.create(content=text, mentions=[BEN_HERE], **broken)

    assert kept.content == (
        f"<@Big Ben:88> and <@!Big Ben:88> and <@&Potters:{role.id}> see <#help:{help_.id}>, not <@99>"
    )


async def test_a_mention_tells_no_name_of_a_channel_that_not_everybody_may_read(gateway: Gateway) -> None:
    hidden = discord.PermissionOverwrite(view_channel=False)
    secret = gateway.guild.create_text_channel("secret", overwrites={gateway.guild.default_role: hidden})

    kept = await gateway.create(content=f"ask in <#{secret.id}>")
    inside = await gateway.create(content=f"here in <#{secret.id}>", channel_id=str(secret.id))

    assert kept.content == f"ask in <#{secret.id}>"
    assert inside.content == f"here in <#secret:{secret.id}>"


async def test_a_mention_in_a_direct_message_has_the_name_that_comes_with_it(gateway: Gateway) -> None:
    payload = gateway.payload(content="<@88> <#5>", mentions=[BEN])
    del payload["guild_id"]

    (kept,) = await gateway.send("MESSAGE_CREATE", payload | {"channel_id": "4242"})

    assert kept.content == "<@Ben:88> <#5>"


# ---- titles of threads and forum posts


def thread_of(env: simcord.Env, parent: simcord.ChannelHandle, title: str) -> simcord.ChannelHandle:
    owner = env.backend.create_thread(parent.id, title, env.create_user("owner").id, type=ChannelType.PUBLIC_THREAD)
    return next(thread for thread in parent.threads if thread.id == owner.id)


@pytest.mark.parametrize("forum", [pytest.param(True, id="a forum post"), pytest.param(False, id="a thread")])
async def test_what_is_said_in_a_thread_is_kept_with_the_title_of_then(
    forum: bool, simcord_env: simcord.Env, gateway: Gateway
) -> None:
    create = gateway.guild.create_forum_channel if forum else gateway.guild.create_text_channel
    parent = create("help")
    thread = thread_of(simcord_env, parent, "Thermostat reset")
    await simcord_env.settle()

    first = await gateway.create(content="It blinks twice", channel_id=str(thread.id))
    simcord_env.backend.edit_channel(thread.id, {"name": "Thermostat: solved"})
    await simcord_env.settle()
    later = await gateway.create(content="thanks", channel_id=str(thread.id))

    assert (first.channel_id, first.thread_id) == (parent.id, thread.id)
    assert (first.channel_name, later.channel_name) == ("help › Thermostat reset", "help › Thermostat: solved")


@pytest.mark.parametrize(
    "broken", [pytest.param({}, id="read"), pytest.param({"message_reference": 7}, id="unreadable")]
)
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        pytest.param(18, "started a thread: Exhibition", id="a new thread"),
        pytest.param(4, "changed the title to: Exhibition", id="a new title"),
    ],
)
async def test_a_title_is_what_somebody_said(kind: int, words: str, broken: dict[str, Any], gateway: Gateway) -> None:
    kept = await gateway.create(type=kind, content="Exhibition", **broken)

    assert (kept.kind, kept.content) == (Kind.MESSAGE, words)


async def test_the_message_that_a_thread_began_with_is_kept_in_it(gateway: Gateway) -> None:
    said = gateway.payload(content="It blinks twice")
    reference = {"type": 0, "message_id": said["id"], "channel_id": said["channel_id"]}

    kept = await gateway.create(type=21, referenced_message=said, message_reference=reference)

    assert (kept.kind, kept.content, kept.reply_to) == (Kind.MESSAGE, "It blinks twice", int(said["id"]))


# ---- an update that is no edit


async def restarted(env: simcord.Env, recorder: FakeRecorder) -> None:
    """Start the bot anew: it knows the messages of before no longer."""
    await env.restart_bot(Bot(services(recorder, FakeAsker(NOTHING))))


async def test_pin_of_edited_message_after_restart_adds_nothing_to_what_memory_knows(
    simcord_env: simcord.Env, recorder: FakeRecorder, gateway: Gateway
) -> None:
    ana = gateway.guild.add_member(simcord_env.create_user("ana"))
    sent = await ana.send(gateway.channel, "on Tuesday")
    await ana.edit(sent, "on Wednesday")
    known = recorder.messages[-1]
    await restarted(simcord_env, recorder)
    recorder.messages.clear()

    pinned = message_payload(simcord_env.backend, simcord_env.backend.get_message(gateway.channel.id, sent.id))
    again = await gateway.send("MESSAGE_UPDATE", dict(pinned) | {"pinned": True})

    assert again == [known]
    assert fold([known, *again]) == ([known], [])


async def test_pin_of_edited_message_after_restart_tells_of_an_edit_that_was_missed(
    simcord_env: simcord.Env, recorder: FakeRecorder, gateway: Gateway
) -> None:
    sent = gateway.payload(content="on Tuesday")
    (before,) = await gateway.send("MESSAGE_CREATE", sent)
    await restarted(simcord_env, recorder)

    edited_meanwhile = sent | {"content": "on Wednesday", "edited_timestamp": LONG_AGO, "pinned": True}
    (after,) = await gateway.send("MESSAGE_UPDATE", edited_meanwhile)

    ((state,), (revision,)) = fold([before, after])
    assert (state.content, revision.content) == ("on Wednesday", "on Tuesday")


async def test_pin_of_a_message_that_was_never_edited_is_not_kept(
    simcord_env: simcord.Env, recorder: FakeRecorder, gateway: Gateway
) -> None:
    sent = gateway.payload(content="on Tuesday")
    await gateway.send("MESSAGE_CREATE", sent)
    await restarted(simcord_env, recorder)

    assert await gateway.send("MESSAGE_UPDATE", sent | {"pinned": True}) == []
