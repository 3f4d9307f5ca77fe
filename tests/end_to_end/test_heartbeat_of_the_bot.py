"""The heartbeat of the whole bot: other processes see that it is connected, and that it no longer is."""

import signal
from pathlib import Path

from bench.processes import until
from tests.end_to_end.conftest import NewPlace
from tests.end_to_end.processes import MAIN, Fresh, Workplace, open_program, run_program
from tests.fake_discord import open_fake_discord


def is_there(path: Path) -> bool:
    return path.exists()


async def test_the_file_is_there_while_discord_is_connected_and_a_stop_is_a_clean_end(
    new_place: NewPlace, tmp_path: Path
) -> None:
    beat = tmp_path / "heartbeat"
    async with open_fake_discord() as wire:
        arguments = ("--yes", "--heartbeat", str(beat))
        async with open_program(new_place(), *arguments, script=Fresh(MAIN), **wire.settings) as program:
            await until(beat.exists, program)
            assert wire.gateway.ready == 1
            program.process.send_signal(signal.SIGINT)
            finished = await program.finish()

    assert finished.status == 0, finished.err
    assert not is_there(beat)


async def test_a_heartbeat_without_discord_is_refused_in_one_sentence(place: Workplace, tmp_path: Path) -> None:
    finished = await run_program(place, "--yes", "--heartbeat", str(tmp_path / "heartbeat"))

    assert finished.status == 2
    assert finished.err == "--heartbeat shows that Discord is connected: set DISCORD_TOKEN, without --terminal.\n"
