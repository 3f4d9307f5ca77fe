"""Forget a person everywhere at once: in both databases and in the files of all sessions.

The order is what makes it safe to be stopped anywhere, and to be done again:

1. The ledger notes it, so that nothing that is restored from now on brings the person back.
2. All that they said is gathered, from everywhere, and then all that repeats it is found. Posts of the bot in Discord
   that do are noted beside the ledger: whoever deletes them there has no rows to find them by.
   So are the ids of what others forwarded: nothing else tells them when Discord's history is read again.
3. What repeats them goes, first out of the files, then out of the databases.
4. What they said themselves goes, first out of the files, then out of the databases.
   With it go the samples of texts that PostgreSQL has kept for its planner.
5. VACUUM takes the deleted rows out of the indexes.

Repetitions are found by what was said, so that goes last: stopped in step 3, all is still there to find the others by.
Files come before databases, for a journal that is read once more then brings nothing back that was deleted.
"""

import asyncio
from collections.abc import AsyncGenerator, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import LiteralString, NamedTuple, Protocol

from psycopg import sql

from db.databases import Database
from db.errors import NO_RIGHT
from db.table_copy import Connection, fetch, open_connection, tables_of
from errors import DatabaseSetupError, DatabaseUnavailableError, OperatorError, SessionError, StatementFailedError
from memory.capture.journal import RunInThread
from memory.capture.members import JOURNAL_FACT
from ops.erasure.files import Answers, Redactions, add_cuts, answers_in, collect, csv_files, cut, find_cuts
from ops.erasure.find import (
    Conversation,
    Repetitions,
    Tables,
    collect_rows,
    find_conversations,
    find_posts,
    find_questions,
    find_reminders,
)
from ops.erasure.fingerprint import Fingerprint, FingerprintBuilder
from ops.erasure.ledger import (
    CHANNELS,
    COPIES,
    LEDGER,
    POSTS,
    NotedPost,
    note_copies,
    note_posts,
    read_channels,
    read_ledger,
    read_posts,
    write_channel,
    write_ledger,
)
from ops.erasure.rows import (
    TOUCHED,
    Counts,
    erase_contexts,
    erase_conversations,
    erase_own,
    erase_questions,
    erase_reminders,
    erase_repetitions,
    erasing,
    note_erasure,
)
from ops.erasure.subject import Subject
from util_async import Progress

