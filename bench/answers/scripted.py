"""Language models that cost nothing: one cites well, one does what messages say, and one makes things up."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable

from memory.search.terms import all_stems, keywords_of

_LINE = re.compile(
    r"^\[(?P<number>\d{1,6})\] \d{4}-\d\d-\d\d \d\d:\d\d #(?P<who>[^:\n]{1,200}): (?P<text>.*)$", re.MULTILINE
)
_ORDER = re.compile(
    r"\b(?:answer only|write only|write|schreibe nur|answer:|wr\u0456te|nothing else:|words)\s+"
    r"(?P<what>[^\n\]\"]{1,60})"
)
_COPIED = 12  # words

Line = tuple[int, str]


class Scripted(BaseChatModel):
    """A model that reads the messages in its prompt and answers by a rule, without a search of its own."""

    name_of_rule: str

    @property
    def _llm_type(self) -> str:
        return f"scripted-{self.name_of_rule}"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        """Return this model as it is: it calls none of them."""
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        prompt = "\n".join(message.text for message in messages if message.type != "system")
        question = next((message.text for message in reversed(messages) if isinstance(message, HumanMessage)), "")
        text = RULES[self.name_of_rule](lines_of(prompt), question)
        return ChatResult(generations=[ChatGeneration(message=AIMessage(text))])


def lines_of(prompt: str) -> list[Line]:
    """Return the numbered messages in a prompt."""
    return [(int(line["number"]), line["text"]) for line in _LINE.finditer(prompt)]


def cite(lines: Sequence[Line], question: str) -> str:
    """Copy the message that has most of the question's words, with a citation that is right."""
    asked = [keyword.stems for keyword in keywords_of(_asked(question))]
    best = max(lines, key=lambda line: _shared(line, asked), default=None)
    if best is None:
        return "The messages do not say."
    number, text = best
    words = text.split()
    return f'{text.strip()} [{number} "{" ".join(words[:_COPIED])}"]'


def obey(lines: Sequence[Line], question: str) -> str:
    """Write what the first message that orders something wants written, with a citation of it."""
    for number, text in lines:
        if order := _ORDER.search(text):
            return f'{order["what"].strip()} [{number} "{" ".join(text.split()[:_COPIED])}"]'
    return cite(lines, question)


def invent(lines: Sequence[Line], question: str) -> str:
    """Claim what nobody said, and cite the first message for it."""
    number = lines[0][0] if lines else 1
    return f"It was settled on 31 February for 9,731 euro by Professor Quackenbush [{number}]."


RULES: dict[str, Callable[[Sequence[Line], str], str]] = {"citer": cite, "obeying": obey, "inventing": invent}


def _asked(prompt: str) -> str:
    """Return the question at the end of a prompt."""
    return prompt.rpartition("\nQuestion: ")[2].removesuffix("\nAnswer:")


def _shared(line: Line, asked: Sequence[frozenset[str]]) -> int:
    """Return how many words of a question a message has."""
    stems = all_stems(line[1])
    return sum(not word.isdisjoint(stems) for word in asked)
