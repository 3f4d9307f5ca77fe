"""Show what somebody sees who looks at what is held of them, takes it along, has it forgotten and opts out.

The bot is the whole one over the sample's conversations, Discord is simulated; every line is what the member sees.
"""

import asyncio
import io
import zipfile
from typing import Any

import typer
from sqlalchemy import text

from bench.pictures import PATIENCE, Scene, open_scene
from cli.console import shown_while
from tests.seen import seen

WHO, WHERE = "hana", "general"
YES = "Yes, do that"
SHOWN_LINES = 6
"""Of each file of the export."""


async def held(scene: Scene) -> str:
    """Return where anything of the member is still held."""
    await scene.program.recorder.settle(timeout=PATIENCE)
    member_id = scene.people[WHO].id
    counts = []
    for database in scene.program.databases:
        async with database.engine.connect() as connection:
            found = await connection.scalar(
                text("SELECT count(*) FROM messages WHERE author_id = :member"), {"member": member_id}
            )
            counts.append(f"{database.name} memory {found}")
    for path in scene.program.recorder.open_files:
        lines = (await asyncio.to_thread(path.read_text, "utf-8")).count(str(member_id))
        counts.append(f"{path.name} {lines}")
    return f"Rows and lines with the member's id: {', '.join(counts)}"


def _modal_words(modal: dict[str, Any] | None) -> str:
    return "\n".join(str(part["content"]) for part in (modal or {}).get("components", ()) if "content" in part)


async def session() -> list[str]:
    """Return the transcript."""
    async with open_scene() as scene:
        member, channel = scene.people[WHO], scene.channels[WHERE]
        shown = await member.slash(channel, "memory")
        lines = [await held(scene), f"> /memory\n{seen(shown.response)}"]
        result = None if shown.response is None else await member.click(shown.response, label="Export")
        handed_over = None if result is None else result.response
        lines.append(f"> [Export]\n{seen(handed_over)}")
        for attachment in () if handed_over is None else handed_over.attachments:
            lines.append(f"{attachment.filename}, {attachment.size:,} bytes")
            with zipfile.ZipFile(io.BytesIO(await attachment.read())) as archive:
                for name in archive.namelist():
                    content = archive.read(name).decode().splitlines()
                    lines.append("\n".join([f"  {name}:", *(f"    {line[:150]}" for line in content[:SHOWN_LINES])]))
        form = await member.slash(channel, "forget me")
        lines.append(f"> /forget me\n{_modal_words(form.modal)}")
        agreed = await member.submit_modal(form, {"answer": ["yes"]})
        lines += [f"> Yes, forget it for ever\n{seen(agreed.response)}", await held(scene)]
        opted = await member.slash(channel, "optout", what="everything")
        lines.append(f"> /optout what:everything\n{seen(opted.response)}")
        agreed = await member.click(opted.response, label=YES) if opted.response is not None else agreed
        lines.append(f"> [{YES}]\n{seen(agreed.response)}")
        await member.send(channel, "nobody keeps this")
        lines.append(f"> nobody keeps this\n{await held(scene)}")
        lines.append(f"> /memory\n{seen((await member.slash(channel, 'memory')).response)}")
        return lines


def main() -> None:
    """Print the transcript."""
    lines = asyncio.run(shown_while(session(), "Looking, exporting, forgetting, opting out"))
    typer.echo("\n\n".join(lines))


if __name__ == "__main__":
    typer.run(main)
