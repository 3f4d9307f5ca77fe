"""What somebody hid as a spoiler stays hidden in every quotation."""

import re
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.citations import WORD_JOINER
from agent.quotes import CODE_LENGTH, LENGTH, excerpt, quotation
from agent.spoilers import PLACEHOLDER, hidden_again, masked, without_masks, without_spoilers
from memory.findings import Line
from tests.agents import agent, chat, question
from tests.fakes import said, says

PARIS = ZoneInfo("Europe/Paris")
SECRET = "the butler did it"
PADDING = "word " * 100
CODE = "x\n" * (CODE_LENGTH // 2 - 40)


def quoted(content: str, question: str = "when?") -> str:
    return quotation(1, Line(said(content), hit=True), question=question, time_zone=PARIS)


def in_clear(markdown: str) -> str:
    """Return what Discord shows of a text before anybody clicks on a spoiler."""
    token = re.compile(r"\\[^\w\s]|(?<!`)(?P<ticks>`+)(?!`).*?[^`](?P=ticks)(?!`)|(?P<hidden>\|\|.+?\|\|)", re.DOTALL)
    return token.sub(lambda match: "" if match["hidden"] else match[0], markdown)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(f"the end: ||{SECRET}|| oh", id="in a short message"),
        pytest.param(f"{'word ' * 55}||and then {SECRET}|| {PADDING}", id="cut at the end of the excerpt"),
        pytest.param(f"||{PADDING} and {SECRET} when {PADDING}||", id="longer than the excerpt"),
        pytest.param(f"{PADDING}|| {'long ' * 25} butler {SECRET}|| when {PADDING}", id="cut at its beginning"),
        pytest.param(f"||one\n{SECRET}\nthree||", id="over several lines"),
        pytest.param(f"a || b, `c || d` ||{SECRET}||", id="after bars in code"),
        pytest.param(f"`a\n|| b` ||{SECRET}||", id="after bars in code of two lines"),
        pytest.param(f"``` is no code ||{SECRET}||", id="after a fence that is never closed"),
        pytest.param(f"```\na || b\n```\n||{SECRET}||", id="after a block of code"),
        pytest.param(f"||```\n{SECRET}\n```||", id="as a block of code"),
        pytest.param(f"```\n{'x' * CODE_LENGTH}\n```\n||{SECRET}||", id="beyond what is quoted of code"),
        pytest.param(f"```\n{CODE}```\n||{SECRET} and {PADDING}||", id="where code is cut"),
        pytest.param(f"\\||| {SECRET} ||", id="after an escaped bar"),
        pytest.param(f"|||{SECRET}|||", id="between three bars"),
    ],
)
def test_a_quotation_hides_what_was_hidden(content: str) -> None:
    for asking in ("when?", "did the butler?"):
        assert SECRET not in in_clear(quoted(content, asking))


def test_what_is_hidden_can_still_be_uncovered() -> None:
    assert quoted(f"the end: ||{SECRET}||").endswith(f'"the end: ||{SECRET}||" [1]')


def test_each_line_of_a_spoiler_is_hidden_by_itself() -> None:
    assert masked("||one\n\ntwo||") == "||one||\n\n||two||"


def test_bars_of_one_quotation_do_not_pair_with_those_of_the_next() -> None:
    both = f"{quoted('if a || b')}\n{quoted(f'||{SECRET}||')}"

    assert SECRET not in in_clear(both)


def test_a_name_hides_nothing_and_turns_nothing_around() -> None:
    name = quotation(1, Line(said(f"||{SECRET}||", author_name="||"), hit=True), question="", time_zone=PARIS)

    assert SECRET not in in_clear(name)
    assert without_masks("a||||b").replace(WORD_JOINER, "") == "a||||b"


def test_code_keeps_its_bars() -> None:
    assert "`a || b`" in quoted("use `a || b`")
    assert "\na || b\n" in quoted("```\na || b\n```")


def test_a_placeholder_stands_for_a_spoiler_that_nothing_can_hide() -> None:
    assert without_spoilers(f"it was ||{SECRET}||, you know") == f"it was {PLACEHOLDER}, you know"
    assert SECRET not in without_spoilers(f"it was ||{SECRET}||, you know", 0, 14)


@given(
    st.text(alphabet="|`\\\n ab", max_size=40), st.text(alphabet="|`\\\n ab", max_size=40), st.integers(0, 2 * LENGTH)
)
def test_no_part_of_a_message_shows_what_the_whole_hides(before: str, after: str, start: int) -> None:
    content = f"{before}||{'QQQ ' * 80}||{after}"
    if "Q" in in_clear(content):
        return  # the bars around it are not its own

    assert "Q" not in in_clear(masked(content, start, start + LENGTH))
    assert "Q" not in in_clear(masked(content))
    assert "Q" not in without_spoilers(content, start, start + LENGTH)
    assert "Q" not in in_clear(quoted(content))
    assert "Q" not in in_clear(excerpt(content, "qqq"))


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("The Butler did it [1].", "||The Butler did it|| [1]."),
        ("It is hidden: ||the butler did it|| [1].", "It is hidden: ||the butler did it|| [1]."),
        ("`the butler did it` [1]", "`(spoiler)` [1]"),
        ("The butlers; the butler did its work [1].", "The butlers; the butler did its work [1]."),
    ],
)
async def test_a_model_that_repeats_what_was_hidden_hides_it_too(answer: str, shown: str) -> None:
    message = said("how the deploy ends: ||the butler did it||")
    asked, _ = agent(says(answer), memory=chat(message))

    assert (await asked.ask(question())).text == shown


@given(st.text(alphabet="|`\\\n abİß", max_size=60), st.lists(st.text(alphabet="|` abİß", max_size=30), max_size=4))
def test_hiding_takes_nothing_but_code_out_of_an_answer(answer: str, messages: list[str]) -> None:
    hidden = hidden_again(answer, messages)

    assert PLACEHOLDER in hidden or hidden.replace("|", "") == answer.replace("|", "")
