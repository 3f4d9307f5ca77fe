"""Escape what people wrote as Markdown that Discord shows as it is, and obeys nothing of.

Whatever names, titles and quoted words stand in an answer come from here. Their brackets are escaped, so that `[2]` in
a name can neither be one of the answer's own marks nor the text of a link, whatever it stands beside.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NewType
from urllib.parse import quote

from agent.spoilers import hidden_spans, split_code
from memory.message_text import SPOILER
from memory.plain_text import APART, is_blank, visible

Markdown = NewType("Markdown", str)
"""Text that may be put into an answer as it is."""

NAMELESS = Markdown("(no name)")

LONGEST_NAME = 100
"""Characters of a name that are shown; the longest that Discord takes of a thread."""

_SPECIAL = re.compile(r"[\\*_~`|\[\]]|<(?=[@#:]|/?\w[\w -]{0,40}:)|(?<=\.gg)/")
"""What begins or ends Markdown within a line, or invites to a server."""

_SPECIAL_IN_NAMES = re.compile(r":(?=[\w/])|(?<=[A-Za-z])/(?=\w)")
"""What makes an address, an invitation or an emoji of words."""

_LINE_START = re.compile(r"^[ \t]{0,20}(?:(?=#{1,3}\s|-#\s|[+-]\s|>)|\d{1,9}(?=[.)]\s))", re.MULTILINE)
_KEPT_PATTERN = r"<a?:\w{1,32}:\d{1,20}>|<t:-?\d{1,13}(?::[tTdDfFRsS])?>|<#(?:[^<>\n]{1,100}:)?\d{1,20}>"
_BRACKET = re.compile(r"[\[\]]")
_KEPT = re.compile(_KEPT_PATTERN)
_LONGEST_KEPT = 130
_ATOM = re.compile(
    r"(?P<ticks>`+)"
    r"|<(?P<wrapped>https?://[^\s<>`]{1,1500})>"
    r"|(?P<address>https?://[^\s<>`]{1,1500})"
    rf"|(?P<kept>{_KEPT_PATTERN})"
)
_WHOLE_ADDRESS = re.compile(r"https?://[^\s<>`]{1,1500}")
_UNSAFE = re.compile(r"[\\|\[\]]|@(?=everyone|here|[!&]?\d)")
_NOT_ITS_END = ".,:;!?*~|\"'\\]"
_FENCE = re.compile(r"`{3,}")
_LANGUAGE_LINE = re.compile(r"[\w+.#-]{0,20}[ \t]{0,20}\n", re.ASCII)
_TICKS = re.compile(r"`(?=``)")
_ESCAPED = re.compile(r"\\(?P<letter>[^0-9A-Za-z\s])|<(?P<address>https?://[^\s<>]{1,1500})>")
_MOST_NAMES = 50  # in one answer
_MOST_TICKS = 2  # of code within a line; three make a block of it


def inline(name: str, *, longest: int = LONGEST_NAME) -> Markdown:
    """Return a name, of a person, a channel or anything else, as it is on one line, without formatting or links.

    One that shows nothing is NAMELESS, and one of more than `longest` characters is cut.
    """
    line = " ".join(visible(name[: 10 * longest]).split())
    return NAMELESS if is_blank(line) else _inert(shortened(line, longest))


def with_names_escaped(text: str, names: Iterable[str]) -> str:
    """Return what a model wrote with these names, wherever it uses one of them, as they are: "Gus [2]" cites nothing.

    A name without letters stays as it is, for it may be a mark or a bullet of the model's own.
    """
    odd = {name for name in names if any(letter.isalpha() for letter in name) and inline(name) != name}
    longest_first = sorted(odd, key=lambda name: (-len(name), name))[:_MOST_NAMES]
    return "".join(part if is_code else _named(part, longest_first) for is_code, part in split_code(text))


def _named(text: str, names: Sequence[str]) -> str:
    if not names:
        return text
    return inline(names[0]).join(_named(part, names[1:]) for part in text.split(names[0]))


def shortened(text: str, longest: int) -> str:
    """Return a text of at most `longest` characters, which says with an ellipsis that it is cut."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def line(text: str, *, longest: int) -> Markdown:
    """Return the beginning of a message as one line, in which nothing is hidden and its markup is as it was typed."""
    shown = " ".join(visible(text).split())
    end = len(shown) if len(shown) <= longest else whole(shown, longest - 1)
    words = _words(shown[:end].rstrip(), is_cut=end < len(shown), with_code=False)
    return _without_line_starts(words + ("…" if end < len(shown) else ""))


