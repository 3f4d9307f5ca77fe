"""Retention keeps the last backup of days and weeks, and never lets chance decide."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from db.databases import LONG_TERM, SHORT_TERM
from ops.backup.catalogue import Backup
from ops.backup.retention import RetentionPolicy, expired, kept_names, relied_on
from tests.backup_builders import backup_of, database_entry

PARIS = ZoneInfo("Europe/Paris")
UTC = ZoneInfo("UTC")
FIRST = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)  # a Monday


def at(time: str, zone: ZoneInfo = UTC) -> datetime:
    return datetime.fromisoformat(time).replace(tzinfo=zone)


def made(*times: str, databases: tuple[str, ...] = (LONG_TERM,)) -> list[Backup]:
    """Return backups that are named after the times when they were made."""
    return [backup_of(time, at(time), databases) for time in times]


def nightly(nights: int) -> list[Backup]:
    """Return the backups of so many nights; each is named after its day."""
    times = [FIRST + timedelta(days=night) for night in range(nights)]
    return [backup_of(f"{time:%m-%d}", time) for time in times]


def test_seven_days_and_four_weeks_of_nightly_backups_are_kept() -> None:
    names = kept_names(nightly(60), RetentionPolicy(7, 4), UTC)

    days = {"12-31", "12-30", "12-29", "12-28", "12-27", "12-26", "12-25"}
    last_of_weeks = {"12-31", "12-27", "12-20", "12-13"}
    assert names == days | last_of_weeks


def test_the_last_of_a_day_is_kept() -> None:
    backups = made("2026-11-02T01:00", "2026-11-02T23:00", "2026-11-02T12:00", "2026-11-03T05:00")

    assert kept_names(backups, RetentionPolicy(2, 0), UTC) == {"2026-11-02T23:00", "2026-11-03T05:00"}


def test_days_without_a_backup_do_not_count() -> None:
    backups = made("2020-01-01T00:00", "2026-11-02T01:00", "2026-11-20T01:00")

    assert kept_names(backups, RetentionPolicy(3, 0), UTC) == {one.name for one in backups}


@pytest.mark.parametrize("policy", [RetentionPolicy(0, 0), RetentionPolicy(1, 0), RetentionPolicy(0, 1)], ids=str)
def test_the_newest_is_always_kept(policy: RetentionPolicy) -> None:
    assert kept_names(nightly(3), policy, UTC) == {"11-04"}


def test_none_is_kept_of_none() -> None:
    assert kept_names([], RetentionPolicy(7, 4), UTC) == set()


def test_a_day_is_one_on_the_clock_of_the_place() -> None:
    late_and_early = made("2026-11-02T22:30", "2026-11-02T23:30")  # in Paris on the 2nd and on the 3rd

    assert len(kept_names(late_and_early, RetentionPolicy(2, 0), UTC)) == 1
    assert len(kept_names(late_and_early, RetentionPolicy(2, 0), PARIS)) == 2


def test_a_week_begins_on_monday_on_the_clock_of_the_place() -> None:
    around_midnight = made("2026-11-01T22:30", "2026-11-01T23:30")  # Sunday in UTC, but the second is Monday in Paris

    assert len(kept_names(around_midnight, RetentionPolicy(0, 2), UTC)) == 1
    assert len(kept_names(around_midnight, RetentionPolicy(0, 2), PARIS)) == 2


def test_a_week_across_the_turn_of_the_year_is_one() -> None:
    backups = made("2026-12-31T12:00", "2027-01-01T12:00")

    assert kept_names(backups, RetentionPolicy(0, 2), UTC) == {"2027-01-01T12:00"}


def test_the_same_hour_twice_in_autumn_is_one_day() -> None:
    backups = [
        backup_of("first", datetime(2026, 10, 25, 2, 30, tzinfo=PARIS, fold=0)),
        backup_of("second", datetime(2026, 10, 25, 2, 30, tzinfo=PARIS, fold=1)),
    ]

    assert len(kept_names(backups, RetentionPolicy(2, 0), PARIS)) == 1


def test_a_clock_that_was_years_ahead_does_not_remove_everything_else() -> None:
    backups = [*nightly(10), *made("2031-01-01T00:00")]

    names = kept_names(backups, RetentionPolicy(3, 1), UTC)

    assert names == {"2031-01-01T00:00", "11-11", "11-10"}


def test_what_serves_another_purpose_takes_no_place() -> None:
    both = made("2026-11-02T01:00", databases=(SHORT_TERM, LONG_TERM))
    later = made("2026-11-02T05:00", "2026-11-02T06:00", databases=(SHORT_TERM,))

    assert kept_names([*both, *later], RetentionPolicy(1, 1), UTC) == {"2026-11-02T01:00", "2026-11-02T06:00"}


def test_of_two_made_at_the_same_moment_always_the_same_one_is_kept() -> None:
    twins = [backup_of("a", FIRST), backup_of("b", FIRST)]

    assert kept_names(twins, RetentionPolicy(1, 1), UTC) == kept_names(twins[::-1], RetentionPolicy(1, 1), UTC) == {"b"}


def backup(day: int, *databases: str, verified: bool = True, damage: str | None = None) -> Backup:
    return backup_of(
        f"nightly_2026-11-{day:02}_1",
        datetime(2026, 11, day, tzinfo=UTC),
        databases or (LONG_TERM,),
        verified=verified,
        damage=damage,
    )


def days(backups: list[Backup]) -> list[int]:
    return [one.manifest.created_at.day for one in backups]


def test_a_damaged_backup_is_kept_and_takes_no_place() -> None:
    backups = [backup(1), backup(2), backup(3, damage="It is damaged.")]

    assert days(expired(backups, RetentionPolicy(1, 0), UTC)) == [1]


def test_the_last_whole_one_is_kept_behind_any_number_of_damaged_ones() -> None:
    backups = [backup(1), *(backup(day, damage="It is damaged.") for day in range(2, 20))]

    assert expired(backups, RetentionPolicy(7, 4), UTC) == []


def test_the_newest_of_each_purpose_and_what_was_never_verified_must_be_whole() -> None:
    backups = [
        backup(1, SHORT_TERM, LONG_TERM),
        backup(2, SHORT_TERM, LONG_TERM),
        backup(3, SHORT_TERM, LONG_TERM),
        backup(4, LONG_TERM, verified=False),
        backup(5, LONG_TERM),
    ]
    old = expired(backups, RetentionPolicy(2, 0), UTC)

    assert days(old) == [1]
    assert days(relied_on(backups, old)) == [5, 4, 3]


def test_what_serves_nothing_that_goes_need_not_be_read() -> None:
    backups = [backup(1), backup(2), backup(3, SHORT_TERM, verified=False)]

    assert days(relied_on(backups, backups[:1])) == [2]
    assert relied_on(backups, []) == []


def test_a_dump_and_its_analysis_have_different_purposes() -> None:
    for_analysis = backup_of("nightly_2026-11-02_1", at("2026-11-02"), [database_entry(LONG_TERM, dumped=False)])

    assert expired([backup(1), for_analysis], RetentionPolicy(1, 0), UTC) == []
