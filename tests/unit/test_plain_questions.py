"""A question is read as its plain words, whatever Markdown, emoji and fancy letters it is typed with."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from memory.counting.question import read_request
from memory.question.parse import parse_question
from memory.question.plain import plain_question
from tests.fakes import FakeMemory, said
from tests.fuzz.limits import in_time


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("what was **decided** about `db`?", "what was decided about db?"),
        ("what did *Ana* say about ~~salt~~ ||soda||?", "what did Ana say about salt soda?"),
        ("__who__ said _that_?", "who said that?"),
        ("what is my_snake_case for?", "what is my_snake_case for?"),
        ("what is in #no__where__?", "what is in #no__where__?"),
        ("how often was `db push` mentioned?", 'how often was "db push" mentioned?'),
        ("what does `__init__` do?", "what does __init__ do?"),
        ("what does ```py\nimport os``` do?", 'what does "import os" do?'),
        ("> who asked that?", "who asked that?"),
        ("## any news", "any news"),
        ("#deploys any news", "#deploys any news"),
        ("what is [the wiki](https://wiki.example/a) for?", "what is the wiki for?"),
        ("who reacted to 🎉 party", "who reacted to 🎉 party"),
        ("how often was <a:party_blob:123456789> used?", "how often was :party_blob: used?"),
        ("who wrote 👍🏽 to <@123>?", "who wrote 👍 to <@123>?"),
        ("what did <@123> say in <#456>?", "what did <@123> say in <#456>?"),
        ("\uff57\uff48\uff41\uff54\u3000did Ben say?", "what did Ben say?"),
        ("what did \U0001d4d1\U0001d4ee\U0001d4f7 say?", "what did Ben say?"),
        ("what did B\u0435n say?", "what did Ben say?"),
        ("что сказал Бен?", "что сказал Бен?"),
        ("what did B\u200ben say?", "what did Ben say?"),
        ("2 * 3 * 4?", "2 * 3 * 4?"),
        ('what about "no more"?', 'what about "no more"?'),
    ],
)
def test_a_question_is_its_plain_words(typed: str, plain: str) -> None:
    assert plain_question(typed) == plain


@pytest.mark.parametrize("part", ["*", "**a", "`a ", "[a](", "<:a", "_a", "||", "> ", "\u0430a", "`" * 3])
def test_plain_words_are_found_in_bounded_time(part: str) -> None:
    text = (part * 2000)[:2000]

    with in_time(len(text)):
        plain_question(text)


@pytest.mark.parametrize(
    ("typed", "topic"),
    [
        ("what was **decided** about `db`?", "what was decided about db?"),
        ("who reacted to 🎉 party", "who reacted to 🎉 party"),
        ("what did \uff21\uff2e\uff21 say about **glaze**?", "what did ANA say about glaze?"),
    ],
)
async def test_what_is_searched_for_is_the_plain_question(typed: str, topic: str) -> None:
    parsed = await parse_question(
        typed,
        places=frozenset({1}),
        here=1,
        now=datetime(2026, 11, 4, tzinfo=UTC),
        time_zone=ZoneInfo("UTC"),
        memory=FakeMemory([said("glaze", author_name="Ana")]),
    )

    assert parsed.topic == topic


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("how often was <:party:123> used?", ":party:"),
        ("how many times was 👍🏽 used?", "👍"),
        ("how often was **raku** mentioned?", "raku"),
        ("how often was `db push` mentioned?", '"db push"'),
    ],
)
def test_emoji_and_code_are_counted(text: str, terms: str) -> None:
    request = read_request(plain_question(text))

    assert request is not None
    assert request.terms == terms
