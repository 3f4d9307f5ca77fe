"""What becomes of the tables that a model writes."""

import pytest

from agent.types import Answer, Source
from bot.buttons import Reply
from bot.layout import AnswerStyle, laid_out
from bot.rendering import render
from bot.tables import with_tables
from tests.discord_markdown import in_clear
from tests.unit.test_rendering import LINK, PARIS, a_message

PLAIN = """\
Here it is:

| Day | Who |
| --- | :-: |
| Monday | Ana |
| Tue | Ben \\| Cleo |

So it is."""


def test_a_table_of_plain_words_is_columns_in_code() -> None:
    assert with_tables(PLAIN) == (
        "Here it is:\n\n```\nDay     Who\n------  ----------\nMonday  Ana\nTue     Ben | Cleo\n```\n\nSo it is."
    )


def test_a_table_with_marks_is_a_list_in_which_they_are_links() -> None:
    answer = Answer(text="| Day | Who |\n|---|---|\n| Monday | Ana [1] |\n| | Ben |", sources=(Source(1, a_message()),))

    assert render(answer, PARIS).text == f"- Day: Monday · Who: Ana [[1]](<{LINK}>)\n- Who: Ben"


@pytest.mark.parametrize(
    "cell",
    ["<#12>", "**bold**", "https://example.org", "`code`", "x" * 31],
    ids=["mention", "bold", "link", "code", "long"],
)
def test_what_code_would_not_show_makes_a_list_of_a_table(cell: str) -> None:
    assert with_tables(f"| a | b |\n|---|---|\n| 1 | {cell} |") == f"- a: 1 · b: {cell}"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a | b\nc | d", id="no line of dashes"),
        pytest.param("| a | b |\n|---|\n| 1 | 2 |", id="another number of columns"),
        pytest.param("```\n| a | b |\n|---|---|\n| 1 | 2 |\n```", id="in code"),
        pytest.param("| a | b |\n|---|---|\n| 1 | ||the gardener|| |", id="with something hidden"),
        pytest.param("either\n---\nor", id="a line"),
        pytest.param("", id="nothing"),
        pytest.param("|" * 30 + "\n" + "|-" * 29 + "|", id="too many columns"),
    ],
)
def test_what_is_no_table_or_may_hide_something_stays_as_it_is(text: str) -> None:
    assert with_tables(text) == text


def test_a_row_may_have_fewer_or_more_cells_than_there_are_columns() -> None:
    assert with_tables("| a | b |\n|---|---|\n| 1 |\n| 1 | 2 | 3 |") == "```\na  b\n-  -\n1\n1  2\n```"


@pytest.mark.parametrize("style", list(AnswerStyle))
@pytest.mark.parametrize(("mark", "count"), [("", 400), (" [1]", 100)], ids=["as code", "as a list"])
def test_a_long_table_survives_splitting_row_by_row(style: AnswerStyle, mark: str, count: int) -> None:
    rows = "\n".join(f"| day {number} | Ana{mark} |" for number in range(count))
    answer = Answer(text=f"| Day | Who |\n| --- | --- |\n{rows}", sources=(Source(1, a_message()),))

    shown = render(answer, PARIS)
    texts = [posting.texts[0] for posting in laid_out(Reply([shown.text], sources=shown.sources), style)]

    assert len(texts) > 1
    assert all(text.count("```") == (0 if mark else 2) for text in texts if "day" in text)
    lines = [line for text in texts for line in text.split("\n") if "day" in line]
    assert len(lines) == count
    assert all("Ana" in line for line in lines)


def test_a_spoiler_in_a_table_stays_hidden() -> None:
    text = render(Answer(text="| a | b |\n|---|---|\n| 1 | ||the gardener|| |"), PARIS).text

    assert "gardener" in text
    assert "gardener" not in in_clear(text)


@pytest.mark.parametrize("piece", ["|", "|-", "| a |\n|---|\n", "\\|", "-|\n"])
def test_the_time_it_takes_grows_with_the_length_of_the_text(piece: str) -> None:
    """A quadratic step takes minutes here, and the run ends at the time limit of all tests."""
    text = piece * (40_000 // len(piece))

    assert with_tables(text)
    assert with_tables(f"{text}\n||")
