"""Check everything that the settings lead to, and print the results as a table, one line for each check."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from zoneinfo import ZoneInfo

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.config import ModelConfig
from agent.models.create import OPENAI_URL
from cli.commands.startup import chat_model, discord_token
from cli.console import show, shown_while
from cli.logs import write_logs
from errors import ChatModelError, SessionError, SettingsError
from memory.plain_text import printable
from ops.checks.models import WITHOUT_MODEL, ModelToCheck, language
from ops.checks.result import CheckReport, CheckResult, ReportLine, Status, exit_status, left_out, ok, warning, wrong
from ops.checks.run import CHECKS, LOAD_LIMIT, Check, Deployment, Examination, examine
from settings import Settings, read_settings
from util_async import run_until_first_ends

if TYPE_CHECKING:
    from bot.login_check import Registration

_USUAL_URLS = {"openai": OPENAI_URL, "ollama": "http://127.0.0.1:11434"}
_STYLES = {Status.OK: "green", Status.WARNING: "yellow", Status.WRONG: "bold red", Status.LEFT_OUT: "dim"}
_UNWRAPPED = 10_000  # columns; whoever reads a pipe wants a line to stay one


def present(lines: Sequence[ReportLine]) -> int:
    """Print the table with a last word, and return the exit status."""
    show(render(lines, Console()), styled=True)
    return exit_status(lines)


def render(lines: Sequence[ReportLine], console: Console) -> str:
    """Return the table as it suits a console: with colours and wrapped to its width if it is a terminal."""
    if not console.is_terminal:
        console.width = _UNWRAPPED
    table = Table("what", "state", "found", box=SIMPLE_HEAD if console.is_terminal else None, padding=(0, 2, 0, 0))
    for line in lines:
        status = line.result.status
        # As Text, nothing in a message is taken for a style.
        name, message = Text(printable(line.name)), Text(printable(line.result.message))
        table.add_row(name, Text(status, style=_STYLES[status]), message)
    with console.capture() as captured:
        console.print(table)
    shown = "\n".join(line.rstrip() for line in captured.get().splitlines()).strip("\n")
    return f"{shown}\n\n{last_word(lines)}"


def last_word(lines: Sequence[ReportLine]) -> str:
    """Return whether all is well, and how much is not."""
    counts = Counter(line.result.status for line in lines)
    if counts[Status.WRONG]:
        wrong_ones = f"Not all is well: {counts[Status.WRONG]} wrong"
        return f"{wrong_ones}, {_warnings(counts[Status.WARNING])}." if counts[Status.WARNING] else f"{wrong_ones}."
    return f"All is well, with {_warnings(counts[Status.WARNING])}." if counts[Status.WARNING] else "All is well."


def _warnings(count: int) -> str:
    return "1 warning" if count == 1 else f"{count} warnings"


def check_everything() -> NoReturn:
    """Check all that the settings lead to, print the table, and exit: 0 when nothing is wrong, else 2."""
    try:
        settings = read_settings()
    except SettingsError as error:
        raise typer.Exit(present([ReportLine("settings", wrong(str(error)))])) from error
    deployment = Deployment(
        storage_dir=settings.storage_dir,
        backup_dir=settings.backup_dir,
        addresses=settings.database.addresses,
        layouts=settings.database.layouts,
        embedding=settings.embedding,
        time_zone=ZoneInfo(settings.time_zone),
    )
    report = CheckReport()
    with _logged(deployment.storage_dir):
        examining = examine(deployment, report, now=datetime.now(UTC), checks=(*CHECKS, *_own_checks(settings)))
        asyncio.run(run_until_first_ends(shown_while(examining, "Looking at everything")))
    raise typer.Exit(present(report.lines))


def _own_checks(settings: Settings) -> tuple[Check, ...]:
    """Return the checks of what only the bot and its agent use."""
    token, server_id = discord_token(settings), settings.discord_server_id
    return (*_model_checks(settings), Check("Discord", lambda _: check_registration(token, server_id)))


def _model_checks(settings: Settings) -> tuple[Check, ...]:
    """Return a check for each language model that may be asked; one that refuses where they cannot be read."""
    try:
        models = settings.language_models
    except ChatModelError as error:
        refused = wrong(str(error))
        return (Check("language model", lambda _: _found(refused)),)
    if not models:
        return (Check("language model", lambda _: _found(ok(WITHOUT_MODEL))),)
    names = ["language model"] if len(models) == 1 else [f"language model {place + 1}" for place in range(len(models))]
    return tuple(
        Check(name, partial(_model_check, _model_to_check(model)), limit=LOAD_LIMIT)
        for name, model in zip(names, models, strict=True)
    )


def _model_to_check(config: ModelConfig) -> ModelToCheck:
    return ModelToCheck(
        name=config.name,
        base_url=config.base_url or _USUAL_URLS.get(config.name.partition(":")[0]),
        openai_api_key=config.openai_api_key,
        hf_token=config.hf_token,
        create=partial(chat_model, config),
    )


async def _model_check(model: ModelToCheck, _: Examination) -> CheckResult:
    return await language(model)


async def _found(result: CheckResult) -> CheckResult:
    return result


async def check_registration(token: str | None, server_id: int | None) -> CheckResult:
    """Return whether Discord takes the token and shows the bot message texts, if there is a token."""
    if token is None:
        return left_out("no DISCORD_TOKEN is set: the bot talks in the terminal")
    from bot.login_check import look_up  # discord.py takes a second to load

    return judge_registration(await look_up(token, server_id=server_id), server_id)


def judge_registration(registration: "Registration", server_id: int | None) -> CheckResult:
    """Judge what Discord says of the bot."""
    from bot.client import INTENT_REFUSED

    if not registration.reads_content:
        return wrong(INTENT_REFUSED)
    if registration.in_server is False:
        return warning(
            f"The bot {registration.name} is not in server {server_id} (DISCORD_SERVER_ID): "
            "correct the number, or invite the bot with the link that it prints at its start."
        )
    where = f", and it is in server {server_id}" if registration.in_server else ""
    return ok(f"the token is that of {registration.name}, which may read message texts{where}")


@contextmanager
def _logged(storage_dir: Path) -> Iterator[None]:
    """Log into a folder of the check's own, if there is storage already and it can be written."""
    with ExitStack() as stack:
        if storage_dir.is_dir():
            with suppress(SessionError):  # the table tells of a folder that cannot be written
                stack.enter_context(write_logs(storage_dir / "logs" / "check"))
        yield
