"""Clean what a language model wrote: its reasoning, the tool calls in it, and what must not be shown to anybody."""

import json
import re
import secrets
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from agent.spoilers import split_code

if TYPE_CHECKING:
    from langchain_core.messages import ToolCall

_THINKING = r"(?:think(?:ing)?|thoughts?|reason(?:ing)?)"
_BEGINS_THINKING = re.compile(rf"\s*<{_THINKING}>", re.IGNORECASE)
_ENDS_THINKING = re.compile(rf"</{_THINKING}>", re.IGNORECASE)
_THINKING_LEFT = re.compile(rf"</?{_THINKING}>", re.IGNORECASE)
_FINAL_CHANNEL = "<|channel|>final<|message|>"
_LONGEST_TOKEN = 44  # characters of one that ends a text
_END_OF_TEXT = re.compile(r"(?:</s>|<end_of_turn>|<\|[a-z_]{1,40}\|>)\Z", re.IGNORECASE)

_NOT_FOR_READERS = re.compile(
    r"</?\s*(?:messages?|pages)(?=[\s>/\-])"  # our fence, or one that was made up
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

MOST_CALLS = 4
"""Calls that are read from one text: as many as a step may make."""

_MOST_STARTS = 12  # of JSON that are tried in one text
_FUNCTION = re.compile(r"<function=(?P<name>\w{1,64})>(?P<body>.*?)(?:</function>|\Z)", re.DOTALL)
_PARAMETER = re.compile(r"<parameter=(?P<name>\w{1,64})>(?P<value>.*?)(?:</parameter>|\Z)", re.DOTALL)
_JSON = json.JSONDecoder()
_NAME_OF_CALL = re.compile(r"""["'](?=(?P<quoted>\w{1,40})["'])|^\W{0,8}(?P<called>\w{1,40})\s?\(""", re.MULTILINE)


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


def begins_within_reasoning(text: str) -> bool:
    """Return whether a text ends reasoning that it does not begin, for the template of the model begins it."""
    if _BEGINS_THINKING.match(text):
        return False
    return any(_ENDS_THINKING.search(part) for is_code, part in split_code(text) if not is_code)


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
    """Return whether an answer has nothing in it for programs: no fence, no tool call, no words of a template.

    What it says about reasoning tags has to stand in code.
    """
    if _NOT_FOR_READERS.search(text):
        return False
    return not any(_THINKING_LEFT.search(part) for is_code, part in split_code(text) if not is_code)


def is_for_programs(text: str, *, tool_names: Collection[str]) -> bool:
    """Return whether something in a text is not for readers, or looks like a call of one of these tools."""
    return not is_presentable(text) or mentions_call(text, names=tool_names)


def calls_in(text: str, *, names: Collection[str]) -> "list[ToolCall]":
    """Return the calls of the tools of these names that a text has, in order, at most MOST_CALLS.

    They stand in it as JSON objects with a name and arguments, in a code block or between tags or bare, or as
    `<function=NAME>`. Other JSON is none.
    """
    found = [*_tagged(text), *_objects(text)]
    known = [(name, arguments) for name, arguments in found if name in names][:MOST_CALLS]
    return [
        {"name": name, "args": arguments, "id": secrets.token_hex(5)[:9], "type": "tool_call"}  # as Mistral wants it
        for name, arguments in known
    ]


def mentions_call(text: str, *, names: Collection[str]) -> bool:
    """Return whether a text looks like a call of one of these tools, readable or not."""
    return any((found["quoted"] or found["called"]) in names for found in _NAME_OF_CALL.finditer(text))


def _tagged(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for function in _FUNCTION.finditer(text):
        body = function["body"].strip()
        arguments = _object(body, 0)
        if arguments is None:
            arguments = {found["name"]: found["value"].strip() for found in _PARAMETER.finditer(body)}
        yield function["name"], arguments


def _objects(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name and arguments of each JSON object that has both."""
    position = 0
    for _ in range(_MOST_STARTS):
        start = text.find("{", position)
        if start < 0:
            return
        try:
            value, position = _JSON.raw_decode(text, start)
        except (ValueError, RecursionError):
            position = start + 1
            continue
        function = value.get("function")
        call = function if isinstance(function, dict) else value
        arguments = call.get("arguments", call.get("parameters", call.get("args")))
        if isinstance(arguments, str):
            arguments = _object(arguments, 0)
        if isinstance(arguments, dict):
            yield str(call.get("name", call.get("function", ""))), arguments


def _object(text: str, start: int) -> dict[str, Any] | None:
    try:
        value, _ = _JSON.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
