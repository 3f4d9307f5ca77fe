"""Secrets of random servers, asked for by everyone everywhere: nobody reads what they may not, and many are answered.

`python -m bench.leaks` asks ten thousand questions.
"""

from pathlib import Path

import pytest

from bench.leaks import Report, open_interrogation
from bot.answering import Answerer, Asking
from bot.audience import Audience
from db.databases import Database
from memory.embedding.embedder import Embedder

SERVERS, QUESTIONS = 3, 15


async def asked(
    short_term: Database, long_term: Database, embedder: Embedder, folder: Path, *, servers: int, questions: int
) -> Report:
    report = Report()
    opening = open_interrogation(short_term, long_term, embedder, folder, seed=11, report=report)
    async with opening as interrogation:
        for _ in range(servers):
            await interrogation.ask(questions)
    return report


async def test_no_secret_is_shown_to_anybody_who_may_not_read_it_and_the_others_are(
    short_term: Database, long_term: Database, embedder: Embedder, tmp_path: Path
) -> None:
    report = await asked(short_term, long_term, embedder, tmp_path, servers=SERVERS, questions=QUESTIONS)

    assert [str(leak) for leak in report.leaks] == []
    assert report.messages_read >= SERVERS * QUESTIONS
    assert report.secrets_shown >= QUESTIONS
    assert report.asked["private"] > 0
    assert report.share("private") >= 0.9
    assert report.share("public, in its own channel") > 0.5


async def test_the_search_for_leaks_finds_one(
    short_term: Database,
    long_term: Database,
    embedder: Embedder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def everything(_: Answerer, asking: Asking, among: object = None) -> Audience:
        guild = asking.caller.guild
        assert guild is not None
        return Audience(frozenset({place.id for place in (*guild.channels, *guild.threads)}))

    monkeypatch.setattr(Answerer, "_audience", everything)

    report = await asked(short_term, long_term, embedder, tmp_path, servers=1, questions=10)

    assert report.leaks
