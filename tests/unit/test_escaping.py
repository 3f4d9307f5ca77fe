"""What others wrote is shown as they wrote it, and does nothing, wherever it stands in an answer."""

from random import Random

import pytest

from agent.citations import cited_numbers
from agent.markdown import (
    LONGEST_NAME,
    NAMELESS,
    address,
    block,
    code_and_words,
    file_name,
    has_code_block,
    inline,
    line,
    unescaped,
    with_names_escaped,
)
from memory.plain_text import printable, visible
from tests.discord_markdown import Node, in_clear, nodes_of

LETTERS = "aé\u0301\u0302\u200d\u200b`\u0600\u2019\n\t\x00\x85 ヶ\U0001f3f4\ud800"
TURNED = "\u202eab\u202c"


def words(text: str) -> list[Node]:
    return [Node("text", text)]


@pytest.mark.parametrize(
    "name",
    [
        "[free nitro](https://evil.example)",
        "<https://evil.example>",
        "https://evil.example",
        "discord.gg/evil",
        "||Dana||",
        "|||",
        "**Dana**",
        "*Dana",
        "__Dana__",
        "the_real_dana_",
        "_dana",
        "~~Dana~~",
        "`Dana`",
        "```",
        "# Dana",
        "-# Dana",
        "> Dana",
        ">>> Dana",
        "- Dana",
        "1. Dana",
        "Gus [2]",
        "[[2]](https://evil.example)",
        "\\[2]",
        "Dana\\",
        "<:pot:123456789012345678>",
        ":fire:",
        "<t:1793884200:F>",
        "<#123456789012345678>",
        "<@&123456789012345678>",
        "¯\\_(ツ)_/¯",
    ],
)
def test_a_name_reads_exactly_as_it_is(name: str) -> None:
    assert nodes_of(inline(name)) == words(name)
    assert nodes_of(f"- **{inline(name)}** in #{inline(name)}") == [
        Node("item", ""),
        Node("bold", ""),
        *words(f"{name} in #{name}\n"),
    ]
    assert cited_numbers(f"{inline(name)} {inline(name)} [1]") == [1]
    assert unescaped(inline(name)) == name


@pytest.mark.parametrize(
    "name", ["snake_case", "dana.k", "dana-k", "Dana | away", "d.a.n.a#1234", "10/11", "💬│pots", "Dana (she)"]
)
def test_a_harmless_name_is_hardly_changed(name: str) -> None:
    assert inline(name).replace("\\|", "|").replace("\\_", "_") == name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("Big\n# Dana", "Big # Dana", id="lines"),
        pytest.param("a\x1b[31mb", "a\\[31mb", id="escape sequences"),
        pytest.param(TURNED, "ab", id="text that runs backwards"),
        pytest.param("a\u200b\u200b\u2060b", "ab", id="without width"),
        pytest.param("e" + "\u0301" * 60, "e" + "\u0301" * 4, id="piled accents"),
        pytest.param("\u200b \u3164", NAMELESS, id="nothing to see"),
        pytest.param("", NAMELESS, id="none"),
        pytest.param("x" * 200, "x" * (LONGEST_NAME - 1) + "…", id="long"),
        pytest.param("👩\u200d🚀 🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", None, id="emoji"),
        pytest.param("\u0645\u06cc\u200c\u062e\u0648", None, id="a joiner that a word needs"),
        pytest.param("שָּׁלוֹם", None, id="points of a letter"),
    ],
)
def test_a_name_is_one_line_of_what_can_be_seen(name: str, shown: str | None) -> None:
    assert inline(name) == (name if shown is None else shown)


@pytest.mark.parametrize(
    "letter",
    [
        "\u202a",
        "\u202b",
        "\u202c",
        "\u202d",
        "\u202e",
        "\u2066",
        "\u2067",
        "\u2068",
        "\u2069",
        "\u200e",
        "\u200f",
        "\u061c",
    ],
)
def test_nothing_turns_a_line_around(letter: str) -> None:
    assert visible(f"a{letter}b") == printable(f"a{letter}b") == block(f"a{letter}b") == "ab"


