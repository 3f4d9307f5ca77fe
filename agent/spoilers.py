"""Find what a message hides as spoilers, whatever Markdown stands around them."""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator

_CODE = re.compile(
    r"(?P<code>(?<!`)(`{3,})(?!`).*?(?:(?<!`)\2(?!`)|\Z)"  # a fence; one that is never closed reaches to the end
    r"|(?<!`)(`{1,2})(?!`)(?:(?!\n).)+?(?<!`)\3(?!`))"
    r"|\\[^0-9A-Za-z\s]",
    re.DOTALL,
)


def split_code(text: str) -> Iterator[tuple[bool, str]]:
    """Yield the parts of a text in order, each with whether it is code; an escaped backtick begins none."""
    end = 0
    for code in _CODE.finditer(text):
        if code["code"] is None:
            continue
        yield False, text[end : code.start()]
        yield True, code[0]
        end = code.end()
    yield False, text[end:]


def code_end(text: str, at: int) -> int:
    """Return where the code ends that begins with the backticks at a position; behind them when none does."""
    if code := _CODE.match(text, at):
        return code.end()
    while text[at : at + 1] == "`":
        at += 1
    return at


Span = tuple[int, int]
"""The positions of a stretch of text: that of its first character, and the one behind its last."""

_FENCE = "```"
_DEEPEST = 8  # emphasis within emphasis; deeper, bars are paired as they come
_LONGEST_RUN = 64  # ticks that can begin code
_LINE_START = re.compile(r"[ \t]{0,8}(?:>>> |> ?|#{1,3} |-# |[*+-] |\d{1,9}\. )")
_LANGUAGE = re.compile(r"[\w+.#-]{1,40}\n", re.ASCII)
_ADDRESS = re.compile(r"(?:https?|steam)://[^\s<]{1,2000}|<[^\s:<>]{1,20}:/[^\s<>]{1,2000}>")
_SPECIAL = re.compile(r"\\[^0-9A-Za-z\s]|`+|\|\||\*\*|__|~~|[*_\[<]|(?:https?|steam)(?=://)")


def hidden_spans(text: str) -> list[Span]:
    """Return the stretches of a message that Discord hides, with their bars, in order; none touches another.

    Bars can be paired in more ways than one where emphasis, a link, code or a line of a list ends between them; what
    any of these ways hides is returned: rather too much than too little. The time it takes grows with the length of
    the text, whatever is in it.
    """
    if text.count("||") < 2:
        return []
    readings = [
        _Reader(text, nested, whole_runs) for nested, whole_runs in ((True, False), (False, False), (False, True))
    ]
    joined: list[Span] = []
    for start, end in sorted(span for reader in readings for span in reader.spoilers()):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


class _Reader:
    """Reads one text; it remembers what is not found, so that nothing is looked for twice.

    `nested` bars pair only within the same emphasis, link or line of a list, as in simple-markdown, which Discord's
    clients are made with; others pair as they come. With `whole_runs` code ends at a run of as many ticks; without,
    three of a longer run begin a block.
    """

    def __init__(self, text: str, nested: bool, whole_runs: bool) -> None:
        self._text = text
        self._whole_runs = whole_runs
        self._missing: dict[tuple[str, int], int] = {}
        self._runs: dict[int, list[int]] = defaultdict(list)
        for run in re.finditer(r"`+", text):
            self._runs[len(run[0])].append(run.start())
        self._found: list[Span] = []
        self._waiting = [(0, len(text), 0 if nested else _DEEPEST)]

    def spoilers(self) -> list[Span]:
        """Return the spoilers, in no order."""
        while self._waiting:
            self._read(*self._waiting.pop())
        return self._found

    def _read(self, start: int, end: int, depth: int) -> None:
        """Read from one position to another; what is nested in there waits to be read by itself."""
        position = line_end = start
        while position < end:
            if position >= line_end:
                line_end = self._text.find("\n", position, end) + 1 or end
            if depth < _DEEPEST and (block := self._block(position, line_end)):
                stop = end if block[0].endswith(">>> ") else line_end
                self._waiting.append((block.end(), stop, depth + 1))
                position = stop
            elif special := _SPECIAL.search(self._text, position, line_end):
                position = self._behind(special, end, depth)
            else:
                position = line_end

    def _block(self, position: int, line_end: int) -> re.Match[str] | None:
        """Return what begins a quote, a heading, small words or an item of a list here."""
        if position and self._text[position - 1] != "\n":
            return None
        return _LINE_START.match(self._text, position, line_end)

    def _behind(self, special: re.Match[str], end: int, depth: int) -> int:
        """Return the position behind what begins here, or behind its first characters when nothing does."""
        at, opener = special.start(), special[0]
        if opener[0] == "`":
            return self._behind_code(at, len(opener), end)
        if opener == "||":
            close = self._find("||", at + 3, end)
            if close >= 0:
                self._found.append((at, close + 2))
                return close + 2
        elif opener[0] in "*_~" and depth < _DEEPEST:
            close = self._emphasis_end(opener, special.end(), end)
            if close >= 0:
                self._waiting.append((special.end(), close, depth + 1))
                return close + len(opener)
            return at + 1  # of two stars the second may begin something
        elif opener == "[" and depth < _DEEPEST:
            return self._behind_link(at, end, depth)
        elif opener[0] in "<hs" and depth < _DEEPEST:
            address = _ADDRESS.match(self._text, at, end)
            return address.end() if address else special.end()
        return special.end()

    def _behind_code(self, at: int, ticks: int, end: int) -> int:
        if ticks >= len(_FENCE) and not self._whole_runs:
            language = _LANGUAGE.match(self._text, at + len(_FENCE), end)
            body = language.end() if language else at + len(_FENCE)
            close = self._find(_FENCE, body + 1, end)
            if close >= 0:
                return close + len(_FENCE)
        for length in (ticks,) if self._whole_runs else range(min(ticks, _LONGEST_RUN), 0, -1):
            runs = self._runs.get(length, [])
            index = bisect_left(runs, at + ticks + 1)
            if index < len(runs) and runs[index] + length <= end:
                return runs[index] + length
        return at + ticks

    def _behind_link(self, at: int, end: int, depth: int) -> int:
        middle = self._find("](", at + 1, end)
        close = self._find(")", middle + 2, end) if middle >= 0 else -1
        if close < 0 or self._text.find("[", at + 1, middle) >= 0:
            return at + 1
        self._waiting.append((at + 1, middle, depth + 1))
        return close + 1

    def _emphasis_end(self, opener: str, start: int, end: int) -> int:
        """Return where emphasis ends: at the same characters, neither escaped nor part of more of them."""
        if self._missing.get((opener, end), end + 1) <= start:
            return -1
        at = start + 1
        while (at := self._text.find(opener, at, end)) >= 0:
            behind = at + len(opener)
            if self._is_escaped(at):
                at += 1
            elif self._text[behind : behind + 1] == opener[0] and behind < end:
                at += 2 if len(opener) == 1 else 1
            else:
                return at
        self._missing[opener, end] = start
        return -1

    def _is_escaped(self, position: int) -> bool:
        first = position
        while first and self._text[first - 1] == "\\":
            first -= 1
        return (position - first) % 2 == 1

    def _find(self, sought: str, start: int, end: int) -> int:
        if self._missing.get((sought, end), end + 1) <= start:
            return -1
        at = self._text.find(sought, start, end)
        if at < 0:
            self._missing[sought, end] = start
        return at


