"""The bot over Discord's real protocol, HTTP and a websocket on the loopback: how it gets in, and what it hears."""

import random

import discord
import pytest

from agent.types import Answer
from bot.client import Bot, serve
from errors import DiscordSetupError
from memory.message import Message as Kept
from tests.builders import closed_port
from tests.fake_discord import Channel, FakeDiscord, Guild, Member, Overwrite, Role
from tests.fake_discord.models import FORUM, HISTORY, MANAGE_THREADS, SEND, VIEW, permissions_in
from tests.fakes_discord import FakeAsker, FakeRecorder, services
from tests.wire import served


@pytest.fixture
def guild(fake: FakeDiscord) -> Guild:
    return fake.world.guild("Harbour")


@pytest.fixture
def general(fake: FakeDiscord, guild: Guild) -> Channel:
    return fake.world.channel(guild, "general")


@pytest.fixture
def ana(fake: FakeDiscord, guild: Guild) -> Member:
    return fake.world.member(guild, "Ana")


@pytest.fixture
def recorder() -> FakeRecorder:
    return FakeRecorder()


@pytest.fixture
def bot(recorder: FakeRecorder) -> Bot:
    return Bot(services(recorder, FakeAsker(Answer(text="-"))))


async def heard(recorder: FakeRecorder, count: int = 1) -> list[Kept]:
    return [await recorder.news.get() for _ in range(count)]


# ---- getting in


async def test_a_refused_token_is_told_in_one_sentence(bot: Bot, fake: FakeDiscord) -> None:
    with pytest.raises(DiscordSetupError, match="refuses DISCORD_TOKEN: copy the token again"):
        await serve(bot, "bad")

    assert bot.is_closed()
    assert fake.rest.count("/users/@me", status=401) == 1
    assert fake.gateway.identified == []


@pytest.mark.parametrize(
    ("close_code", "sentence"),
    [
        pytest.param(4004, "refuses DISCORD_TOKEN", id="the token was reset after the login"),
        pytest.param(4013, "code 4013", id="anything else that is final"),
    ],
)
async def test_a_gateway_that_closes_for_good_is_told_in_one_sentence(
    bot: Bot, fake: FakeDiscord, close_code: int, sentence: str
) -> None:
    fake.gateway.close_code = close_code

    with pytest.raises(DiscordSetupError, match=sentence):
        await serve(bot, fake.token)

    assert bot.is_closed()
    assert len(fake.gateway.identified) == 1


async def test_an_intent_that_is_switched_off_is_told_in_one_sentence(bot: Bot, fake: FakeDiscord) -> None:
    fake.gateway.flags = 0  # so that the gateway closes with 4014

    with pytest.raises(DiscordSetupError, match="Message Content Intent"):
        await serve(bot, fake.token)

    assert bot.is_closed()


async def test_a_discord_that_is_not_there_is_told_in_one_sentence(
    bot: Bot, fake: FakeDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discord.http.Route, "BASE", f"http://127.0.0.1:{closed_port()}")

    with pytest.raises(DiscordSetupError, match="Discord cannot be reached: Cannot connect to host"):
        await serve(bot, fake.token)

    assert bot.is_closed()


async def test_only_the_needed_intents_are_asked_for_and_all_commands_are_published(
    bot: Bot, fake: FakeDiscord
) -> None:
    async with served(bot, fake):
        pass

    asked = discord.Intents._from_value(fake.gateway.identified[0]["intents"])
    assert {name for name, wanted in asked if wanted} == {
        "guilds",
        "guild_messages",
        "dm_messages",
        "guild_reactions",
        "dm_reactions",
        "message_content",
    }
    assert {command["name"] for command in fake.interactions.commands} >= {"chat", "about", "help", "timezone"}


