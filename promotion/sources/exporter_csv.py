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
_CHANNEL = re.compile(r"(?:.* - )?(?P<name>.+?) \[(?P<id>\d{15,20})\]")


def is_export(header: Sequence[str]) -> bool:
    """Tell whether a CSV with this header is of DiscordChatExporter."""
    return {"AuthorID", "Author", "Date", "Content"} <= set(header)


def as_export(csv: ForeignCsv, mapping: Mapping[str, str]) -> ForeignCsv:
    """Return an export with its columns; its channel is that of the name that the program gives to such files.

    The name is `server - category - channel [id].csv`. After any other the channel is called after the file.
    """
    known = {ours: theirs for ours, theirs in _COLUMNS.items() if theirs in csv.header}
    found = _CHANNEL.match(csv.path.name)
    added = {"channel_id": found["id"], "channel_name": found["name"]} if found else {}
    return replace(mapped(csv, {**known, **mapping}), added=added)
