"""Remember which posts of the bot in Discord repeat a forgotten person, until they are deleted there.

The rows that told of them are erased; so the posts stand in a file beside the ledger, noted before anything is erased
and taken out when they are gone. It holds ids and no words.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from errors import InputFileError
from storage.files import translate_os_errors, write_atomically

POSTS = "posts_to_delete.jsonl"
"""The name of the file in the folder of backups."""

_OF_DISCORD = range(10**15, 2**62)  # ids of the terminal's channel and those that a promotion makes lie outside


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
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


def read_posts(path: Path) -> list[Post]:
    """Return the posts that are noted, none when there is no such file.

    Raises InputFileError when the file cannot be read or is damaged.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [Post(**{name: value for name, value in json.loads(line).items() if name != "link"}) for line in lines]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputFileError(f"{path} cannot be read ({error.strerror}): mend its permissions.") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise InputFileError(
            f"{path} is damaged: delete in Discord the posts whose links it holds, then delete the file."
        ) from error


def note_posts(path: Path, posts: Iterable[Post]) -> None:
    """Note further posts of Discord, each once; raise SessionError when that cannot be written."""
    known = read_posts(path)
    new = {post.message_id: post for post in (*known, *posts) if post.is_in_discord}
    if len(new) > len(known):
        _write(path, new.values())


def strike_posts(path: Path, gone: Collection[int]) -> None:
    """Take posts out that are gone, and the file with the last of them; raise SessionError as `note_posts` does."""
    left = [post for post in read_posts(path) if post.message_id not in gone]
    if left:
        _write(path, left)
        return
    with translate_os_errors(path.parent, setting="BACKUP_DIR"):
        path.unlink(missing_ok=True)


def _write(path: Path, posts: Iterable[Post]) -> None:
    lines = (json.dumps({"link": post.link, **asdict(post)}) for post in posts)
    write_atomically(path, "".join(f"{line}\n" for line in lines).encode(), setting="BACKUP_DIR")