async def test_commands_are_published_in_the_bots_server_once_it_is_invited_there(
    fake: FakeDiscord, recorder: FakeRecorder, caplog: pytest.LogCaptureFixture
) -> None:
    guild = fake.world.guild("Harbour", has_bot=False)
    bot = Bot(services(recorder, FakeAsker(Answer(text="-"))), server_id=guild.id)
    async with served(bot, fake):
        fake.world.invite(guild)
        await fake.requested("PUT /applications/{application_id}/guilds", times=2)

    assert "chat" in {command["name"] for command in fake.interactions.guild_commands[guild.id]}
    assert f"The bot is not in server {guild.id} (DISCORD_SERVER_ID) yet" in caplog.text


async def test_the_bot_knows_its_servers_channels_and_threads_once_it_is_in(
    bot: Bot, fake: FakeDiscord, recorder: FakeRecorder, guild: Guild, general: Channel
) -> None:
    thread = fake.world.thread(general, "the ferry")
    other = fake.world.guild("Hill")

    async with served(bot, fake):
        assert {known.name for known in bot.guilds} == {"Harbour", "Hill"}
        place = bot.get_guild(guild.id)
        assert place is not None
        assert [channel.name for channel in place.text_channels] == ["general"]
        assert [known.id for known in place.threads] == [thread.id]
        assert place.me.guild_permissions.view_channel
        fake.world.expel(other)
        fake.world.say(general, "still here")  # what comes after it shows that an event was read
        await heard(recorder)
        assert {known.name for known in bot.guilds} == {"Harbour"}


async def test_a_cancelled_bot_closes_its_connection(bot: Bot, fake: FakeDiscord) -> None:
    async with served(bot, fake):
        assert len(fake.gateway.connected) == 1

    assert bot.is_closed()
    await fake.until(lambda: not fake.gateway.sessions)


# ---- hearing


async def test_a_message_is_captured_after_a_normal_login(
    bot: Bot, fake: FakeDiscord, recorder: FakeRecorder, general: Channel, ana: Member
) -> None:
    async with served(bot, fake):
        sent = fake.world.say(general, "hello there", author=ana)
        (message,) = await heard(recorder)

    assert (message.message_id, message.content, message.author_name) == (sent.id, "hello there", "Ana")
    assert (message.guild_id, message.channel_id) == (ana.guild.id, general.id)
    assert message.channel_name == "general"
    assert message.sent_at == discord.utils.snowflake_time(sent.id)


async def test_edits_and_deletions_are_captured_also_of_messages_from_before_the_start(
    bot: Bot, fake: FakeDiscord, recorder: FakeRecorder, general: Channel, ana: Member
) -> None:
    old = [fake.world.say(general, f"old {number}", author=ana) for number in range(4)]

    async with served(bot, fake):
        fake.world.edit(old[0], "changed")
        fake.world.delete(old[1])
        fake.world.delete_many(old[2:])
        edited, *deleted = await heard(recorder, 4)

    assert (edited.message_id, edited.content, edited.edited_at) == (old[0].id, "changed", old[0].edited_at)
    assert [message.message_id for message in deleted] == [message.id for message in old[1:]]
    assert all(message.deleted_at for message in deleted)


async def test_what_is_said_in_a_new_thread_and_in_a_direct_message_is_captured(
    bot: Bot, fake: FakeDiscord, recorder: FakeRecorder, general: Channel, ana: Member
) -> None:
    async with served(bot, fake):
        thread = fake.world.thread(general, "the ferry", owner=ana)
        fake.world.say(thread, "it leaves at noon", author=ana)
        fake.world.say(fake.world.direct_message(ana.user), "psst", author=ana)
        in_thread, direct = await heard(recorder, 2)

    assert (in_thread.thread_id, in_thread.channel_id) == (thread.id, general.id)
    assert (direct.guild_id, direct.content) == (None, "psst")


