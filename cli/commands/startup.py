"""Open what the settings describe: databases, the embedder, the language model."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from agent.config import ModelConfig
from agent.models.chain import NamedModel
from agent.models.create import create_chat_model
from agent.models.known import refuse_unknown_model
from agent.models.setting import shown_names
from agent.models.usage import read_prices
from db.config import Addresses, DatabaseConfig
from db.databases import Database, open_databases
from db.embedded import is_running
from errors import DatabaseSetupError
from settings import Settings, secret_value

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from memory.embedding.embedder import Embedder

logger = logging.getLogger(__name__)


def opened_databases(
    config: DatabaseConfig, addresses: Addresses | None = None
) -> AbstractAsyncContextManager[tuple[Database, Database]]:
    """Open the databases of the settings, or others in the same way; raise as `open_databases` does."""
    return open_databases(
        addresses or config.addresses, pool_size=config.pool_size, timeout=config.timeout, layouts=config.layouts
    )


@asynccontextmanager
async def opened_memory(config: DatabaseConfig, *, make: bool = False) -> AsyncGenerator[tuple[Database, Database]]:
    """Yield short-term and long-term memory; an embedded server that was never made is made only with `make`."""
    if not make:
        await refuse_without_server(config.addresses)
    async with opened_databases(config) as databases:
        yield databases


async def refuse_without_server(addresses: Addresses) -> None:
    """Raise DatabaseSetupError when the embedded server is needed and was never made, as opening it would make it."""
    if addresses.short_term is not None and addresses.long_term is not None:
        return
    try:
        await is_running(addresses.embedded_dir)
    except DatabaseSetupError as error:
        problem = str(error).partition(": ")[0]
        raise DatabaseSetupError(f"{problem}: correct EMBEDDED_DIR or STORAGE_DIR in .env, or run the bot.") from error


def opened_embedder(
    settings: Settings, *, at_once: bool = True, width: int | None = None
) -> AbstractAsyncContextManager["Embedder"]:
    """Open the embedder of the settings as `open_embedder` does."""
    from memory.embedding.embedder import open_embedder  # not every script embeds anything

    return open_embedder(settings.embedding, at_once=at_once, width=width)


@asynccontextmanager
async def open_embedder_for(settings: Settings, *databases: Database) -> AsyncGenerator["Embedder"]:
    """Yield an embedder that loads its model, which takes a moment and memory, only when a text needs it."""
    from memory.embedding.prompts import identity_of
    from ops.promotion.vectors import known_width

    model = await asyncio.to_thread(identity_of, settings.embedding)
    widths = [await known_width(one, model, timeout=settings.db_timeout) for one in databases]
    width = next(filter(None, widths), None)
    async with opened_embedder(settings, at_once=False, width=width) as embedder:
        yield embedder


def discord_token(settings: Settings) -> str | None:
    """Return the bot's token, and let discord.py log in where the settings say that Discord is; None without a token.

    Every script that logs in takes the token from here, before it makes a client.
    """
    token = secret_value(settings.discord_token)
    api_base, gateway_url = settings.discord_api_base, settings.discord_gateway_url
    if token is not None and (api_base or gateway_url):
        from bot.endpoints import use_endpoints  # discord.py takes a second to load

        logger.info("Discord is at %s", " and ".join(filter(None, (api_base, gateway_url))))
        use_endpoints(api_base, gateway_url)
    return token


def model_creators(settings: Settings) -> tuple[NamedModel, ...]:
    """Return the language models of the settings in the order in which they are asked; none for quotations alone.

    Raises ChatModelError when the setting cannot be meant.
    """
    models = settings.language_models
    prices = read_prices(settings.llm_prices or "")
    plans = [settings.prompt_plan_of(model.name) for model in models]
    return tuple(
        NamedModel(
            name=name,
            create=partial(chat_model, replace(model, prompt_tokens=plan.tokens)),
            plan=plan,
            price=prices.get(model.name),
        )
        for name, model, plan in zip(shown_names(models), models, plans, strict=True)
    )


def chat_model(config: ModelConfig) -> "BaseChatModel":
    """Create a language model, and ask its server for it, which takes a while.

    Raises ChatModelError as `create_chat_model` does, and when the server says that it does not have the model.
    """
    model = create_chat_model(config)
    refuse_unknown_model(config)
    return model
