"""What an erasure has done, for whoever asked for it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ops.erasure.posts import Post
from ops.erasure.rows import Counts

_WORDS = {
    "messages": ("message", "messages"),
    "revisions": ("former text of an edited message", "former texts of edited messages"),
    "replaced": ("former state from before a promotion", "former states from before a promotion"),
    "answers": ("answer of the bot that repeated them", "answers of the bot that repeated them"),
    "conversations": ("conversation with the bot", "conversations with the bot"),
    "search_texts": ("neighbour's search text written anew", "neighbours' search texts written anew"),
    "time_zones": ("time zone", "time zones"),
}


_SHOWN_POSTS = 50


@dataclass(frozen=True, slots=True)
class ErasedFile:
    """A file that was rewritten, and how many of its lines are gone."""

    path: Path
    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was erased where, and what still holds it: `backups` by their names, and `posts` of the bot in Discord.

    The posts are of earlier erasures too, and are noted in `posts_file`. `why_posts` says why they are still there.
    """

    user_id: int
    erased_at: datetime
    short_term: Counts
    long_term: Counts
    files: tuple[ErasedFile, ...]
    backups: tuple[str, ...]
    posts: tuple[Post, ...]
    posts_file: Path
    why_posts: str = "set DISCORD_TOKEN, and the same command deletes them"
    deleted_posts: int = 0

    @property
    def found_nothing(self) -> bool:
        """Tell whether nothing of the person was there."""
        return not (self.short_term or self.long_term or self.files)

    def with_deleted(self, gone: Collection[int], problem: str) -> "Receipt":
        """Return the receipt after some posts were deleted; `problem` says why the others were not."""
        left = tuple(post for post in self.posts if post.message_id not in gone)
        return replace(self, posts=left, why_posts=problem, deleted_posts=len(self.posts) - len(left))

    def text(self) -> str:
        """Return the receipt to print."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        moment = f"{self.erased_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
        if self.found_nothing:
            yield f"Nothing of user {self.user_id} was found. They are noted as forgotten up to {moment} all the same."
        else:
            here = "erased here, but not in Discord yet" if self.posts else "erased"
            yield f"All that user {self.user_id} had said up to {moment} is {here}:"
            yield f"  short-term database: {_told(self.short_term)}"
            yield f"  long-term database: {_told(self.long_term)}"
            yield from (f"  {file.path}: {_amount(file.lines, 'line', 'lines')}" for file in self.files)
        if self.deleted_posts:
            yield f"  Discord: {_amount(self.deleted_posts, 'post', 'posts')} of the bot that repeated it"
        yield from self._about_posts()
        if self.backups:
            yield f"Backups that were made before may still hold it: {', '.join(self.backups)}."
        yield "Every restore, and every promotion, leaves it out."

    def _about_posts(self) -> Iterator[str]:
        if not self.posts:
            return
        number = _amount(len(self.posts), "post", "posts")
        yield f"{number} of the bot in Discord may still repeat somebody who is forgotten ({self.why_posts}):"
        yield from (f"  {post.link}" for post in self.posts[:_SHOWN_POSTS])
        if len(self.posts) > _SHOWN_POSTS:
            yield f"  and {len(self.posts) - _SHOWN_POSTS:,} more, whose links are in {self.posts_file}"
        yield "A link that opens nothing was an answer for the asker alone. The same command tries once more."


def _told(counts: Counts) -> str:
    amounts = ((getattr(counts, name), words) for name, words in _WORDS.items())
    return ", ".join(_amount(amount, *words) for amount, words in amounts if amount) or "nothing"


def _amount(amount: int, one: str, many: str) -> str:
    return f"{amount:,} {one if amount == 1 else many}"
