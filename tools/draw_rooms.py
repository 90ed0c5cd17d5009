"""Draw the library's rooms and what imports what, from the code itself, for docs/library.md.

``python -m tools.draw_rooms`` writes the picture docs/rooms.svg and, in docs/library.md, the list
of rooms and files, each with the first sentence of its docstring. ``--check`` writes nothing and
fails if either is out of date.
"""

import argparse
import ast
import html
import re
import sys
from collections import Counter
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "lessons_lib"
PICTURE, PAGE = ROOT / "docs" / "rooms.svg", ROOT / "docs" / "library.md"
START, END = "<!-- rooms: written by python -m tools.draw_rooms -->", "<!-- end of rooms -->"
OUTSIDE = "root files"
# In the order of the course; a room imports only from rooms above it here.
ORDER = (
    "support data.reading data data.world batching labels levers models training generation "
    "evaluation evaluation.judges verifiable self_instruct experiments.masking experiments chat "
    "pictures widgets bridges.cards bridges "
    "exercises exercises.open_ended exercises.grading exercises.whole_way "
    "exercises.data exercises.prompts exercises.tokens exercises.batching exercises.padding "
    "exercises.losses exercises.loaders exercises.models exercises.training exercises.evaluation "
    "exercises.experiments exercises.chat exercises.self_instruct exercises.bridges "
    "exercises.museum"
).split()
CELL, LEFT, TOP = 34, 230, 140  # pixels
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1b1f24; }
.count { text-anchor: middle; }
.small { font-size: 11px; fill: #4a535c; }
.grid { fill: none; stroke: #d4d9de; }
.own { fill: #eceff2; stroke: #8a949e; }
.cell { fill: #0072b2; }
@media (prefers-color-scheme: dark) {
  text { fill: #eef1f4; } .small { fill: #c3cbd3; }
  .grid { stroke: #3a4149; } .own { fill: #2a2f35; } .cell { fill: #56b4e9; }
}"""


def room_of(module: str) -> str:
    """The room that a module belongs to: "batching" for "lessons_lib.batching.packing"."""
    name = module.removeprefix("lessons_lib").removeprefix(".")
    rooms = [room for room in ORDER if name == room or name.startswith(room + ".")]
    return max(rooms, key=len, default=OUTSIDE)


def read_imports() -> grimp.ImportGraph:
    """Which module of the package imports which, imports inside functions included."""
    return grimp.build_graph("lessons_lib", cache_dir=None)


def count_imports(graph: grimp.ImportGraph) -> Counter[tuple[str, str]]:
    """For each (room, room it imports from), the number of imports of one module by another."""
    return Counter(
        (room_of(importer), room_of(imported))
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
    )


def files_of(room: str) -> list[Path]:
    """The room's modules except ``__init__``, in alphabetical order."""
    folder = PACKAGE if room == OUTSIDE else PACKAGE / room.replace(".", "/")
    return sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")


def phrase(path: Path) -> str:
    """The first sentence of a module's docstring."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    first = " ".join(text.split("\n\n")[0].split())
    return re.split(r"(?<=[.?!]) ", first)[0].replace("``", "`")


def picture(counts: Counter[tuple[str, str]]) -> str:
    """A square table as SVG: the room of each row imports from the rooms of the columns."""
    rooms = [*ORDER, OUTSIDE]
    width, height = LEFT + CELL * len(rooms) + 20, TOP + CELL * len(rooms) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img">',
        f"<title>{html.escape(alt_text(counts))}</title>",
        f"<style>{STYLE}\n</style>",
    ]
    most = max(number for (one, other), number in counts.items() if one != other)
    for row, room in enumerate(rooms):
        y = TOP + CELL * row
        files = len(files_of(room))
        parts.append(f'<text x="10" y="{y + 22}">{room}</text>')
        parts.append(f'<text class="small" x="{LEFT - 60}" y="{y + 22}">{files} files</text>')
        turned = f"translate({LEFT + CELL * row + 21},{TOP - 10}) rotate(-55)"
        parts.append(f'<text transform="{turned}">{room}</text>')
        for column, other in enumerate(rooms):
            x, number = LEFT + CELL * column, counts[room, other]
            corner = f'x="{x}" y="{y}" width="{CELL}" height="{CELL}"'
            parts.append(f'<rect class="{"own" if row == column else "grid"}" {corner}/>')
            if number and row != column:
                opacity = 0.15 + 0.45 * number / most
                parts.append(f'<rect class="cell" opacity="{opacity:.2f}" {corner}/>')
            if number:
                at = f'x="{x + CELL / 2:.0f}" y="{y + 22}"'
                parts.append(f'<text class="count" {at}>{number}</text>')
    return "\n".join([*parts, "</svg>", ""])


def alt_text(counts: Counter[tuple[str, str]]) -> str:
    """The picture in words, with its counts."""
    rooms = [*ORDER, OUTSIDE]
    across = sum(number for (one, other), number in counts.items() if one != other)
    upward = sum(
        number for (one, other), number in counts.items() if rooms.index(one) < rooms.index(other)
    )
    return (
        f"A square table of {len(ORDER)} rooms and the root files, rows and columns in the order "
        "of the course. A number says how often the row's room imports from the column's: "
        f"{across} imports between rooms, {upward} of them above the diagonal, so all arrows run "
        "one way."
    )


def listing(counts: Counter[tuple[str, str]]) -> str:
    """The picture and all rooms with their files, as Markdown."""
    lines = [f"![{alt_text(counts)}](rooms.svg)", ""]
    for room in [*ORDER, OUTSIDE]:
        folder = "lessons_lib" if room == OUTSIDE else f"lessons_lib/{room.replace('.', '/')}"
        about = "" if room == OUTSIDE else f": {phrase(ROOT / folder / '__init__.py')}"
        lines += [f"**[`{room}`](../{folder})**{about}", ""]
        for path in files_of(room):
            link = f"../{path.relative_to(ROOT).as_posix()}"
            lines.append(f"- [`{path.stem}`]({link}): {phrase(path)}")
        lines.append("")
    return "\n".join(lines)


def with_listing(page: str, text: str) -> str:
    """The page with its part between the two marks replaced."""
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n\n{text}\n{END}{after}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.draw_rooms", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if out of date")
    chosen = parser.parse_args(arguments)
    counts = count_imports(read_imports())
    wanted = {
        PICTURE: picture(counts),
        PAGE: with_listing(PAGE.read_text(encoding="utf-8"), listing(counts)),
    }
    for path, text in wanted.items():
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        if chosen.check:
            print(f"{path.relative_to(ROOT)} is out of date: python -m tools.draw_rooms")
            return 1
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