def whole(text: str, position: int) -> int:
    """Return a position to cut a text at, or the one before the emoji, time or channel that it would cut through."""
    for kept in _KEPT.finditer(text, max(0, position - _LONGEST_KEPT), position + _LONGEST_KEPT):
        if kept.start() < position < kept.end():
            return kept.start()
    return position


def unescaped(markdown: str) -> str:
    """Return Markdown, such as an answer, as plain text, where nothing is formatted: without escapes and placeholders.

    What is hidden in it has to be taken out before.
    """
    parts = (part if is_code else _plain(part) for is_code, part in split_code(markdown))
    return "".join(parts).replace(f"`{APART}", "`")


def _plain(words: str) -> str:
    return _ESCAPED.sub(lambda found: found["letter"] or found["address"], words)


def file_name(name: str) -> Markdown:
    """Return the name of a file; that of a hidden one can be uncovered by clicking on it."""
    if name.startswith(SPOILER):
        return Markdown(f"||{inline(name.removeprefix(SPOILER).strip('|'))}||")
    return inline(name)


def address(url: str) -> Markdown:
    """Return the address of a page as a link that shows it whole and adds no preview; any other as plain words."""
    shown = visible(url)
    if not _WHOLE_ADDRESS.fullmatch(shown):
        return inline(shown, longest=1500)
    return Markdown(f"<{_UNSAFE.sub(lambda letter: quote(letter[0], safe=''), shown)}>")


def block(text: str, start: int = 0, end: int | None = None) -> Markdown:
    """Return a stretch of a message, lines and all, whose markup is shown as it was typed.

    What Discord hid stays hidden, each line of it by itself, also what the stretch cuts through. Code within a line,
    custom emoji, times and channels stay what they are, and addresses are links without a preview.
    """
    stop = len(text) if end is None else end
    written: list[str] = []
    position = start
    for hidden_from, hidden_to in hidden_spans(text):
        if hidden_to <= position or hidden_from >= stop:
            continue
        written.append(_words(text[position : max(position, hidden_from)]))
        written.append(_hidden(text[max(position, hidden_from) : min(stop, hidden_to)]))
        position = min(stop, hidden_to)
    is_cut = stop < len(text) and not text[stop].isspace()
    written.append(_words(text[position:stop], is_cut=is_cut))
    return _without_line_starts("".join(written))


def has_code_block(text: str) -> bool:
    """Return whether a message has a block of code, and does not just mention how one begins."""
    return _code_block(text, 0) is not None


def code_and_words(text: str) -> Markdown:
    """Return a message in which nothing is hidden: its blocks of code, each of them closed, and its words as quotes.

    A block begins with three ticks or more and ends with as many; one that is never closed, but begins with a line of
    its own, reaches to the end.
    """
    written: list[str] = []
    position = 0
    while found := _code_block(text, position):
        start, body, body_end, end = found
        written += [quoted(block(text, position, start)), _code(text[body:body_end])]
        position = end
    written.append(quoted(block(text, position)))
    return Markdown("\n".join(filter(None, written)))


def quoted(lines: Markdown) -> Markdown:
    """Return lines, without blank ones around them, as a block quote."""
    return Markdown("\n".join(f"> {part}" for part in lines.strip().split("\n")) if lines.strip() else "")