PLACEHOLDER = "(spoiler)"
"""What stands for a spoiler where nothing can hide it: in a code block, or in a terminal."""

_SHORTEST = 3  # letters of what is hidden in an answer too: "ok" is in every other sentence
_MOST_REPEATED = 100  # spoilers that one answer repeats; each costs another look through it
_MARKUP = re.compile(r"[|*_~`\\]{1,20}")


def without_spoilers(text: str, start: int = 0, end: int | None = None) -> str:
    """Return a stretch of a message with PLACEHOLDER for each spoiler, also one that the stretch cuts through."""
    stop = len(text) if end is None else end
    written: list[str] = []
    position = start
    for hidden_from, hidden_to in hidden_spans(text):
        if hidden_to <= position or hidden_from >= stop:
            continue
        written += [text[position : max(position, hidden_from)], PLACEHOLDER]
        position = min(stop, hidden_to)
    return "".join([*written, text[position:stop]])


def hidden_again(answer: str, messages: Iterable[str]) -> str:
    """Return an answer in which the words that these messages hide are hidden too, wherever it repeats them.

    In code, which cannot hide anything, PLACEHOLDER takes their place.
    """
    small = _lower(answer)
    repeated = (secret for secret in hidden_lines(messages) if _lower(secret) in small)
    for secret in sorted(repeated, key=len, reverse=True)[:_MOST_REPEATED]:
        answer = _covered(answer, secret)
    return answer


def hidden_lines(messages: Iterable[str]) -> set[str]:
    """Return what these messages hide, line by line, as far as it is long enough to be hidden in an answer too."""
    lines = {
        line.strip()
        for text in messages
        for start, end in hidden_spans(text)
        for line in _secrets(text[start + 2 : end - 2])
    }
    return {line for line in lines if len(line) >= _SHORTEST}


def _secrets(hidden: str) -> Iterable[str]:
    """Yield the lines that are hidden, also without their markup, which whoever repeats them may leave out."""
    for line in hidden.replace("||", "\n").splitlines():
        yield line
        yield _MARKUP.sub("", line)


def _covered(answer: str, secret: str) -> str:
    """Return an answer whose code has PLACEHOLDER for a secret, and whose words have it as a spoiler."""
    written: list[str] = []
    position = 0
    for start, end in hidden_spans(answer):
        hidden = answer[start + 2 : end - 2].replace("||", "")  # bars that are paired in another way elsewhere
        written += [_covered_in_clear(answer[position:start], secret), f"||{hidden}||"]
        position = end
    written.append(_covered_in_clear(answer[position:], secret))
    return "".join(written)


def _covered_in_clear(text: str, secret: str) -> str:
    return "".join(_replaced(part, secret, PLACEHOLDER if is_code else "||{}||") for is_code, part in split_code(text))


def _replaced(text: str, secret: str, cover: str) -> str:
    small, sought = _lower(text), _lower(secret)
    written: list[str] = []
    position = 0
    while (at := small.find(sought, position)) >= 0:
        end = at + len(secret)
        is_word = not (text[at - 1 : at].isalnum() or text[end : end + 1].isalnum())
        written += [text[position:at], cover.format(text[at:end]) if is_word else text[at:end]]
        position = end
    return "".join([*written, text[position:]])


def _lower(text: str) -> str:
    """Return a text in small letters, as long as it was: some letters have small forms that are longer."""
    small = text.lower()
    return small if len(small) == len(text) else text
