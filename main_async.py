"""Run Backscroll: on Discord when a token is set, else as a channel in the terminal; check it; search its memory."""

from cli import options as option
from cli.script import script_app

app = script_app(
    "Run Backscroll, look whether all is well with it, search its memory. Without a command it runs.",
    default="run",
    flags={"--check": "check", "--prepare": "prepare", "--re-embed": "re-embed"},
)


@app.command()
def run(
    *,
    terminal: option.Terminal = False,
    speaker: option.Speaker = "",
    time_zone: option.Zone = "",
    day_first: option.DayFirst = None,
    session: option.SessionName = None,
    add_date: option.AddDate = None,
    add_number: option.AddNumber = None,
    yes: option.KeepSession = False,
    csv: option.Import = None,
    heartbeat: option.Heartbeat = None,
) -> None:
    """Remember what is said, and answer /chat from it, until Ctrl+C."""
    from cli.commands.run import RunOptions, SessionOptions, run_bot

    named = SessionOptions(name=session, add_date=add_date, add_number=add_number, asks=not yes)
    run_bot(RunOptions(terminal, speaker, time_zone, day_first, csv, heartbeat), named)


@app.command()
def check() -> None:
    """Look at everything, change nothing, and say what is wrong."""
    from cli.commands.check import check_everything

    check_everything()


@app.command()
def search(
    text: option.Question,
    *,
    now: option.Now = "",
    time_zone: option.Zone = "",
    day_first: option.DayFirst = None,
    limit: option.Limit = 8,
    session: option.CurrentSession = "",
    explain: option.Explain = False,
) -> None:
    """Print what was said about a question, in the time it means."""
    from cli.commands.search import SearchOptions, search_memory

    search_memory(text, SearchOptions(now, time_zone, day_first, limit, session, explain))


@app.command()
def backfill(
    *,
    server: option.Server = "",
    channel: option.Channel = "",
    since: option.Since = "",
    until: option.Until = "",
    full: option.Again = False,
    time_zone: option.Zone = "",
) -> None:
    """Read what was said on Discord before the bot was there. The bot must not run."""
    from cli.commands.backfill import BackfillOptions, backfill_memory

    backfill_memory(BackfillOptions(server, channel, since, until, full, time_zone))


@app.command("re-embed")
def reembed() -> None:
    """Embed all memory anew, for another EMBEDDING_MODEL. The bot must not run."""
    from cli.commands.embedding import reembed_memory

    reembed_memory()


@app.command()
def prepare() -> None:
    """Download and export the embedding model, as a first start does."""
    from cli.commands.embedding import prepare_model

    prepare_model()


if __name__ == "__main__":
    app()