def _code_block(text: str, position: int) -> tuple[int, int, int, int] | None:
    """Return where the next block of code begins, where its body does, where that ends, and where the block ends."""
    for fence in _FENCE.finditer(text, position):
        close = text.find(fence[0], fence.end() + 1)
        if close >= 0:
            end = close + len(fence[0])
            while text[end : end + 1] == "`":
                end += 1
            return fence.start(), fence.end(), close, end
        if _LANGUAGE_LINE.match(text, fence.end()):
            return fence.start(), fence.end(), len(text), len(text)
    return None


def _code(body: str) -> Markdown:
    """Return the body of a block as a block that ticks in it cannot end."""
    shown = visible(body)
    language = shown.partition("\n")[0].strip() if _LANGUAGE_LINE.match(shown) else ""
    lines = shown.partition("\n")[2] if _LANGUAGE_LINE.match(shown) else shown
    return Markdown(f"```{language}\n{_TICKS.sub(f'`{APART}', lines).rstrip() or ' '}\n```")


def _words(text: str, *, is_cut: bool = False, with_code: bool = True) -> str:
    """Return words without spoilers and blocks of code; an address at an end that `is_cut` is not the one it was."""
    written: list[str] = []
    position = 0
    while atom := _ATOM.search(text, position):
        written.append(_escaped(visible(text[position : atom.start()])))
        shown, position = atom[0], atom.end()
        if atom["ticks"]:
            shown, position = _code_in_line(text, atom) if with_code else (_escaped(atom[0]), position)
        elif atom["kept"]:
            shown = _BRACKET.sub(r"\\\g<0>", visible(shown))  # the channel of a mention may be called like a mark
        else:
            url = atom["wrapped"] or trimmed(atom["address"])
            position -= 0 if atom["wrapped"] else len(atom["address"]) - len(url)
            shown = _inert(visible(url)) if is_cut and position == len(text) else address(url)
        written.append(shown)
    return "".join([*written, _escaped(visible(text[position:]))])


def _code_in_line(text: str, opening: re.Match[str]) -> tuple[str, int]:
    """Return code that begins and ends on one line, and where it ends; or its ticks as words."""
    ticks = opening["ticks"]
    line_end = text.find("\n", opening.end())
    if len(ticks) <= _MOST_TICKS:
        for closing in re.finditer("`+", text[opening.end() : line_end if line_end >= 0 else None]):
            body = visible(text[opening.end() : opening.end() + closing.start()])
            if closing[0] == ticks and _is_code(body, ticks):
                return f"{ticks}{body}{ticks}", opening.end() + closing.end()
            if closing[0] == ticks:
                break
    return _escaped(ticks), opening.end()


def _is_code(body: str, ticks: str) -> bool:
    """Return whether a body, of which invisible characters are gone, still is code of one line between these ticks."""
    return (
        bool(body.strip())
        and "\n" not in body
        and not body.startswith("`")
        and not body.endswith("`")
        and ticks not in body
    )


def trimmed(url: str) -> str:
    """Return an address without the punctuation and the closing bracket of the sentence that it stands in."""
    url = url.partition("](")[0]  # the words of a link, which may be an address themselves
    while url and (url[-1] in _NOT_ITS_END or (url[-1] == ")" and url.count(")") > url.count("("))):
        url = url[:-1]
    return url


def _hidden(text: str) -> str:
    """Return what is hidden, each of its lines as a spoiler; bars at the end of one would be taken for its own."""
    lines = (line.strip("| \t") for line in visible(text).split("\n"))
    return "\n".join(f"||{_words(line, with_code=False)}||" if line else "" for line in lines)


def _inert(line: str) -> Markdown:
    """Return a line of which Discord makes nothing, not even a link."""
    return _without_line_starts(_SPECIAL_IN_NAMES.sub(r"\\\g<0>", _escaped(line)))


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)


def _without_line_starts(markdown: str) -> Markdown:
    """Return lines none of which is a heading, a quote, small words or an item of a list."""
    return Markdown(_LINE_START.sub(r"\g<0>\\", markdown))
