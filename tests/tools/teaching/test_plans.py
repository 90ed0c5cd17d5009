"""Plans add up, and name what is in the lessons; links of the teaching kit lead somewhere."""

import re

import pytest

from lessons_lib.exercises.registry import declared
from tools.build_notebooks import ROOT, lesson_paths, read, short_name
from tools.teaching.sections import sections_of

TEACHING = ROOT / "docs" / "teaching"
PLANS = (TEACHING / "plans.md").read_text(encoding="utf-8")
DOOR = (TEACHING / "README.md").read_text(encoding="utf-8")
HOUR = (TEACHING / "guide" / "04.md").read_text(encoding="utf-8")
TABLE = re.compile(r"^#+ ([^\n]+)\n(?:(?!^#).)*?^(\| at \|.*?)(?=\n\n|\Z)", re.M | re.S)
LENGTHS = {  # minutes, by the words of a plan's heading
    "90 minutes": 90,
    "Half a day": 210,
    "A day": 450,
    "A third half-day": 210,
    **{f"Week {number}": 120 for number in range(1, 7)},
}
EXERCISES = {exercise.name: exercise for exercise in declared()}
SECTIONS = {
    short_name(path): {section.title: section for section in sections_of(read(path))}
    for path in lesson_paths()
}


def cells(row):
    """A row's cells, without the marks of bold text around them."""
    stripped = [cell.strip() for cell in row.strip("|").split("|")]
    return [cell.removeprefix("**").removesuffix("**") for cell in stripped]


def tables(text):
    """Each table with times: its heading, the rows, and the last row, all as cells."""
    for heading, table in TABLE.findall(text):
        _, _, *rows, total = table.splitlines()
        yield heading, [cells(row) for row in rows], cells(total)


def clock(text):
    hours, minutes = text.split(":")
    return 60 * int(hours) + int(minutes)


ALL = {heading: (rows, total) for heading, rows, total in tables(PLANS)}
ROWS = [(heading, row) for heading, (rows, _) in ALL.items() for row in rows]
ROWS += [(heading, row) for heading, rows, _ in tables(DOOR) for row in rows if len(row) == 5]
LESSON_ROWS = [row for _, row in ROWS if row[2] in SECTIONS]


def test_there_is_a_plan_of_each_length():
    assert {heading.partition(":")[0]: clock(total[0]) for heading, (_, total) in ALL.items()} == (
        LENGTHS
    )


@pytest.mark.parametrize("text", [PLANS, DOOR, HOUR], ids=["plans", "door", "hour"])
def test_minutes_add_up(text):
    assert [*tables(text)]
    for heading, rows, total in tables(text):
        now = 0
        for at, minutes, *_ in rows:
            assert clock(at) == now, (heading, at)
            now += int(minutes)
        assert clock(total[0]) == now == int(total[1]), heading


@pytest.mark.parametrize("row", LESSON_ROWS, ids=lambda row: f"{row[2]}-{row[0]}-{row[1]}")
def test_a_row_names_what_is_in_its_lesson_and_leaves_time_for_it(row):
    """In italics stand whole sections, in quotation marks parts of them; exercises are code."""
    lesson, what = row[2], row[3]
    whole, in_part = re.findall(r"\*([^*]+)\*", what), re.findall("“([^”]+)”", what)
    assert {*whole, *in_part} - {*SECTIONS[lesson]} == set()
    named = [EXERCISES[name] for name in re.findall(r"`([^`]+)`", _code(what))]
    assert {exercise.lesson for exercise in named} <= {lesson}
    found = [SECTIONS[lesson][title] for title in whole]
    needed = sum(section.reading + section.predicting for section in found)
    assert int(row[1]) >= needed + sum(exercise.minutes for exercise in named)


def _code(what):
    """The row's text without its sections' titles, which may hold code."""
    return re.sub(r"\*[^*]+\*|“[^”]+”", "", what)


def test_homework_takes_the_minutes_that_its_exercises_declare():
    table = PLANS.partition("## Homework\n")[2].partition("\n## ")[0]
    rows = [cells(row) for row in re.findall(r"^\| \d.*$", table, re.M)]
    assert [row[0] for row in rows] == list("123456")
    for _, lessons, names, minutes, _ in rows:
        found = [EXERCISES[name] for name in re.findall(r"`([a-z-]+)`", names)]
        assert sum(exercise.minutes for exercise in found) == int(minutes), names
        assert {exercise.lesson for exercise in found} == {*lessons.split(", ")}


def test_nothing_is_both_in_class_and_homework():
    weeks = " ".join(row[3] for heading, row in ROWS if heading.startswith("Week"))
    homework = PLANS.partition("## Homework\n")[2].partition("\n## ")[0]
    at_home = re.findall(
        r"`([a-z-]+)`", " ".join(re.findall(r"^\| \d[^`]*(.*?) \| \d", homework, re.M))
    )
    assert at_home and {*re.findall(r"`([a-z-]+)`", weeks)} & {*at_home} == set()


def test_the_map_of_sources_names_sections_that_there_are():
    rows = re.findall(r"^\| (\d\d) \|(.*?)\|", (TEACHING / "sources.md").read_text("utf-8"), re.M)
    assert {lesson for lesson, _ in rows} >= {*SECTIONS}
    for lesson, what in rows:
        for part in re.split(r"; (?=\d\d, )", what):  # "…; 12, *A company's assistant*"
            other = re.match(r"\s*(\d\d), ", part)
            named = re.findall(r"\*([^*]+)\*", part)
            assert {*named} - {*SECTIONS.get(other[1] if other else lesson, {})} == set(), part


PAGES = [*TEACHING.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "README.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for address in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
        name, _, anchor = address.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), address
        if anchor and target.suffix == ".md":
            assert anchor in headings(target), address


def headings(page):
    """A page's headings as GitHub makes anchors of them."""
    found = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", each) for each in found]
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in plain}
