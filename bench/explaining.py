"""Ask PostgreSQL how it runs a statement."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ClauseElement, Executable
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler


class Explain(Executable, ClauseElement):
    """EXPLAIN of a statement, with what really happened when it is `analysed`."""

    inherit_cache = False

    def __init__(self, statement: ClauseElement, *, analysed: bool = False) -> None:
        self.statement = statement
        self.analysed = analysed


@compiles(Explain)
def _explain(element: Explain, compiler: SQLCompiler, **options: Any) -> str:
    how = "(ANALYZE, TIMING OFF, COSTS OFF) " if element.analysed else ""
    return f"EXPLAIN {how}{compiler.process(element.statement, **options)}"


class ExplainingSession(AsyncSession):
    """A session that keeps the plan of every statement on messages that is run over it."""

    plans: list[str]

    async def execute(self, statement: Any, *arguments: Any, **options: Any) -> Any:
        """Ask for the plan, then run the statement."""
        if "FROM messages" in str(statement) and "EXPLAIN" not in str(statement):
            plan = await super().execute(Explain(statement, analysed=True), *arguments)
            self.plans.append("\n".join(row[0] for row in plan))
        return await super().execute(statement, *arguments, **options)


@contextmanager
def explained(session: ExplainingSession) -> Iterator[list[str]]:
    """Yield the list that the plans of a session go into."""
    session.plans = []
    yield session.plans
