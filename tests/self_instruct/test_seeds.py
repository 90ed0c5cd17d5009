"""The seed tasks: what is in the course's own, and what is said of a faulty file."""

import ast
import json
import re
import sqlite3
from collections import Counter

import pytest
from rapidfuzz.distance import LCSseq

from lessons_lib.data import DatasetError, check_entries
from lessons_lib.self_instruct import flatten, load_seed_tasks, refusal_reason


@pytest.fixture(scope="module")
def tasks():
    return load_seed_tasks()


@pytest.fixture(scope="module")
def entries(tasks):
    return {task.name: entry for task, entry in zip(tasks, flatten(tasks), strict=True)}


def test_there_are_as_many_as_alpaca_has(tasks):
    assert [task.id for task in tasks] == [f"seed_task_{index}" for index in range(175)]
    names = {task.name for task in tasks}
    assert len(names) == 175 and all(re.fullmatch("[a-z]+(_[a-z]+)*", name) for name in names)
    assert sum(task.is_classification for task in tasks) == 25
    assert {len(task.instances) for task in tasks} == {1}
    assert sum(not task.instances[0]["input"] for task in tasks) == 70


def test_each_does_what_the_prompt_asks_for(entries):
    check_entries(list(entries.values()))
    for name, entry in entries.items():
        assert refusal_reason(entry) is None, name
        assert "###" not in "".join(entry.values()), name
        assert len(entry["output"].split()) < 100 and len(entry["input"].split()) <= 100, name
        sentences = re.findall(r"[.?!](?=\s|$)", entry["instruction"])
        assert 1 <= len(sentences) <= 2, name
        assert all(text == text.strip() for text in entry.values()), name


def test_no_verb_begins_many_of_them(entries):
    first = Counter(
        entry["instruction"].split()[0].strip(",").lower() for entry in entries.values()
    )
    assert max(first.values()) <= 6, first.most_common(3)


def test_no_two_are_alike(entries):
    words = [re.findall("[a-z0-9]+", e["instruction"].lower()) for e in entries.values()]
    for index, one in enumerate(words):
        for other in words[:index]:
            rouge_l = 2 * LCSseq.similarity(one, other) / (len(one) + len(other))
            assert rouge_l <= 0.7, (one, other)


def test_the_sums_are_right(entries):
    signs = str.maketrans({"×": "*", "÷": "/", "$": ""})
    sums = []
    for entry in entries.values():
        for one, other in re.findall(r"([$\d.+×÷ ]+) = (?=([$\d.+×÷ ]+))", entry["output"]):
            if re.search("[+×÷]", one + other):
                sums.append((one.strip(), other.strip(" .")))
    assert len(sums) == 9
    for one, other in sums:
        assert eval(one.translate(signs)) == pytest.approx(eval(other.translate(signs))), one


def run(code: str) -> dict:
    names: dict = {}
    exec(code, names)
    return names


def test_the_code_runs_and_does_what_is_asked(entries):
    output = {name: entry["output"] for name, entry in entries.items()}
    given = {name: entry["input"] for name, entry in entries.items()}
    assert run(output["count_vowels"])["count_vowels"]("An Ode") == 3
    assert run(given["broken_average"])["average"]([1, 2, 6]) == 2
    assert run(output["broken_average"].split("\n\n")[1])["average"]([1, 2, 6]) == 3
    assert run(output["javascript_to_python"])["double"]([1, 2]) == [2, 4]
    loop, comprehension = (run(side["list_comprehension"]) for side in (given, output))
    assert loop["squares"] == comprehension["squares"] == [0, 4, 16, 36, 64]
    printed = given["what_is_printed"].removeprefix("print(").removesuffix(")")
    assert output["what_is_printed"] == str(eval(printed))
    assert output["indented_json"] == json.dumps(json.loads(given["indented_json"]), indent=2)
    colors = ", ".join(
        f"{k}: {v}" for k, v in ast.literal_eval(output["dictionary_literal"]).items()
    )
    assert colors == given["dictionary_literal"]
    for x in (0, 1):
        before, after = (side["simpler_condition"][3:-1] for side in (given, output))
        assert eval(before, {"x": x}) == eval(after, {"x": x})
    pattern = given["meaning_of_a_pattern"]
    assert re.match(pattern, "Paris") and '"Paris"' in output["meaning_of_a_pattern"]
    assert not any(re.match(pattern, text) for text in ("paris", "P", "PAris", "Paris 2"))


def test_the_query_runs(entries):
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE products (name, price)")
    database.execute("INSERT INTO products VALUES ('cup', 4), ('lamp', 30), ('pen', 2)")
    rows = database.execute(entries["dearest_product_first"]["output"]).fetchall()
    assert rows == [("lamp", 30), ("cup", 4), ("pen", 2)]


