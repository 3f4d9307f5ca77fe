"""What a model is shown cannot be forged, and what leaves the program is bounded, cited and harmless."""

import re
import unicodedata
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from agent.citations import cited_numbers, footer, with_sources, without_marks
from agent.markdown import NAMELESS, inline, unescaped
from agent.quotation import quotation
from agent.selection import best_lines, spread_lines
from agent.spoilers import split_code
from agent.transcript import OUTPUT_LIMIT, ShownMessages, format_messages
from agent.types import Answer, Searched, Source
from bot.buttons import Reply
from bot.layout import CARD_LIMIT, AnswerStyle, laid_out
from bot.rendering import MESSAGE_LIMIT, neutralised, render, render_text, split_message
from memory.message import Kind, Message
from memory.plain_text import APART, printable, visible
from memory.search.results import Excerpt, RankedMessage, SearchResult
from terminal.rendering import render as render_plainly
from terminal.rendering import render_excerpts
from tests.discord_markdown import nodes_of
from tests.fuzz.limits import in_time
from tests.fuzz.strategies import messages, moments, names, recent, texts, zones
from time_expressions.window import Window

PARIS = ZoneInfo("Europe/Paris")
MENTION = re.compile(r"@(?:everyone|here|[!&]?\d)")
NUMBER = re.compile(r"\[\d+\]")
SHOWN = {"item", "bold", "text", "quote", "subtext", "spoiler", "code", "code block", "emoji", "time", "mention"}
MOST = {AnswerStyle.CARD: (3, CARD_LIMIT), AnswerStyle.TEXT: (5, MESSAGE_LIMIT)}
"""Messages of an answer, and characters of each."""
NUMBERED = re.compile(r"\[(\d+)\] ")

