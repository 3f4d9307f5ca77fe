"""Say at the end of a run which server each suite of tests ran on."""

from collections import Counter
from collections.abc import Iterable, Mapping

import pytest

from tests.servers import Server

MARKER = "own_server: the test starts an embedded server of its own, whichever server the run is on"
OWN = "an embedded server of their own"
NONE = "no server"
NOT_RUN = "not run"
OTHERS = "others"

_PROPERTY = "server"
_SUITES = ("unit", "fuzz", "conformance", "integration", "end_to_end")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Write down, once all fixtures are there, which server a test is on: the report carries it to the summary."""
    item.user_properties.append((_PROPERTY, _server_of(item)))


def has_own_server(item: pytest.Item) -> bool:
    """Tell whether a test is on an embedded server, whichever server the run is on."""
    fixtures: Iterable[str] = getattr(item, "fixturenames", ())
    return item.get_closest_marker("own_server") is not None or "embedded" in fixtures


def _server_of(item: pytest.Item) -> str:
    if has_own_server(item):
        return OWN
    server = getattr(item, "funcargs", {}).get("server")
    return server.title if isinstance(server, Server) else NONE


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print one line for each suite."""
    reports = [
        report
        for group in terminalreporter.stats.values()
        for report in group
        if isinstance(report, pytest.TestReport) and (report.when == "call" or not report.passed)
    ]
    if reports:
        terminalreporter.section("servers")
        for line in summary(count(reports)):
            terminalreporter.line(line)


def count(reports: Iterable[pytest.TestReport]) -> dict[str, Counter[str]]:
    """Return how many tests of each suite ran on each server; those that did not run are counted too."""
    servers: dict[str, dict[str, str]] = {}
    for report in reports:
        suite = suite_of(report.nodeid)
        where = NOT_RUN if report.skipped else dict(report.user_properties).get(_PROPERTY, NOT_RUN)
        servers.setdefault(suite, {})[report.nodeid] = str(where)
    return {suite: Counter(tests.values()) for suite, tests in servers.items()}


def suite_of(nodeid: str) -> str:
    """Return the suite that a test is in: the folder in `tests`."""
    return next((suite for suite in _SUITES if f"/{suite}/" in nodeid), OTHERS)


def summary(counts: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Return a line for each suite: how many of its tests ran on which server, the most frequent first."""
    return [f"{suite}: {_numbers(counts[suite])}" for suite in (*_SUITES, OTHERS) if suite in counts]


def _numbers(servers: Mapping[str, int]) -> str:
    ordered = sorted(servers.items(), key=lambda one: (one[0] == NOT_RUN, -one[1], one[0]))
    return ", ".join(f"{number:,} {NOT_RUN if name == NOT_RUN else f'on {name}'}" for name, number in ordered)
