"""Commands over Discord's real protocol: published, acknowledged in time, answered, also where nobody else sees it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta
from zoneinfo import ZoneInfo

import discord
import pytest

from agent.types import Answer, Question, Searched
from bot.buttons import NOT_YOURS
from bot.client import Bot
from memory.message import Kind, Message
from tests.fake_discord import Channel, FakeDiscord, Guild, Member
from tests.fake_discord.limits import HISTORY
from tests.fake_discord.models import EPHEMERAL, LOADING, VIEW
from tests.fake_discord.validation import COMPONENTS_V2
from tests.fakes_discord import NOW, FakeAsker, FakeRecorder, services
from tests.wire import served, without_pauses
from time_expressions.window import Window

IN_TIME = 3.0  # seconds; Discord waits no longer
EDIT = "PATCH /webhooks"
LAST_WEEK = Searched(
    windows=(Window(NOW - timedelta(days=7), NOW),),
    went_beyond=False,
    channels=(),
    now=NOW,
    time_zone=ZoneInfo("Europe/Paris"),
)


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
def asker() -> FakeAsker:
    return FakeAsker(Answer(text="At noon."))


@pytest.fixture
def recorder() -> FakeRecorder:
    return FakeRecorder()


@pytest.fixture
def bot(recorder: FakeRecorder, asker: FakeAsker) -> Bot:
    return Bot(services(recorder, asker))


async def test_a_command_is_acknowledged_and_then_answered_for_all(
    bot: Bot, fake: FakeDiscord, recorder: FakeRecorder, general: Channel, ana: Member
) -> None:
    async with served(bot, fake):
        asked = fake.interactions.use(general, ana, "chat", text="when does the ferry leave?")
        acknowledged_after = await fake.interactions.acknowledged(asked)
        text = await fake.interactions.answered(asked)
        answer = await anext(kept async for kept in news(recorder) if kept.kind is Kind.ANSWER)

    assert acknowledged_after < IN_TIME
    assert "At noon." in text
    assert asked.original is not None
    assert general.messages[asked.original.id] is asked.original
    assert asked.original.edited_at is None, "what ends the waiting is no edit to Discord"
    assert (answer.message_id, answer.channel_id) == (asked.original.id, general.id)


async def news(recorder: FakeRecorder) -> AsyncIterator[Message]:
    while True:
        yield await recorder.news.get()


async def test_a_private_answer_is_seen_by_the_asker_alone(
    bot: Bot, fake: FakeDiscord, general: Channel, ana: Member
) -> None:
    async with served(bot, fake):
        asked = fake.interactions.use(general, ana, "chat", text="when does the ferry leave?", private=True)
        await fake.interactions.answered(asked)

    assert asked.original is not None
    assert asked.original.flags & EPHEMERAL
    assert asked.callback is not None
    assert asked.callback["data"]["flags"] & EPHEMERAL
    assert not general.messages


async def test_a_long_answer_goes_on_in_follow_ups(
    bot: Bot, fake: FakeDiscord, asker: FakeAsker, general: Channel, ana: Member
) -> None:
    asker.reply = Answer(text="\n\n".join(f"Paragraph {number}. {'word ' * 250}" for number in range(8)))

    async with served(bot, fake):
        asked = fake.interactions.use(general, ana, "chat", text="tell me all", private=True)
        await fake.until(lambda: len(asked.follow_ups) >= 2)
        await fake.until(lambda: any("Paragraph 7" in message.text for message in asked.messages()))

    whole = "".join(message.text for message in asked.messages())
    found = [whole.index(f"Paragraph {number}.") for number in range(8)]
    assert found == sorted(found)
    assert all(message.is_ephemeral for message in asked.messages())


async def test_a_command_is_acknowledged_while_its_answer_takes_long(
    bot: Bot, fake: FakeDiscord, asker: FakeAsker, general: Channel, ana: Member
) -> None:
    thought = asyncio.Event()

    async def until_thought(_: Awaitable[object]) -> object:
        if asyncio.iscoroutine(_):
            _.close()
        return await thought.wait()

    asker.hold = until_thought
    async with served(bot, fake):
        asked = [fake.interactions.use(general, ana, "chat", text=f"question {number}") for number in range(10)]
        waits = [await fake.interactions.acknowledged(interaction) for interaction in asked]
        waiting = [interaction.original.flags & LOADING if interaction.original else 0 for interaction in asked]
        thought.set()
        texts = [await fake.interactions.answered(interaction) for interaction in asked]

    assert max(waits) < IN_TIME
    assert all(waiting)
    assert all("At noon." in text for text in texts)


async def test_a_command_that_came_too_late_leaves_the_bot_to_answer_the_next(
    bot: Bot, fake: FakeDiscord, general: Channel, ana: Member, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(bot, fake):
        fake.interactions.too_late = True
        late = fake.interactions.use(general, ana, "chat", text="too late")
        await fake.requested("/callback")
        fake.interactions.too_late = False
        await fake.interactions.answered(fake.interactions.use(general, ana, "chat", text="in time"))

    assert late.acknowledged_after is None
    assert f"command {late.id} not acknowledged" in caplog.text


async def test_a_command_is_acknowledged_in_spite_of_a_fault_at_discord(
    bot: Bot, fake: FakeDiscord, general: Channel, ana: Member
) -> None:
    async with served(bot, fake):
        fake.rest.fail("/callback", status=502)
        asked = fake.interactions.use(general, ana, "chat", text="when does the ferry leave?")

        assert await fake.interactions.acknowledged(asked) < IN_TIME
        await fake.interactions.answered(asked)


async def test_an_answer_that_came_too_early_is_sent_again(
    bot: Bot, fake: FakeDiscord, general: Channel, ana: Member
) -> None:
    async with served(bot, fake):
        fake.rest.throttle(EDIT, retry_after=0.1)
        asked = fake.interactions.use(general, ana, "chat", text="when does the ferry leave?")
        assert "At noon." in await fake.interactions.answered(asked)

    assert fake.rest.count(EDIT, status=429) == 1
    assert fake.rest.count(EDIT, status=200) >= 1


async def test_a_limit_for_everything_holds_up_no_command(
    bot: Bot, fake: FakeDiscord, general: Channel, ana: Member
) -> None:
    async with served(bot, fake):
        fake.rest.throttle(HISTORY, retry_after=30, is_global=True)
        reading = bot.loop.create_task(bot.http.logs_from(general.id, 10))
        await fake.requested(HISTORY)
        asked = fake.interactions.use(general, ana, "chat", text="when does the ferry leave?")

        assert await fake.interactions.acknowledged(asked) < IN_TIME
        await fake.interactions.answered(asked)
        reading.cancel()


async def test_a_button_answers_the_asker_and_nobody_else(
    bot: Bot, fake: FakeDiscord, asker: FakeAsker, guild: Guild, general: Channel, ana: Member
) -> None:
    def answer(question: Question) -> Answer:
        return Answer(text="In all time.") if question.all_time else Answer(text="Last week.", searched=LAST_WEEK)

    asker.reply = answer
    ben = fake.world.member(guild, "Ben")
    async with served(bot, fake):
        asked = fake.interactions.use(general, ana, "chat", text="what was said last week?")
        await fake.interactions.answered(asked)
        assert asked.original is not None
        custom_id = f"bs:all:{asked.id}"
        assert custom_id in str(asked.original.fields["components"])
        by_ben = fake.interactions.click(asked.original, ben, custom_id)
        refusal = await fake.interactions.answered(by_ben)
        by_ana = fake.interactions.click(asked.original, ana, custom_id)
        text = await fake.interactions.answered(by_ana)

    assert refusal == NOT_YOURS
    assert by_ben.original is not None
    assert by_ben.original.is_ephemeral
    assert "In all time." in text


async def test_a_command_in_a_channel_that_the_bot_may_not_see_tells_of_the_channel_and_of_that(
    fake: FakeDiscord, guild: Guild, ana: Member
) -> None:
    secret = fake.world.channel(guild, "secret")
    fake.world.permit(secret, ana, allow=VIEW)
    fake.world.permit(secret, fake.world.bot_in(guild), deny=VIEW)
    used: asyncio.Queue[discord.Interaction] = asyncio.Queue()
    client = discord.Client(intents=discord.Intents(guilds=True))
    tree = discord.app_commands.CommandTree(client)

    @tree.command(name="where", description="Where am I?")
    async def where(interaction: discord.Interaction) -> None:
        used.put_nowait(interaction)

    without_pauses(client)
    async with client:
        await client.login(fake.token)
        await tree.sync()
        connecting = client.loop.create_task(client.connect())
        await fake.ready()
        fake.interactions.use(secret, ana, "where")
        interaction = await used.get()
        known = client.get_channel(secret.id)
        await client.close()
        await connecting

    assert isinstance(interaction.channel, discord.TextChannel)
    assert isinstance(known, discord.TextChannel)
    assert (known.name, interaction.app_permissions.view_channel) == ("___hidden___", False)
    assert interaction.permissions.view_channel
    assert interaction.channel.id == secret.id


@pytest.mark.parametrize(
    ("flags", "body", "code"),
    [
        pytest.param(0, {"content": "x" * 2001}, 50035, id="longer than 2,000 characters"),
        pytest.param(0, {"content": ""}, 50006, id="nothing in it"),
        pytest.param(COMPONENTS_V2, {"content": "x"}, 50035, id="a content beside components"),
        pytest.param(
            COMPONENTS_V2,
            {"components": [{"type": 10, "content": "x" * 2001}, {"type": 10, "content": "y" * 2000}]},
            50035,
            id="components that show more than 4,000 characters",
        ),
    ],
)
async def test_the_fake_refuses_a_message_as_discord_would(
    fake: FakeDiscord, general: Channel, flags: int, body: dict[str, object], code: int
) -> None:
    async with discord.Client(intents=discord.Intents.none()) as client:
        await client.login(fake.token)
        route = discord.http.Route("POST", "/channels/{channel_id}/messages", channel_id=general.id)

        with pytest.raises(discord.HTTPException) as caught:
            await client.http.request(route, json={"flags": flags, **body})

    assert caught.value.code == code
    assert not general.messages
