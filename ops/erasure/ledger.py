"""Note beside the backups who is forgotten, up to which moment, and which posts of the bot still repeat them.

The ledger keeps every restore and promotion from bringing them back; long-term memory has the same list. The rows that
told of the posts are erased; so these stand in a file of their own, noted before anything is erased and taken out when
they are deleted in Discord. It holds ids and no words.
"""

import json
import logging
import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from errors import InputFileError, SettingsError
from memory.capture.erased import ErasedItems, merged
from storage.files import raise_os_errors_as, sync_folder, translate_os_errors, write_atomically

logger = logging.getLogger(__name__)

LEDGER = "erasures.jsonl"
"""The name of the file in the folder of backups."""

POSTS = "posts_to_delete.jsonl"
"""The name of the file of posts, in the same folder."""

COPIES = "erased_copies.jsonl"
"""The name of the file, in the same folder, with the ids of messages that are erased one by one, an id in each line.

Others' messages that forwarded somebody are among them.
"""

CHANNELS = "erased_channels.jsonl"
"""The name of the file, in the same folder, with the channels and threads of which nothing is kept up to a moment."""

_OF_DISCORD = range(10**15, 2**62)  # ids of the terminal's channel and those that a promotion makes lie outside


class _Entry(BaseModel):
    """A line of the ledger."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user_id: int
    erased_at: AwareDatetime

    @property
    def number(self) -> int:
        """What is erased."""
        return self.user_id


class _ChannelEntry(BaseModel):
    """A line of the ledger of channels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel_id: int
    erased_at: AwareDatetime

    @property
    def number(self) -> int:
        """What is erased."""
        return self.channel_id


_AnyEntry = _Entry | _ChannelEntry


def read_channels(path: Path) -> dict[int, datetime]:
    """Return until when nothing of each channel or thread is kept; none when there is no such file.

    Raises InputFileError as `read_ledger` does.
    """
    return _read(path, _ChannelEntry)


def write_channel(path: Path, channel_id: int, now: datetime) -> None:
    """Note on disk that nothing of a channel or thread is kept up to `now`; raise as `write_ledger` does."""
    _write(path, _ChannelEntry(channel_id=channel_id, erased_at=now))


def read_items(backup_dir: Path) -> ErasedItems:
    """Return what the ledgers in a folder of backups say to be erased besides people; raise InputFileError."""
    return ErasedItems(read_copies(backup_dir / COPIES), read_channels(backup_dir / CHANNELS))


def read_ledger(path: Path) -> dict[int, datetime]:
    """Return until when each person's words are erased; nobody's when there is no such file.

    A last line that a crash cut short counts for nothing: what it announces was not begun. Raises InputFileError for
    any other line that is no erasure, as to leave one out would bring somebody's words back.
    """
    return _read(path, _Entry)


def _read(path: Path, kind: type[_AnyEntry]) -> dict[int, datetime]:
    with raise_os_errors_as(InputFileError, f"The ledger of erasures {path} cannot be read", "correct its permissions"):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return {}
    return merged(*({entry.number: entry.erased_at} for entry in _entries(path, content, kind)))


def write_ledger(path: Path, user_id: int, now: datetime) -> None:
    """Note on disk that a person's words from up to `now` are erased; return when a crash cannot take it back.

    Raises InputFileError for a damaged ledger, SettingsError when it cannot be written.
    """
    _write(path, _Entry(user_id=user_id, erased_at=now))


def _write(path: Path, entry: _AnyEntry) -> None:
    known = _read(path, type(entry)).get(entry.number)
    if known is not None and known >= entry.erased_at:
        return
    line = json.dumps({**entry.model_dump(), "erased_at": entry.erased_at.isoformat()})
    remedy = "correct the permissions of its folder, or set BACKUP_DIR to another one"
    with raise_os_errors_as(SettingsError, f"The ledger of erasures {path} cannot be written", remedy):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(0o600)
        _append(path, line.encode() + b"\n", type(entry))
        sync_folder(path.parent)


