"""No question, and no name that somebody gives themselves, makes the reading of a question take long."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

_LIMIT = 60  # seconds of a process: what is tried here would take years
_MOST = 0.5  # seconds of processor time; a tenth is what is meant, and other processes disturb caches

_BEGIN = """
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo
from memory.question.channels import channels_in
from time_expressions.folding import FoldedText
from memory.names.known import Index, KnownNames, Named
from memory.question.speakers import may_name_speakers, speakers_in
from time_expressions.tokens import tokens_of
from memory.question.topic import has_topic, remove_phrases
from time_expressions.find import times_in

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)

def known(authors=(), channels=()):
    index = Index()
    for author in authors:
        index.add(Named(1, 1, "general", author, NOW))
    for place, channel in enumerate(channels, 2):
        index.add(Named(place, place, channel, "", NOW))
    return KnownNames(frozenset(range(1, len(channels) + 2)), (index,))

def speakers(text, authors):
    names = known(authors)
    begun = time.thread_time()
    authors = speakers_in(FoldedText(text), names).authors
    found = sorted(authors.names) if authors else []
    return found, time.thread_time() - begun

def places(text, channels):
    names = known(channels=channels)
    begun = time.thread_time()
    found = sorted(channels_in(FoldedText(text), names, here=1).places)
    return found, time.thread_time() - begun

def times(text):
    times_in("last week", now=NOW, time_zone=ZoneInfo("UTC"))
    return timed(lambda: len(times_in(text, now=NOW, time_zone=ZoneInfo("UTC")).windows))

def timed(call):
    begun = time.thread_time()
    return call(), time.thread_time() - begun
"""


def run(expression: str) -> tuple[str, float]:
    """Return what an expression gives, and the processor time that it says it took, in a process with a limit."""
    code = f"{_BEGIN}\nfound, seconds = {expression}\nprint(repr(found)); print(seconds)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=_LIMIT, check=True
    )
    found, seconds = done.stdout.splitlines()
    return found, float(seconds)


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        pytest.param('speakers("did " + "a " * 200 + "zzz post messages", ["a a"])', "[]", id="a name of names"),
        pytest.param(
            'speakers("did " + "Ana Maria " * 20 + "like the posts?", ["Ana", "Ana Maria", "Maria Lopez"])',
            "[]",
            id="names that share words",
        ),
        pytest.param(
            'speakers("did " + "zo " * 900 + "say", ["zo " * 16, "zo zo zo", "zo"])',
            repr(["zo " * 16]),
            id="the longest of names of names",
        ),
        pytest.param(
            'speakers("what did name 4999 say?", [f"name {number}" for number in range(5000)])',
            "['name 4999']",
            id="5,000 names",
        ),
        pytest.param(
            'speakers("say by " * 280, [f"say {number}" for number in range(5000)])', None, id="5,000 of one first word"
        ),
        pytest.param('speakers("a." * 990 + "a\x27b said", ["a.b.c.d", "a"])', None, id="letters and dots"),
        pytest.param('speakers("everyone but Ana " * 117, ["Ana", "Ana Lima"])', None, id="all but somebody, again"),
        pytest.param('speakers("by Ana\x27s and " * 140, ["Ana"] * 9)', None, id="what belongs to somebody, again"),
        pytest.param('speakers("a_" * 900 + " said", ["a_" * 100, "a_a"])', None, id="words between underscores"),
        pytest.param('places("in " + "a-" * 990, ["a-" * 100, "a-a"])', None, id="a name of hyphens without a sign"),
        pytest.param('places("in the channel " * 130, ["the", "in the"])', None, id="words that lead to channels"),
        pytest.param('places("in #t-4999", [f"t-{number}" for number in range(5000)])', "[5001]", id="5,000 channels"),
        pytest.param('places("#a-" * 660, ["a-" * 49 + "a", "a"])', None, id="a channel of hyphens"),
        pytest.param('timed(lambda: len(tokens_of("a@" * 1000)))', "2000", id="addresses that do not end"),
        pytest.param(
            'timed(lambda: remove_phrases("in " * 660 + "x", [(1970, 1976)])[-1])', "'x'", id="words that lead on"
        ),
        pytest.param('times("friday night at 1 last week " * 70)', None, id="times within times"),
        pytest.param('times("monday and " * 180 + "tuesday last week")', None, id="a list of days"),
        pytest.param('times("yesteday " * 220)', None, id="misspellings"),
        pytest.param('timed(lambda: may_name_speakers(FoldedText("we say " * 280)))', "False", id="nobody says"),
        pytest.param('timed(lambda: has_topic("a\\u0301" * 1000))', "True", id="accents"),
    ],
)
def test_reading_takes_no_longer_for(expression: str, found: str | None) -> None:
    told, seconds = run(expression)

    assert seconds < _MOST
    if found is not None:
        assert told == found
