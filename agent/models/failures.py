"""Tell from what a client of a model raises what to do: ask again, ask otherwise, or not at all."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from errors import first_line

LONGEST_ERROR = 2000
"""Characters that are looked at; what a server says may come behind what its client does."""

_DEEPEST = 6  # causes of an error that are looked at
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504, 529})  # 529: overloaded, as some proxies say
_CONNECTION_ERRORS = frozenset(
    {"ConnectError", "ConnectTimeout", "PoolTimeout", "ReadError", "RemoteProtocolError", "WriteError"}
)
"""Of httpx, by their names: it is not imported for them. A read that took too long has used up its time."""

_NO_MONEY = re.compile(r"insufficient_quota|billing", re.IGNORECASE)

_TAKES_NO_TOOLS = re.compile(r"not support tool|tool choice requires|tools? (?:is|are) not supported", re.IGNORECASE)
"""What Ollama, vLLM and others say when a model, or its server, has no tools."""

_TAKES_NO_STREAM = re.compile(
    r"no generations found in stream|not support stream(?!_options)"
    r"|stream(?:ing)? (?:is |are )?not (?:supported|available|enabled)",
    re.IGNORECASE,
)
"""What servers say, and what LangChain says of one that answers whole although it was asked for pieces."""

_TAKES_NO_OPTIONS = re.compile(r"stream_options|include_usage", re.IGNORECASE)

_TOO_LONG = re.compile(
    r"exceed_context_size|exceeds? the (?:available )?context (?:size|window|length)"  # llama.cpp, Ollama
    r"|context_length_exceeded|maximum context length|max_model_len|maximum model length"  # OpenAI, vLLM
    r"|prompt is too long|input is too long|context (?:size|window) (?:has been )?exceeded"
    r"|inputs?`? tokens? \+ `?max_new_tokens",  # text-generation-inference
    re.IGNORECASE,
)


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status that an error tells of, or one of its causes; None for none."""
    for one in _causes(error):
        for holder in (one, getattr(one, "response", None)):
            status = getattr(holder, "status_code", getattr(holder, "status", None))
            if isinstance(status, int):
                return status
    return None


def retry_after(error: BaseException, *, now: datetime | None = None) -> timedelta | None:
    """Return how long a server wants to be left alone, by the header Retry-After (RFC 9110, 10.2.3); None if unsaid."""
    for one in _causes(error):
        headers: Any = getattr(getattr(one, "response", None), "headers", None)
        value = headers.get("retry-after") if hasattr(headers, "get") else None
        if value is not None:
            return _delay(str(value).strip(), now or datetime.now(UTC))
    return None


def _delay(value: str, now: datetime) -> timedelta | None:
    if value.isascii() and value.isdigit() and len(value) <= 6:  # eleven days
        return timedelta(seconds=int(value))
    try:
        moment = parsedate_to_datetime(value[:64])
    except ValueError:
        return None
    return None if moment.tzinfo is None else max(timedelta(0), moment - now)


def is_passing(error: BaseException) -> bool:
    """Return whether the same request may be answered a moment later: the server is away, overloaded or stumbled."""
    status = status_of(error)
    if status is not None:
        return status in _PASSING and not _NO_MONEY.search(_said(error))
    return any(isinstance(one, ConnectionError) or type(one).__name__ in _CONNECTION_ERRORS for one in _causes(error))


def takes_no_tools(error: BaseException) -> bool:
    """Return whether a model, or its server, refuses to be told of tools."""
    return bool(_TAKES_NO_TOOLS.search(first_line(error)))


def takes_no_stream(error: BaseException) -> bool:
    """Return whether a server cannot write piece by piece."""
    return bool(_TAKES_NO_STREAM.search(_said(error)))


def takes_no_stream_options(error: BaseException) -> bool:
    """Return whether a server does not know how to be asked for tokens while it writes piece by piece."""
    return status_of(error) in {400, 422} and bool(_TAKES_NO_OPTIONS.search(_said(error)))


def is_too_long(error: BaseException) -> bool:
    """Return whether a prompt was longer than the model can read."""
    return bool(_TOO_LONG.search(_said(error)))


def _said(error: BaseException) -> str:
    return str(error)[:LONGEST_ERROR]


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it was raised from."""
    cause: BaseException | None = error
    for _ in range(_DEEPEST):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__
