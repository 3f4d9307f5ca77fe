"""Know who has been forgotten, and up to which moment: a file beside the backups says so, and long-term memory too."""

import json
import logging
import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from errors import InputFileError, SettingsError
from storage.files import raise_os_errors_as, sync_folder

logger = logging.getLogger(__name__)

LEDGER = "erasures.jsonl"
"""The name of the file in the folder of backups."""


class _Entry(BaseModel):
    """A line of the ledger."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user_id: int
    erased_at: AwareDatetime


def read_ledger(path: Path) -> dict[int, datetime]:
    """Return until when each person's words are erased; nobody's when there is no such file.

    A last line that a crash cut short counts for nothing: what it announces was not begun. Raises InputFileError for
    any other line that is no erasure, as to leave one out would bring somebody's words back.
    """
    with raise_os_errors_as(InputFileError, f"The ledger of erasures {path} cannot be read", "correct its permissions"):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return {}
    return merged(*({entry.user_id: entry.erased_at} for entry in _entries(path, content)))


def write_ledger(path: Path, user_id: int, now: datetime) -> None:
    """Note on disk that a person's words from up to `now` are erased; return when a crash cannot take it back.

    Raises InputFileError for a damaged ledger, SettingsError when it cannot be written.
    """
    known = read_ledger(path).get(user_id)
    if known is not None and known >= now:
        return
    line = json.dumps({"user_id": user_id, "erased_at": now.isoformat()})
    remedy = "correct the permissions of its folder, or set BACKUP_DIR to another one"
    with raise_os_errors_as(SettingsError, f"The ledger of erasures {path} cannot be written", remedy):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(0o600)
        _append(path, line.encode() + b"\n")
        sync_folder(path.parent)


def merged(*ledgers: Mapping[int, datetime]) -> dict[int, datetime]:
    """Return the union of ledgers; of two moments the later counts."""
    union: dict[int, datetime] = {}
    for ledger in ledgers:
        for user_id, erased_at in ledger.items():
            union[user_id] = max(erased_at, union.get(user_id, erased_at))
    return union


def _entries(path: Path, content: bytes) -> Iterator[_Entry]:
    lines = content.split(b"\n")
    for number, line in enumerate(lines, 1):
        try:
            if line.strip():
                yield _Entry.model_validate_json(line)
        except ValidationError as error:
            if number < len(lines):
                raise InputFileError(
                    f"Line {number} of the ledger of erasures {path} is damaged: mend it by hand, as nothing may be "
                    "restored or promoted before it is known who was forgotten."
                ) from error
            logger.warning("%s: its last line was cut short by a crash, and is ignored", path)


def _append(path: Path, line: bytes) -> None:
    """Write a line behind the last whole one."""
    with path.open("r+b") as file:
        content = file.read()
        whole = content.rpartition(b"\n")
        if _is_entry(whole[2]):  # somebody edited the file and left out the end of the line
            line = b"\n" + line
        else:
            file.truncate(len(content) - len(whole[2]))
        file.seek(0, os.SEEK_END)
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def _is_entry(line: bytes) -> bool:
    try:
        _Entry.model_validate_json(line)
    except ValidationError:
        return False
    return True
