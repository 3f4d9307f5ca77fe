"""Read the tool calls that a model writes as text, where its server does not."""

import json
import re
import secrets
from collections.abc import Collection, Iterator
from typing import Any

from langchain_core.messages import ToolCall

MOST_CALLS = 4
"""Calls that are read from one text: as many as a step may make."""

_MOST_STARTS = 12  # of JSON that are tried in one text
_FUNCTION = re.compile(r"<function=(?P<name>\w{1,64})>(?P<body>.*?)(?:</function>|\Z)", re.DOTALL)
_PARAMETER = re.compile(r"<parameter=(?P<name>\w{1,64})>(?P<value>.*?)(?:</parameter>|\Z)", re.DOTALL)
_JSON = json.JSONDecoder()
_NAME_OF_CALL = re.compile(r"""["'](?=(?P<quoted>\w{1,40})["'])|^\W{0,8}(?P<called>\w{1,40})\s?\(""", re.MULTILINE)


def calls_in(text: str, *, names: Collection[str]) -> list[ToolCall]:
    """Return the calls of the tools of these names that a text has, in order, at most MOST_CALLS.

    They stand in it as JSON objects with a name and arguments, in a code block or between tags or bare, or as
    `<function=NAME>`. Other JSON is none.
    """
    found = [*_tagged(text), *_objects(text)]
    known = [(name, arguments) for name, arguments in found if name in names][:MOST_CALLS]
    return [
        ToolCall(name=name, args=arguments, id=secrets.token_hex(5)[:9], type="tool_call")  # as Mistral wants it
        for name, arguments in known
    ]


def mentions_call(text: str, *, names: Collection[str]) -> bool:
    """Tell whether a text looks like a call of one of these tools, readable or not."""
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
