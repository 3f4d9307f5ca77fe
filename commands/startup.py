"""What every script does first and last: settings into values, and an error into one sentence."""

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from datetime import datetime
from typing import NoReturn
from zoneinfo import ZoneInfo

import typer
from pydantic import SecretStr

from db.databases import Addresses, Database, Layouts, open_databases
from db.embedded import is_running
from db.layout import Layout
from errors import BackscrollError, DatabaseSetupError
from logs import write_logs
from settings import Settings, read_settings


def addresses_of(settings: Settings) -> Addresses:
    """Return where the databases are."""
    return Addresses(
        short_term=revealed(settings.short_term_dsn),
        long_term=revealed(settings.long_term_dsn),
        password=revealed(settings.db_password),
        embedded_dir=settings.embedded_dir or settings.storage_dir / "postgres",
    )


def layouts_of(settings: Settings) -> Layouts:
    """Return how the databases are laid out."""
    short_term, long_term = (
        Layout(
            chunk_interval=interval,
            num_neighbors=settings.diskann_neighbors,
            search_list_size=settings.diskann_search_list,
            hot_rows=settings.diskann_hot_rows,
        )
        for interval in (settings.short_term_chunk, settings.long_term_chunk)
    )
    return Layouts(short_term, long_term)


def opened_databases(
    settings: Settings, addresses: Addresses | None = None
) -> AbstractAsyncContextManager[tuple[Database, Database]]:
    """Open the databases of the settings, or others in the same way; raise as `open_databases` does."""
    return open_databases(
        addresses or addresses_of(settings),
        pool_size=settings.db_pool_size,
        timeout=settings.db_timeout,
        layouts=layouts_of(settings),
    )


async def refuse_without_server(addresses: Addresses) -> None:
    """Raise DatabaseSetupError when the embedded server is needed and was never made, as opening it would make it."""
    if addresses.short_term is not None and addresses.long_term is not None:
        return
    try:
        await is_running(addresses.embedded_dir)
    except DatabaseSetupError as error:
        problem = str(error).partition(": ")[0]
        raise DatabaseSetupError(f"{problem}: correct EMBEDDED_DIR or STORAGE_DIR in .env, or run the bot.") from error


@contextmanager
def running(script: str) -> Iterator[Settings]:
    """Yield the settings, with a log of this run of a script; an error ends the program with its sentence."""
    try:
        settings = read_settings()
        log = f"{script}_{datetime.now(ZoneInfo(settings.time_zone)):%Y-%m-%d_%H%M%S}.log"
        with write_logs(settings.storage_dir / "logs" / script, name=log):
            yield settings
    except (BackscrollError, BaseExceptionGroup) as error:
        give_up(error)


def revealed(secret: SecretStr | None) -> str | None:
    """Return a secret in clear, for the one call that needs it."""
    return secret.get_secret_value() if secret is not None else None


def give_up(error: BackscrollError | BaseExceptionGroup[BaseException]) -> NoReturn:
    """End the program with the sentence of an error that was raised on purpose; any other goes on as it is."""
    mendable, other = BaseExceptionGroup("", [error]).split(BackscrollError)
    if mendable is None or other is not None:
        raise error
    first: BaseException = mendable
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    typer.echo(str(first), err=True)
    raise typer.Exit(2)
