"""Ask every question again whose answer people have rated, on the memory of this deployment, and compare.

The thumbs under answers make a set of regression tests that no one had to write: what was liked should still cite what
it cited then, and what was disliked should have changed. Each question is asked as of then: its "last week" is the one
before it was asked, and it may use the places that it could use then. So this is for whoever runs the bot; nothing of
it is sent anywhere but to the language model of the settings. The bot may be running.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from agent.agent import Agent
from agent.types import Answer, Question
from bench.tables import table
from cli.commands.startup import model_creators, opened_databases, opened_embedder
from cli.console import progress_bar
from cli.script import errors_end_the_script
from memory.answers.kept import Rated
from memory.answers.store import AnswerStore
from memory.index.reembed import prepare
from memory.preferences import TimeZones
from memory.search.memory import Memory
from memory.search_session import searchable_database
from settings import Settings, read_settings

_LONGEST_SHOWN = 100  # characters of a question


class Verdict(StrEnum):
    """What became of the answer to a question that was rated."""

    SAME_SOURCES = "cites all that it cited"
    SOME_SOURCES = "cites some of what it cited"
    OTHER_SOURCES = "cites nothing of what it cited"
    CHANGED = "has changed"
    UNCHANGED = "is the same"


LIKED = (Verdict.SAME_SOURCES, Verdict.SOME_SOURCES, Verdict.OTHER_SOURCES)
DISLIKED = (Verdict.CHANGED, Verdict.UNCHANGED)


@dataclass(frozen=True, slots=True)
class Replayed:
    """A rated question, and how its answer of today compares."""

    rated: Rated
    verdict: Verdict

    @property
    def is_right(self) -> bool:
        """Whether what was liked is as good as it was, or what was disliked is something else."""
        return self.verdict in {Verdict.SAME_SOURCES, Verdict.CHANGED}


def verdict_of(rated: Rated, answer: Answer) -> Verdict:
    """Compare the answer of today with the one that was rated."""
    cited, today = set(rated.answer.sources.values()), {source.message.message_id for source in answer.sources}
    if rated.rating < 0:
        is_same = cited == today and _words(rated.answer.text) == _words(answer.text)
        return Verdict.UNCHANGED if is_same else Verdict.CHANGED
    if cited <= today:
        return Verdict.SAME_SOURCES
    return Verdict.SOME_SOURCES if cited & today else Verdict.OTHER_SOURCES


def _words(text: str) -> list[str]:
    return text.split()


async def replay(
    rated: Sequence[Rated], ask: Callable[[Rated], Awaitable[Answer]], report: Callable[[int, int], None]
) -> list[Replayed]:
    """Ask all questions again, one after the other, and compare."""
    replayed = []
    for number, one in enumerate(rated, start=1):
        replayed.append(Replayed(one, verdict_of(one, await ask(one))))
        report(number, len(rated))
    return replayed


def text_of(replayed: Sequence[Replayed], *, names: bool) -> str:
    """Return the counts for a person to read, and with `names` the questions that are not as they should be."""
    counts = Counter(one.verdict for one in replayed)
    rows: list[tuple[str | float, ...]] = [
        (f"{rating}, {verdict.value}", counts[verdict])
        for rating, verdicts in (("liked", LIKED), ("disliked", DISLIKED))
        for verdict in verdicts
    ]
    lines = [table(("rated answers", "count"), rows)]
    if names:
        lines += [
            f"{one.verdict}: {' '.join(one.rated.question.text.split())[:_LONGEST_SHOWN]} ({_made_with(one.rated)})"
            for one in replayed
            if not one.is_right
        ]
    return "\n".join(lines)


def _made_with(rated: Rated) -> str:
    return ", ".join(f"{name} {version}" for name, version in rated.answer.versions.items() if version)


async def question_of(rated: Rated, zones: TimeZones, fallback: ZoneInfo) -> Question:
    """Return a question as it was asked; it becomes no turn of a conversation."""
    asked = rated.question
    zone = await zones.of(asked.asker_id, asked.guild_id, fallback)
    return Question(
        text=asked.text,
        channel_id=asked.channel_id,
        asker_id=asked.asker_id,
        asker_name="",
        places=rated.answer.places,
        now=asked.asked_at,
        time_zone=zone.zone,
        guild=asked.guild_id,
        private=asked.private,
        all_time=asked.all_time,
        about=asked.about,
        kept=False,
    )


async def measure(settings: Settings, *, limit: int) -> list[Replayed]:
    """Replay the newest rated questions of a deployment."""
    fallback = ZoneInfo(settings.time_zone)
    async with opened_databases(settings.database) as databases, opened_embedder(settings) as embedder:
        for database in databases:
            await prepare(database, embedder)
        short_term, long_term = databases
        rated = await AnswerStore(long_term.sessions).rated(limit=limit)
        zones = TimeZones(long_term.sessions)
        memory = Memory(searchable_database(short_term), searchable_database(long_term), embedder)
        agent = Agent(model_creators(settings), memory=memory, config=settings.agent)
        with closing(agent), progress_bar("Asking again", unit="question") as report:
            await agent.ready()

            async def ask(one: Rated) -> Answer:
                return await agent.ask(await question_of(one, zones, fallback))

            return await replay(rated, ask, report)


def main(
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many of the newest rated questions.")] = 1_000,
    names: Annotated[
        bool, typer.Option(help="Also print the questions whose answers are not as they should be.")
    ] = False,
) -> None:
    """Ask rated questions again; exit status 1 when an answer that was liked cites less than it did."""
    with errors_end_the_script():
        replayed = asyncio.run(measure(read_settings(), limit=limit))
    typer.echo(text_of(replayed, names=names))
    raise typer.Exit(0 if all(one.is_right or one.rated.rating < 0 for one in replayed) else 1)


if __name__ == "__main__":
    typer.run(main)
