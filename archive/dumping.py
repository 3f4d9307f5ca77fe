"""Let pg_dump write a whole database to a file."""

import asyncio
import hashlib
from pathlib import Path

from archive.manifest import FileEntry
from archive.programs import PATIENCE, Program, run_program
from archive.whole import sync
from db.copying import Connection, fetch


async def dump(connection: Connection, dsn: str, program: Program, path: Path, *, compress: bool) -> FileEntry:
    """Dump a database as the transaction of the connection sees it; return what the manifest says of the file.

    The manifest is in the folder above. Raises OperatorError with pg_dump's last words.
    """
    ((snapshot,),) = await fetch(connection, "SELECT pg_export_snapshot()")
    options = ["--format=custom", "--encoding=UTF8", f"--file={path}", f"--snapshot={snapshot}", "--no-password"]
    if not compress:
        options.append("--compress=0")
    await run_program(program.path, *options, dsn=dsn, timeout=PATIENCE)
    return await asyncio.to_thread(_settled, path)


def _settled(path: Path) -> FileEntry:
    """Make a file private and lasting, and return what the manifest says of it."""
    path.chmod(0o600)
    sync(path)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return FileEntry(path=path.relative_to(path.parent.parent).as_posix(), size=path.stat().st_size, sha256=sha256)
