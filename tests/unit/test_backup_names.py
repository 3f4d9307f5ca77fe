"""Backups are named so that no two share a name, on any system."""

from datetime import date

import pytest

from errors import OperatorError
from ops.backup.catalogue import next_folder, series_of, valid_name
from tests.sentences import is_one_sentence

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("taken", "number"),
    [
        pytest.param([], 1, id="nothing there"),
        pytest.param(["nightly_2026-11-21_1"], 2, id="one of today"),
        pytest.param(["nightly_2026-11-21_2", "nightly_2026-11-21_10"], 11, id="a gap, and more than nine"),
        pytest.param(["nightly_2026-11-20_7"], 1, id="one of yesterday"),
        pytest.param(["other_2026-11-21_3"], 1, id="another name"),
        pytest.param(["Nightly_2026-11-21_3"], 4, id="the same name on a system that ignores case"),
        pytest.param(["my nightly_2026-11-21_3", "nightly_2026-11-21", "nightly"], 1, id="names that resemble it"),
        pytest.param([".nightly_2026-11-21_5.partial", ".lock", "erasures.jsonl"], 1, id="what is no backup"),
    ],
)
def test_the_next_number_is_free(taken: list[str], number: int) -> None:
    assert next_folder("nightly", TODAY, taken) == f"nightly_2026-11-21_{number}"


def test_a_name_that_ends_like_a_backup_keeps_its_own_numbers() -> None:
    name = "nightly_2026-11-21_1"

    folder = next_folder(name, TODAY, [name])

    assert folder == "nightly_2026-11-21_1_2026-11-21_1"
    assert series_of(folder) == name


@pytest.mark.parametrize(
    ("folder", "series"),
    [
        pytest.param("nightly_2026-11-21_1", "nightly", id="a backup"),
        pytest.param("a_b_2026-11-21_12", "a_b", id="a name with the separator"),
        pytest.param("nightly_2026-11-21_1 keep this", None, id="renamed by hand"),
        pytest.param("nightly", None, id="neither date nor number"),
        pytest.param("_2026-11-21_1", None, id="no name"),
    ],
)
def test_a_folder_tells_its_series(folder: str, series: str | None) -> None:
    assert series_of(folder) == series


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("", id="empty"),
        pytest.param("../elsewhere", id="leads elsewhere"),
        pytest.param(".hidden", id="hidden"),
        pytest.param("a/b", id="two folders"),
        pytest.param("con", id="kept by Windows"),
        pytest.param("x" * 65, id="too long"),
        pytest.param("a\nb", id="two lines"),
    ],
)
def test_a_bad_name_is_refused_in_one_sentence(name: str) -> None:
    with pytest.raises(OperatorError, match="The backup name") as caught:
        valid_name(name)

    assert is_one_sentence(str(caught.value))


def test_a_good_name_is_trimmed() -> None:
    assert valid_name("  before the upgrade ") == "before the upgrade"
