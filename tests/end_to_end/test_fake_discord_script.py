"""Somebody who tries the bot by hand gets a Discord to try it on, and the settings that lead there."""

import asyncio
import signal
import socket
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiohttp import ClientSession

from bench.processes import PATIENCE, ROOT, Program

SERVE = ("-m", "tests.fake_discord")


@asynccontextmanager
async def served_by_hand(*arguments: str) -> AsyncGenerator[Program]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, *SERVE, *arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=ROOT
    )
    try:
        yield Program(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_the_settings_that_are_printed_lead_to_a_server_in_which_much_was_said() -> None:
    async with served_by_hand("--port", "0", "--messages", "300", "--places", "4") as program:
        await program.hear("# 300 messages in 4 places")
        settings = dict(line.split("=", 1) for line in program.heard.splitlines() if "=" in line)
        headers = {"Authorization": f"Bot {settings['DISCORD_TOKEN']}"}
        async with ClientSession(headers=headers) as session:
            async with session.get(f"{settings['DISCORD_API_BASE']}/users/@me/guilds") as answer:
                guilds = await answer.json()
            async with session.get(f"{settings['DISCORD_API_BASE']}/guilds/{guilds[0]['id']}/channels") as answer:
                channels = await answer.json()
            async with session.get(f"{settings['DISCORD_API_BASE']}/channels/{channels[0]['id']}/messages") as answer:
                page = await answer.json()
        program.process.send_signal(signal.SIGINT)
        finished = await program.finish()

    assert settings["DISCORD_GATEWAY_URL"].startswith("ws://127.0.0.1:")
    assert len(page) == 50
    assert (finished.status, finished.err) == (0, "")


async def test_a_port_that_is_taken_is_told_in_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        async with served_by_hand("--port", port, "--messages", "0", "--places", "1") as program:
            finished = await program.finish(patience=PATIENCE)

    assert finished.status == 2
    assert finished.err.startswith(f"Port {port} cannot be used (")
    assert finished.err.count("\n") == 1
