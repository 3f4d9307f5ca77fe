"""Look at the bot's registration with Discord."""

from bot.client import INTENT_REFUSED
from bot.login_check import Registration, look_up
from ops.checks.result import Finding, left_out, ok, warning, wrong


async def discord(token: str | None, server_id: int | None) -> Finding:
    """Tell whether Discord takes the token and shows the bot message texts, if there is a token."""
    if token is None:
        return left_out("no DISCORD_TOKEN is set: the bot talks in the terminal")
    return registered(await look_up(token, server_id=server_id), server_id)


def registered(found: Registration, server_id: int | None) -> Finding:
    """Judge what Discord says of the bot."""
    if not found.reads_content:
        return wrong(INTENT_REFUSED)
    if found.in_server is False:
        return warning(
            f"The bot {found.name} is not in server {server_id} (DISCORD_SERVER_ID): "
            "correct the number, or invite the bot with the link that it prints at its start."
        )
    where = f", and it is in server {server_id}" if found.in_server else ""
    return ok(f"the token is that of {found.name}, which may read message texts{where}")
