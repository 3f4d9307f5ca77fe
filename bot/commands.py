"""Answer /chat, /about and /help."""

from collections.abc import Awaitable, Callable
from functools import partial

import discord
from discord import app_commands

from agent.types import Answer
from bot.answer_buttons import AnswerButtons
from bot.answering import Answered, Answerer, Asking
from bot.asked import AskedQuestion, AskedQuestions, KeptQuestions, RecentQuestions
from bot.audience import Readers, must_be_private
from bot.buttons import Renew, Reply
from bot.caller import Caller
from bot.cited_sources import NO_SOURCES, NONE_LEFT, changed_since, render_cited
from bot.command_runner import CommandRunner
from bot.daily_limits import DailyLimits
from bot.history.cited_check import CitedCheck
from bot.live_answer import LiveAnswer
from bot.moderators import answer_mode, refusal_to_answer
from bot.outbox import Outbox
from bot.presses import Presses
from bot.rendering import render, render_text
from bot.renewal import MOST_RENEWALS, renewed_when
from bot.running_handlers import RunningHandlers
from bot.services import Services
from memory.guild_settings import AnswerMode
from memory.question.parse import LONGEST_QUESTION

RIGHTS_CHANGED = (
    "Who may read what has changed here while I was answering, more than once, so I show nothing. Please ask again."
)
PRIVATE_HERE = "I cannot see this channel, so I do not know who reads here: only you see this answer."
MORE_FOR_YOU = "There are {} more sources that only you can see."
ONE_MORE_FOR_YOU = "There is 1 more source that only you can see."
NO_MORE_FOR_YOU = "There is nothing more about that which only you can see, by now."
HELP = """\
I remember what is said in the channels that I can see, and answer questions about it with the messages that prove it. \
What was said before I joined I know as far as I have read it; beyond that I ask Discord's own search, and say so.

**Ask**
`/chat text:what did Ana say about the deploy last Tuesday?` My answer is for everyone in this channel, so I use only \
what everyone here can read; if you alone can read more about it, I tell you alone. With `private:True` only you see \
the answer, and I use all that you can read.
Mention me, or reply to me: I answer in the channel. "Ask about this" on the menu of a message answers you alone.
A number such as [1] opens the message that it stands for. When you name a time, I search that time alone, say which \
it was, and offer to search all time. Thumbs tell those who run me which answers were good.

**Look** (for you alone; some with `public:True` for everyone here)
`/search` messages · `/timeline` what happened in some time · `/who knows` who knows about a topic · `/catchup` what \
you missed · `/decisions` what was decided; "Mark as decision" on the menu of a message adds one · `/unanswered` open \
questions, for helpers
`/remind` and "Remind me about this" write to you when it is time.

**Yours**
`/memory` shows what I hold about you, and hands it over · `/forget` erases it, "Forget this" a single message · \
`/optout` keeps me from writing down what you say · `/timezone` says on whose clock you mean "last Tuesday"

**For those who run a server**
`/settings` what is kept, who may ask, and why answers leave channels out · `/pause` and `/resume` · `/limits` \
questions a day · `/digest` the week in a channel · `/remember backfill` what was said before I came · \
`/servertimezone`

`/status` how I am · `/coverage` what I remember of which channel · `/about` what I run on

What is said, edited or deleted while I am away I read again when I am back; an answer about a time that I have not \
seen says so. Archived threads and solved posts I search like all others, private threads only for their members. \
Age-restricted channels I quote only in channels that are age-restricted too, spoiler channels only in themselves."""


