"""Read the CSV of DiscordChatExporter, whose file name alone tells the channel."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

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

    The name is `server - category - channel [id].csv`. After any other the channel is called after the file.
    """
    known = {ours: theirs for ours, theirs in _COLUMNS.items() if theirs in csv.header}
    return replace(mapped(csv, {**known, **mapping}), added=_channel(csv.path.name))


def _channel(name: str) -> dict[str, str]:
    """Return the channel that the name of a file tells; nothing when it tells none."""
    ids = list(_ID.finditer(name))
    start = name.rfind(" - ", 0, ids[-1].start()) + 1 if ids else 0
    start += len("- ") if start else 0
    found = next((one for one in ids if one.start() > start), None)
    return {"channel_id": found[1], "channel_name": name[start : found.start()]} if found else {}
