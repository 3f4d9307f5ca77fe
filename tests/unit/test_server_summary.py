"""The summary of a run says which server each suite ran on, and hides nothing that did not run."""

from collections import Counter
from typing import Literal

import pytest

from tests.reporting import NONE, NOT_RUN, OWN, count, summary

TIMESCALE = "TimescaleDB 2.19.3 (PostgreSQL 17.11)"


def report(
    nodeid: str, server: str | None, *, outcome: Literal["passed", "failed", "skipped"] = "passed"
) -> pytest.TestReport:
    properties = [("server", server)] if server else []
    return pytest.TestReport(nodeid, (nodeid, 0, nodeid), {}, outcome, None, "call", user_properties=properties)


def test_each_suite_has_a_line_with_its_servers() -> None:
    lines = summary(
        {
            "end_to_end": {TIMESCALE: 31, OWN: 3},
            "integration": {NONE: 20, OWN: 60, NOT_RUN: 70, TIMESCALE: 310},
            "unit": {NONE: 1205},
        }
    )

    assert lines == [
        "unit: 1,205 on no server",
        f"integration: 310 on {TIMESCALE}, 60 on an embedded server of their own, 20 on no server, 70 not run",
        f"end_to_end: 31 on {TIMESCALE}, 3 on an embedded server of their own",
    ]


def test_tests_are_counted_by_suite_and_server() -> None:
    counts = count(
        [
            report("tests/unit/test_a.py::test_one", NONE),
            report("tests/integration/test_a.py::test_one", TIMESCALE),
            report("tests/integration/test_a.py::test_two", OWN, outcome="failed"),
            report("elsewhere/test_a.py::test_one", NONE),
        ]
    )

    assert counts == {"unit": {NONE: 1}, "integration": {TIMESCALE: 1, OWN: 1}, "others": {NONE: 1}}


@pytest.mark.parametrize(
    ("server", "outcome"),
    [
        pytest.param(None, "skipped", id="skipped by a mark"),
        pytest.param(TIMESCALE, "skipped", id="skipped by itself"),
        pytest.param(None, "failed", id="no fixture"),
    ],
)
def test_what_did_not_run_is_counted(server: str | None, outcome: Literal["failed", "skipped"]) -> None:
    assert count([report("tests/unit/test_a.py::test_one", server, outcome=outcome)]) == {"unit": {NOT_RUN: 1}}


def test_a_test_that_fails_twice_is_counted_once() -> None:
    twice = [report("tests/unit/test_a.py::test_one", NONE, outcome="failed")] * 2

    assert count(twice) == {"unit": Counter({NONE: 1})}
