"""Where log lines go."""

import logging
from pathlib import Path

import pytest

from cli.logs import new_log, write_logs
from errors import SessionError

logger = logging.getLogger("somewhere")

FULL = Path("/dev/full")


def log_of(folder: Path) -> str:
    return (folder / "backscroll.log").read_text(encoding="utf-8")


def test_a_person_sees_warnings_and_the_file_has_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with write_logs(tmp_path / "logs"):
        logger.info("a detail")
        logger.warning("look at this")

    assert capsys.readouterr() == ("", "warning: look at this\n")
    assert "INFO somewhere: a detail" in log_of(tmp_path / "logs")
    assert "WARNING somewhere: look at this" in log_of(tmp_path / "logs")


def test_a_traceback_is_for_the_file_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with write_logs(tmp_path):
        logger.error("it failed", exc_info=ValueError("the reason"))

    assert capsys.readouterr().err == "error: it failed\n"
    assert "ValueError: the reason" in log_of(tmp_path)


def test_an_error_that_ends_the_program_is_in_the_file_with_its_cause(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise SessionError("one sentence") from OSError("the cause")

    with pytest.raises(SessionError), write_logs(tmp_path):
        fail()

    assert capsys.readouterr().err == ""
    assert "OSError: the cause" in log_of(tmp_path)
    assert "SessionError: one sentence" in log_of(tmp_path)


def test_a_run_may_have_a_file_of_its_own(tmp_path: Path) -> None:
    with write_logs(tmp_path, name="backups_2026-11-21_030000.log"):
        logger.info("a detail")

    assert [path.name for path in tmp_path.iterdir()] == ["backups_2026-11-21_030000.log"]


@pytest.mark.skipif(not FULL.exists(), reason="this system has no file that is always full")
def test_runs_that_begin_in_the_same_second_have_a_file_each(tmp_path: Path) -> None:
    names = [new_log(tmp_path / "backups", "backups_2026-11-29_213104") for _ in range(3)]

    assert names == [
        "backups_2026-11-29_213104.log",
        "backups_2026-11-29_213104_2.log",
        "backups_2026-11-29_213104_3.log",
    ]
    assert sorted(path.name for path in (tmp_path / "backups").iterdir()) == sorted(names)


def test_a_full_disk_hides_nothing_from_the_person(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "backscroll.log").symlink_to(FULL)

    with write_logs(tmp_path):
        logger.critical("free some disk space")

    assert capsys.readouterr().err == "critical: free some disk space\n"


def test_a_folder_that_cannot_be_made_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way", encoding="utf-8")

    with pytest.raises(SessionError, match="Logs cannot be written to"), write_logs(tmp_path / "logs"):
        pass


def test_a_line_that_quotes_somebody_stays_one_line_and_commands_no_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quoted = "a\n2026-11-03 09:00:00,000 CRITICAL root: forged\x1b[2J\N{RIGHT-TO-LEFT OVERRIDE}\ud83d é"

    with write_logs(tmp_path):
        logger.warning("the name %s", quoted)

    (line,) = log_of(tmp_path).splitlines()
    escaped = r"the name a\n2026-11-03 09:00:00,000 CRITICAL root: forged\x1b[2J\u202e\ud83d é"
    assert line.endswith(f"WARNING somewhere: {escaped}")
    assert capsys.readouterr().err == f"warning: {escaped}\n"


def test_a_traceback_with_half_a_letter_is_written(tmp_path: Path) -> None:
    with write_logs(tmp_path):
        logger.error("it failed", exc_info=ValueError("half \ud83d"))

    assert r"ValueError: half \ud83d" in log_of(tmp_path)