@pytest.mark.parametrize(
    "text",
    [
        "# shout",
        "-# small",
        "> quoted",
        ">>> all\nof it",
        "- one\n- two",
        "1. one\n2. two",
        "a **b** *c* __d__ ~~e~~ snake_case",
        "2 ** 3 ** 4",
        "a | b\n--|--\n1 | 2",
        "stray ` and `` ticks",
        "see [2] and [3, 4]",
        "if a || b",
    ],
)
def test_the_markup_of_a_message_is_shown_as_it_was_typed(text: str) -> None:
    assert nodes_of(block(text)) == words(text)
    assert unescaped(block(text)) == text


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        pytest.param(
            "see [the docs](https://pots.example/login) now",
            [
                Node("text", "see [the docs]("),
                Node("link", "https://pots.example/login", "https://pots.example/login"),
                Node("text", ") now"),
            ],
            id="a link with other words",
        ),
        pytest.param(
            "[https://good.example](https://evil.example)",
            [
                Node("text", "["),
                Node("link", "https://good.example", "https://good.example"),
                Node("text", "]("),
                Node("link", "https://evil.example", "https://evil.example"),
                Node("text", ")"),
            ],
            id="a link with the words of another",
        ),
        pytest.param(
            "<https://pots.example> (https://pots.example/a_(b)).",
            [
                Node("link", "https://pots.example", "https://pots.example"),
                Node("text", " ("),
                Node("link", "https://pots.example/a_(b)", "https://pots.example/a_(b)"),
                Node("text", ")."),
            ],
            id="addresses with brackets",
        ),
        pytest.param(
            "<:pot:123456789012345678> at <t:1793884200:R> in <#123456789012345678>",
            [
                Node("emoji", "<:pot:123456789012345678>"),
                Node("text", " at "),
                Node("time", "<t:1793884200:R>"),
                Node("text", " in "),
                Node("mention", "<#123456789012345678>"),
            ],
            id="emoji, times and channels",
        ),
        pytest.param(
            "a_b <https://pots.example/_>",
            [Node("text", "a_b "), Node("link", "https://pots.example/_", "https://pots.example/_")],
            id="an underscore before an address that ends with one",
        ),
        pytest.param("`a || b[1]` **", [Node("code", "a || b[1]"), Node("text", " **")], id="code"),
        pytest.param("``a`b``", [Node("code", "a`b")], id="code with a tick"),
    ],
)
def test_what_works_in_a_message_works_in_its_quotation(text: str, nodes: list[Node]) -> None:
    assert nodes_of(block(text)) == nodes


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://pots.example/a_b?c=_d_", "<https://pots.example/a_b?c=_d_>"),
        ("https://pots.example/[2]|b", "<https://pots.example/%5B2%5D%7Cb>"),
        ("https://pots.example/@1", "<https://pots.example/%401>"),
        ("javascript:alert(1)", "javascript\\:alert(1)"),
        ("https://pots.example/a b", "https\\://pots.example\\/a b"),
    ],
)
def test_an_address_is_a_link_without_a_preview(url: str, shown: str) -> None:
    assert address(url) == shown


def test_an_address_that_is_cut_is_no_link_to_somewhere_else() -> None:
    text = "see https://pots.example/" + "x" * 400

    assert [node.kind for node in nodes_of(block(text, 0, 100))] == ["text"]
    assert [node.kind for node in nodes_of(line(text, longest=80))] == ["text"]


@pytest.mark.parametrize("line_end", ["\n", "\r", "\r\n", "\u2028"])
def test_ticks_on_two_lines_are_no_code(line_end: str) -> None:
    kinds = {node.kind for node in nodes_of(code_and_words(f"a `*b*{line_end}c` d"))}

    assert kinds <= {"text", "quote"}


