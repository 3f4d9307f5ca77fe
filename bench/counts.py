"""Count what was sent, what the session's CSV holds and what short-term memory holds, and compare."""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from db.addresses import keywords_of, parse_address
from db.connections import connect

_CONTENTS = "SELECT content FROM messages WHERE kind = 'message'"
_CONNECT_TIMEOUT = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many messages there were in each place; `unlike` stand in the CSV or in the database alone."""

    sent: int
    in_csv: int
    in_database: int
    duplicates: int
    unlike: int

    def is_right(self, *, at_least: int) -> bool:
        """Tell whether the CSV and the database hold the same messages, each once, and enough of them."""
        return self.in_csv >= at_least and self.in_database == self.in_csv and not (self.duplicates or self.unlike)

    def table(self) -> str:
        """Return the counts for a person to read."""
        return "\n".join(
            (
                f"sent              {self.sent:>7,}",
                f"in the CSV        {self.in_csv:>7,}",
                f"in the database   {self.in_database:>7,}",
                f"duplicates        {self.duplicates:>7,}",
                f"in only one       {self.unlike:>7,}",
            )
        )


def compare(sent: Sequence[str], journalled: Sequence[str], stored: Sequence[str]) -> Counts:
    """Return the counts for the texts that were sent, that the CSV holds and that the database holds."""
    in_csv, in_database = Counter(journalled), Counter(stored)
    unlike = (in_csv.keys() ^ in_database.keys()) | (in_csv.keys() - set(sent))
    duplicates = in_csv.total() - len(in_csv) + in_database.total() - len(in_database)
    return Counts(len(sent), len(journalled), len(stored), duplicates, len(unlike))


def journalled_texts(journal: Path) -> list[str]:
    """Return the texts of the messages in a session's CSV, commands and answers left out."""
    if not journal.exists():
        return []
    with journal.open(encoding="utf-8", newline="") as file:
        return [row["content"] for row in csv.DictReader(file) if row["kind"] == "message"]


async def stored_texts(dsn: str) -> list[str]:
    """Return the texts of the messages in a database, commands and answers left out; raise psycopg.Error."""
    async with await connect(keywords_of(parse_address(dsn)), timeout=_CONNECT_TIMEOUT) as connection:
        return [text for (text,) in await (await connection.execute(_CONTENTS)).fetchall()]
