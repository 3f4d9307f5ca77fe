"""Install requirements into this virtual environment: with uv where it can be had, else with pip."""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

UV = "uv==0.13.9"

_UV_SECONDS = 120
_SECONDS = 3600  # for gigabytes on a slow line
_PIP = (sys.executable, "-m", "pip")
# What pip calls its places for packages, and how uv is told of them.
_PLACES = {"index-url": "--default-index", "extra-index-url": "--index", "find-links": "--find-links"}
_LOCAL = "file://"
_ACCELERATORS = ("nvidia-smi", "rocm-smi", "xpu-smi")

Run = Callable[[Sequence[str], int], bool]
"""Runs a command for so many seconds at most; returns whether it went well."""


def install(files: Sequence[str], config: Mapping[str, Sequence[str]], run: Run, *, has_accelerator: bool) -> bool:
    """Install requirement files by the first way that works; return whether one did.

    `config` are pip's own places for packages, by their option's name.
    """
    if run([*_PIP, "install", "-qq", "--disable-pip-version-check", UV], _UV_SECONDS):
        places = list(_places(config))
        # PyTorch's own index has builds without CUDA, a tenth as large; it may be out of reach.
        cpu_build = [*places, "--torch-backend", "cpu"]
        wants_cpu_build = not has_accelerator and not _has_torch(config.get("find-links", ()))
        if (wants_cpu_build and run(_uv(files, cpu_build), _SECONDS)) or run(_uv(files, places), _SECONDS):
            return True
    # Twice quiet: errors are printed, and not what a mirror lacks.
    return run([*_PIP, "install", "-qq", "--disable-pip-version-check", *_required(files)], _SECONDS)


def _uv(files: Sequence[str], options: Sequence[str]) -> list[str]:
    uv = str(Path(sys.executable).with_name("uv"))
    # Compiled as pip does it: else every start compiles, where PYTHONDONTWRITEBYTECODE keeps Python from storing it.
    fixed = ("--quiet", "--compile-bytecode", "--python", sys.executable)
    return [uv, "pip", "install", *fixed, *options, *_required(files)]


def _required(files: Sequence[str]) -> Iterator[str]:
    for file in files:
        yield from ("--requirement", file)


def _places(config: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield uv's options for the places that pip knows; uv refuses a folder that is not there."""
    for name, option in _PLACES.items():
        for place in config.get(name, ()):
            if "://" not in place and not Path(place).is_dir():
                continue
            if place.startswith(_LOCAL) and not Path(place.removeprefix(_LOCAL)).is_dir():
                continue
            yield from (option, place)
    if config.get("extra-index-url"):
        yield from ("--index-strategy", "unsafe-best-match")  # as pip looks at all of them


def _has_torch(places: Sequence[str]) -> bool:
    """Return whether a folder holds a build of torch: whoever put it there wants that one."""
    return any(any(Path(place).glob("torch-*.whl")) for place in places if "://" not in place)


def read_pip_config(lines: Sequence[str]) -> dict[str, list[str]]:
    """Return what `pip config list` says of places for packages, by option name; the environment's counts alone."""
    found: dict[str, dict[bool, list[str]]] = {}
    for line in lines:
        key, _, value = line.partition("=")
        name = key.rpartition(".")[2]
        if name in _PLACES and value:
            with suppress(ValueError, SyntaxError):  # a value that pip prints otherwise is left to pip
                found.setdefault(name, {})[key.startswith(":env:")] = str(ast.literal_eval(value)).split()
    return {name: values[max(values)] for name, values in found.items()}


def _pip_config() -> dict[str, list[str]]:
    command = [*_PIP, "config", "list"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_UV_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return read_pip_config(listed.stdout.splitlines())


def _run(command: Sequence[str], seconds: int) -> bool:
    # Retrying is for a place that answers now and then; the way after this one is the better retry.
    environment = {**os.environ, "UV_HTTP_RETRIES": "1"}
    is_last = command[: len(_PIP)] == list(_PIP)
    try:
        done = subprocess.run(
            command, check=False, timeout=seconds, env=environment, stderr=None if is_last else subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def main() -> int:
    """Install the requirement files of the command line, and return the exit status."""
    sys.stderr.write(
        f"Installing the packages of {' and '.join(sys.argv[1:])}; the first time takes a minute or more.\n"
    )
    has_accelerator = any(map(shutil.which, _ACCELERATORS))
    return 0 if install(sys.argv[1:], _pip_config(), _run, has_accelerator=has_accelerator) else 1


if __name__ == "__main__":
    sys.exit(main())
