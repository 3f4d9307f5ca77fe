"""What repeats somebody is found, however an answer shows it; what does not is left alone."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest

from agent.quotation import quotation
from agent.types import Answer, Source
from memory.capture.message_csv import lenient_files
from memory.message import Attachment, Message
from memory.search.results import RankedMessage
from ops.erasure.fingerprint import Fingerprint, FingerprintBuilder
from terminal import rendering as terminal_rendering
from tests.builders import message
from tests.seen import posted

USER = 700_000_000_000_000_001
MESSAGE = 700_000_000_000_000_999
LONG = "the spare key to the cellar is under the blue flowerpot, next to the old bicycle"
UTC_ZONE = ZoneInfo("UTC")


def said(*texts: str, name: str = "Nadia Ötün") -> Fingerprint:
    collector = FingerprintBuilder(frozenset({USER}))
    collector.add_message(MESSAGE, name, texts)
    return collector.build()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(LONG, id="word by word"),
        pytest.param(f"As somebody put it:\n> {LONG}\nThat was in May.", id="quoted in the middle of more"),
        pytest.param("The KEY to the  cellar\nis somewhere.", id="five words in another case and over two lines"),
        pytest.param("… under the blue flowerpot, next …", id="cut out of the middle"),
        pytest.param(r"**the** spare *key* to the\_ cellar", id="with emphasis in it"),
        pytest.param("the sp\u200bare key to the cellar", id="with invisible signs in it"),
        pytest.param("the spare key to the cellar".replace("k", "\uff4b"), id="in full-width letters"),
        pytest.param("Nadia Ötün said something.", id="the name"),
        pytest.param("nadia ötün said something.", id="the name in another case"),
        pytest.param(r"[1] **Nadia** Ötün in #general", id="the name with emphasis"),
        pytest.param(f"see https://discord.com/channels/1/2/{MESSAGE}", id="a link to a message"),
        pytest.param(f"<@{USER}> said something", id="a mention"),
    ],
)
def test_it_repeats(answer: str) -> None:
    assert said(LONG).repeated_in(answer)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("", id="nothing"),
        pytest.param("I found nothing about that in the channels that you may read.", id="other words"),
        pytest.param("the spare key to a cellar", id="four of five words in a row"),
        pytest.param("cellar the to key spare the", id="the words in another order"),
        pytest.param("Nadia said something.", id="half of the name"),
        pytest.param("see https://discord.com/channels/1/2/700000000000000998", id="a link to another message"),
    ],
)
def test_it_does_not_repeat(answer: str) -> None:
    assert not said(LONG).repeated_in(answer)


@pytest.mark.parametrize(
    ("text", "answer", "repeats"),
    [
        pytest.param("Thursday evening", "we meet on thursday evening, I think", True, id="few but long words"),
        pytest.param("Thursday evening", "we meet on a Thursday, in the evening", False, id="not in a row"),
        pytest.param("<@Ben:7> bring <#tea:9>", 'she said "@Ben bring <#9>"', True, id="mentions in Discord"),
        pytest.param("<@Ben:7> bring <#tea:9>", 'she said "@Ben bring #tea"', True, id="mentions in a terminal"),
        pytest.param("no idea", "there is no idea in that", False, id="short, in the middle"),
        pytest.param("no idea", '- **somebody** in #ops: "No idea!" [1]', True, id="short, between quotes"),
        pytest.param("no idea", "[1] bob in #ops, Tue 3 Nov 2026 09:01: no idea", True, id="short, a source"),
        pytest.param("no idea", "He wrote:\n> no idea\nand left.", True, id="short, a line"),
        pytest.param("👍", 'x: "👍"', True, id="signs between quotes"),
        pytest.param("👍", "well done 👍", False, id="signs in the middle"),
        pytest.param("", "", False, id="nothing"),
        pytest.param("鍵は青い鉢の下", "彼は鍵は青い鉢のと言った", True, id="a script without blanks"),
        pytest.param("鍵は青い鉢の下", "鉢は青い鍵の上", False, id="a script without blanks, in another order"),
    ],
)
def test_short_messages(text: str, answer: str, repeats: bool) -> None:
    assert said(text).repeated_in(answer) is repeats


@pytest.mark.parametrize(
    ("name", "answer", "repeats"),
    [
        pytest.param("x", "the x in it", True, id="one letter"),
        pytest.param("x", "the box", False, id="one letter of a word"),
        pytest.param("★彡★", "- **★彡★** in #general", True, id="signs and a character"),
        pytest.param("🔥🔥", "- **🔥🔥** in #general", True, id="signs alone"),
        pytest.param("🔥🔥", "- **🔥** in #general", False, id="other signs"),
        pytest.param("a_b*c", r"a\_b\*c in #general", True, id="what Discord would format"),
        pytest.param("q" * 70, f"**{'q' * 60}** in #general", True, id="cut because it is long"),
        pytest.param("", "", False, id="no name"),
    ],
)
def test_names(name: str, answer: str, repeats: bool) -> None:
    assert said("", name=name).repeated_in(answer) is repeats


def rendered(one: Message) -> Sequence[str]:
    """Return all that our renderings make of an answer that quotes a message, and of one that has it as a source."""
    quoted = quotation(1, RankedMessage(one, hit=True), question="what?", time_zone=UTC_ZONE)
    quoting = Answer(text=quoted, sources=(Source(1, one),))
    naming = Answer(text="It was said [1].", sources=(Source(1, one),))
    return [
        quoted,
        terminal_rendering.render(quoting, UTC_ZONE),
        terminal_rendering.render(naming, UTC_ZONE),
        posted(quoting, UTC_ZONE),
        posted(naming, UTC_ZONE),
    ]


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(message(1, LONG), id="a long text"),
        pytest.param(message(1, LONG * 20), id="a very long text"),
        pytest.param(message(1, "yes"), id="a short text"),
        pytest.param(message(1, "```\nrm -rf the old cellar key list\n```"), id="code"),
        pytest.param(message(1, "see [1] and `x` @everyone\nand **that** \\o/ over there"), id="marks and signs"),
        pytest.param(message(1, "", attachments=(Attachment(name="plan of the garden.pdf", url="x"),)), id="a file"),
        pytest.param(message(1, LONG, author_name="@everyone [1] `x`"), id="a name that is made harmless"),
        pytest.param(message(1, LONG, author_name="x" * 90), id="a long name"),
        pytest.param(
            message(1, "ok", message_id=MESSAGE, guild_id=1, author_name=""), id="without a name, with a link"
        ),
    ],
)
def test_every_rendering_of_a_message_is_found(one: Message) -> None:
    collector = FingerprintBuilder(frozenset({USER}))
    collector.add_message(one.message_id, one.author_name, [one.content, *(file.name for file in one.attachments)])
    known = collector.build()

    found = [known.repeated_in(text) for text in rendered(one)]

    assert found == [True] * 5


def test_a_hundred_thousand_messages_take_a_few_megabytes() -> None:
    collector = FingerprintBuilder(frozenset({USER}))
    for number in range(2000):
        collector.add(" ".join(f"word{number * 31 + place}" for place in range(30)))

    known = collector.build()

    assert known.runs.nbytes == 2000 * 26 * 8
    assert known.repeated_in("word31 word32 word33 word34 word35")
    assert not known.repeated_in("word31 word32 word33 word34 word36")


@pytest.mark.parametrize(
    ("attachments", "names"),
    [
        pytest.param('[{"name": "a.pdf", "url": "x"}, {"name": "b.pdf", "url": "y"}]', ["a.pdf", "b.pdf"], id="two"),
        pytest.param("", [], id="none"),
        pytest.param('[{"name', ['[{"name'], id="damaged"),
        pytest.param('["a.pdf"]', ['["a.pdf"]'], id="something else"),
        pytest.param('[{"name": "a.pdf"}]', ["a.pdf"], id="without an address"),
        pytest.param("[" * 100_000, ["[" * 100_000], id="nested without end"),
    ],
)
def test_names_of_files(attachments: str, names: list[str]) -> None:
    assert [file.name for file in lenient_files(attachments)] == names
