"""Ask whoever marks a message as a decision for a title, and for what it takes the place of."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import discord

from bot.buttons import Reply
from bot.events import message_of
from bot.overviews import viewing_of
from bot.parts import Parts
from bot.rendering import render_text
from errors import TemporaryError
from memory.decisions import LONGEST_TITLE, Decision
from memory.mentions import readable
from memory.message import Message
from overviews.decisions import DecisionList, Marked

logger = logging.getLogger(__name__)

LOOKING_LIMIT = timedelta(seconds=2)  # a form has to be shown within three
_SENDING_LIMIT = timedelta(seconds=10)
_FORM_LIMIT = timedelta(minutes=15)
_LONGEST_LABEL = 100  # characters of an option

NOT_KEPT = "No decisions are kept here."
NOT_REMEMBERED = "I do not remember that message, so I could not list it as a decision; a new one takes me a moment."
NO_MEMORY = "My memory cannot be reached just now, so nothing was marked. Please try again in a few minutes."
MARKED = (
    "This is a decision now: {link}. `/decisions` lists it for everybody who can read it, for as long as it stands."
)
WITHDRAWN = "That is no decision any more: {link}. `/decisions as_of:` still shows that it was one."
REPLACES = "It replaces {link}."

STANDS, IS_WITHDRAWN, NOTHING = "stands", "withdrawn", "none"


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a message before somebody is asked about it."""

    decision: Decision | None
    earlier: Sequence[Marked]


async def mark(interaction: discord.Interaction, message: discord.Message, parts: Parts) -> None:
    """Show the form for a message, or say why there is none."""
    with parts.in_flight.entered():
        decisions = parts.services.overviews.decisions if parts.services.overviews is not None else None
        if decisions is None or interaction.guild_id is None:
            await _say(interaction, NOT_KEPT)
            return
        state = message_of(message, session=parts.services.session)
        try:
            async with asyncio.timeout(LOOKING_LIMIT.total_seconds()):
                known = await _known(interaction, state, decisions, parts)
        except (TemporaryError, TimeoutError) as error:
            logger.warning("a message cannot be marked as a decision: %r", error)
            await _say(interaction, NO_MEMORY)
            return
        if known is None:
            await _say(interaction, NOT_REMEMBERED)
            return

        async def submit(submitted: discord.Interaction, form: "DecisionForm") -> None:
            await _submit(submitted, form, state, decisions, parts)

        async with asyncio.timeout(_SENDING_LIMIT.total_seconds()):
            await interaction.response.send_modal(DecisionForm(known.decision, known.earlier, submit))


async def _known(
    interaction: discord.Interaction, state: Message, decisions: DecisionList, parts: Parts
) -> _Known | None:
    """Return what is known of a message; None where memory does not hold it."""
    viewing = await viewing_of(interaction, private=True, services=parts.services, readers=parts.readers)
    viewer = viewing.viewer
    if not await decisions.is_remembered(viewer, state.message_id):
        return None
    marks = await decisions.marks.of(interaction.guild_id)
    of_message = (known for known in marks if known.message_id == state.message_id and known.withdrawn_at is None)
    return _Known(next(of_message, None), await decisions.earlier_ones(viewer, than=state))


async def _submit(
    interaction: discord.Interaction, form: "DecisionForm", state: Message, decisions: DecisionList, parts: Parts
) -> None:
    """Keep what the form says; whoever fills it in is told, and nobody else."""
    now = parts.services.clock()

    async def answer() -> Reply:
        if interaction.guild_id is None:
            return Reply(render_text(NOT_KEPT))
        if form.is_withdrawn:
            await decisions.marks.withdraw(interaction.guild_id, state.message_id, at=now)
            return Reply(render_text(WITHDRAWN.format(link=state.link)))
        await decisions.marks.mark(
            Decision(
                guild_id=interaction.guild_id,
                message_id=state.message_id,
                channel_id=state.channel_id,
                thread_id=state.thread_id,
                author_id=state.author_id,
                sent_at=state.sent_at,
                marked_by=interaction.user.id,
                marked_at=now,
                title=form.chosen_title,
                supersedes=form.chosen_earlier,
            )
        )
        earlier = form.link_of_earlier
        replaces = f" {REPLACES.format(link=earlier)}" if earlier else ""
        return Reply(render_text(f"{MARKED.format(link=state.link)}{replaces}"))

    verb = "Withdraw a decision" if form.is_withdrawn else "Mark as decision"
    said = ": ".join(filter(None, (verb, form.chosen_title)))
    await parts.runner.run(interaction, said=said, private=True, compose=answer)


