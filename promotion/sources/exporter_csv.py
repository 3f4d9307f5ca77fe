"""Read the CSV of DiscordChatExporter, whose file name alone tells the channel."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from memory.place_names import thread_name
from promotion.sources.foreign_csv import ForeignCsv, mapped

_COLUMNS = {
    "content": "Content",
    "sent_at": "Date",
    "author_name": "Author",
    "author_id": "AuthorID",
    "attachments": "Attachments",
    "message_id": "MessageID",  # only of late versions
}
_ID = re.compile(r" \[(\d{15,20})\]")


def is_export(header: Sequence[str]) -> bool:
    """Tell whether a CSV with this header is of DiscordChatExporter."""
    return {"AuthorID", "Author", "Date", "Content"} <= set(header)


def as_export(csv: ForeignCsv, mapping: Mapping[str, str]) -> ForeignCsv:
    """Return an export with its columns; its channel is that of the name that the program gives to such files.

    The name is `server - category - channel - thread [id].csv`, without what is not there. After any other the channel
    is called after the file.
    """
    known = {ours: theirs for ours, theirs in _COLUMNS.items() if theirs in csv.header}
    return replace(mapped(csv, {**known, **mapping}), added=_channel(csv.path.name))


def _channel(name: str) -> dict[str, str]:
    """Return the channel that the name of a file tells; nothing when it tells none."""
    ids = list(_ID.finditer(name))
    if not ids:
        return {}
    return {"channel_id": ids[-1][1], "channel_name": _place(name[: ids[-1].start()].split(" - "))}


def _place(parts: Sequence[str]) -> str:
    """Return the channel, or the thread with its channel, that the parts of a name mean: server, category, and so on.

    Names may have dashes themselves, which nothing tells from those between them. A title is never cut: it begins
    behind the first part that can be a channel's name, and is all that follows. The last of two parts behind the server
    is taken for a channel in a category, which it mostly is.
    """
    inner = parts[1:] or parts
    channels = [at for at, part in enumerate(inner) if _can_be_channel(part)]
    if channels and (channels == [len(inner) - 1] or len(inner) == 2 == len(channels)):
        return inner[-1]
    if channels and channels[0] < 2:  # behind the server, or the category
        return thread_name(inner[channels[0]], " - ".join(inner[channels[0] + 1 :]))
    return " - ".join(inner[1:] or inner)


def _can_be_channel(name: str) -> bool:
    """Return whether a text channel or forum can have this name: those have no blanks and no capitals."""
    return bool(name) and name == name.lower() and not any(letter.isspace() for letter in name)
