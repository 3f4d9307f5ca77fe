"""A statement is put together from its parts once, however often it is run."""

from psycopg.abc import AdaptContext
from psycopg.sql import SQL, Composed, Identifier

from db.statements import text_of


class Counted(SQL):
    """A piece of SQL that counts how often it was written out."""

    written = 0

    def as_bytes(self, context: AdaptContext | None = None) -> bytes:
        """Write it out."""
        self.written += 1
        return super().as_bytes(context)


def test_a_statement_that_comes_again_is_not_put_together_again() -> None:
    piece = Counted("SELECT 1")
    statement = Composed([piece, SQL(" AS "), Identifier("first")])

    texts = [text_of(statement, None) for _ in range(3)]

    assert texts == [b'SELECT 1 AS "first"'] * 3
    assert piece.written == 1


def test_a_statement_that_is_run_all_the_time_is_kept_beside_many_that_are_not() -> None:
    piece = Counted("SELECT 1")
    statement = Composed([piece])

    for number in range(2000):
        text_of(Composed([SQL("SELECT "), Identifier(f"{number}")]), None)
        text_of(statement, None)

    assert piece.written == 1


def test_each_of_many_statements_keeps_its_own_text() -> None:
    statements = [Composed([SQL("SELECT "), Identifier(f"column {number}")]) for number in range(2000)]

    assert [text_of(statement, None) for statement in statements] == [
        f'SELECT "column {number}"'.encode() for number in range(2000)
    ]
    assert text_of(statements[0], None) == b'SELECT "column 0"'


def test_equal_statements_that_are_made_each_time_have_their_text() -> None:
    assert {text_of(Composed([SQL("SELECT "), Identifier(f"{number % 7}")]), None) for number in range(3000)} == {
        f'SELECT "{number}"'.encode() for number in range(7)
    }