class SlashCommands:
    """Answers /chat, /about and /help."""

    def __init__(
        self,
        services: Services,
        runner: CommandRunner,
        in_flight: RunningHandlers,
        readers: Readers,
        cited_check: CitedCheck | None = None,
        outbox: Outbox | None = None,
    ) -> None:
        self._services = services
        self._runner = runner
        self._readers = readers
        coverage = None if services.history is None else services.history.ledger
        self._outbox = outbox
        self._limits = DailyLimits(services)
        self.answerer = Answerer(services, readers, coverage=coverage, cited_check=cited_check)
        self._asked: AskedQuestions = RecentQuestions() if services.answers is None else KeptQuestions(services.answers)
        presses = Presses(services, in_flight, questions=self._asked, answers=self)
        self.answer_buttons = AnswerButtons(presses.take)

    async def chat(self, interaction: discord.Interaction, text: str, *, private: bool) -> None:
        """Answer a question from memory; a private answer is shown to the asker alone."""
        private = private or await answer_mode(interaction, self._services) is not AnswerMode.PUBLIC
        hidden = not private and must_be_private(interaction, self._readers)
        asking = Asking(
            caller=interaction, text=text, private=private or hidden, notes=(PRIVATE_HERE,) if hidden else ()
        )

        await self._answer(interaction, asking, said=f"/chat {text}")

    async def ask_again(self, interaction: discord.Interaction, question: AskedQuestion, *, all_time: bool) -> None:
        """Answer a question once more, from what may be read by now."""
        hidden = not question.private and must_be_private(interaction, self._readers)
        asking = Asking(
            caller=interaction,
            text=question.text,
            private=question.private or hidden,
            all_time=all_time,
            about=question.about,
            notes=(PRIVATE_HERE,) if hidden else (),
        )
        await self._answer(interaction, asking, said=f"/chat {question.text} ({'all time' if all_time else 'again'})")

    async def show_rest(self, interaction: discord.Interaction, question: AskedQuestion) -> None:
        """Show whoever presses what they alone may read by now."""
        asking = Asking(caller=interaction, text=question.text, private=True, all_time=question.all_time)

        async def answer() -> Reply:
            return await self._rest_reply(asking)

        said = f"/chat {question.text} (for me alone)"
        await self._runner.run(interaction, said=said, private=True, compose=answer)

    async def show_sources(self, interaction: discord.Interaction, question: AskedQuestion) -> None:
        """Show whoever presses what an answer cites, as far as they may read it by now; nothing of it is recorded."""

        async def answer() -> Reply:
            return await self._sources_reply(interaction, question)

        await self._runner.run(interaction, said=None, private=True, compose=answer)

    async def about(self, interaction: discord.Interaction) -> None:
        """Tell the asker what the program runs on."""

        async def answer() -> Reply:
            return Reply(render_text(await self._services.about(interaction.guild_id)))

        await self._runner.run(interaction, said="/about", private=True, compose=answer)

    async def help(self, interaction: discord.Interaction) -> None:
        """Tell the asker how to use the commands."""

        async def answer() -> Reply:
            return Reply(render_text(HELP))

        await self._runner.run(interaction, said="/help", private=True, compose=answer)

    async def _answer(self, interaction: discord.Interaction, asking: Asking, *, said: str) -> None:
        """Answer a question that was asked by a command, and show how the answer comes about."""
        live = LiveAnswer()

        async def answer() -> Reply:
            return await self.reply(asking, live=live)

        await self._runner.run(interaction, said=said, private=asking.private, compose=answer, live=live)

    async def reply(self, asking: Asking, *, live: LiveAnswer | None = None) -> Reply:
        """Return the answer to a question of any caller, which is kept until that answer is delivered, if it may be.

        A `live` answer is told how it comes about.
        """
        if self._outbox is None or not self._services.keeps(asking.caller):
            return await self._allowed_reply(asking, None, live)
        return await self._outbox.keep(asking, partial(self._allowed_reply, asking, self._outbox, live))

    async def _allowed_reply(self, asking: Asking, outbox: Outbox | None, live: LiveAnswer | None) -> Reply:
        """Return the answer to a question, or that its asker has asked enough for today."""
        refusal = await self._limits.refusal_of(asking.caller, is_kept=outbox is not None)
        if refusal is None:
            return await self._reply(asking, live=live)
        if outbox is not None:
            await outbox.give_up(asking.caller.id)
        return Reply(render_text(refusal))

    async def reply_late(self, asking: Asking, answered: Answered | None, live: LiveAnswer | None) -> Reply:
        """Return the answer to a question of an earlier run, made anew where there is none."""
        return await self._reply(asking, live=live, answered=answered)

    async def _reply(
        self,
        asking: Asking,
        *,
        live: LiveAnswer | None = None,
        tries: int = MOST_RENEWALS,
        answered: Answered | None = None,
    ) -> Reply:
        """Return the answer to a question; it is made anew, so often at most, when rights change before it is shown."""
        if refusal := await refusal_to_answer(asking.caller, self._services, private=asking.private):
            return Reply(render_text(refusal))
        if answered is None:
            answered = await self.answerer.answer(asking, live=live)
            if self._outbox is not None and self._services.keeps(asking.caller):
                await self._outbox.ready(asking, answered)

        async def again(left: int) -> Reply:
            return await self._reply(asking, tries=left)

        async def offer() -> Reply | None:
            return await self._offer(asking)

        self._asked.note(_asked(asking, answered.answer))
        shown = render(answered.answer, answered.zone.zone)
        return Reply(
            [shown.text],
            self.answer_buttons.under(answered.answer, asking.caller.id),
            sources=shown.sources,
            notes=shown.notes,
            renew=self._renew(partial(self.answerer.is_outdated, asking, answered), again, tries, asking.caller),
            offer=None if asking.private or asking.caller.guild_id is None else offer,
        )

    async def _offer(self, asking: Asking) -> Reply | None:
        """Return what to tell the asker alone after a public answer: how much more there is for their eyes only."""
        answered = await self.answerer.rest(asking)
        if answered is None:
            return None
        count = len(answered.answer.sources)
        button = self.answer_buttons.rest(asking.caller.id)
        return Reply(render_text((MORE_FOR_YOU if count > 1 else ONE_MORE_FOR_YOU).format(count)), (button,))

    async def _rest_reply(self, asking: Asking, *, tries: int = MOST_RENEWALS) -> Reply:
        """Return quotations from what the asker alone may read."""
        if refusal := await refusal_to_answer(asking.caller, self._services, private=True):
            return Reply(render_text(refusal))
        answered = await self.answerer.rest(asking)
        if answered is None:
            return Reply(render_text(NO_MORE_FOR_YOU))

        async def again(left: int) -> Reply:
            return await self._rest_reply(asking, tries=left)

        shown = render(answered.answer, answered.zone.zone)
        renew = self._renew(partial(self.answerer.is_outdated, asking, answered), again, tries, asking.caller)
        return Reply([shown.text], sources=shown.sources, notes=shown.notes, renew=renew)

    async def _sources_reply(
        self, interaction: discord.Interaction, question: AskedQuestion, *, tries: int = MOST_RENEWALS
    ) -> Reply:
        """Return what an answer cites, at length."""
        if not question.sources:
            return Reply(render_text(NO_SOURCES))
        numbers = dict(question.sources)
        found = await self.answerer.readable(interaction, numbers.values())
        changed = changed_since(numbers, edited=question.edited, deleted=question.deleted)
        if not found:
            return Reply(render_text("\n".join(filter(None, [NONE_LEFT, changed]))))

        async def is_outdated() -> bool:
            return (await self.answerer.readable(interaction, found)).keys() != found.keys()

        async def again(left: int) -> Reply:
            return await self._sources_reply(interaction, question, tries=left)

        zone = await self._services.zone_of(interaction.user.id, interaction.guild_id)
        cited = {number: found[message_id] for number, message_id in numbers.items() if message_id in found}
        shown = render_cited(cited, missing=len(numbers) - len(cited), time_zone=zone.zone, changed=changed)
        return Reply([shown], renew=self._renew(is_outdated, again, tries, interaction))

    def _renew(
        self,
        is_outdated: Callable[[], Awaitable[bool]],
        again: Callable[[int], Awaitable[Reply]],
        tries: int,
        caller: Caller,
    ) -> Renew:
        return renewed_when(is_outdated, again, tries=tries, otherwise=RIGHTS_CHANGED, command_id=caller.id)


