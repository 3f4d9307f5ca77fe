"""Look at one thing after another; one that fails or takes too long keeps nobody from the next."""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from doctor.findings import Finding, Line, wrong
from errors import BackscrollError

logger = logging.getLogger(__name__)

USUAL_LIMIT = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Rounds:
    """The findings so far, in the order in which they were made."""

    lines: list[Line] = field(default_factory=list)

    async def see(self, name: str, look: Coroutine[Any, Any, Finding], *, limit: timedelta = USUAL_LIMIT) -> Finding:
        """Note what a look at one thing finds, whatever happens, and return it."""
        return self.note(name, await _finding(name, look, limit))

    def note(self, name: str, finding: Finding) -> Finding:
        """Note a finding that was made already, and return it."""
        self.lines.append(Line(name, finding))
        logger.info("%s: %s: %s", name, finding.state, finding.words)
        return finding


async def _finding(name: str, look: Coroutine[Any, Any, Finding], limit: timedelta) -> Finding:
    try:
        async with asyncio.timeout(limit.total_seconds()):
            return await look
    except BackscrollError as error:
        return wrong(str(error))
    except TimeoutError:
        return wrong(f"This took longer than {limit.total_seconds():g} s: try again when there is less to do.")
    except Exception as error:  # whatever it is, the other things are looked at
        logger.info("%s could not be looked at", name, exc_info=True)  # the table tells the operator
        return wrong(f"This could not be looked at ({type(error).__name__}): the log in logs/check says more.")
