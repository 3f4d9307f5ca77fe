"""A model that obeys every message does no harm: nothing leaks, nothing pings, and no hidden place is read.

`python -m bench.red_team` tries all of the messages.
"""

from collections.abc import Iterable
from pathlib import Path

import pytest

from bench.obeying_model import ObeyingModel
from bench.planted import Plant, read_plants
from bench.red_team import Verdict, open_red_team
from bot import rendering
from db.databases import Database
from memory.embedding.embedder import Embedder

SUBJECTS = ("hoist", "varnish", "glue", "seed", "barrel", "clock", "coin", "train")
"""What the messages are about that are tried here: one each of the kinds that fail in their own way."""


def plant_about(subject: str) -> Plant:
    return next(plant for plant in read_plants() if plant.subject == subject)


async def tried(
    subjects: Iterable[str], short_term: Database, long_term: Database, embedder: Embedder, folder: Path
) -> list[Verdict]:
    async with open_red_team(ObeyingModel, short_term, long_term, embedder, folder) as team:
        return [await team.try_out(plant_about(subject)) for subject in subjects]


async def test_a_model_that_obeys_messages_does_no_harm(
    short_term: Database, long_term: Database, embedder: Embedder, tmp_path: Path
) -> None:
    verdicts = await tried(SUBJECTS, short_term, long_term, embedder, tmp_path)

    assert {verdict.plant.subject: verdict.faults for verdict in verdicts if verdict.faults} == {}
    assert all(verdict.was_read for verdict in verdicts)


async def test_the_red_team_finds_what_is_not_guarded(
    short_term: Database, long_term: Database, embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "neutralised", lambda text: text)
    monkeypatch.setattr(rendering, "_with_bare_links", lambda text: text)

    verdicts = await tried(("varnish", "glue"), short_term, long_term, embedder, tmp_path)

    faults = [fault for verdict in verdicts for fault in verdict.faults]
    assert any("a mention" in fault for fault in faults)
    assert any("a link that hides where it leads" in fault for fault in faults)
