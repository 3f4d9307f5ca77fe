"""Ask questions of a model, or of none, and print how good, how safe and how fast the answers are.

The hundred questions of `bench/questions.tsv`, and sixty more: two facts in one question, "as of", follow-ups,
questions that nobody can answer, private channels, and messages that tell the model what to do. With `--locomo` those
of chats in LoCoMo's format, too. What is right is said in `bench/answers/cases.py`.
"""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from agent.config import AgentConfig, ModelConfig
from agent.prompt_plan import SHORTEST_PROMPT, ToolsSetting, prompt_plan
from bench.answers.asking import Limits, Recorder, Setup, ask_all, check_model
from bench.answers.cases import HUNDRED, OUR_CHATS, SIXTY, Case, Chat, chosen, read_cases, read_locomo
from bench.answers.report import line, table
from bench.answers.scoring import Scored
from bench.inputs import told_in_a_sentence
from errors import InputFileError


class Results:
    """The answers so far: those of a file, to which each new one is added at once, if there is one."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known: dict[tuple[str, str], Scored] = {}
        if path is not None and path.exists():
            self._known = {(answer.model, answer.key): answer for answer in _read(path)}

    def has(self, model: str, case: Case) -> bool:
        """Return whether a model has answered a question."""
        return (model, case.key) in self._known

    def add(self, answer: Scored) -> None:
        """Keep an answer."""
        self._known[answer.model, answer.key] = answer
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(answer.as_json(), ensure_ascii=False) + "\n")

    def of(self, models: Sequence[str], cases: Sequence[Case]) -> list[Scored]:
        """Return the answers of some models to some questions."""
        keys = [(model, case.key) for model in models for case in cases]
        return [self._known[key] for key in keys if key in self._known]


def _read(path: Path) -> list[Scored]:
    try:
        return [Scored.from_json(json.loads(text)) for text in path.read_text(encoding="utf-8").splitlines() if text]
    except (OSError, ValueError, TypeError) as error:
        raise InputFileError(f"{path} does not hold answers of this bench: name another file with --record.") from error


def _printed(answer: Scored, recorder: Recorder, *, prompts: bool) -> str:
    """Return what the model was given, what it wrote and what is shown, one below the other."""
    parts = []
    if prompts:
        parts += [f"--- {message.type}\n{message.text}" for prompt in recorder.prompts[-1:] for message in prompt]
    parts += [f"--- the model wrote\n{text}" for text in answer.raw]
    return "\n".join([*parts, f"--- shown\n{answer.text}\n"])


def main(
    model: Annotated[
        list[str] | None,
        typer.Option(help="extractive, scripted:citer, :obeying, :inventing, or any LLM_MODEL; may be given again."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Ask so many, some of every kind.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Ask only questions of this kind; may be given again.")] = None,
    questions: Annotated[
        list[Path] | None, typer.Option(help="Lists of questions in place of ours; may be given again.")
    ] = None,
    in_order: Annotated[bool, typer.Option("--in-order", help="Ask the first ones, not some of every kind.")] = False,
    locomo: Annotated[list[Path] | None, typer.Option(help="Chats in LoCoMo's format; may be given again.")] = None,
    more_locomo: Annotated[list[Path] | None, typer.Argument(help="More of them.")] = None,
    record: Annotated[
        Path | None, typer.Option(help="Keep each answer in this file; what is in it is not asked again.")
    ] = None,
    answer_timeout: Annotated[float, typer.Option(min=1, help="Seconds for one answer of the model.")] = 300,
    total_minutes: Annotated[float, typer.Option(min=0.1, help="Minutes for all; then the table is printed.")] = 180,
    show: Annotated[bool, typer.Option("--show", help="Print what the model wrote beside what is shown.")] = False,
    show_prompts: Annotated[bool, typer.Option("--show-prompts", help="And what the model was given.")] = False,
    base_url: Annotated[str | None, typer.Option(envvar="LLM_BASE_URL", help="Where the model's server is.")] = None,
    openai_api_key: Annotated[str | None, typer.Option(envvar="OPENAI_API_KEY", hidden=True)] = None,
    hf_token: Annotated[str | None, typer.Option(envvar="HF_TOKEN", hidden=True)] = None,
    max_tokens: Annotated[int, typer.Option(envvar="LLM_MAX_TOKENS", min=1, help="Tokens of one answer.")] = 400,
    tools: Annotated[
        str, typer.Option(envvar="LLM_TOOLS", help="on, off, or auto: by the name of the model.", metavar="auto|on|off")
    ] = "auto",
    prompt_tokens: Annotated[
        int | None, typer.Option(envvar="LLM_PROMPT_TOKENS", min=SHORTEST_PROMPT, help="Tokens of a prompt at first.")
    ] = None,
) -> None:
    """Ask, and print a Markdown table; every answer as it comes, on standard error."""
    models = list(dict.fromkeys(model or ["extractive"]))
    limits = Limits(answer=timedelta(seconds=answer_timeout), together=timedelta(minutes=total_minutes))
    model_config = ModelConfig(
        name="extractive",
        base_url=base_url,
        openai_api_key=openai_api_key,
        hf_token=hf_token,
        max_tokens=max_tokens,
        timeout=limits.answer,
    )

    def agent_config(name: str) -> AgentConfig:
        plan = prompt_plan(name, tools=cast("ToolsSetting", tools), tokens=prompt_tokens)
        return AgentConfig(with_tools=plan.with_tools, prompt_tokens=plan.tokens)

    with told_in_a_sentence():
        if tools not in get_args(ToolsSetting):
            raise InputFileError(f"--tools {tools!r} is not known: write auto, on or off.")
        for name in models:
            check_model(name, model_config)
        chats, cases = _chosen(questions, [*(locomo or ()), *(more_locomo or ())], kind, limit, in_order=in_order)
        results = Results(record)
        together = len(models) * len(cases)
        already = len(results.of(models, cases))

        def done(answer: Scored, recorder: Recorder) -> None:
            nonlocal already
            already += 1
            results.add(answer)
            typer.echo(line(answer, number=already, together=together), err=True)
            if show or show_prompts:
                typer.echo(_printed(answer, recorder, prompts=show_prompts), err=True)

        left = 0
        with suppress(KeyboardInterrupt):
            left = asyncio.run(
                ask_all(
                    models,
                    chats,
                    cases,
                    setup=Setup(limits=limits, model_config=model_config, agent_config=agent_config),
                    is_done=results.has,
                    done=done,
                )
            )
    typer.echo(table(results.of(models, cases), models))
    if left:
        typer.echo(f"{left} of {together} were not asked within {total_minutes:g} minutes.", err=True)


def _chosen(
    lists: Sequence[Path] | None,
    locomo: Sequence[Path],
    kinds: Sequence[str] | None,
    limit: int | None,
    *,
    in_order: bool,
) -> tuple[list[Chat], list[Case]]:
    """Return the questions to ask, and the chats that they are about."""
    more_chats, more_cases = read_locomo(locomo)
    cases = [case for path in lists or (HUNDRED, SIXTY) for case in read_cases(path)] + more_cases
    if kinds:
        cases = [case for case in cases if case.kind in kinds]
    cases = list({case.key: case for case in cases}.values())
    cases = cases[:limit] if in_order else chosen(cases, limit)
    names = {case.chat for case in cases}
    if not cases:
        raise InputFileError("There is no question of that kind: correct --kind or --questions.")
    return [chat for chat in (*OUR_CHATS.values(), *more_chats) if chat.name in names], cases


if __name__ == "__main__":
    typer.run(main)
