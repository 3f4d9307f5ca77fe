"""The context of one run of the agent: what its tools know, and the model cannot change."""

from dataclasses import dataclass, field

from agent.models.run import ModelRun
from agent.progress import Step, StepKind, Watched
from agent.time_scope import TimeScope
from agent.transcript import ShownMessages
from agent.types import Question, Searched
from agent.web.look_up import WebLookUp
from memory.message import Message
from memory.question.parse import ParsedQuestion
from memory.search.interface import MemoryReader
from overviews.who import KnowerFinder
from time_expressions.window import Windows


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The question, what it asks for, the memory that may answer it, and what has been searched and shown so far.

    The places to search are those of `parsed`: what the question names, and never more than the question may use.
    `about` are the messages that the question points at, the nearest first.
    Whoever waits for the answer is told through `watched`.
    """

    question: Question
    parsed: ParsedQuestion
    memory: MemoryReader
    evidence: ShownMessages
    searches: TimeScope
    about: tuple[Message, ...] = ()
    watched: Watched = field(default_factory=Watched)
    web: WebLookUp | None = None
    """What may be looked up on the web; None where that is switched off."""
    knowers: KnowerFinder | None = None
    """Finds who knows about a topic; None where nobody does."""
    run: ModelRun = field(default_factory=ModelRun)
    """What the model that is being asked may take, and has taken."""

    def tell(self, kind: StepKind, *, windows: Windows = ()) -> None:
        """Tell whoever waits what is done now in the places of the question; no `windows` are all time."""
        self.watched.step(Step(kind=kind, channels=self.parsed.channels, windows=windows))

    @property
    def searched(self) -> Searched | None:
        """Where the run has searched; None when it has searched nothing."""
        question, parsed = self.question, self.parsed
        if not self.searches.were_made:
            return None
        return Searched(
            windows=self.searches.windows,
            went_beyond=self.searches.went_beyond,
            channels=parsed.channels,
            now=question.now,
            time_zone=question.time_zone,
            ordered=tuple(time for time in parsed.times if time.order_mattered),
            date_order=question.effective_date_order,
            texts=_searched_texts(parsed),
            as_of=parsed.as_of,
            former=parsed.as_of is not None or parsed.before_edits,
        )


def _searched_texts(parsed: ParsedQuestion) -> tuple[str, ...]:
    """Return what is searched for where the question does not say it itself."""
    if parsed.parts:
        return tuple(part.topic or part.text for part in parsed.parts)
    text = parsed.condensed or parsed.topic
    return (text,) if parsed.own_topic is not None and text else ()


def memory_for(parsed: ParsedQuestion, memory: MemoryReader) -> MemoryReader:
    """Return memory as far as a question, or a part of it, asks for it: of some channels, as of a moment."""
    if parsed.conversations is not None:
        memory = memory.in_conversations(parsed.conversations)
    if parsed.as_of is not None:
        return memory.as_of(parsed.as_of)
    return memory.before_edits() if parsed.before_edits else memory


def new_context(
    question: Question,
    parsed: ParsedQuestion,
    memory: MemoryReader,
    *,
    about: tuple[Message, ...] = (),
    watched: Watched | None = None,
) -> Context:
    """Return the context that a run begins with: nothing has been shown or searched yet."""
    confined = memory_for(parsed, memory)
    return Context(
        question=question,
        parsed=parsed,
        memory=confined,
        evidence=ShownMessages(question.places),
        searches=TimeScope(parsed.windows, all_time=question.all_time),
        about=about,
        watched=watched or Watched(),
    )
