"""Refuse messages that Discord would refuse."""

from collections.abc import Iterator
from typing import Any

from tests.fake_discord.errors import ApiError
from tests.fake_discord.models import texts_displayed
from tests.fake_discord.payloads import Payload

LONGEST_CONTENT = 2000  # characters
LONGEST_DISPLAYED = 4000  # characters of all text displays of a message together
MOST_COMPONENTS = 40
COMPONENTS_V2 = 1 << 15  # a flag of messages

_NOT_WITH_COMPONENTS = ("content", "embeds", "poll", "sticker_ids")


def check_message(body: Payload, *, flags: int = 0) -> None:
    """Raise ApiError for what Discord would not take as a message, or as the change of one that has these flags."""
    if len(body.get("content") or "") > LONGEST_CONTENT:
        raise _invalid("content: Must be 2000 or fewer in length.")
    if (body.get("flags") or flags) & COMPONENTS_V2:
        if any(body.get(name) for name in _NOT_WITH_COMPONENTS):
            raise _invalid("content: The 'content' field cannot be used when using MessageFlags.IS_COMPONENTS_V2.")
        components = body.get("components") or []
        if sum(map(len, texts_displayed(components))) > LONGEST_DISPLAYED:
            raise _invalid("components: Displayable text exceeds maximum size of 4000")
        if sum(1 for _ in _all(components)) > MOST_COMPONENTS:
            raise _invalid("components: Must be 40 or fewer in length.")
    elif "content" in body and not any(body.get(name) for name in ("content", "embeds", "components", "poll")):
        raise ApiError(400, 50006, "Cannot send an empty message")


def _all(components: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for component in components:
        yield component
        yield from _all(component.get("components", []))


def _invalid(why: str) -> ApiError:
    return ApiError(400, 50035, f"Invalid Form Body\nIn {why}")
