"""How many inputs each property is tried on, and the table of a long run."""

import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz.profiles import LONG, load_profile

load_profile()

_COUNTED = "examples"
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let an input that has failed be shown, however long it is."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.filterwarnings("ignore:Generating overly large repr"))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Count the inputs of a property; the report carries their number to the table."""
    handle = getattr(getattr(item, "obj", None), "hypothesis", None)
    if handle is not None:
        numbers = [0, 0.0]
        handle.inner_test = _counted(handle.inner_test, numbers)
        item.user_properties.append((_COUNTED, numbers))


def _counted(inner: Callable[..., None], numbers: list[float]) -> Callable[..., None]:
    """Return a property that counts how often it is tried, and the seconds of computing that this takes."""

    @wraps(inner)
    def counted(*arguments: Any, **named: Any) -> None:
        start = time.process_time()
        try:
            inner(*arguments, **named)
        finally:
            numbers[0] += 1
            numbers[1] += time.process_time() - start

    return counted


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print, after a long run, how many inputs each property was tried on."""
    if config.getoption("--hypothesis-profile", default=None) != LONG:
        return
    reports = [
        report
        for group in ("passed", "failed")
        for report in terminalreporter.stats.get(group, [])
        if report.when == "call" and _COUNTED in dict(report.user_properties)
    ]
    terminalreporter.section("properties")
    for report in sorted(reports, key=lambda one: str(one.nodeid)):
        examples, seconds = dict(report.user_properties)[_COUNTED]
        name = report.nodeid.rpartition("/")[2]
        terminalreporter.line(f"{examples:>9,} inputs {seconds:>7.1f} s  {report.outcome:<6}  {name}")
    inputs = sum(dict(report.user_properties)[_COUNTED][0] for report in reports)
    failures = sum(report.failed for report in reports)
    terminalreporter.line(f"{inputs:>9,} inputs of {len(reports)} properties, {failures} of which failed")
