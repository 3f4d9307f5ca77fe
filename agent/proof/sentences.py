"""Judge the sentences of an answer one by one, by the messages that they cite or that their neighbours cite."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from agent.citations import cited_numbers, without_marks
from agent.proof.claims import Frame, Kind, failing, has_hard_tokens, telling_words
from agent.proof.facts import MessageFacts
from agent.proof.names import words_of
from agent.proof.units import Unit, units_of
from agent.proof.word_lists import listed
from memory.search.terms import stems_of

SHARE = 1 / 3
"""Of the telling words of a sentence without a mark, how many stand in the messages that its neighbour cites."""

_CONNECTING = frozenset().union(
    *(
        stems_of(word)
        for word in listed(
            "hope help enjoy bye goodbye good luck day look looked find found follow following summary short "
            "sum overall list here there answer answers question information detail details relevant available "
            "provided based sure course certainly soon maybe perhaps welcome glad let feel free ask need know "
            "hinweis zusammenfassung kurz gefunden folgende hoffe hilft antwort frage voici resume reponse "
            "question trouve espere aide resumen respuesta pregunta encontrado espero ayuda siguiente message "
            "messages memory unknown certain done sorry unclear clear mention mentioned mentions state stated"
        )
    )
)
"""Stems of words that connect sentences and claim nothing of what was said."""

_MENTIONED = frozenset(
    listed(
        "mention mentions mentioned message messages discussed erwahnt nachricht nachrichten mentionne mentionnee "
        "mencionado mencionada mensaje mensajes"
    )
)
"""Folded words of a sentence that says no more than that something was said."""

_MOST_NEW_OF_A_HEADING = 2
"""Words of an introduction that may stand in no message: "Next steps:"."""

Judged = tuple[Unit, Kind | None]


@dataclass(slots=True)
class _Line:
    """The units of one line, each with the messages that it cites itself."""

    units: list[Unit]
    cited: list[list[int]] = field(default_factory=list)


def judged(text: str, facts: Mapping[int, MessageFacts], frame: Frame) -> list[Judged]:
    """Return the units of an answer, each with the reason to leave it out, None for those that are kept."""
    units = units_of(text)
    cited = [[number for number in cited_numbers(unit.text) if number in facts] for unit in units]
    found: list[Judged] = []
    for at, unit in enumerate(units):
        found.append((unit, _judge(at, units, cited, facts, frame)))
    return _with_lenders(found, cited)


def _judge(
    at: int, units: Sequence[Unit], cited: Sequence[list[int]], facts: Mapping[int, MessageFacts], frame: Frame
) -> Kind | None:
    unit = units[at]
    if cited[at]:
        if not any(letter.isalnum() for letter in without_marks(unit.text)):
            return None  # a mark on its own
        return _failing_or_nothing(unit, [facts[number] for number in cited[at]], frame)
    if cited_numbers(unit.text):
        return Kind.CITATION
    if unit.is_code:
        return _judge_by_lenders(unit, _neighbours(at, cited), facts, frame)
    if is_connecting(unit, facts, frame):
        return None
    return _judge_by_lenders(unit, _lenders(at, units, cited), facts, frame)


def _failing_or_nothing(unit: Unit, facts: Sequence[MessageFacts], frame: Frame) -> Kind | None:
    kind = failing(unit.text, facts, frame)
    if kind is None and not unit.is_introduction and _tells_nothing(without_marks(unit.text), frame):
        return Kind.NOTHING
    return kind


def _tells_nothing(text: str, frame: Frame) -> bool:
    """Return whether a sentence says no more than that what was asked of is mentioned in messages."""
    says_so = not words_of(text).isdisjoint(_MENTIONED)
    return says_so and not _new_words(text, frame) and not has_hard_tokens(text, frame)


def _new_words(text: str, frame: Frame) -> int:
    """Return how many telling words a text has that neither connect sentences nor stand in the question."""
    known = _CONNECTING.union(*(stems_of(word) for word in frame.question_words))
    return sum(stems.isdisjoint(known) for stems in telling_words(text, frame))


def _judge_by_lenders(
    unit: Unit, lenders: Iterator[list[int]], facts: Mapping[int, MessageFacts], frame: Frame
) -> Kind | None:
    """Return why none of the messages that neighbours cite support a unit without a mark; None when some do."""
    reason = Kind.CLAIM
    for numbers in lenders:
        lent = [facts[number] for number in numbers]
        kind = failing(unit.text, lent, frame)
        if kind is None and (unit.is_code or _is_about(unit, lent, frame)):
            return None
        reason = kind or reason
    return reason


def _is_about(unit: Unit, facts: Sequence[MessageFacts], frame: Frame) -> bool:
    """Return whether enough of what a unit tells stands in these messages."""
    telling = list(telling_words(unit.text, frame))
    spoken = frozenset().union(
        *(stems for fact in facts for clause in fact.polarity.clauses for stems in clause.telling)
    )
    return not telling or sum(not stems.isdisjoint(spoken) for stems in telling) >= SHARE * len(telling)


def is_connecting(unit: Unit, facts: Mapping[int, MessageFacts], frame: Frame) -> bool:
    """Return whether a unit without a mark claims nothing: an introduction, or words that tell nothing new."""
    new = _new_words(unit.text, frame)
    if unit.is_introduction:
        kind = failing(unit.text, list(facts.values()), frame)
        return kind in {None, Kind.NUMBER, Kind.NEGATION} or (kind is Kind.WORDS and new <= _MOST_NEW_OF_A_HEADING)
    return not has_hard_tokens(unit.text, frame) and not new


def _lenders(at: int, units: Sequence[Unit], cited: Sequence[list[int]]) -> Iterator[list[int]]:
    """Yield what the next sentence of the line cites, the one before it, and the line that introduces the item."""
    following = next((n for n in range(at + 1, len(units)) if units[n].line != units[at].line or cited[n]), len(units))
    if following < len(units) and units[following].line == units[at].line:
        yield cited[following]
    before = next((n for n in range(at - 1, -1, -1) if cited[n]), -1)
    if before >= 0 and (units[before].line == units[at].line or units[before].is_introduction):
        yield cited[before]


def _neighbours(at: int, cited: Sequence[list[int]]) -> Iterator[list[int]]:
    before = next((numbers for numbers in reversed(cited[:at]) if numbers), None)
    after = next((numbers for numbers in cited[at + 1 :] if numbers), None)
    yield from (numbers for numbers in (before, after) if numbers)


def _with_lenders(found: list[Judged], cited: Sequence[list[int]]) -> list[Judged]:
    """Return the verdicts; a sentence whose mark stood in a later sentence of its line goes with that one."""
    written: list[Judged] = []
    for at, (unit, kind) in enumerate(found):
        if kind is None and not cited[at] and not unit.is_introduction and not unit.is_code:
            later = next((n for n in range(at + 1, len(found)) if cited[n]), len(found))
            is_same_line = later < len(found) and found[later][0].line == unit.line
            if is_same_line and found[later][1] is not None:
                kind = Kind.CLAIM
        written.append((unit, kind))
    return written
