"""Answer /optout: what is chosen, what each choice means, and that it counts once it is confirmed."""

import logging

import discord

from bot.buttons import AskersButton, Reply
from bot.parts import Parts
from bot.rendering import render_text
from errors import DatabaseUnavailableError
from memory.consent.opt_outs import Wish

logger = logging.getLogger(__name__)

CHOSEN = {
    Wish.EVERYTHING: "You have opted out: I keep nothing of what you write, and nothing that you ask me.",
    Wish.WHO_KNOWS: "I keep what you write, and do not name you as somebody who knows about something.",
    Wish.NOTHING: "I keep what you write where I can see it, as `/help` and the privacy page say.",
}
HOW_TO_CHANGE = "`/optout what:` changes that, on all servers at once."
MEANING = {
    Wish.EVERYTHING: (
        "**Shall I keep nothing more of what you write?**\n"
        "- From now on nothing that you write, edit or upload is stored, on no server where I am: not in my memory, "
        "not in a file, not in a log. What you wrote before and I have not read yet is not read either.\n"
        "- You can still ask me. Neither your questions nor my answers to them are kept.\n"
        "- What others forward of you is left out where I know whose it is. What others say or quote of you is "
        "theirs, and is kept.\n"
        "- What I hold already stays, until you erase it with `/forget me`. If you edit such a message, I do not use "
        "it any more."
    ),
    Wish.WHO_KNOWS: (
        "**Shall I not name you as somebody who knows about something?**\n"
        "I keep what you write, and quote it to those who may read it. `/who` leaves you out."
    ),
    Wish.NOTHING: (
        "**Shall I keep what you write again?**\n"
        "From now on it is stored and can be found by those who may read it. Whoever manages a server may also let me "
        "read there what you wrote while you had opted out."
    ),
}
DONE = {
    Wish.EVERYTHING: (
        "Done. I keep nothing of what you write from now on. What I hold from before stays until you use `/forget me`; "
        "`/memory` shows what that is."
    ),
    Wish.WHO_KNOWS: "Done. I do not name you as somebody who knows about something.",
    Wish.NOTHING: "Done. I keep what you write again.",
}
NOT_STORED = (
    "I cannot reach the place where I note that just now, so nothing has changed. Please try again in a few minutes."
)
NOTHING_IS_KEPT = "Here nothing is kept of anybody, so there is nothing to opt out of."


class ConfirmButton(AskersButton):
    """Does what was explained above it."""

    words = "Yes, do that"


def reply(interaction: discord.Interaction, wish: Wish | None, parts: Parts) -> Reply:
    """Return what is chosen, or what a choice means with a button that makes it."""
    consent = parts.services.consent
    if consent is None:
        return Reply(render_text(NOTHING_IS_KEPT))
    present = consent.wish_of(interaction.user.id).wish
    if wish is None:
        return Reply(render_text(f"{CHOSEN[present]}\n{HOW_TO_CHANGE}"))
    if wish is present:
        return Reply(render_text(CHOSEN[present]))

    async def confirm(pressed: discord.Interaction, _: AskersButton) -> None:
        async def done() -> Reply:
            return Reply(render_text(await _chosen(pressed, wish, parts)))

        await parts.runner.replace(pressed, compose=done)

    button = ConfirmButton(asker_id=interaction.user.id, repeat=confirm, buttons=parts.buttons)
    return Reply(render_text(MEANING[wish]), (button,))


async def _chosen(interaction: discord.Interaction, wish: Wish, parts: Parts) -> str:
    consent = parts.services.consent
    if consent is None:
        return NOTHING_IS_KEPT
    try:
        # On Discord's clock, as are the times of messages.
        await consent.opt_out(interaction.user.id, wish, at=interaction.created_at)
    except DatabaseUnavailableError as error:
        logger.warning("a wish was not stored: %r", error)
        return NOT_STORED
    return DONE[wish]