def test_a_line_cuts_no_emoji_in_two() -> None:
    text = "x" * 70 + "<:pot:123456789012345678>"

    assert line(text, longest=80) == "x" * 70 + "…"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        pytest.param("````md\n```py\nx\n```\n````", ["code block"], id="three ticks within four"),
        pytest.param("`````\n````\n```\nx\n```\n````\n`````", ["code block"], id="three within four within five"),
        pytest.param("a ```b``` c", ["text", "code block", "text"], id="in mid-sentence"),
        pytest.param("```py\nx = [1]\n", ["code block"], id="never closed"),
        pytest.param("```py\na\n``` then\n```\nb", ["code block", "text", "code block"], id="the second never closed"),
        pytest.param("``` is how code starts", ["text"], id="only mentioned"),
        pytest.param("~~~\nx\n~~~", ["text", "text", "text"], id="tildes, which are no fence in Discord"),
        pytest.param("# shout\n```\nx\n```\n> y", ["text", "code block", "text"], id="beside other markup"),
    ],
)
def test_code_of_any_fence_stays_one_block(text: str, kinds: list[str]) -> None:
    assert [node.kind for node in nodes_of(code_and_words(text)) if node.text.strip()] == kinds
    assert has_code_block(text) == ("code block" in kinds)
    assert code_and_words(text).count("```") == 2 * kinds.count("code block")
    assert cited_numbers(f"{code_and_words(text)}\n[7]") == [7]


def test_what_stands_in_a_fence_stays_as_it_is() -> None:
    assert code_and_words("````md\n```py\nx\n```\n````").replace("\u200b", "") == "```md\n```py\nx\n```\n```"
    assert unescaped(code_and_words("````md\n```py\nx\n```\n````")) == "```md\n```py\nx\n```\n```"


def test_a_hidden_file_is_uncovered_with_a_click() -> None:
    assert nodes_of(file_name("SPOILER_the_end.png")) == [Node("spoiler", "the_end.png")]
    assert nodes_of(file_name("a*b*.png")) == words("a*b*.png")
    assert in_clear(file_name("SPOILER_||the_end||")) == ""


def test_the_channel_of_a_mention_cannot_be_called_like_a_mark() -> None:
    assert cited_numbers(f"{block('see <#pots [2]:123456789012345678>')} [1]") == [1]


def test_an_invitation_in_a_message_invites_nobody() -> None:
    assert nodes_of(block("join discord.gg/abc")) == words("join discord.gg/abc")
    assert "discord.gg/" not in block("join discord.gg/abc")


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        pytest.param("Gus [2] said so [1].", [1], id="a name like a mark"),
        pytest.param("Gus [2]: yes [2].", [2], id="the name, and the mark"),
        pytest.param("Ana said so [2].", [2], id="another name"),
        pytest.param("Whoever is called [3] said so [3].", [3], id="a name that is nothing but a mark"),
    ],
)
def test_a_model_that_names_somebody_cites_nothing_by_it(text: str, cited: list[int]) -> None:
    assert cited_numbers(with_names_escaped(text, ["Gus [2]", "Ana", "[3]"])) == cited


@pytest.mark.parametrize(
    "name", ["*Eve*", "||Fay||", "the_real_dana_", "[free nitro](https://evil.example)", "Gus [2]"]
)
def test_a_model_that_names_somebody_shows_their_name_as_it_is(name: str) -> None:
    answer = with_names_escaped(f"**Yes**, {name} and {name} said so [1].", [name, "Ana", "**"])

    assert nodes_of(answer)[0].kind == "bold"
    assert in_clear(answer) == f"Yes, {name} and {name} said so [1]."


def test_a_name_in_code_of_a_model_stays_as_it_is() -> None:
    assert with_names_escaped("`the_real_dana_`", ["the_real_dana_"]) == "`the_real_dana_`"


def test_ascii_is_cleaned_as_other_text_is() -> None:
    every = "".join(f"a{chr(number)}" for number in range(128)) + "\r\nend"

    assert visible(every) == visible(f"{every}é").removesuffix("é")


def test_a_text_without_anything_hidden_is_read_as_one_that_has_it_at_its_end() -> None:
    chance = Random(4)  # noqa: S311
    texts = ["".join(chance.choices(LETTERS, k=chance.randint(0, 8))) for _ in range(3000)]

    assert [visible(text) for text in texts] == [visible(f"{text}\u202e") for text in texts]
