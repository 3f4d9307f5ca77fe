"""Where the tests' TimescaleDB and all that belongs to it are kept."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that only root may enter, with a Debian of its own in it, in which the server runs."""

    folder: Path

    @property
    def tree(self) -> Path:
        """The root folder of that Debian; it appears whole, or not at all."""
        return self.folder / "tree"

    @property
    def partial(self) -> Path:
        """Where the tree is made."""
        return self.folder / "tree.partial"

    @property
    def data(self) -> Path:
        """The server's data, which every start makes anew."""
        return self.tree / "data"

    @property
    def password_file(self) -> Path:
        """The password of the server's owner, as PostgreSQL's clients read it: no address has to hold it."""
        return self.folder / "password"

    @property
    def log(self) -> Path:
        """What the program that was started last has said."""
        return self.folder / "log"

    @property
    def server_log(self) -> Path:
        """What the server has said since its start."""
        return self.data / "server.log"

    @property
    def lock(self) -> Path:
        """Held by whoever changes anything here."""
        return self.folder / "lock"


def find_place(folder: Path | None) -> Place:
    """Return a folder, or that in the user's cache, which outlives a checkout: the tree takes a minute to make."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Place((folder or cache / "backscroll" / "timescale").resolve())
