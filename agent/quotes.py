"""Write messages as quotations."""

import re
from zoneinfo import ZoneInfo

from agent.citations import split_code, unmarked
from agent.fence import one_line
from agent.spoilers import masked, without_masks, without_spoilers
from memory.findings import Line
from memory.folding import tokens_of, words_of

LENGTH = 300
"""Characters of a quotation: two or three sentences."""

CODE_LENGTH = 800
"""Characters of a quotation with code, which half a block would spoil."""

_FENCE = re.compile(r"(?:(?<!\n)\n+)?(?P<fence>`{3,})(?P<body>.*?)(?:(?P=fence)|\Z)\n*", re.DOTALL)


def quotation(number: int, line: Line, *, question: str, time_zone: ZoneInfo) -> str:
    """Return one message as a bullet with who said it, where, when (on the clock of `time_zone`), and its mark.

    What the person hid as a spoiler stays hidden.
    """
    message = line.message
    sent_at = message.sent_at.astimezone(time_zone)
    names = (message.author_name, message.channel_name)
    who, where = (unmarked(without_masks(_plain(one_line(name)))) for name in names)
    heading = f"- **{who}** in #{where}, {sent_at:%a} {sent_at.day} {sent_at:%b %Y %H:%M}"
    text = message.content.strip() or ", ".join(one_line(file.name) for file in message.attachments)
    if "```" in text:
        return f"{heading} [{number}]:\n{_code(text)}"
    said = unmarked(_balanced(excerpt(text, question)))
    if "\n" in said:
        return "\n".join([f"{heading} [{number}]:", *(f"> {part}" for part in said.splitlines())])
    return f'{heading}: "{said}" [{number}]'


def excerpt(text: str, question: str) -> str:
    """Return at most about LENGTH characters of a text, around the first word that it shares with the question.

    Its spoilers are masked, also one that it begins or ends in.
    """
    if len(text) <= LENGTH:
        return masked(text)
    start = max(0, _first_shared_word(text, question) - LENGTH // 3)
    start = text.rfind(" ", 0, start) + 1 if start else 0
    end = start + LENGTH
    if end < len(text):
        end = max(text.rfind(" ", start, end), start + LENGTH // 2)
    return f"{'… ' if start else ''}{masked(text, start, end).strip()}{' …' if end < len(text) else ''}"


def _first_shared_word(text: str, question: str) -> int:
    words = {word for word in words_of(question) if len(word) > 3}
    return next((token.start for token in tokens_of(text) if token.folded in words), 0)


def _code(text: str) -> str:
    """Return a text whose code fences stand on lines of their own and are closed; they would show what is hidden."""
    cut = without_spoilers(text)
    if len(text) > CODE_LENGTH:
        end = text.rfind("\n", 0, CODE_LENGTH)
        cut = f"{without_spoilers(text, 0, end if end > 0 else CODE_LENGTH)}\n…"
    apart = _FENCE.sub(lambda fence: f"\n{_block(fence['body'])}\n", cut).strip("\n")
    return "".join(part if is_code else unmarked(_plain(part)) for is_code, part in split_code(apart))


def _block(body: str) -> str:
    first, line_break, rest = body.replace("```", "'''").partition("\n")  # a fence inside would end it
    return f"```{first}\n{rest.rstrip()}\n```" if line_break else f"```\n{first}\n```"


def _balanced(text: str) -> str:
    """Return a text whose stray backticks cannot make code of what follows it."""
    return "\n".join(
        "".join(part if is_code else _plain(part) for is_code, part in split_code(line)) for line in text.splitlines()
    )


def _plain(text: str) -> str:
    return text.replace("`", "'")