async def test_what_becomes_of_channels_and_threads_is_known(
    bot: Bot, fake: FakeDiscord, recorder: FakeRecorder, guild: Guild, general: Channel, ana: Member
) -> None:
    world = fake.world
    old, thread = world.channel(guild, "old"), world.thread(general, "the ferry", owner=ana)
    forum = world.channel(guild, "questions", kind=FORUM)
    staff = world.role(guild, "staff")

    async with served(bot, fake):
        known = bot.get_guild(guild.id)
        assert known is not None
        open_thread = known.get_thread(thread.id)
        world.update(general, name="plaza", nsfw=True)
        world.remove(old)
        world.set_permissions(guild, staff, MANAGE_THREADS)
        world.permit(general, staff, allow=SEND)
        world.update(thread, name="the late ferry")
        world.archive(thread, locked=True)
        post = world.post(forum, "how to dock?", "slowly", author=ana)
        assert [message.content for message in await heard(recorder)] == ["slowly"]
        channel, role = known.get_channel(general.id), known.get_role(staff.id)

    assert isinstance(channel, discord.TextChannel)
    assert (channel.name, channel.nsfw, known.get_channel(old.id)) == ("plaza", True, None)
    assert role is not None
    assert role.permissions.manage_threads
    assert channel.overwrites_for(role).send_messages is True
    assert open_thread is not None
    assert (open_thread.name, known.get_thread(thread.id)) == ("the late ferry", None), "archived threads are not kept"
    assert known.get_thread(post.id) is not None


async def test_a_server_that_fails_is_known_again_when_it_comes_back(
    bot: Bot, fake: FakeDiscord, recorder: FakeRecorder, guild: Guild, general: Channel
) -> None:
    async with served(bot, fake):
        fake.world.fail(guild)
        fake.world.update(general, name="plaza")
        fake.world.recover(guild)
        fake.world.say(general, "back again")
        (message,) = await heard(recorder)

    assert (message.content, message.channel_name) == ("back again", "plaza")


async def test_forwards_and_webhooks_are_heard_as_what_they_are(
    bot: Bot, fake: FakeDiscord, recorder: FakeRecorder, general: Channel, ana: Member
) -> None:
    first = fake.world.say(general, "the ferry leaves at noon", author=ana)

    async with served(bot, fake):
        fake.world.forward(first, general, author=ana)
        fake.world.relay(general, "I am Luna", name="Luna", webhook_id=77)
        forwarded, relayed = await heard(recorder, 2)

    assert "the ferry leaves at noon" in forwarded.content
    assert (relayed.author_name, relayed.content) == ("Luna", "I am Luna")


async def test_of_a_channel_that_the_bot_may_not_see_it_hears_nothing(
    bot: Bot, fake: FakeDiscord, recorder: FakeRecorder, guild: Guild, general: Channel
) -> None:
    secret = fake.world.channel(guild, "secret", overwrites=closed(fake, guild))
    between = fake.world.thread(general, "between us", private=True)

    async with served(bot, fake):
        for place in (secret, between, general):
            fake.world.say(place, f"said in {place.name}")
        (message,) = await heard(recorder)

    assert message.content == "said in general"


async def test_a_channel_that_the_bot_may_not_see_has_no_name_until_it_may(
    bot: Bot, fake: FakeDiscord, recorder: FakeRecorder, guild: Guild, general: Channel
) -> None:
    secret = fake.world.channel(guild, "secret", overwrites=closed(fake, guild))

    async with served(bot, fake):
        known = bot.get_channel(secret.id)
        assert isinstance(known, discord.TextChannel)
        assert (known.name, known.permissions_for(known.guild.me).view_channel) == ("___hidden___", False)
        assert known.overwrites == {known.guild.default_role: discord.PermissionOverwrite(view_channel=False)}
        for role in list(guild.roles.values()):
            fake.world.permit(secret, role)
        fake.world.say(secret, "now you hear me")
        (message,) = await heard(recorder)
        assert known.name == "secret"
        fake.world.permit(secret, fake.world.bot_in(guild), deny=VIEW)
        fake.world.say(general, "the end")
        await heard(recorder)
        assert known.name == "___hidden___"

    assert message.channel_name == "secret"


def closed(fake: FakeDiscord, guild: Guild) -> dict[Role | Member, Overwrite]:
    """Return overwrites that let the bot not see a channel."""
    own = fake.world.bot_in(guild).roles.values()
    return {role: Overwrite(deny=VIEW) for role in (guild.everyone, *own)}


