"""The result of a check, the report of all of them, and what they mean for the exit status."""

import asyncio
import logging
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from errors import BackscrollError

logger = logging.getLogger(__name__)

ALL_IS_WELL, SOMETHING_IS_WRONG = 0, 2


class Status(StrEnum):
    """How a thing is; only what is wrong keeps all from being well."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How a thing is, in a message that ends with what to do about it unless it is well."""

    status: Status
    message: str


@dataclass(frozen=True, slots=True)
class ReportLine:
    """A result under the name of the check."""

    name: str
    result: CheckResult


def ok(message: str) -> CheckResult:
    """Return that a thing is well."""
    return CheckResult(Status.OK, message)


def warning(message: str) -> CheckResult:
    """Return that a thing works, and would work better after what the message says."""
    return CheckResult(Status.WARNING, message)


def wrong(message: str) -> CheckResult:
    """Return that a thing does not do its work."""
    return CheckResult(Status.WRONG, message)


def left_out(message: str) -> CheckResult:
    """Return that a thing was not checked, and why."""
    return CheckResult(Status.LEFT_OUT, message)


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The results so far, in the order in which they came."""

    lines: list[ReportLine] = field(default_factory=list)

    def add(self, name: str, result: CheckResult) -> None:
        """Add the result of a check."""
        self.lines.append(ReportLine(name, result))
        logger.info("%s: %s: %s", name, result.status, result.message)

    def status_of(self, name: str) -> Status | None:
        """Return how a check ended; None when it has not run, or had nothing to look at."""
        return next((line.result.status for line in self.lines if line.name == name), None)

    def has_passed(self, name: str) -> bool:
        """Return whether a check has run and found nothing worse than a warning."""
        return self.status_of(name) in {Status.OK, Status.WARNING}


async def result_of(name: str, check: Awaitable[CheckResult | None], *, limit: timedelta) -> CheckResult | None:
    """Return what a check finds; that it fails, or takes longer than the limit, is a result as well."""
    try:
        async with asyncio.timeout(limit.total_seconds()):
            return await check
    except BackscrollError as error:
        return wrong(str(error))
    except TimeoutError:
        return wrong(f"This took longer than {limit.total_seconds():g} s: try again when there is less to do.")
    except Exception as error:  # whatever it is, the other things are looked at
        logger.info("%s could not be looked at", name, exc_info=True)  # the table tells the operator
        return wrong(f"This could not be looked at ({type(error).__name__}): the log in logs/check says more.")


def exit_status(lines: Iterable[ReportLine]) -> int:
    """Return 0 when nothing is wrong, else 2."""
    found = {line.result.status for line in lines}
    return SOMETHING_IS_WRONG if Status.WRONG in found else ALL_IS_WELL