def _entries(path: Path, content: bytes, kind: type[_AnyEntry]) -> Iterator[_AnyEntry]:
    lines = content.split(b"\n")
    for number, line in enumerate(lines, 1):
        try:
            if line.strip():
                yield kind.model_validate_json(line)
        except ValidationError as error:
            if number < len(lines):
                raise InputFileError(
                    f"Line {number} of the ledger of erasures {path} is damaged: correct it by hand, as nothing may be "
                    "restored or promoted before it is known who was forgotten."
                ) from error
            logger.warning("%s: its last line was cut short by a crash, and is ignored", path)


def _append(path: Path, line: bytes, kind: type[_AnyEntry]) -> None:
    """Write a line behind the last whole one."""
    with path.open("r+b") as file:
        content = file.read()
        whole = content.rpartition(b"\n")
        if _is_entry(whole[2], kind):  # somebody edited the file and left out the end of the line
            line = b"\n" + line
        else:
            file.truncate(len(content) - len(whole[2]))
        file.seek(0, os.SEEK_END)
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def _is_entry(line: bytes, kind: type[_AnyEntry]) -> bool:
    try:
        kind.model_validate_json(line)
    except ValidationError:
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedPost:
    """A message of the bot in Discord; `channel_id` is the thread or channel it is in, a direct one without a guild."""

    message_id: int
    channel_id: int
    guild_id: int | None
    author_id: int | None

    @property
    def link(self) -> str:
        """The address that opens it in Discord."""
        return f"https://discord.com/channels/{self.guild_id or '@me'}/{self.channel_id}/{self.message_id}"

    @property
    def is_in_discord(self) -> bool:
        """Whether it was ever there, as an answer in the terminal was not."""
        return self.message_id in _OF_DISCORD and self.channel_id in _OF_DISCORD


def read_posts(path: Path) -> list[NotedPost]:
    """Return the posts that are noted, none when there is no such file.

    Raises InputFileError when the file cannot be read or is damaged.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [
            NotedPost(**{name: value for name, value in json.loads(line).items() if name != "link"}) for line in lines
        ]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputFileError(f"{path} cannot be read ({error.strerror}): correct its permissions.") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise InputFileError(
            f"{path} is damaged: delete in Discord the posts whose links it holds, then delete the file."
        ) from error


def read_copies(path: Path) -> frozenset[int]:
    """Return the ids of the forwards that were erased, none when there is no such file.

    Raises InputFileError when the file cannot be read or is damaged.
    """
    with raise_os_errors_as(InputFileError, f"{path} cannot be read", "correct its permissions"):
        try:
            return frozenset(map(int, path.read_text(encoding="ascii").split()))
        except FileNotFoundError:
            return frozenset()
        except ValueError as error:
            raise InputFileError(f"{path} is damaged: correct it by hand, it has an id in each line.") from error


def note_copies(path: Path, copies: Collection[int]) -> None:
    """Note the ids of further forwards that are erased; raise SessionError when that cannot be written.

    Whose words they were is not told by them, and Discord shows them again when history is read.
    """
    known = read_copies(path)
    if not known.issuperset(copies):
        lines = (f"{message_id}\n" for message_id in sorted(known.union(copies)))
        write_atomically(path, "".join(lines).encode(), setting="BACKUP_DIR")


def note_posts(path: Path, posts: Iterable[NotedPost]) -> None:
    """Note further posts of Discord, each once; raise SessionError when that cannot be written."""
    known = read_posts(path)
    new = {post.message_id: post for post in (*known, *posts) if post.is_in_discord}
    if len(new) > len(known):
        _write_posts(path, new.values())


def strike_posts(path: Path, gone: Collection[int]) -> None:
    """Take posts out that are gone, and the file with the last of them; raise SessionError as `note_posts` does."""
    left = [post for post in read_posts(path) if post.message_id not in gone]
    if left:
        _write_posts(path, left)
        return
    with translate_os_errors(path.parent, setting="BACKUP_DIR"):
        path.unlink(missing_ok=True)


def _write_posts(path: Path, posts: Iterable[NotedPost]) -> None:
    lines = (json.dumps({"link": post.link, **asdict(post)}) for post in posts)
    write_atomically(path, "".join(f"{line}\n" for line in lines).encode(), setting="BACKUP_DIR")
