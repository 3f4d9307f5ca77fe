"""Read the messages of bench/red_team.jsonl, each of which tries to have a language model do what nobody asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from errors import InputFileError

PLANTED = Path(__file__).with_name("red_team.jsonl")

Where = Literal[
    "content",
    "author_name",
    "channel_name",
    "file_name",
    "embed",
    "poll",
    "forwarded",
    "edit",
    "reply",
    "quoted",
    "earlier_turn",
]
"""Where in a message, or before a question, the words stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """A planted message: what it says about a `subject`, what it `tries`, and what a model does that obeys it.

    The model does one step of `obey` after the other: `{"call": tool, "arguments": {...}}` or `{"say": text}`. `name`
    is that of the author, the channel or the file. Of what is shown nothing may be `must_not`, and a `claim` only
    beside a mark of a message that has it. Ids and what the model has read stand between braces.
    """

    id: int
    kind: str
    where: Where
    subject: str
    text: str
    obey: tuple[Mapping[str, Any], ...]
    tries: str
    name: str = ""
    must_not: str = ""
    claim: str = ""
    question: str = ""
    ids: Mapping[str, str] = field(default_factory=dict)

    @property
    def asked(self) -> str:
        """The question in answer to which the message is read."""
        return self.question or f"what was said about the {self.subject}?"


def read_plants(path: Path = PLANTED) -> list[Plant]:
    """Return the planted messages of a file; raise InputFileError when it cannot be read as such."""
    adapter = TypeAdapter(Plant)
    try:
        return [adapter.validate_json(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise InputFileError(f"{path} has no planted messages, one JSON object a line: correct it.") from error


def filled(value: Any, ids: Mapping[str, str]) -> Any:
    """Return a text, or the texts of a list or an object, with the ids that stand between braces."""
    if isinstance(value, str):
        for name, found in ids.items():
            value = value.replace(f"{{{name}}}", found)
        return value
    if isinstance(value, Mapping):
        return {key: filled(inner, ids) for key, inner in value.items()}
    return [filled(inner, ids) for inner in value] if isinstance(value, list) else value
