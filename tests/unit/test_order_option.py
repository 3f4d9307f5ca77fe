"""Which order of days and months a run or a deployment chooses."""

import pytest

from cli.options import chosen_order
from settings import Settings
from time_expressions.conventions import DateOrder


@pytest.mark.parametrize(
    ("setting", "day_first", "order"),
    [
        pytest.param("", None, None, id="neither"),
        pytest.param("month-first", None, DateOrder.MONTH_FIRST, id="the deployment"),
        pytest.param("month-first", True, DateOrder.DAY_FIRST, id="the run, before the deployment"),
        pytest.param("", False, DateOrder.MONTH_FIRST, id="the run alone"),
    ],
)
def test_a_run_chooses_before_the_deployment(
    monkeypatch: pytest.MonkeyPatch, setting: str, day_first: bool | None, order: DateOrder | None
) -> None:
    monkeypatch.setenv("DATE_ORDER", setting)

    assert chosen_order(Settings().date_order, day_first=day_first) is order
