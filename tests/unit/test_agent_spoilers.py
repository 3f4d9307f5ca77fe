"""What somebody hid as a spoiler stays hidden in every quotation."""

import time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.markdown import block
from agent.quotation import CODE_LENGTH, excerpt, quotation
from agent.selection import LENGTH
from agent.spoilers import PLACEHOLDER, hidden_again, hidden_spans, without_spoilers
from agent.types import Answer, Source
from memory.message import Attachment
from memory.search.results import RankedMessage
from terminal.rendering import render as render_plainly
from tests.agents import agent, chat, question
from tests.discord_markdown import in_clear, nodes_of
from tests.fakes import said, says
from tests.seen import posted

PARIS = ZoneInfo("Europe/Paris")
SECRET = "the butler did it"
PADDING = "word " * 100
CODE = "x\n" * (CODE_LENGTH // 2 - 40)


def quoted(content: str, question: str = "when?") -> str:
    return quotation(1, RankedMessage(said(content), hit=True), question=question, time_zone=PARIS)


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
        pytest.param(f"||||{SECRET}||||", id="between four bars"),
        pytest.param(f"**a || b** ||{SECRET}||", id="after bars in bold words"),
        pytest.param(f"> a || b\n||{SECRET}||", id="after bars in a quote"),
        pytest.param(f"- a || b\n- c ||{SECRET}||", id="after bars in a list"),
        pytest.param(f"# a || b\n||{SECRET}||", id="after bars in a heading"),
        pytest.param(f"https://x.example/a||b c ||{SECRET}||", id="after bars in an address"),
        pytest.param(f"<https://x.example/a||b> ||{SECRET}||", id="after bars in an address in brackets"),
        pytest.param(f"[a || b](https://x.example) ||{SECRET}||", id="after bars in a link"),
        pytest.param(f"||**bold** and `code` {SECRET}||", id="with markup"),
        pytest.param(f"||https://x.example/{SECRET.replace(' ', '_')}||", id="an address"),
        pytest.param(f"> ||{SECRET}\n> {SECRET}||", id="over the lines of a quote"),
        pytest.param(f"````md\n```py\n||{SECRET}||\n```\n````", id="in a fence of four ticks around one of three"),
    ],
)
def test_a_quotation_hides_what_was_hidden(content: str) -> None:
    for asking in ("when?", "did the butler?"):
        assert SECRET not in in_clear(quoted(content, asking))


def test_what_is_hidden_can_still_be_uncovered() -> None:
    assert quoted(f"the end: ||{SECRET}||").endswith(f'"the end: ||{SECRET}||" [1]')


def test_each_line_of_a_spoiler_is_hidden_by_itself() -> None:
    assert block("||one\n\ntwo||") == "||one||\n\n||two||"


def test_bars_of_one_quotation_do_not_pair_with_those_of_the_next() -> None:
    both = f"{quoted('if a || b')}\n{quoted(f'||{SECRET}||')}"

    assert SECRET not in in_clear(both)


def test_a_name_is_no_spoiler_and_turns_nothing_around() -> None:
    message = said(f"||{SECRET}||", author_name="||", channel_name="||Fay||")
    text = quotation(1, RankedMessage(message, hit=True), question="", time_zone=PARIS)

    assert SECRET not in in_clear(text)
    assert "|| in #||Fay||," in in_clear(text)


@pytest.mark.parametrize(
    "content",
    [f"||{SECRET}|| oh", f"{'x' * 70} ||{SECRET} {PADDING}||", f"```\nx\n```||{SECRET}||", f"**a || b** ||{SECRET}||"],
)
def test_what_is_hidden_is_neither_in_a_source_line_nor_in_the_terminal(content: str) -> None:
    answer = Answer(text=quoted(content), sources=(Source(1, said(content, guild_id=1)),))

    assert SECRET not in in_clear(posted(answer, PARIS))
    assert SECRET not in render_plainly(answer, PARIS)
    assert PLACEHOLDER in render_plainly(answer, PARIS)


def test_a_hidden_file_is_hidden_everywhere() -> None:
    message = said("", attachments=(Attachment(name="SPOILER_the_end.png", url="u"),), guild_id=1)
    text = quotation(1, RankedMessage(message, hit=True), question="", time_zone=PARIS)
    answer = Answer(text=text, sources=(Source(1, message),))

    assert "the_end" not in in_clear(posted(answer, PARIS))
    assert "the_end" not in render_plainly(answer, PARIS)


def test_code_keeps_its_bars() -> None:
    assert "`a || b`" in quoted("use `a || b`")
    assert "\na || b\n" in quoted("```\na || b\n```")


def test_a_placeholder_stands_for_a_spoiler_that_nothing_can_hide() -> None:
    assert without_spoilers(f"it was ||{SECRET}||, you know") == f"it was {PLACEHOLDER}, you know"
    assert SECRET not in without_spoilers(f"it was ||{SECRET}||, you know", 0, 14)


MARKUP = [
    "||",
    "|",
    "`",
    "```",
    "\\",
    "\n",
    " ",
    "a",
    "**",
    "*",
    "_",
    "__",
    "~~",
    "> ",
    "- ",
    "# ",
    "[",
    "](https://b.c)",
]
odd_texts = st.lists(st.sampled_from([*MARKUP, "https://x.y/", "<https://x.y>"]), max_size=24).map("".join)


@given(odd_texts, odd_texts, st.integers(0, 2 * LENGTH))
def test_no_part_of_a_message_shows_what_the_whole_hides(before: str, after: str, start: int) -> None:
    content = f"{before}||{'QQQ ' * 80}||{after}"
    if "Q" in in_clear(content):
        return  # the bars around it are not its own

    assert "Q" not in in_clear(block(content, start, start + LENGTH))
    assert "Q" not in in_clear(block(content))
    assert "Q" not in without_spoilers(content, start, start + LENGTH)
    assert "Q" not in in_clear(quoted(content))
    assert "Q" not in in_clear(excerpt(content, "qqq"))


@given(odd_texts)
def test_a_quotation_shows_nothing_but_words_spoilers_code_and_addresses(text: str) -> None:
    kinds = {node.kind for node in nodes_of(quoted(text))}

    assert kinds <= {"item", "bold", "text", "quote", "spoiler", "code", "code block", "link"}


@pytest.mark.parametrize(
    "piece", ["||", "**||", "*", "_a ", "`", "``a", "[", "[||](", "\n> ", "\n- ||", "<a:/", "https://", "~~", "\\|"]
)
def test_any_text_is_looked_through_in_time(piece: str) -> None:
    text = (piece * 16_000)[:16_000]
    begun = time.thread_time()

    hidden_spans(f"||{text}")
    block(f"||{text}")

    assert time.thread_time() - begun < 2


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


async def test_a_model_that_repeats_a_hidden_name_hides_it_too() -> None:
    message = said("how the deploy ends: ||the_real_dana_ did it||", author_name="the_real_dana_")
    asked, _ = agent(says("It says the_real_dana_ did it [1]."), memory=chat(message))

    assert in_clear((await asked.ask(question())).text) == "It says  [1]."


@given(st.text(alphabet="|`\\\n abİß", max_size=60), st.lists(st.text(alphabet="|` abİß", max_size=30), max_size=4))
def test_hiding_takes_nothing_but_code_out_of_an_answer(answer: str, messages: list[str]) -> None:
    hidden = hidden_again(answer, messages)

    assert PLACEHOLDER in hidden or hidden.replace("|", "") == answer.replace("|", "")
