"""The library's rooms: few, small, arrows one way; and the map of them is what the code says."""

import ast
import graphlib
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from importlinter import cli

from tools import draw_rooms

ROOT = draw_rooms.ROOT
# A root file for each thing that a command alone does. The eighteenth room is
# for lesson 13: a teacher that generates, its data filtered and measured, fits no earlier room.
# The nineteenth is for checkers: the teacher's room and that of scores are full, and both kinds of
# lesson use them, to filter data and to score answers.
# The last two are lesson 14's: anybody's labels need no model and no picture, and the bridges to
# other packages need nearly everything.
MOST_ROOMS, MOST_FILES, MOST_ROOT_FILES = 21, 9, 4


@pytest.fixture(scope="module")
def imports():
    return draw_rooms.read_imports()


def test_each_room_imports_only_from_those_before_it(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert cli.lint_imports(no_cache=True) == cli.EXIT_STATUS_SUCCESS, "run: lint-imports"


def in_order(arrows):
    """Raises graphlib.CycleError where the arrows form a circle."""
    return list(graphlib.TopologicalSorter(arrows).static_order())


def test_there_is_no_circle_of_files(imports):
    arrows = {each: imports.find_modules_directly_imported_by(each) for each in imports.modules}
    assert len(in_order(arrows)) == len(imports.modules)


def test_there_is_no_circle_of_rooms(imports):
    arrows = defaultdict(set)
    for importer, imported in draw_rooms.count_imports(imports):
        if importer != imported:
            arrows[importer].add(imported)
    assert set(in_order(arrows)) == {*draw_rooms.ORDER, draw_rooms.OUTSIDE}


def test_rooms_are_drawn_so_that_all_arrows_run_one_way(imports):
    place = {room: number for number, room in enumerate([*draw_rooms.ORDER, draw_rooms.OUTSIDE])}
    arrows = draw_rooms.count_imports(imports)
    assert [arrow for arrow in arrows if place[arrow[0]] < place[arrow[1]]] == []


def test_a_circle_would_be_seen():
    with pytest.raises(graphlib.CycleError):
        in_order({"a": {"b"}, "b": {"a"}})


def test_no_file_takes_from_its_own_room_what_the_room_takes_from_it(imports):
    """Inside a room one imports from the true file."""
    inits = {f"lessons_lib.{room}" for room in draw_rooms.ORDER}
    for importer in imports.modules - inits:
        room = f"lessons_lib.{draw_rooms.room_of(importer)}"
        assert room not in imports.find_modules_directly_imported_by(importer), importer


def test_rooms_are_few_and_small():
    package = draw_rooms.PACKAGE
    rooms = {path.parent for path in package.rglob("__init__.py")} - {package}
    assert {path.relative_to(package).as_posix().replace("/", ".") for path in rooms} == set(
        draw_rooms.ORDER
    )
    # A stage of exercises is a folder of declarations, not a room that anybody must know.
    stages = [path for path in rooms if path.parent.name == "exercises"]
    assert len(rooms) - len(stages) <= MOST_ROOMS
    sizes = {room: len(draw_rooms.files_of(room)) for room in draw_rooms.ORDER}
    assert max(sizes.values()) <= MOST_FILES, sizes
    at_the_root = [path.name for path in draw_rooms.files_of(draw_rooms.OUTSIDE)]
    assert len(set(at_the_root) - {"__main__.py"}) <= MOST_ROOT_FILES, at_the_root


@pytest.mark.parametrize("room", draw_rooms.ORDER)
def test_a_room_says_in_two_sentences_what_it_is_for(room):
    init = draw_rooms.PACKAGE / room.replace(".", "/") / "__init__.py"
    tree = ast.parse(init.read_text(encoding="utf-8"))
    first, second = ast.get_docstring(tree).split("\n\n")
    assert first.endswith(".") and second.endswith(".")
    names = [name for node in tree.body if isinstance(node, ast.ImportFrom) for name in node.names]
    (exported,) = [node.value for node in tree.body if isinstance(node, ast.Assign)]
    assert Counter(ast.literal_eval(exported)) == Counter(name.name for name in names)


def test_the_map_is_what_the_code_says(capsys):
    assert draw_rooms.main(["--check"]) == 0, capsys.readouterr().out


def test_an_outdated_map_is_named(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(draw_rooms, "ROOT", tmp_path)
    monkeypatch.setattr(draw_rooms, "PICTURE", tmp_path / "rooms.svg")
    monkeypatch.setattr(draw_rooms, "listing", lambda counts: "")
    assert draw_rooms.main(["--check"]) == 1
    assert "rooms.svg is out of date" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("test_*.py")), ids=lambda p: p.stem)
def test_no_test_module_imports_from_another(path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    taken = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not [name for name in taken if name.split(".")[-1].startswith("test_")]


def test_the_tests_mirror_the_rooms():
    rooms = {room.replace(".", "/") for room in draw_rooms.ORDER}
    folders = {path.relative_to(ROOT / "tests").as_posix() for path in (ROOT / "tests").rglob("*")}
    assert rooms <= folders
