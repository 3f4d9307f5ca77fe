"""List the backups there are."""

from zoneinfo import ZoneInfo

from rich.console import JustifyMethod
from rich.filesize import decimal

from cli.console import in_columns, show
from cli.script import exit_with_error
from errors import BackscrollError
from ops.backup.catalogue import Backup, list_backups
from settings import read_settings

LISTED: dict[str, JustifyMethod] = {
    "backup": "left",
    "made at": "left",
    "databases": "left",
    "formats": "left",
    "messages": "right",
    "size": "right",
    "verified": "left",
}


def print_list() -> None:
    """Print the backups there are."""
    try:
        settings = read_settings()
        listed = list_backups(settings.backup_dir)
    except BackscrollError as error:
        exit_with_error(error)
    if not listed.backups and not listed.unreadable:
        show(f"There is no backup in {settings.backup_dir} yet.")
        return
    zone = ZoneInfo(settings.time_zone)
    damages = [one.damage for one in listed.backups if one.damage is not None]
    lines = in_columns(LISTED, [line_of(one, zone) for one in listed.backups])
    show("\n".join([lines, *damages, *listed.unreadable.values()]))


def line_of(backup: Backup, zone: ZoneInfo) -> list[str]:
    """Return a backup as a line of the list."""
    manifest = backup.manifest
    return [
        backup.name,
        f"{manifest.created_at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
        ", ".join(one.name for one in manifest.databases),
        ", ".join(manifest.formats),
        f"{sum(one.messages for one in manifest.databases):,}",
        decimal(manifest.size),
        _verified(backup, zone),
    ]


def _verified(backup: Backup, zone: ZoneInfo) -> str:
    if backup.damage is not None:
        return "DAMAGED"
    if backup.verified is None:
        return "no"
    how = ", restored" if backup.verified.restored else ""
    return f"{backup.verified.at.astimezone(zone):%Y-%m-%d %H:%M}{how}"
