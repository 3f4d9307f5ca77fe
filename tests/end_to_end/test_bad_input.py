"""Whatever is wrong at the start is told in one sentence, with exit status 2 and without a traceback."""

import asyncio
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

from db.databases import Database
from memory.embedding.embedder import Embedder
from memory.embedding.source_model import carried_folder
from memory.index.reembed import prepare
from tests.builders import closed_port
from tests.end_to_end.conftest import NewPlace
from tests.end_to_end.processes import (
    Finished,
    Workplace,
    run_program,
    terminal_arguments,
)
from tests.fake_discord import GOOD_TOKEN, FakeDiscord, open_fake_discord
from tests.fakes_ollama import open_fake_ollama

ENCRYPTION_WANTED = {80877103, 80877104}  # what a client of PostgreSQL asks first: TLS, Kerberos


def assert_refused(finished: Finished, *words: str) -> None:
    """Check that there is one line for the operator, with these words in it, and nothing else."""
    assert finished.status == 2, finished.err
    assert finished.out == ""
    assert finished.err.count("\n") == 1, finished.err
    for word in words:
        assert word in finished.err


# ---- settings and command line


async def test_every_setting_without_a_usable_value_is_named(place: Workplace) -> None:
    wrong = {"TIME_ZONE": "Mars/Olympus", "DB_POOL_SIZE": "zero", "LONG_TERM_DSN": "mysql://me:hidden@db/x"}

    finished = await run_program(replace(place, settings=wrong), "--yes")

    assert_refused(finished, "mend them in .env", "TIME_ZONE: 'Mars/Olympus' is not an IANA time zone")
    assert "DB_POOL_SIZE: Input should be a valid integer" in finished.err
    assert "LONG_TERM_DSN: an address looks like postgresql://" in finished.err
    assert "hidden" not in finished.err


async def test_an_unknown_option_is_told_with_the_usage(place: Workplace) -> None:
    finished = await run_program(place, "--nope")

    assert finished.status == 2
    assert "No such option" in finished.err
    assert "Traceback" not in finished.err


async def test_a_time_zone_that_is_none_is_refused_with_the_nearest(place: Workplace) -> None:
    finished = await run_program(place, "--yes", "--time-zone", "Europe/Berln")

    assert_refused(finished, "--time-zone: There is no time zone 'Europe/Berln': write Europe/Berlin.")
    assert not place.storage_dir.exists()


async def test_an_import_of_something_else_is_refused_before_a_session_is_made(place: Workplace) -> None:
    missing, foreign = place.folder / "missing.csv", place.folder / "foreign.csv"
    foreign.write_text("name,age\nana,42\n", encoding="utf-8")

    no_file, no_session = await asyncio.gather(
        *(run_program(place, *terminal_arguments("demo", "--import", str(path))) for path in (missing, foreign))
    )

    assert_refused(no_file, f"{missing} cannot be read (No such file or directory): correct the path")
    assert_refused(no_session, f"{foreign} is not a session's CSV")
    assert not place.storage_dir.exists()


# ---- databases


