"""Questions on a simulated Discord are kept until they are answered, but not those that may not be kept."""

import pytest
import simcord

from agent.types import Answer
from bot.client import Bot
from memory.answers.kept import State
from memory.consent.rules import Rules
from tests.fakes_answers import FakeAnswerStore
from tests.fakes_consent import FakeConsent
from tests.fakes_discord import NOW, FakeAsker, FakeRecorder, services
from tests.seen import seen

FOUND = "The deploy is on Friday."


@pytest.fixture
def store() -> FakeAnswerStore:
    return FakeAnswerStore()


@pytest.fixture
def consent() -> FakeConsent:
    return FakeConsent()


@pytest.fixture
def simcord_bot(store: FakeAnswerStore, consent: FakeConsent) -> Bot:
    return Bot(services(FakeRecorder(), FakeAsker(Answer(text=FOUND)), answers=store, consent=consent))


async def test_a_question_is_kept_with_its_answer_and_without_a_token_once_that_is_there(
    simcord_env: simcord.Env, store: FakeAnswerStore
) -> None:
    guild = simcord_env.create_guild("Guild")
    general, ana = guild.create_text_channel("general"), guild.add_member(simcord_env.create_user("ana"))

    await ana.slash(general, "chat", text="when is the deploy?")

    (kept,) = store.kept.values()
    assert (kept.question.text, kept.question.asker_id, kept.state) == ("when is the deploy?", ana.id, State.DELIVERED)
    assert kept.answer is not None
    assert kept.answer.text == FOUND


@pytest.mark.parametrize("what", ["person", "channel"])
async def test_nothing_is_kept_of_a_question_that_may_not_be_kept_and_it_is_answered(
    simcord_env: simcord.Env, store: FakeAnswerStore, consent: FakeConsent, what: str
) -> None:
    guild = simcord_env.create_guild("Guild")
    general, ana = guild.create_text_channel("general"), guild.add_member(simcord_env.create_user("ana"))
    consent.rules = Rules(opted_out={ana.id: NOW}) if what == "person" else Rules(ignored={general.id: NOW})

    answer = await ana.slash(general, "chat", text="when is the deploy?")

    assert FOUND in seen(answer.response)
    assert store.kept == {}
