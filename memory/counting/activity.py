"""Count when things were said: by quarters of an hour in both memories, and from these by the units of a clock."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from memory.counting import queries
from memory.counting.overlap import find_overlap
from memory.counting.queries import MOST_QUARTERS, Quarter
from memory.counting.results import Activity, Matter, Unit
from memory.counting.words import Sought
from memory.filters import Filters
from memory.search_session import SearchableDatabase, SearchSession
from time_expressions.window import Window

QUARTER = timedelta(minutes=15)

_ANY_MONDAY = date(2001, 1, 1)


@dataclass(frozen=True, slots=True)
class Bucket:
    """How much there is in one unit, and the newest quarter of an hour that has some of it.

    `start` is the first moment of the unit on the clock of the time zone, without a zone: of an hour of the day on any
    day, and of a weekday in any week.
    """

    start: datetime
    amount: int
    newest: datetime

    @property
    def newest_window(self) -> Window:
        """The quarter of an hour in which the newest of it was sent."""
        return Window(self.newest, self.newest + QUARTER)


async def count_activity(
    search_session: SearchSession, databases: Sequence[SearchableDatabase], *, matter: Matter, filters: Filters
) -> Activity:
    """Return when there was how much of a matter, each message counted once.

    Raises DatabaseUnavailableError when no memory answers.
    """
    overlap = await find_overlap(search_session, databases, windows=filters.windows)

    async def query(session: AsyncSession, database: SearchableDatabase) -> list[Quarter]:
        return await queries.quarters(session, matter=matter, filters=filters, excluded=overlap.of(database))

    answers = (await search_session.ask(databases, query)).values()
    amounts = Counter[datetime]()
    for quarter in (quarter for answer in answers for quarter in answer):
        amounts[quarter.start] += quarter.messages if matter.sought is Sought.MESSAGES else quarter.items
    return Activity(
        amounts,
        unreachable=search_session.unreachable,
        exact=overlap.exact and all(len(answer) < MOST_QUARTERS for answer in answers),
    )


def by_unit(quarters: Mapping[datetime, int], unit: Unit, time_zone: ZoneInfo) -> list[Bucket]:
    """Return the units that have something, in their order, as a clock of the time zone shows them.

    When the clock is set back an hour comes twice, and is one; weeks begin on Monday.
    """
    amounts = Counter[datetime]()
    newest: dict[datetime, datetime] = {}
    for quarter, amount in quarters.items():
        start = _start_of(quarter.astimezone(time_zone), unit)
        amounts[start] += amount
        newest[start] = max(newest.get(start, quarter), quarter)
    return [Bucket(start, amounts[start], newest[start].astimezone(UTC)) for start in sorted(amounts)]


def _start_of(moment: datetime, unit: Unit) -> datetime:
    day = moment.date()
    match unit:
        case Unit.HOUR:
            return datetime.combine(_ANY_MONDAY, time(moment.hour))
        case Unit.WEEKDAY:
            day = _ANY_MONDAY + timedelta(days=day.weekday())
        case Unit.WEEK:
            day -= timedelta(days=day.weekday())
        case Unit.MONTH:
            day = day.replace(day=1)
        case Unit.DAY:
            pass
    return datetime.combine(day, time())
