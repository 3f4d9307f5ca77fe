"""Posts that have to be deleted in Discord stay noted until they are, whatever happens in between."""

from pathlib import Path

import pytest

from errors import InputFileError
from ops.erasure.ledger import POSTS, NotedPost, note_posts, read_posts, strike_posts
from tests.sentences import is_one_sentence

FIRST = 1_400_000_000_000_000_000


def post(number: int, *, channel_id: int = FIRST, guild_id: int | None = 5) -> NotedPost:
    return NotedPost(message_id=FIRST + number, channel_id=channel_id, guild_id=guild_id, author_id=7)


def test_they_are_noted_once_and_struck_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "backups" / POSTS
    path.parent.mkdir()

    note_posts(path, [post(1), post(2)])
    note_posts(path, [post(2), post(3)])
    assert read_posts(path) == [post(1), post(2), post(3)]
    assert post(1).link in path.read_text()

    strike_posts(path, {FIRST + 1, FIRST + 3})
    assert read_posts(path) == [post(2)]
    strike_posts(path, {FIRST + 2})
    assert not path.exists()
    strike_posts(path, {FIRST + 2})
    assert read_posts(path) == []


def test_what_was_never_in_discord_is_not_noted(tmp_path: Path) -> None:
    path = tmp_path / POSTS

    note_posts(path, [post(1, channel_id=1), NotedPost(message_id=3, channel_id=FIRST, guild_id=5, author_id=7)])

    assert not path.exists()


def test_the_link_of_a_direct_message() -> None:
    assert post(0, guild_id=None).link == f"https://discord.com/channels/@me/{FIRST}/{FIRST}"


@pytest.mark.parametrize("content", ["{", "[]", '{"message_id": 1}', "\\xff"])
def test_a_damaged_file_is_told_in_one_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / POSTS).write_text(content)

    with pytest.raises(InputFileError, match="is damaged") as caught:
        note_posts(tmp_path / POSTS, [post(1)])

    assert is_one_sentence(str(caught.value).replace(POSTS, "posts"))
