"""Requirements are installed by the first way that works."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from install import UV, install, read_pip_config

FILES = ["requirements.txt"]


class Machine:
    """Notes the commands that are run; those with one of the words fail."""

    def __init__(self, *failing: str) -> None:
        self._failing = failing
        self.commands: list[Sequence[str]] = []

    def run(self, command: Sequence[str], _: int) -> bool:
        self.commands.append(command)
        return not any(word in command for word in self._failing)

    @property
    def ways(self) -> list[str]:
        """What each command was: uv's own installation, uv with or without PyTorch's index, or pip."""
        return [
            "get uv"
            if UV in command
            else ("uv, cpu" if "--torch-backend" in command else "uv")
            if command[0].endswith("uv")
            else "pip"
            for command in self.commands
        ]


@pytest.mark.parametrize(
    ("failing", "ways"),
    [
        pytest.param((), ["get uv", "uv, cpu"], id="all goes well"),
        pytest.param(("--torch-backend",), ["get uv", "uv, cpu", "uv"], id="the index of PyTorch is out of reach"),
        pytest.param((UV,), ["get uv", "pip"], id="uv cannot be had"),
    ],
)
def test_the_first_way_that_works_is_taken(failing: tuple[str, ...], ways: list[str]) -> None:
    machine = Machine(*failing)

    assert install(FILES, {}, machine.run, has_accelerator=False)
    assert machine.ways == ways


def test_an_accelerator_gets_the_build_that_uses_it() -> None:
    machine = Machine()

    assert install(FILES, {}, machine.run, has_accelerator=True)
    assert machine.ways == ["get uv", "uv"]


def test_a_build_of_torch_that_lies_in_a_folder_is_the_one_that_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl").touch()
    machine = Machine()

    assert install(FILES, {"find-links": [str(tmp_path)]}, machine.run, has_accelerator=False)
    assert machine.ways == ["get uv", "uv"]
    assert "--find-links" in machine.commands[-1]


def test_nothing_that_works_is_said() -> None:
    machine = Machine("install")

    assert not install(FILES, {}, machine.run, has_accelerator=False)
    assert machine.ways == ["get uv", "pip"]


def test_uv_is_told_of_pips_places_and_not_of_folders_that_are_gone(tmp_path: Path) -> None:
    machine = Machine()
    config = {
        "index-url": ["https://mirror.example/simple"],
        "extra-index-url": [f"file://{tmp_path}", "file:///nowhere/simple"],
        "find-links": ["/nowhere"],
    }

    install(FILES, config, machine.run, has_accelerator=True)

    command = " ".join(machine.commands[-1])
    places = f"--default-index https://mirror.example/simple --index file://{tmp_path}"
    assert f"{places} --index-strategy unsafe-best-match --requirement" in command


def test_pips_settings_are_read_and_those_of_the_environment_come_first() -> None:
    lines = [
        ":env:.find-links='/wheels'",
        ":env:.timeout='180'",
        "global.find-links='/other'",
        "global.extra-index-url='https://a.example/simple https://b.example/simple'",
    ]

    assert read_pip_config(lines) == {
        "find-links": ["/wheels"],
        "extra-index-url": ["https://a.example/simple", "https://b.example/simple"],
    }
