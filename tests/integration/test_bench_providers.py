"""The bench of the providers asks a model through an Ollama server of its own, which forwards to another one."""

import asyncio

from agent.agent import Agent
from agent.config import ModelConfig
from agent.models.chain import NamedModel
from agent.models.create import create_chat_model
from agent.models.known import refuse_unknown_model
from bench.ollama_server import opened_ollama
from bench.providers import ask
from tests.agents import Watching, chat, question
from tests.fakes_openai import answers, open_fake_openai

TEXT = "The deploy is on Friday [1]. Lunch is at noon [2]."
BOTH = question("when are the deploy and lunch?")


async def test_a_row_tells_of_an_answer_in_pieces_and_of_one_that_was_withdrawn() -> None:
    async with open_fake_openai([answers(TEXT)], pause=0.02) as server:
        row = await ask("openai", ModelConfig(name="openai:local", base_url=server.url))

    path, _, first_piece, first_draft, drafts, total, _, outcome, cancelled, text = row.strip("| ").split(" | ")
    assert (path, outcome, text) == ("openai", "answered", TEXT)
    assert 0 < float(first_piece) <= float(first_draft) <= float(total)
    assert int(drafts) >= 1
    assert float(cancelled) < 2


async def test_ollamas_client_gets_pieces_from_the_server_behind_and_stops_it_by_leaving() -> None:
    async with (
        open_fake_openai([answers(TEXT), answers(TEXT), answers(TEXT * 50)], pause=0.02) as behind,
        opened_ollama(behind.url, "local") as (url, server),
    ):
        config = ModelConfig(name="ollama:local", base_url=url)
        await asyncio.to_thread(refuse_unknown_model, config)
        model = NamedModel(name="ollama:local", create=lambda: create_chat_model(config))
        asked = Agent([model], memory=chat())
        answer = await asked.ask(BOTH)
        watching = Watching()
        again = await asked.ask(BOTH, watcher=watching)

        asking = asyncio.create_task(asked.ask(BOTH))
        async with asyncio.timeout(20):
            while not behind.is_read.is_set():  # noqa: ASYNC110  # a fake server has nobody to tell of it
                await asyncio.sleep(0.01)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            while behind.is_read.is_set() or not server.broken_off:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    assert (answer.text, again.text) == (TEXT, TEXT)
    assert (server.begun, server.finished, server.broken_off) == (3, 2, 1)