def test_what_is_counted_in_letters_is_right(entries):
    counts = Counter(entries["letters_of_banana"]["input"])
    assert entries["letters_of_banana"]["output"] == "\n".join(
        f"{k}: {v}" for k, v in counts.items()
    )
    assert Counter("planet") == Counter(
        entries["scrambled_planet"]["input"].split(";")[0].replace(" ", "")
    )
    ladder = entries["cold_to_warm"]["output"].split(", ")
    for one, other in zip(ladder, ladder[1:], strict=False):
        assert sum(a != b for a, b in zip(one, other, strict=True)) == 1
    headline = entries["news_headline"]["output"]
    assert len(headline.split()) <= 8
    assert len(entries["ten_words_or_fewer"]["output"].split()) <= 10
    assert all(word[0] in "Bb" for word in entries["tongue_twister"]["output"].split())
    assert "empty" not in entries["deserted_station"]["output"]
    assert len("sunflower") == 9 and entries["password_rule"]["input"] == "sunflower"
    budget = re.findall(r"\((\d+) minutes\)", entries["coffee_machine_agenda"]["output"])
    assert sum(map(int, budget)) == 30


SEED = {
    "id": "seed_task_0",
    "name": "sea",
    "instruction": "Name a sea.",
    "instances": [{"input": "", "output": "The Baltic."}],
    "is_classification": False,
}


def write(folder, *rows):
    path = folder / "tasks.jsonl"
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_file_in_alpacas_form_is_read(tmp_path):
    two = [{"input": "Italy", "output": "Rome"}, {"output": "Paris", "input": "France"}]
    path = write(
        tmp_path, SEED, SEED | {"id": "1", "name": "capital", "instances": two, "extra": 1}
    )
    assert [task.is_classification for task in load_seed_tasks(str(path))] == [False, False]
    assert flatten(load_seed_tasks(path)) == [
        {"instruction": "Name a sea.", "input": "", "output": "The Baltic."},
        {"instruction": "Name a sea.", "input": "Italy", "output": "Rome"},
        {"instruction": "Name a sea.", "input": "France", "output": "Paris"},
    ]


def test_an_absent_input_is_an_empty_one(tmp_path):
    instances = '[{"output": "a"}, {"input": null, "output": "b"}, {"input": NaN, "output": "c"}]'
    row = json.dumps(SEED | {"instances": "HERE"}).replace('"HERE"', instances)
    (task,) = load_seed_tasks(write(tmp_path, row))
    assert [instance["input"] for instance in task.instances] == ["", "", ""]


def test_a_list_in_a_json_file_is_read_too(tmp_path):
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps([SEED]), encoding="utf-8")
    assert load_seed_tasks(path)[0].name == "sea"
    path.write_text(json.dumps([SEED, 1]), encoding="utf-8")
    with pytest.raises(
        DatasetError, match="row 1: is a number; a seed task is an object"
    ) as caught:
        load_seed_tasks(path)
    assert "(line" not in str(caught.value)


def instance(**fields):
    return SEED | {"id": "1", "instances": [SEED["instances"][0], fields]}


@pytest.mark.parametrize(
    ("row", "field", "problem"),
    [
        ({k: v for k, v in SEED.items() if k != "name"}, "name", "is missing"),
        (SEED | {"id": 7}, "id", "is a number; text is expected"),
        (SEED, "id", "'seed_task_0' is that of row 0, too"),
        (SEED | {"id": " "}, "id", "is blank"),
        (SEED | {"id": "1", "instruction": "\n"}, "instruction", "is blank"),
        (SEED | {"id": "1", "instances": []}, "instances", "at least one instance is needed"),
        (SEED | {"id": "1", "instances": {}}, "instances", "a list is expected"),
        (SEED | {"id": "1", "instances": ["x"]}, "instances[0]", "object with input and output"),
        (SEED | {"id": "1", "is_classification": 0}, "is_classification", "true or false"),
        (instance(input="x"), "instances[1].output", "is missing"),
        (instance(input="x", output="\u200b"), "instances[1].output", "is blank"),
        (instance(input=3, output="x"), "instances[1].input", "text is expected"),
        (instance(input="\ud800", output="x"), "instances[1].input", "lone surrogate"),
        ('{"id": "1", "id": "2"}', "id", "is named twice"),
        (json.dumps(SEED).replace("input", "output"), "instances[0].output", "is named twice"),
        ([SEED], None, "a seed task is an object"),
        ({"instruction": "Name a sea.", "output": "x", "id": "1", "name": "a"}, "instances",
         "is missing; load_entries reads files of entries"),
    ],
)  # fmt: skip
def test_a_fault_is_named_by_file_line_and_field(tmp_path, row, field, problem):
    path = write(tmp_path, SEED, "", row)
    with pytest.raises(DatasetError, match=re.escape(problem)) as caught:
        load_seed_tasks(path)
    assert (caught.value.file, caught.value.row, caught.value.field) == (path, 1, field)
    assert str(caught.value).endswith("(line 3)")


def test_what_is_no_json_or_not_there_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r"tasks.jsonl, row 1: .*line 2"):
        load_seed_tasks(write(tmp_path, SEED, '{"id": '))
    with pytest.raises(DatasetError, match="does not exist"):
        load_seed_tasks(tmp_path / "none.jsonl")
    with pytest.raises(DatasetError, match="is empty"):
        load_seed_tasks(write(tmp_path))