@asynccontextmanager
async def open_server_that_refuses_passwords() -> AsyncGenerator[int]:
    """Yield the port of something that greets clients as PostgreSQL does and takes no password."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await _first_number(reader) in ENCRYPTION_WANTED:
            writer.write(b"N")
        writer.write(b"R" + struct.pack("!ii", 8, 3))  # asks for the password as it is
        await reader.readexactly(1)
        await _first_number(reader)
        reason = b'SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user "me"\0\0'
        writer.write(b"E" + struct.pack("!i", 4 + len(reason)) + reason)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def _first_number(reader: asyncio.StreamReader) -> int:
    """Read one packet and return the number that it begins with."""
    (length,) = struct.unpack("!i", await reader.readexactly(4))
    packet = await reader.readexactly(length - 4)
    return int(struct.unpack("!i", packet[:4])[0])


async def test_a_database_that_does_not_answer_is_named_without_its_password(
    place: Workplace, unused_tcp_port: int
) -> None:
    finished = await run_program(place, "--yes", SHORT_TERM_DSN=f"postgresql://me:hidden@127.0.0.1:{unused_tcp_port}/x")

    assert_refused(finished, f"The short-term database (postgresql://me:***@127.0.0.1:{unused_tcp_port}/x)")
    assert "does not answer: start it, or correct the address in .env" in finished.err
    assert "hidden" not in finished.err + _log(place)


async def test_a_refused_password_is_told_and_not_shown(place: Workplace) -> None:
    async with open_server_that_refuses_passwords() as port:
        finished = await run_program(place, "--yes", LONG_TERM_DSN=f"postgresql://me:hidden@127.0.0.1:{port}/x")

    assert_refused(finished, "The long-term database", "refuses the password: correct it in .env")
    assert "hidden" not in finished.err + _log(place)


def _log(place: Workplace) -> str:
    log = (place.storage_dir / "logs" / "backscroll.log").read_text(encoding="utf-8")
    assert "DatabaseSetupError" in log, "the log keeps the cause"
    return log


# ---- models


async def test_an_unknown_language_model_is_named(place: Workplace) -> None:
    finished = await run_program(place, *terminal_arguments("demo"), given="lost?\n", LLM_MODEL="gpt:x")

    assert_refused(finished, "LLM_MODEL='gpt:x' is not known: write extractive, huggingface:REPO, ollama:NAME")


async def test_a_language_model_that_its_server_does_not_have_is_named(place: Workplace) -> None:
    async with open_fake_ollama("llama3:latest") as url:
        finished = await run_program(
            place,
            *terminal_arguments("demo"),
            given="the deploy is on friday\n/chat when is the deploy?\n",
            LLM_MODEL="ollama:llama4",
            LLM_BASE_URL=url,
        )

    assert finished.out.startswith("> /chat when is the deploy?\n"), "it listened already"
    said = f"LLM_MODEL='ollama:llama4' is unknown: {url} does not have this model: run ollama pull llama4, or"
    last = finished.err.splitlines(keepends=True)[-1]  # the question may have been told before
    assert_refused(replace(finished, out="", err=last), said)


async def test_a_language_model_whose_server_is_away_keeps_nobody_from_starting(place: Workplace) -> None:
    url = f"http://127.0.0.1:{closed_port()}/v1"

    finished = await run_program(
        place,
        *terminal_arguments("demo"),
        given="the deploy is on friday\n/chat when is the deploy?\n",
        LLM_MODEL="openai:local",
        LLM_BASE_URL=url,
    )

    assert finished.status == 0
    assert '"the deploy is on friday" [1]' in finished.out
    assert "The language model did not answer, so these are quotes from memory." in finished.out
    assert f"{url} did not tell whether it has openai:local" in finished.err


async def test_an_unknown_embedding_model_is_named(place: Workplace) -> None:
    finished = await run_program(place, *terminal_arguments("demo"), EMBEDDING_MODEL="no/such-model")

    assert_refused(finished, "The embedding model 'no/such-model' cannot be loaded", "correct EMBEDDING_MODEL")


async def test_memory_of_another_embedding_model_is_left_alone_and_the_way_out_is_named(
    place: Workplace, short_term: Database, embedder: Embedder
) -> None:
    another_name = str(carried_folder())

    finished = await run_program(
        place, *terminal_arguments("demo"), EMBEDDING_MODEL=another_name, SHORT_TERM_DSN=short_term.dsn
    )

    assert_refused(finished, "The short-term memory was embedded with 'all-MiniLM-L6-v2'", another_name)
    assert "python main_async.py re-embed" in finished.err
    await prepare(short_term, embedder)  # raises when the memory takes itself for one of the other model


# ---- Discord


async def test_a_discord_that_refuses_is_told_with_the_way_out(new_place: NewPlace) -> None:
    async with open_fake_discord() as wire, open_fake_discord() as strict_wire:
        strict_wire.gateway.flags = 0
        wrong_token, no_intent = await asyncio.gather(
            start_on(wire, new_place(), token="wrong"), start_on(strict_wire, new_place(), token=GOOD_TOKEN)
        )

    assert_refused(wrong_token, "Discord refuses DISCORD_TOKEN: copy the token again")
    assert_refused(no_intent, 'switch on "Message Content Intent"')


async def start_on(wire: FakeDiscord, place: Workplace, *, token: str) -> Finished:
    """Run the program on a Discord of our own."""
    return await run_program(
        replace(place, settings={**place.settings, **wire.settings, "DISCORD_TOKEN": token}), "--yes"
    )