def _asked(asking: Asking, answer: Answer) -> AskedQuestion:
    """Return a question as it can be asked once more, with what its answer cites."""
    caller = asking.caller
    return AskedQuestion(
        question_id=caller.id,
        text=asking.text,
        asker_id=caller.user.id,
        channel_id=caller.channel_id or 0,
        guild_id=caller.guild_id,
        private=asking.private,
        all_time=asking.all_time,
        about=asking.about,
        sources=tuple((source.number, source.message.message_id) for source in answer.sources),
    )


def add_commands(tree: app_commands.CommandTree, commands: SlashCommands) -> None:
    """Put the commands on a command tree."""

    @tree.command(name="chat", description="Ask what was said; I answer with the messages that prove it.")
    @app_commands.describe(
        text="Your question, in your own words",
        private="Show the answer to you alone, from all channels that you can read",
    )
    @app_commands.allowed_installs(guilds=True, users=False)
    async def chat(
        interaction: discord.Interaction,
        text: app_commands.Range[str, 1, LONGEST_QUESTION],
        private: bool = False,
    ) -> None:
        await commands.chat(interaction, text, private=private)

    @tree.command(name="about", description="What I run on and how much I remember.")
    @app_commands.allowed_installs(guilds=True, users=False)
    async def about(interaction: discord.Interaction) -> None:
        await commands.about(interaction)

    @tree.command(name="help", description="How to ask me.")
    @app_commands.allowed_installs(guilds=True, users=False)
    async def help_(interaction: discord.Interaction) -> None:
        await commands.help(interaction)
