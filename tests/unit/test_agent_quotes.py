"""How a message is quoted."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agent.citations import cited_numbers
from agent.quotation import quotation
from agent.selection import LENGTH
from agent.spoilers import split_code
from memory.message import Attachment
from memory.search.results import RankedMessage
from tests.discord_markdown import nodes_of
from tests.fakes import said

PARIS = ZoneInfo("Europe/Paris")


def hit(similarity: float, *, content: str = "on friday", **fields: Any) -> RankedMessage:
    return RankedMessage(said(content, **fields), hit=True, similarity=similarity, score=similarity)


def quoted(content: str, question: str = "when?", **fields: Any) -> str:
    return quotation(1, hit(0.9, content=content, **fields), question=question, time_zone=PARIS)


def test_a_quotation_names_author_place_and_local_time() -> None:
    assert quoted("on friday") == '- **ana** in #general, Tue 3 Nov 2026 14:02: "on friday" [1]'


def test_a_quotation_of_the_new_year_is_dated_on_the_askers_clock() -> None:
    text = quoted("cheers", sent_at=datetime(2026, 12, 31, 23, 30, tzinfo=UTC))

    assert "Fri 1 Jan 2027 00:30" in text


def test_a_long_text_is_cut_around_a_word_of_the_question() -> None:
    text = quoted("blah " * 200 + "the deployment is on friday " + "blah " * 200, question="when is the deployment?")

    assert "the deployment is on friday" in text
    assert '"… blah' in text
    assert 'blah …" [1]' in text
    assert len(text) < LENGTH + 100


def test_a_text_of_several_lines_keeps_them() -> None:
    assert quoted("first\nsecond").endswith("[1]:\n> first\n> second")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("try ```py\ndeploy()\n``` now", id="a fence in mid-sentence"),
        pytest.param("```py\ndeploy()```", id="a fence closed in the line of code"),
        pytest.param("```py\ndeploy()\n", id="a fence that is never closed"),
        pytest.param("```py\n" + "deploy()\n" * 500 + "```", id="more code than fits"),
        pytest.param("```deploy()```", id="a fence in one line"),
        pytest.param("-`````py\nx\n```1", id="a fence with another one inside"),
    ],
)
def test_code_keeps_a_fence_on_lines_of_its_own(content: str) -> None:
    lines = quoted(content).splitlines()

    fences = [line for line in lines if "```" in line]
    assert fences[0] in {"```py", "```"}
    assert fences[1:] == ["```"]
    assert len("\n".join(lines)) < 1000


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"content": "the ` key"}, id="in the text"),
        pytest.param({"content": "on friday", "author_name": "a`na"}, id="in a name"),
        pytest.param({"content": "``` is how code starts"}, id="an open fence"),
    ],
)
def test_a_stray_backtick_does_not_make_code_of_the_mark(fields: dict[str, Any]) -> None:
    both = f"{quoted(**fields)}\n{quoted('another ` one')}"

    assert cited_numbers(both) == [1]
    assert "code" not in {node.kind for node in nodes_of(both)}
    assert {is_code for is_code, part in split_code(both) if "[1]" in part} == {False}


@pytest.mark.parametrize("name", ["[2]", "ana [2, 3]", "[[2]](https://e.org)", "``[2]"])
def test_whoever_is_called_like_a_mark_cites_nothing(name: str) -> None:
    texts = [quoted("on friday", author_name=name), quoted("on friday", channel_name=name)]

    assert [cited_numbers(text) for text in texts] == [[1], [1]]


def test_a_mark_in_quoted_words_stays_the_persons_own() -> None:
    assert cited_numbers(quoted("see [7]")) == [1]


def test_an_answer_names_what_it_replies_to() -> None:
    asked = said("Why did my ||celadon|| turn\nbrown [1]?", message_id=5, author_name="[2] *ana*")
    line = hit(0.9, content="too much oxygen", author_name="ben", reply_to=5)

    text = quotation(1, line, question="why?", time_zone=PARIS, answers=asked)

    assert text.startswith("- **ben** in #general, Tue 3 Nov 2026 14:02, replying to \\[2\\] \\*ana\\*'s \"Why did my ")
    assert "celadon" not in text
    assert text.endswith(': "too much oxygen" [1]')
    assert cited_numbers(text) == [1]


def test_an_answer_that_is_no_reply_comes_after_what_it_answers() -> None:
    asked = said("x" * 300, message_id=5, author_name="ana")

    text = quotation(1, hit(0.9), question="why?", time_zone=PARIS, answers=asked)

    assert ", after ana's \"xxx" in text
    assert 'x…": "on friday" [1]' in text
    assert len(text) < LENGTH


def test_the_files_of_a_message_are_named_beside_its_words() -> None:
    names = ("invoice_2026.pdf", "SPOILER_end.png", "[1].txt", "four.txt", "five.txt")
    files = tuple(Attachment(name=name, url="u") for name in names)

    assert quoted("see these", attachments=files).endswith(
        ': "see these" (invoice\\_2026.pdf, ||end.png||, \\[1\\].txt, and 2 more) [1]'
    )
    assert quoted("two\nlines", attachments=files[:1]).endswith(" [1]:\n> two\n> lines\n> (invoice\\_2026.pdf)")
    assert quoted("", attachments=files[:1]).endswith("14:02: invoice\\_2026.pdf [1]")