_MANIFEST = "manifest.json"  # what makes a folder a backup
_BIGINT = range(-(2**63), 2**63)
_VACUUM = sql.SQL("VACUUM {}")
_SAMPLES = ("pg_statistic", "pg_statistic_ext_data")
_POSITION: LiteralString = "SELECT position FROM journal_positions WHERE session = %s"
_JOURNALS: LiteralString = "SELECT value FROM facts WHERE starts_with(name, %s)"
_MOVE: LiteralString = "UPDATE journal_positions SET position = %s WHERE session = %s"
_SHORTEN: LiteralString = "UPDATE coverage SET journal_end = %s WHERE session = %s AND journal_end > %s"
_WORDS = {
    "messages": ("message", "messages"),
    "revisions": ("former text of an edited message", "former texts of edited messages"),
    "replaced": ("former state from before a promotion", "former states from before a promotion"),
    "answers": ("answer of the bot that repeated them", "answers of the bot that repeated them"),
    "conversations": ("conversation with the bot", "conversations with the bot"),
    "questions": ("question to the bot with its answer", "questions to the bot with their answers"),
    "search_texts": ("neighbour's search text written anew", "neighbours' search texts written anew"),
    "time_zones": ("time zone", "time zones"),
    "decisions": ("mark of a decision", "marks of decisions"),
    "reminders": ("reminder", "reminders"),
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
    posts: tuple[NotedPost, ...]
    posts_file: Path
    elsewhere: tuple[Path, ...] = ()
    """Storage folders of processes that share short-term memory and that are not on this computer."""
    why_posts: str = "set DISCORD_TOKEN, and the same command deletes them"
    deleted_posts: int = 0

    @property
    def found_nothing(self) -> bool:
        """Whether nothing of the person was found."""
        return not (self.short_term or self.long_term or self.files)

    @property
    def amounts(self) -> str:
        """What was erased, in words: of a message that both memories held, once."""
        most = Counts(
            **{name: max(getattr(self.short_term, name), getattr(self.long_term, name)) for name in Counts.__slots__}
        )
        return _told(most)

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
        if self.elsewhere:
            folders = ", ".join(map(str, self.elsewhere))
            yield f"Not here are the CSV files of other processes ({folders}): give the same command where they are."
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


async def forget(
    user_id: int,
    *,
    short_term: Database,
    long_term: Database,
    storage_dir: Path,
    backup_dir: Path,
    now: datetime,
    timeout: timedelta,
    report: Progress,
) -> Receipt:
    """Erase what a person said up to `now`, as `erase` does; the caller keeps the bot away from the storage folder.

    Raises OperatorError for an id that is none, and what `erase` raises.
    """
    if user_id not in _BIGINT:
        raise OperatorError(f"{user_id} is no id of a user: copy it from Discord, in developer mode.")
    return await erase(
        Subject(people={user_id: now}),
        short_term=short_term,
        long_term=long_term,
        storage_dir=storage_dir,
        backup_dir=backup_dir,
        now=now,
        timeout=timeout,
        report=report,
    )


class OpenFiles(Protocol):
    """The CSV files that a running bot writes, as `memory.capture.recorder.Recorder` knows them."""

    @property
    def open_files(self) -> Mapping[Path, int]:
        """Their paths, with how many bytes of each can be read."""

    def held(self, path: Path) -> AbstractAsyncContextManager[RunInThread]:
        """Keep one of them from being read and written while it is rewritten."""


async def erase(
    subject: Subject,
    *,
    short_term: Database,
    long_term: Database,
    storage_dir: Path,
    backup_dir: Path,
    now: datetime,
    timeout: timedelta,
    report: Progress,
    running: OpenFiles | None = None,
) -> Receipt:
    """Erase a subject, and what repeats it; `running` are the files of the bot if it runs, else nobody writes any.

    The storage folders of other processes that share short-term memory are taken as well, as far as they are here and
    the bot does not run. To connect to a database takes no longer than `timeout`. Backups stay as they are, and the
    ledgers have every restore leave the subject out. What was sent after its moments is not touched. Rows that have no
    author's id are nobody's. Stopped half-way, the same call goes on with it; done again later, with a later moment, it
    moves that forward. The report counts steps.

    Deleted rows are gone from the indexes at the end. Their bytes stay on the disk until PostgreSQL writes something
    else in their place, and in its write-ahead log until that is recycled; `VACUUM FULL` and `REINDEX` of the tables
    overwrite sooner, with the bot stopped.

    Raises SettingsError or InputFileError when a ledger cannot be written, SessionError or JournalUnavailableError for
    a file that cannot be rewritten, DatabaseSetupError when the user of a database may not do this,
    DatabaseUnavailableError when one fails.
    """
    subject = await asyncio.to_thread(note_in_ledgers, backup_dir, subject)
    with _errors_say_how_to_go_on():
        async with _open_side(short_term, timeout) as short_side, _open_side(long_term, timeout) as long_side:
            for user_id, erased_at in subject.people.items():
                await note_erasure(long_side.connection, user_id, erased_at)
            others = await _other_storage(short_side)
            files = await asyncio.to_thread(_csv_files_in, [storage_dir, *others])
            left = await _journals_of_others(short_side, running) if running is not None else set()
            forgetting = _Forgetting(
                subject,
                short_side,
                long_side,
                [path for path in files if path.parent.resolve() not in left],
                report,
                noted_posts=backup_dir / POSTS,
                noted_copies=backup_dir / COPIES,
                running=running,
            )
            await forgetting.run()
    return Receipt(
        user_id=next(iter(subject.people), 0),
        erased_at=max([*subject.people.values(), *subject.channels.values()], default=now),
        short_term=short_side.counts,
        long_term=long_side.counts,
        files=forgetting.erased_files,
        posts=tuple(await asyncio.to_thread(read_posts, backup_dir / POSTS)),
        posts_file=backup_dir / POSTS,
        elsewhere=(
            *[folder for folder in others if not await asyncio.to_thread(folder.is_dir)],
            *sorted(left),
        ),
        backups=tuple(await asyncio.to_thread(_backups_in, backup_dir)),
    )


def note_in_ledgers(backup_dir: Path, subject: Subject) -> Subject:
    """Write a subject into the ledgers, and return it with the moments that are there: an earlier one counts nothing.

    Raises SettingsError or InputFileError when one cannot be written.
    """
    people, channels = backup_dir / LEDGER, backup_dir / CHANNELS
    for user_id, moment in subject.people.items():
        write_ledger(people, user_id, moment)
    for channel_id, moment in subject.channels.items():
        write_channel(channels, channel_id, moment)
    if subject.messages:
        note_copies(backup_dir / COPIES, subject.messages)
    known_people, known_channels = read_ledger(people), read_channels(channels)
    return replace(
        subject,
        people={user_id: known_people[user_id] for user_id in subject.people},
        channels={channel_id: known_channels[channel_id] for channel_id in subject.channels},
    )


@contextmanager
def _errors_say_how_to_go_on() -> Iterator[None]:
    try:
        yield
    except DatabaseUnavailableError as error:
        if isinstance(error, StatementFailedError) and error.sqlstate == NO_RIGHT:
            raise DatabaseSetupError(
                f"A database does not let its user erase ({error}): use its owner, then give the same command again."
            ) from error
        raise DatabaseUnavailableError(
            f"{error}: what is erased stays erased, and the same command goes on with the rest."
        ) from error


@dataclass(slots=True)
class _Side:
    """One of the two databases, and what was erased there so far."""

    connection: Connection
    tables: Tables
    counts: Counts = field(default_factory=Counts)


class _Asked(NamedTuple):
    """Where in one database the bot was asked for something that somebody said."""

    conversations: set[Conversation]
    question_ids: set[int]
    reminder_ids: set[int]


@dataclass(slots=True)
class _Forgetting:
    """What is erased, and everything that may hold its words."""

    subject: Subject
    short_term: _Side
    long_term: _Side
    files: list[Path]
    report: Progress
    noted_posts: Path
    """Where posts are noted that have to be deleted in Discord."""
    noted_copies: Path
    """Where forwards are noted that are not to come back."""
    running: OpenFiles | None = None
    lines: dict[Path, int] = field(default_factory=dict)
    done: int = 0

    async def run(self) -> None:
        said = await self._fingerprint()
        answers = await self._find_answers(said)
        repeating = await self._find_conversations(said)
        await self._note_posts(answers)
        await asyncio.to_thread(note_copies, self.noted_copies, said.copies)
        await self._rewrite_files(said, answers, own=False)
        for side in self._sides:
            await self._erase_what_repeats(side, said, answers, repeating[id(side)])
        await self._rewrite_files(said, answers, own=True)
        for side in self._sides:
            await self._erase_own(side, said)
        if self.running is not None:
            await self._erase_late_answers(said)
        for side in self._sides:
            await self._vacuum(side)

    @property
    def erased_files(self) -> tuple[ErasedFile, ...]:
        return tuple(ErasedFile(path, lines) for path, lines in self.lines.items())

    @property
    def _sides(self) -> tuple[_Side, _Side]:
        return self.short_term, self.long_term

    def _step(self) -> None:
        self.done += 1
        rounds = 4 if self.running is None else 6
        self.report(self.done, rounds * len(self.files) + (rounds + 2) * len(self._sides))

    async def _erase_late_answers(self, said: Fingerprint) -> None:
        """Erase what the bot has answered while this was going on, as all was there to be quoted until its end."""
        answers = await self._find_answers(said)
        repeating = await self._find_conversations(said)
        await self._note_posts(answers)
        await self._rewrite_files(said, answers, own=False)
        for side in self._sides:
            await self._erase_what_repeats(side, said, answers, repeating[id(side)])

    async def _fingerprint(self) -> Fingerprint:
        """Return what the person has said, wherever it stands."""
        said = FingerprintBuilder(frozenset(self.subject.people))
        for side in self._sides:
            await collect_rows(side.connection, side.tables, self.subject, said)
            self._step()
        for path in self.files:
            await asyncio.to_thread(collect, path, self.subject, said)
            self._step()
        return await asyncio.to_thread(said.build)

    async def _find_answers(self, said: Fingerprint) -> Answers:
        repetitions = Repetitions(said)
        for side in self._sides:
            await repetitions.look_into(side.connection, side.tables)
            self._step()
        for path in self.files:
            await asyncio.to_thread(_look_into_file, repetitions, path)
            self._step()
        return repetitions.answers

    async def _note_posts(self, answers: Answers) -> None:
        posts = [post for side in self._sides for post in await find_posts(side.connection, side.tables, answers)]
        for path in self.files:
            posts += await asyncio.to_thread(_posts_in, path, answers)
        await asyncio.to_thread(note_posts, self.noted_posts, posts)

    async def _find_conversations(self, said: Fingerprint) -> dict[int, _Asked]:
        found = {}
        for side in self._sides:
            conversations = await find_conversations(side.connection, side.tables, said)
            questions = await find_questions(side.connection, side.tables, said)
            reminders = await find_reminders(side.connection, side.tables, said)
            found[id(side)] = _Asked(conversations, questions, reminders)
            self._step()
        return found

    async def _rewrite_files(self, said: Fingerprint, answers: Answers, *, own: bool) -> None:
        for path in self.files:
            lines = await self._rewrite_file(path, said, answers, own=own)
            if lines:
                self.lines[path] = self.lines.get(path, 0) + lines
            self._step()

    async def _rewrite_file(self, path: Path, said: Fingerprint, answers: Answers, *, own: bool) -> int:
        """Take out of a file what has to go; return how many lines that was.

        One that is being written is looked at first, and held only while what came since is looked at and it is copied.
        """
        open_path = self._open_path(path)
        end = self._end_of(open_path)
        cuts = await asyncio.to_thread(find_cuts, path, self.subject, said, answers=answers, own=own, end=end)
        if open_path is None or self.running is None:
            if cuts.lines:
                await self._rewrite(path, cuts, asyncio.to_thread)
            return cuts.lines
        rest = partial(add_cuts, cuts, path, self.subject, said, answers=answers, own=own)
        await asyncio.to_thread(rest, end=self._end_of(open_path))
        if cuts.lines:
            async with self.running.held(open_path) as run:
                await run(rest)
                await self._rewrite(path, cuts, run)
        return cuts.lines

    def _open_path(self, path: Path) -> Path | None:
        """Return the path under which the bot writes a file, if it does."""
        if self.running is None:
            return None
        return next((opened for opened in self.running.open_files if opened.resolve() == path.resolve()), None)

    def _end_of(self, open_path: Path | None) -> int | None:
        return None if open_path is None or self.running is None else self.running.open_files[open_path]

    async def _rewrite(self, path: Path, cuts: Redactions, run: RunInThread) -> None:
        """Rewrite a file, and let short-term memory know where in it its journal goes on.

        Between two names of one file and a row of a database there is no common transaction. So the position says
        meanwhile that nothing was read: whoever is killed here leaves a journal that is read from its start, where
        every message is already known and nobody is lost.
        """
        connection, session = self.short_term.connection, path.stem
        known = "journal_positions" in self.short_term.tables
        positions = await fetch(connection, _POSITION, [session]) if known else []
        for _ in positions:
            await connection.execute(_MOVE, [0, session])
        try:
            await run(cut, path, cuts)
        except SessionError:
            for (position,) in positions:
                await connection.execute(_MOVE, [position, session])
            raise
        for (position,) in positions:
            await connection.execute(_MOVE, [cuts.new_offset(position), session])
        if "coverage" in self.long_term.tables:
            size = (await asyncio.to_thread(path.stat)).st_size
            await self.long_term.connection.execute(_SHORTEN, [size, session, size])

    async def _erase_what_repeats(self, side: _Side, said: Fingerprint, answers: Answers, asked: _Asked) -> None:
        copied = erasing(side.connection, self.subject, side.tables, message_ids=said.message_ids)
        async with side.connection.transaction(), copied:
            erased = await erase_repetitions(side.connection, side.tables, answers=answers)
            erased += await erase_conversations(side.connection, side.tables, conversations=asked.conversations)
            erased += await erase_questions(side.connection, side.tables, question_ids=asked.question_ids)
            erased += await erase_reminders(side.connection, side.tables, reminder_ids=asked.reminder_ids)
            erased += await erase_contexts(side.connection, side.tables, names=said.names | said.copiers)
        side.counts += erased
        self._step()

    async def _erase_own(self, side: _Side, said: Fingerprint) -> None:
        async with side.connection.transaction(), erasing(side.connection, self.subject, side.tables):
            erased = await erase_own(side.connection, side.tables, message_ids=said.message_ids)
        side.counts += erased
        self._step()

    async def _vacuum(self, side: _Side) -> None:
        for table in [table for table in TOUCHED if table in side.tables]:
            await side.connection.execute(_VACUUM.format(sql.Identifier(table)))
        for catalog in _SAMPLES:  # whose rows are as dead; a user who is not the owner is only warned
            await side.connection.execute(_VACUUM.format(sql.Identifier("pg_catalog", catalog)))
        self._step()


@asynccontextmanager
async def _open_side(database: Database, timeout: timedelta) -> AsyncGenerator[_Side]:
    async with open_connection(database.dsn, timeout=timeout) as connection:
        yield _Side(connection, await tables_of(connection))


async def _other_storage(side: _Side) -> list[Path]:
    """Return the storage folders of all processes with shards of their own that short-term memory knows."""
    journals = await fetch(side.connection, _JOURNALS, [f"{JOURNAL_FACT} "]) if "facts" in side.tables else []
    return sorted({Path(journal).parent.parent for (journal,) in journals})


async def _journals_of_others(side: _Side, running: OpenFiles) -> set[Path]:
    """Return the folders of sessions that other processes write, which nobody but they may rewrite."""
    journals = await fetch(side.connection, _JOURNALS, [JOURNAL_FACT]) if "facts" in side.tables else []
    others = [Path(journal) for (journal,) in journals]
    return await asyncio.to_thread(_folders_but, others, list(running.open_files))


def _folders_but(paths: Iterable[Path], own: Iterable[Path]) -> set[Path]:
    return {path.resolve().parent for path in paths} - {path.resolve().parent for path in own}


def _csv_files_in(storage_dirs: Sequence[Path]) -> list[Path]:
    """Return the CSV files of all these folders that are there, each once."""
    files = [path for folder in storage_dirs if folder.is_dir() for path in csv_files(folder)]
    return list({path.resolve(): path for path in reversed(files)}.values())[::-1]


def _look_into_file(repetitions: Repetitions, path: Path) -> None:
    for answer in answers_in(path):
        repetitions.look_at(answer.message_id, answer.reply_to, answer.content)


def _posts_in(path: Path, answers: Answers) -> list[NotedPost]:
    return [
        NotedPost(message_id=one.message_id, channel_id=one.place_id, guild_id=one.guild_id, author_id=one.author_id)
        for one in answers_in(path)
        if answers.holds(one.message_id, one.reply_to)
    ]


def _backups_in(folder: Path) -> Iterator[str]:
    """Yield the names of the backups in a folder, in order."""
    for manifest in sorted(folder.glob(f"*/{_MANIFEST}")):
        if not manifest.parent.name.startswith("."):
            yield manifest.parent.name
