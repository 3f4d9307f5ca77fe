"""Translate what goes wrong around the embedded server into one sentence for the operator."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path

from db.errors import DATABASE_ERRORS, driver_errors, server_message
from errors import DatabaseSetupError, first_line


@contextmanager
def server_errors(folder: Path, limit: timedelta) -> Iterator[None]:
    """Turn what the system, a driver or the limit raises into one sentence: DatabaseSetupError."""
    try:
        with driver_errors():
            yield
    except TimeoutError as error:
        raise DatabaseSetupError(
            f"The embedded server in {folder} was not done within {limit.total_seconds():g} s: after a crash it may "
            f"need longer to recover, so look into {folder / 'log'} and start again."
        ) from error
    except OSError as error:
        raise _unusable(folder, first_line(error).rstrip(".")) from error
    except DATABASE_ERRORS as error:
        raise _unusable(folder, server_message(error)) from error


def _unusable(folder: Path, why: str) -> DatabaseSetupError:
    return DatabaseSetupError(f"The embedded server in {folder} cannot be used: {why}.")


@asynccontextmanager
async def limited(folder: Path, limit: timedelta) -> AsyncGenerator[None]:
    """Give what is done to the server this long, and turn what goes wrong into one sentence: DatabaseSetupError."""
    with server_errors(folder, limit):
        async with asyncio.timeout(limit.total_seconds()):
            yield
