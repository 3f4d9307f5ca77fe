"""Read what a language model wrote: take out its reasoning, and tell what must not be shown to anybody."""

import re

from agent.spoilers import split_code

_THINKING = r"(?:think(?:ing)?|thoughts?|reason(?:ing)?)"
_BEGINS_THINKING = re.compile(rf"\s*<{_THINKING}>", re.IGNORECASE)
_ENDS_THINKING = re.compile(rf"</{_THINKING}>", re.IGNORECASE)
_THINKING_LEFT = re.compile(rf"</?{_THINKING}>", re.IGNORECASE)
_FINAL_CHANNEL = "<|channel|>final<|message|>"
_LONGEST_TOKEN = 44  # characters of one that ends a text
_END_OF_TEXT = re.compile(r"(?:</s>|<end_of_turn>|<\|[a-z_]{1,40}\|>)\Z", re.IGNORECASE)

_NOT_FOR_READERS = re.compile(
    r"</?\s*messages?(?=[\s>/\-])"  # our fence, or one that was made up
    r"|(?:^\W{0,8}|\[)\d{1,9}\W{1,4}\d{4}-\d\d-\d\d[ T]\d\d:\d\d\S{0,9} #\S"  # a line of a fence
    r"|</?(?:\w{1,20}:)?(?:tool_calls?|function_calls?|tool_response|invoke)\b|</?function(?:=|>)"
    r"|\[/?(?:TOOL_CALLS|TOOL_REQUEST|AVAILABLE_TOOLS|INST)\]"
    r"|</?(?:start|end)_of_turn>|<[|\uff5c][\w\u2581]{1,40}[|\uff5c]>",  # of a chat template
    re.IGNORECASE | re.MULTILINE,
)
_OTHER_MARKS = re.compile(
    r"\\\[(?P<escaped>\d{1,9})\\?\]|\[(?:message|msg|source|no\.?|#) ?#?(?P<named>\d{1,9})\]"
    r"|\u3010(?:message )?(?P<lenticular>\d{1,9})[^\u3011\n]{0,40}\u3011",
    re.IGNORECASE,
)


def without_reasoning(text: str) -> str:
    """Return what a model wrote without the reasoning at its beginning, empty when there is nothing else.

    Some servers leave only the end of it, for their template has its beginning. A tag in code is what the answer is
    about, and ends nothing.
    """
    text = _without_its_end(text.rpartition(_FINAL_CHANNEL)[2])
    end = 0
    position = 0
    for is_code, part in split_code(text):
        if not is_code:
            end = max([end, *(position + tag.end() for tag in _ENDS_THINKING.finditer(part))])
        position += len(part)
    if end == 0 and _BEGINS_THINKING.match(text):
        return ""
    return text[end:].strip()


def _without_its_end(text: str) -> str:
    """Return a text without the tokens that end it in a template."""
    text = text.rstrip()
    while token := _END_OF_TEXT.search(text[-_LONGEST_TOKEN:]):
        text = text[: -len(token[0])].rstrip()
    return text


def with_plain_marks(text: str) -> str:
    """Return an answer whose marks of other forms, such as `[message 1]`, are written `[1]`, which is checked."""

    def plain(mark: re.Match[str]) -> str:
        return f"[{mark['escaped'] or mark['named'] or mark['lenticular']}]"

    return "".join(part if is_code else _OTHER_MARKS.sub(plain, part) for is_code, part in split_code(text))


def is_presentable(text: str) -> bool:
    """Tell whether an answer has nothing in it that is written for programs: a fence, a tool call, a template's words.

    What it tells about reasoning tags has to stand in code.
    """
    if _NOT_FOR_READERS.search(text):
        return False
    return not any(_THINKING_LEFT.search(part) for is_code, part in split_code(text) if not is_code)
