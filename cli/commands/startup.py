"""What every script does first: settings into values, a log of its own, databases that are open."""

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from agent.models import EXTRACTIVE, create_chat_model
from cli.logs import new_log, write_logs
from cli.script import exit_with_error
from db.config import Layout
from db.databases import Addresses, Database, Layouts, open_databases
from db.embedded import is_running
from errors import BackscrollError, DatabaseSetupError
from memory.embedding.embedder import Embedder
from ops.promotion.vectors import known_width
from settings import Settings, read_settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from memory.embedding.embedder import Embedder
    from memory.embedding.model import ModelChoice


def addresses_of(settings: Settings) -> Addresses:
    """Return where the databases are."""
    return Addresses(
        short_term=secret_value(settings.short_term_dsn),
        long_term=secret_value(settings.long_term_dsn),
        password=secret_value(settings.db_password),
        embedded_dir=settings.server_dir,
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


@asynccontextmanager
async def opened_memory(settings: Settings, *, make: bool = False) -> AsyncGenerator[tuple[Database, Database]]:
    """Yield short-term and long-term memory; an embedded server that is not there is made only when told to."""
    if not make:
        await refuse_without_server(addresses_of(settings))
    async with opened_databases(settings) as databases:
        yield databases


def model_choice(settings: Settings) -> "ModelChoice":
    """Return which embedding model is used, and how."""
    from memory.embedding.model import ModelChoice

    return ModelChoice(
        name=settings.embedding_model,
        models_dir=settings.embedding_dir or settings.storage_dir / "models",
        backend=settings.embedding_backend,
        precision=settings.embedding_precision,
        batch_size=settings.embedding_batch_size,
    )


def opened_embedder(
    settings: Settings, *, at_once: bool = True, width: int | None = None
) -> AbstractAsyncContextManager["Embedder"]:
    """Open the embedder of the settings as `open_embedder` does."""
    from memory.embedding.embedder import open_embedder  # not every script embeds anything

    return open_embedder(model_choice(settings), at_once=at_once, width=width)


def model_creator(settings: Settings) -> "Callable[[], BaseChatModel] | None":
    """Return what creates the language model; None for the setting that needs none."""
    return None if settings.llm_model == EXTRACTIVE else partial(chat_model, settings)


def chat_model(settings: Settings) -> "BaseChatModel":
    """Create the language model of the settings, and ask its server for it, which takes a while.

    Raises ChatModelError as `create_chat_model` does, and when the server says that it does not have the model.
    """
    model = create_chat_model(
        settings.llm_model,
        base_url=settings.llm_base_url,
        openai_api_key=secret_value(settings.openai_api_key),
        hf_token=secret_value(settings.hf_token),
        max_tokens=settings.llm_max_tokens,
        timeout=settings.llm_timeout,
    )
    from agent.models import refuse_unknown_model

    refuse_unknown_model(
        settings.llm_model, base_url=settings.llm_base_url, openai_api_key=secret_value(settings.openai_api_key)
    )
    return model


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
def script_run(script: str) -> Iterator[Settings]:
    """Yield the settings, with a log of this run of a script; an error ends the program with its sentence."""
    try:
        settings = read_settings()
        logs = settings.storage_dir / "logs" / script
        log = new_log(logs, f"{script}_{datetime.now(ZoneInfo(settings.time_zone)):%Y-%m-%d_%H%M%S}")
        with write_logs(logs, name=log):
            yield settings
    except (BackscrollError, BaseExceptionGroup) as error:
        exit_with_error(error)


def secret_value(secret: SecretStr | None) -> str | None:
    """Return a secret in clear, for the one call that needs it."""
    return secret.get_secret_value() if secret is not None else None


@asynccontextmanager
async def open_embedder_for(settings: Settings, *databases: Database) -> AsyncGenerator[Embedder]:
    """Yield an embedder that loads its model, which takes a moment and memory, only when a text needs it."""
    widths = [await known_width(one, settings.embedding_model, timeout=settings.db_timeout) for one in databases]
    width = next(filter(None, widths), None)
    async with opened_embedder(settings, at_once=False, width=width) as embedder:
        yield embedder