async def _say(interaction: discord.Interaction, words: str) -> None:
    async with asyncio.timeout(_SENDING_LIMIT.total_seconds()):
        await interaction.response.send_message(words, ephemeral=True)


class DecisionForm(discord.ui.Modal):
    """The form for a decision: its title, what it replaces, and of one that is marked whether it stands."""

    def __init__(
        self,
        decision: Decision | None,
        earlier: Sequence[Marked],
        submit: Callable[[discord.Interaction, "DecisionForm"], Awaitable[None]],
    ) -> None:
        title = "Mark as decision" if decision is None else "A decision"
        super().__init__(title=title, timeout=_FORM_LIMIT.total_seconds(), custom_id="decision")
        self._submit = submit
        self._earlier = {str(known.decision.message_id): known for known in earlier}
        self._title: discord.ui.TextInput[DecisionForm] = discord.ui.TextInput(
            custom_id="title",
            required=False,
            max_length=LONGEST_TITLE,
            default=decision.title if decision is not None else None,
        )
        self.add_item(discord.ui.Label(text="Title", description="Optional; it is listed", component=self._title))
        self._replaced = self._select_earlier(decision)
        self._state = _select_state() if decision is not None else None
        if self._state is not None:
            self.add_item(discord.ui.Label(text="This decision", component=self._state))

    def _select_earlier(self, decision: Decision | None) -> "discord.ui.Select[DecisionForm] | None":
        if not self._earlier:
            return None
        chosen = None if decision is None else str(decision.supersedes)
        options = [discord.SelectOption(label="No other decision", value=NOTHING, default=chosen not in self._earlier)]
        for value, known in self._earlier.items():
            options.append(discord.SelectOption(label=_label(known), value=value, default=value == chosen))
        select: discord.ui.Select[DecisionForm] = discord.ui.Select(
            custom_id="replaces", options=options, required=False
        )
        self.add_item(discord.ui.Label(text="It replaces", component=select))
        return select

    @property
    def chosen_title(self) -> str:
        """The title that was typed; empty without one."""
        return str(self._title.value or "").strip()

    @property
    def chosen_earlier(self) -> int | None:
        """The message whose decision is replaced, if one is."""
        known = self._chosen()
        return None if known is None else known.decision.message_id

    @property
    def link_of_earlier(self) -> str | None:
        """The address of that message."""
        known = self._chosen()
        return None if known is None else known.message.link

    @property
    def is_withdrawn(self) -> bool:
        """Whether the decision shall stand no longer."""
        return self._state is not None and self._state.values == [IS_WITHDRAWN]

    def _chosen(self) -> Marked | None:
        values = [] if self._replaced is None else self._replaced.values
        return self._earlier.get(values[0]) if values else None

    async def on_submit(self, interaction: discord.Interaction) -> None:
        """Hand on what was filled in."""
        await self._submit(interaction, self)


def _select_state() -> "discord.ui.Select[DecisionForm]":
    options = [
        discord.SelectOption(label="It stands", value=STANDS, default=True),
        discord.SelectOption(label="It is withdrawn: it counts no more from now on", value=IS_WITHDRAWN),
    ]
    return discord.ui.Select(custom_id="state", options=options, required=False)


def _label(known: Marked) -> str:
    """Return what an earlier decision is chosen by."""
    words = known.decision.title or readable(known.message.content)
    return " ".join(words.split())[:_LONGEST_LABEL] or "(a file)"
