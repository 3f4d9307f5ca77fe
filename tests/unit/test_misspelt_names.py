"""A misspelt name is read as the only name that it is near, among those of the places that may be read."""

from datetime import UTC, datetime

import pytest

from agent.agent import Agent
from memory.names.known import Index, KnownNames, Named
from memory.names.near import nearest_names
from memory.question.misspelt import corrected_names
from tests.agents import question
from tests.fakes import FakeMemory, said
from tests.fuzz.limits import in_time

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
SECRET = 9

PEOPLE = {1: "Jonathan", 2: "Mirela Stan", 3: "Ben", 4: "Karla", 5: "Karlo", 6: "Viktor", 7: "agent47"}


def known() -> KnownNames:
    index = Index()
    for author_id, name in PEOPLE.items():
        index.add(Named(1, 1, "general", name, NOW, author_id))
    index.add(Named(2, 2, "kiln-talk", "Ben", NOW, 3))
    index.add(Named(SECRET, SECRET, "secret-plans", "Theodora", NOW, 8))
    return KnownNames(frozenset({1, 2}), (index,))


def read(text: str) -> tuple[str, list[tuple[str, str]]]:
    found = corrected_names(text, known(), here=1)
    return found.text, [(spelling.typed, spelling.meant) for spelling in found.read_as]


@pytest.mark.parametrize(
    ("typed", "meant", "spelling"),
    [
        ("what did Jonhatan say?", "what did Jonathan say?", ("Jonhatan", "Jonathan")),
        ("what did jonatan say about glaze?", "what did Jonathan say about glaze?", ("jonatan", "Jonathan")),
        ("Mierla's messages", "Mirela's messages", ("Mierla", "Mirela")),
        ("posted by Mirella", "posted by Mirela", ("Mirella", "Mirela")),
        ("how many messages were written by Vicktor?", "how many messages were written by Viktor?", None),
        ("what broke in #genral?", "what broke in #general?", ("#genral", "#general")),
        ("what broke in #kilntlak?", "what broke in #kiln-talk?", None),
        ("everyone but Viktr", "everyone but Viktor", None),
        ("what did Mirella Stan say?", "what did Mirela Stan say?", ("Mirella Stan", "Mirela Stan")),
        ("what did Ben and jonatan say?", "what did Ben and Jonathan say?", None),
    ],
)
def test_a_misspelt_name_is_read_as_the_one_that_it_is_near(
    typed: str, meant: str, spelling: tuple[str, str] | None
) -> None:
    text, read_as = read(typed)

    assert text == meant
    assert len(read_as) == 1
    assert spelling is None or read_as == [spelling]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("what did Jonathan say?", id="well spelt"),
        pytest.param("what did Karle say?", id="as near to two"),
        pytest.param("what did Bem say?", id="a short name"),
        pytest.param("what did Theodra say?", id="near a name of another place alone"),
        pytest.param("what broke in #secret-plan?", id="near a channel that may not be read"),
        pytest.param("what did agent48 say?", id="another number"),
        pytest.param("what did Zonathan say?", id="another first letter"),
        pytest.param("what was said about Jonhatan?", id="a matter, and no speaker"),
        pytest.param("what did they say?", id="words that are nobody's name"),
        pytest.param("what happened in #42?", id="an issue"),
        pytest.param("what did <@3> say to customers?", id="a mention"),
        pytest.param("what did <@1234567890123> say?", id="a mention of nobody who is known"),
    ],
)
def test_a_name_is_not_read_as_another_when_it_need_not_be_meant(text: str) -> None:
    assert read(text) == (text, [])


def test_the_nearest_names_count_and_long_ones_may_have_two_mistakes() -> None:
    assert nearest_names("jonhatan", ["jonathan", "jonathons", "jon"]) == ["jonathan"]
    assert nearest_names("jonathon", ["jonhatan", "jonathan"]) == ["jonathan"]
    assert nearest_names("viktro", ["viktor", "vektor"]) == ["viktor"]
    assert nearest_names("vktor", ["viktor", "vektor"]) == ["viktor", "vektor"]


@pytest.mark.parametrize("part", ["#genral ", "did Jonhatan say ", "by Xxxxxxxx ", "#", "Jonhatan's messages "])
def test_misspelt_names_are_looked_for_in_bounded_time(part: str) -> None:
    text = (part * 2000)[:2000]
    names = known()

    with in_time(len(text)):
        corrected_names(text, names, here=1)


async def test_an_answer_says_as_what_a_name_was_read() -> None:
    memory = FakeMemory([said("the glaze is green", author_name="Jonathan")])

    answer = await Agent((), memory=memory).ask(question("what did Jonhatan say about the glaze?"))

    assert answer.notes[0] == 'I read "Jonhatan" as "Jonathan".'
    assert [source.message.content for source in answer.sources] == ["the glaze is green"]


async def test_a_count_says_as_what_a_name_was_read() -> None:
    memory = FakeMemory([said("the glaze is green", author_name="Jonathan")])

    answer = await Agent((), memory=memory).ask(question("how many messages did Jonhatan write?"))

    assert answer.text.startswith("**1 message** by Jonathan")
    assert answer.notes[0] == 'I read "Jonhatan" as "Jonathan".'