async def test_the_fake_lets_the_bot_do_what_discord_py_computes_that_it_may(
    bot: Bot, fake: FakeDiscord, guild: Guild
) -> None:
    chance = random.Random(5)  # noqa: S311 - it decides what is allowed in a test
    bits = (VIEW, HISTORY, SEND, MANAGE_THREADS)
    me = fake.world.bot_in(guild)
    roles = [fake.world.role(guild, f"role {number}", permissions=some(chance, bits)) for number in range(4)]
    fake.world.give(me, *roles[:2])
    concerned: list[Role | Member] = [guild.everyone, *roles, me]
    for number in range(200):
        written = [who for who in concerned if chance.random() < 0.4]
        overwrites = {who: Overwrite(some(chance, bits), some(chance, bits)) for who in written}
        fake.world.channel(guild, f"number {number}", overwrites=overwrites)

    async with served(bot, fake):
        known = bot.get_guild(guild.id)
        assert known is not None
        computed = {channel.id: channel.permissions_for(known.me).value & sum(bits) for channel in known.channels}

    expected = {channel.id: permissions_in(me, channel) & sum(bits) for channel in guild.channels.values()}
    assert computed == expected
    assert len(set(expected.values())) > 4


def some(chance: random.Random, bits: tuple[int, ...]) -> int:
    """Return any of these bits together."""
    return sum(bit for bit in bits if chance.random() < 0.5)


# ---- what cannot be read


async def test_an_event_that_discord_py_cannot_read_ends_neither_the_connection_nor_the_capture(
    bot: Bot, fake: FakeDiscord, recorder: FakeRecorder, general: Channel
) -> None:
    without_end: dict[str, object] = {"question": {"text": "When?"}, "answers": [], "expiry": None}
    async with served(bot, fake):
        fake.world.say(general, "vote", poll=without_end)
        fake.world.say(general, "hello there")
        kept = await heard(recorder, 2)

    assert {message.content for message in kept} == {"vote\nPoll: When?", "hello there"}


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param("{", id="no JSON"),
        pytest.param("[]", id="JSON of another form"),
        pytest.param('{"op": 10, "d": {}}', id="a greeting without what is needed"),
        pytest.param('{"op": 0, "t": "READY", "s": 7, "d": {}}', id="a welcome without what is needed"),
    ],
)
async def test_a_frame_that_discord_py_cannot_read_leads_to_a_new_connection(
    frame: str,
    bot: Bot,
    fake: FakeDiscord,
    recorder: FakeRecorder,
    general: Channel,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with served(bot, fake):
        fake.gateway.send(frame)
        await fake.ready(2)
        fake.world.say(general, "hello again")
        (message,) = await heard(recorder)

    assert message.content == "hello again"
    assert len(fake.gateway.identified) == 2
    assert "connecting anew" in caplog.text


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param('{"op": 0, "t": "MESSAGE_CREATE", "s": 7, "d": null}', id="a message that is none"),
        pytest.param('{"op": 0, "t": "GUILD_CREATE", "s": 7, "d": {"channels": 7}}', id="a guild that is none"),
        pytest.param('{"op": 0, "t": "CHANNEL_UPDATE", "s": 7, "d": {"flags": []}}', id="a channel that is none"),
        pytest.param('{"op": 0, "t": "INTERACTION_CREATE", "s": 7, "d": {}}', id="a command that is none"),
        pytest.param('{"op": 0, "t": "OF_A_LATER_TIME", "s": 7, "d": {}}', id="an event of a later time"),
        pytest.param('{"op": 99, "d": {}}', id="an operation of a later time"),
    ],
)
async def test_an_event_of_an_unexpected_form_is_passed_over(
    frame: str, bot: Bot, fake: FakeDiscord, recorder: FakeRecorder, general: Channel
) -> None:
    async with served(bot, fake):
        fake.gateway.send(frame)
        fake.world.say(general, "hello again")
        (message,) = await heard(recorder)

    assert message.content == "hello again"
    assert len(fake.gateway.identified) == 1
