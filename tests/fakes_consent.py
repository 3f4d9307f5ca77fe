"""A stand-in for what may not be kept."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from errors import DatabaseUnavailableError
from memory.consent.consent import NO_WISH
from memory.consent.opt_outs import OptOut, Wish
from memory.consent.rules import NO_RULES, Rules


@dataclass
class FakeConsent:
    """Keeps wishes in memory; while it is `away` it takes none."""

    rules: Rules = NO_RULES
    wishes: dict[int, OptOut] = field(default_factory=dict)
    away: bool = False

    async def opt_out(self, person_id: int, wish: Wish, *, at: datetime) -> None:
        if self.away:
            raise DatabaseUnavailableError("db:5432")
        self.wishes[person_id] = OptOut(wish, at)
        out = {person: one.since for person, one in self.wishes.items() if one.wish is Wish.EVERYTHING}
        self.rules = replace(self.rules, opted_out=out)

    def wish_of(self, person_id: int) -> OptOut:
        return self.wishes.get(person_id, NO_WISH)
