"""The command `python -m time_expressions`: texts in, their windows out as JSON."""

import json
import sys
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, NoReturn
from zoneinfo import ZoneInfo

import typer

from time_expressions.conventions import OURS, DateOrder, date_order
from time_expressions.find import Times, times_in
from time_expressions.zones import find_zone


def run() -> None:
    """Read the command line and print a line for each text; what is wrong with it is one sentence and status 2."""
    typer.run(_print_windows)


def _print_windows(
    now: Annotated[str, typer.Option(metavar="ISO", help="When the texts are written: 2026-11-21T10:00:00.")],
    tz: Annotated[str, typer.Option(metavar="ZONE", help="On whose clock: Europe/Paris.")],
    text: Annotated[str, typer.Argument(help="One text.")] = "",
    stdin: Annotated[bool, typer.Option("--stdin", help="Read one text a line.")] = False,
    day_first: Annotated[
        bool | None, typer.Option("--day-first/--month-first", help="What 10/11 is; else by the time zone.")
    ] = None,
) -> None:
    """Print the windows of time that texts speak of, as one JSON object a line."""
    if bool(text) == stdin:
        _refuse("Give one text, or --stdin and one text a line.")
    zone = _zone(tz)
    moment = _moment(now, zone)
    setting = None if day_first is None else DateOrder.DAY_FIRST if day_first else DateOrder.MONTH_FIRST
    conventions = OURS.in_order(date_order(locale=None, time_zone=zone, setting=setting))
    for line in _lines() if stdin else (text,):
        times = times_in(line, now=moment, time_zone=zone, conventions=conventions)
        typer.echo(json.dumps(described(line, times), ensure_ascii=False))


def described(text: str, times: Times) -> dict[str, object]:
    """Return what a text says of time in a form for JSON: ISO times with their offset, null for an open end."""
    return {
        "text": text,
        "windows": [
            {"phrase": phrase.phrase, "start": _iso(phrase.window.start), "end": _iso(phrase.window.end)}
            for phrase in times.windows
        ],
        "discussions": [
            {"phrase": phrase.phrase, "first": phrase.first, "last": phrase.last} for phrase in times.discussions
        ],
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _lines() -> Iterable[str]:
    sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    return (line.rstrip("\r\n") for line in sys.stdin)


def _zone(name: str) -> ZoneInfo:
    try:
        return find_zone(name)
    except ValueError as error:
        _refuse(str(error))


def _moment(text: str, zone: ZoneInfo) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(zone)
    except (ValueError, OverflowError):  # the first and the last year end within a day in some zones
        _refuse(f"--now {text!r} is no time: write it like 2026-11-21T10:00:00.")


def _refuse(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(2)


if __name__ == "__main__":
    run()
