"""Which shards of Discord a process runs, and whether two processes would hear of the same guild."""

import pytest

from db.shards import ShardRange


@pytest.mark.parametrize(
    ("text", "first", "last", "count"),
    [
        pytest.param("0-3/8", 0, 3, 8, id="several"),
        pytest.param("7/8", 7, 7, 8, id="one"),
        pytest.param(" 0 - 0 / 1 ", 0, 0, 1, id="with blanks"),
    ],
)
def test_a_range_of_shards_is_read_and_written(text: str, first: int, last: int, count: int) -> None:
    shards = ShardRange.parse(text)

    assert (shards.first, shards.last, shards.count) == (first, last, count)
    assert ShardRange.parse(str(shards)) == shards
    assert shards.ids == list(range(first, last + 1))


@pytest.mark.parametrize(
    "text", ["0-3", "3-1/8", "0-8/8", "0/0", "a/8", "-1/8", "0-3/8/9", "\u0660/\u0668", "1" * 50 + "/8"]
)
def test_what_names_no_shards_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write it as 0-3/8, which are shards 0 to 3 of 8"):
        ShardRange.parse(text)


@pytest.mark.parametrize("text", ["0-3/8", "4-7/8", "1/3", "0-1/4", "2-3/4", "0/1", "0-5/12", "5/6"])
@pytest.mark.parametrize("other", ["0-3/8", "4-7/8", "0-15/16", "1/2", "5/6", "3-4/9"])
def test_two_ranges_overlap_exactly_where_a_guild_belongs_to_both(text: str, other: str) -> None:
    one, two = ShardRange.parse(text), ShardRange.parse(other)
    numbers = range(one.count * two.count)  # after as many, the pairs of remainders repeat

    shared = any(number % one.count in one.ids and number % two.count in two.ids for number in numbers)

    assert one.overlaps(two) == two.overlaps(one) == shared


def test_a_range_overlaps_with_a_process_that_runs_all_shards() -> None:
    assert ShardRange.parse("3/8").overlaps(None)


def test_sessions_of_two_ranges_have_names_of_their_own() -> None:
    assert ShardRange.parse("0-3/8").suffix == "-shards-0-3-of-8"
    assert ShardRange.parse("4/8").suffix == "-shards-4-of-8"