shown_messages = st.lists(
    st.builds(
        lambda one, number, sent_at: replace(
            one, message_id=number, channel_id=1, thread_id=None, deleted_at=None, sent_at=sent_at
        ),
        messages,
        st.integers(1, 10**18),
        recent,
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda one: one.message_id,
)
answers_of_models = st.one_of(
    texts,
    st.lists(st.one_of(texts, st.integers(0, 6).map("[{}]".format), st.just("[1, 2]")), max_size=8).map(" ".join),
)


def findings_of(some: list[Message]) -> SearchResult:
    return SearchResult((Excerpt(tuple(RankedMessage(one, hit=True, score=1.0) for one in some)),))


def size_of(some: list[Message]) -> int:
    return sum(len(one.content) + len(one.author_name) + len(one.channel_name) for one in some) + 1000


# ---- what a model is shown


@given(shown_messages, zones)
def test_no_message_can_end_the_fence_or_pass_for_another_one(some: list[Message], time_zone: ZoneInfo) -> None:
    evidence = ShownMessages(frozenset({1}))
    with in_time(size_of(some)):
        shown = format_messages(findings_of(some), evidence=evidence, time_zone=time_zone)

    if not shown.lines:
        return
    first, *inside, last = shown.text.partition(f"</messages-{evidence.nonce}>")[0].split("\n")
    assert (first, last) == (f"<messages-{evidence.nonce}>", "")
    assert shown.text.count(evidence.nonce) == 2
    assert "</messages" not in "\n".join(inside).casefold().replace(" ", "")
    numbered = [int(found[1]) for line in inside if (found := NUMBERED.match(line))]
    assert numbered == [number for number, _ in shown.lines]
    assert all(line == "--" or line.startswith("    ") or NUMBERED.match(line) for line in inside)
    assert len(shown.text) <= OUTPUT_LIMIT + 200
    # A line ends where anybody might take it to end, not only at a line feed.
    assert all(len(line.splitlines()) <= 1 for line in inside)


# ---- citations


@given(answers_of_models, shown_messages)
def test_only_messages_that_were_shown_are_cited_and_numbered_from_1(text: str, some: list[Message]) -> None:
    known = dict(enumerate(some, 1))
    with in_time(len(text)):
        written, sources = with_sources(text, known)

    assert [source.number for source in sources] == list(range(1, len(sources) + 1))
    assert {source.message.message_id for source in sources} <= {one.message_id for one in some}
    assert set(cited_numbers(written)) <= {source.number for source in sources}
    assert {known[number].message_id for number in cited_numbers(text) if number in known} == {
        source.message.message_id for source in sources
    }


@given(answers_of_models)
def test_an_answer_without_its_marks_cites_nothing(text: str) -> None:
    with in_time(len(text)):
        assert cited_numbers(without_marks(text)) == []


@given(texts)
def test_code_and_words_together_are_the_text(text: str) -> None:
    with in_time(len(text)):
        assert "".join(part for _, part in split_code(text)) == text


# ---- quotations


@given(shown_messages, texts, zones)
def test_a_quotation_cites_its_message_and_no_other(some: list[Message], question: str, time_zone: ZoneInfo) -> None:
    lines = [
        (number, RankedMessage(replace(one, kind=Kind.MESSAGE), hit=True, similarity=1.0, score=1.0))
        for number, one in enumerate(some, 1)
    ]
    with in_time(size_of(some) + len(question)):
        chosen = [*best_lines(lines, topic=question, question=question), *spread_lines(lines)]
        quoted = [
            (number, quotation(number, line, question=question, time_zone=time_zone, answers=answers))
            for number, line, answers in chosen
        ]

    for number, text in quoted:
        assert cited_numbers(text) == [number]
        assert text.count("```") % 2 == 0


@given(names)
def test_a_name_is_shown_as_it_is_and_as_nothing_else(name: str) -> None:
    with in_time(len(name)):
        shown = inline(name)

    sent = neutralised(f"- **{shown}** in #{shown}")
    bold, *after = [node for node in nodes_of(sent) if node.kind != "item"]
    assert [node.kind for node in (bold, *after)] == ["bold", "text"]
    as_seen = unescaped(shown)
    assert after[0].text.replace(APART, "").split() == f"{as_seen} in #{as_seen}".replace(APART, "").split()
    assert as_seen in {NAMELESS, " ".join(visible(name).split())} or as_seen.endswith("…")


def reply_of(answer: Answer, time_zone: ZoneInfo) -> Reply:
    shown = render(answer, time_zone)
    return Reply([shown.text], sources=shown.sources, notes=shown.notes)


@given(shown_messages, zones, st.sampled_from(AnswerStyle))
def test_quotations_are_words_spoilers_code_and_links_to_what_is_seen(
    some: list[Message], zone: ZoneInfo, style: AnswerStyle
) -> None:
    quoted = [quotation(n, RankedMessage(one, hit=True), question="", time_zone=zone) for n, one in enumerate(some, 1)]
    answer = Answer(text="\n".join(quoted), sources=tuple(Source(n, one) for n, one in enumerate(some, 1)))

    nodes = [node for posting in laid_out(reply_of(answer, zone), style) for node in nodes_of(posting.content)]

    kinds = {node.kind for node in nodes}
    assert kinds <= {*SHOWN, "masked link", "link"}
    own = {one.link for one in some}
    assert all(node.target in own and NUMBER.fullmatch(node.text) for node in nodes if node.kind == "masked link")
    assert all(node.text == node.target for node in nodes if node.kind == "link")


# ---- Discord


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    some = draw(shown_messages)
    windows = draw(st.lists(st.builds(Window, st.none() | recent, st.none() | recent), max_size=6))
    searched = Searched(
        windows=tuple(windows),
        went_beyond=draw(st.booleans()),
        channels=tuple(draw(st.lists(names, max_size=6))),
        now=draw(recent),
        time_zone=draw(zones),
    )
    return Answer(
        text=draw(answers_of_models),
        sources=tuple(Source(number, one) for number, one in enumerate(some, 1)),
        notes=tuple(draw(st.lists(texts, max_size=2))),
        searched=draw(st.none() | st.just(searched)),
    )


@given(answers(), zones, st.sampled_from(AnswerStyle))
def test_any_answer_fits_into_messages_that_mention_nobody(
    answer: Answer, time_zone: ZoneInfo, style: AnswerStyle
) -> None:
    with in_time(len(answer.text) + sum(map(len, answer.notes)) + size_of([one.message for one in answer.sources])):
        parts = [posting.content for posting in laid_out(reply_of(answer, time_zone), style)]

    most, limit = MOST[style]
    assert 0 < len(parts) <= most
    assert all(0 < len(part) <= limit and part.strip() for part in parts)
    assert not any(MENTION.search(part) for part in parts)


@given(texts, st.sampled_from(AnswerStyle))
def test_any_text_of_ours_fits_into_messages_that_mention_nobody(text: str, style: AnswerStyle) -> None:
    with in_time(len(text)):
        parts = [posting.content for posting in laid_out(Reply(render_text(text)), style)]

    assert all(0 < len(part) <= MOST[style][1] for part in parts)
    assert not any(MENTION.search(part) for part in parts)
    assert neutralised(neutralised(text)) == neutralised(text)


prose = texts.map(lambda text: text.replace("`", "'"))
blocks = st.builds(
    lambda language, body: f"```{language}\n{body}\n```",
    st.sampled_from(["", "py", "c++", "objective-c"]),
    prose.map(lambda text: text.strip() or "x"),
)
marked_up = st.lists(st.one_of(prose, blocks), max_size=5).map("\n".join)


@given(marked_up, st.integers(64, MESSAGE_LIMIT))
def test_the_code_of_every_part_is_closed_in_it(text: str, limit: int) -> None:
    with in_time(len(text)):
        parts = split_message(text, limit)

    assert all(len(part) <= limit for part in parts)
    assert all(part.count("```") % 2 == 0 for part in parts)


@given(texts, st.integers(64, MESSAGE_LIMIT))
def test_the_parts_of_a_text_without_code_are_the_text(text: str, limit: int) -> None:
    plain = text.replace("`", "'")
    with in_time(len(text)):
        assert "".join(split_message(plain, limit)) == plain


# ---- the terminal


def commands(text: str) -> list[str]:
    """Return the characters by which a text could command a terminal, or turn its lines around."""
    turning = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    return [
        letter
        for letter in text
        if (letter not in "\n\t" and unicodedata.category(letter) in {"Cc", "Cs"})
        or unicodedata.bidirectional(letter) in turning
    ]


@given(answers(), zones)
def test_any_answer_is_printed_without_commands(answer: Answer, time_zone: ZoneInfo) -> None:
    with in_time(len(answer.text) + sum(map(len, answer.notes)) + size_of([one.message for one in answer.sources])):
        printed = render_plainly(answer, time_zone)

    assert commands(printed) == []
    assert printed.encode()


@given(shown_messages, zones)
def test_any_excerpts_are_printed_without_commands(some: list[Message], time_zone: ZoneInfo) -> None:
    with in_time(size_of(some)):
        printed = render_excerpts(findings_of(some), time_zone)

    assert commands(printed) == []


@given(texts)
def test_what_is_printable_stays(text: str) -> None:
    with in_time(len(text)):
        assert printable(printable(text)) == printable(text)


@given(moments, moments, recent, zones)
def test_any_window_has_a_footer(start: datetime, end: datetime, now: datetime, time_zone: ZoneInfo) -> None:
    for window in (Window(start, end), Window(start), Window(end=end)):
        searched = Searched(windows=(window,), went_beyond=False, channels=(), now=now, time_zone=time_zone)

        assert footer(searched).startswith("searched ")
