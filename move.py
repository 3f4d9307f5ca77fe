"""Move all memory from the embedded server to the databases that the settings name, or back."""

from typing import Annotated

import typer

from cli.script import open_missing_streams

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def main(
    *,
    back: Annotated[bool, typer.Option("--back", help="Move from those databases to the embedded server.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Copy nothing: only compare both sides.")] = False,
) -> None:
    """Copy all memory from the embedded server to the databases of SHORT_TERM_DSN and LONG_TERM_DSN, and compare.

    What is copied stays where it was. Stopped half-way it goes on from there. The exit status is 0 only when both sides
    hold the same.
    """
    open_missing_streams()
    # Imported here: what only prints a help text or refuses an option loads nothing of the program.
    from cli.commands.move import run

    run(back=back, verify=verify)


if __name__ == "__main__":
    app()
