"""Build the command line of a script, run it with a log of its own, and end it with one sentence when it fails."""

import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn
from zoneinfo import ZoneInfo

import typer
from typer.core import TyperGroup

from errors import BackscrollError

if TYPE_CHECKING:
    from settings import Settings

_NO_FLAGS: Mapping[str, str] = MappingProxyType({})
_YES = "--yes"
"""Could be said with any flag of earlier versions, also to a command that asks nothing."""

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def script_app(purpose: str, *, default: str, flags: Mapping[str, str] = _NO_FLAGS) -> typer.Typer:
    """Return the command line of a script, to which its commands are added.

    Each command imports what it runs: a help text and a refusal load nothing of the program. Without the name of a
    command the arguments belong to the `default` one. `flags` are the options that chose a command in earlier versions,
    each with the command that does it now; they still work.
    """

    class Commands(TyperGroup):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            asking = {name for name, command in self.commands.items() if _takes_yes(command.params)}
            named = with_command(args, commands=self.commands, asking=asking, default=default, flags=flags)
            return super().parse_args(ctx, named)

    app = typer.Typer(
        cls=Commands, help=purpose, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
    )
    app.callback(help=purpose)(open_missing_streams)
    return app


def with_command(
    arguments: Sequence[str],
    *,
    commands: Collection[str],
    asking: Collection[str],
    default: str,
    flags: Mapping[str, str],
) -> list[str]:
    """Return arguments that begin with the name of a command, as `script_app` says; `asking` ones take --yes."""
    arguments = list(arguments)
    if arguments and (arguments[0] in commands or arguments[0] == "--help"):
        return arguments
    end = arguments.index("--") if "--" in arguments else len(arguments)
    for position, argument in enumerate(arguments[:end]):
        flag, has_value, value = argument.partition("=")
        if flag in flags:
            rest = [*arguments[:position], *([value] if has_value else []), *arguments[position + 1 :]]
            return [flags[flag], *(other for other in rest if other != _YES or flags[flag] in asking)]
    return [default, *arguments]


def _takes_yes(parameters: Iterable[Any]) -> bool:
    return any(_YES in parameter.opts for parameter in parameters)


def open_missing_streams() -> None:
    """Give each stream that was closed before we began to nobody.

    Else the next file that is opened, the journal perhaps, would take its number, and whatever a library or a program
    that we start prints would end up there.
    """
    for name, mode in _STREAMS:
        if getattr(sys, name) is None:
            nowhere = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115  # for as long as the process lives
            os.set_inheritable(nowhere.fileno(), True)
            setattr(sys, name, nowhere)


@contextmanager
def errors_end_the_script() -> Iterator[None]:
    """End the program with the sentence of an error that is raised on purpose, and exit status 2."""
    try:
        yield
    except (BackscrollError, BaseExceptionGroup) as error:
        exit_with_error(error)


@contextmanager
def script_run(script: str) -> "Iterator[Settings]":
    """Yield the settings, with a log of this run of a script; an error ends the program with its sentence."""
    from cli.logs import new_log, write_logs
    from settings import read_settings

    with errors_end_the_script():
        settings = read_settings()
        logs = settings.storage_dir / "logs" / script
        log = new_log(logs, f"{script}_{datetime.now(ZoneInfo(settings.time_zone)):%Y-%m-%d_%H%M%S}")
        with write_logs(logs, name=log):
            yield settings


def exit_with_error(error: BackscrollError | BaseExceptionGroup[Any]) -> NoReturn:
    """End the program with the sentence of an error that was raised on purpose; any other is raised as it is."""
    ours, other = BaseExceptionGroup("", [error]).split(BackscrollError)
    if ours is None or other is not None:
        raise error
    first: BaseException = ours
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    from cli.console import tell  # which only an error needs

    tell(str(first))
    raise typer.Exit(2)
