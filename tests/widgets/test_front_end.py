"""The front end's own substeps, run under Node, against ``collate_steps``."""

import itertools
import json
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lessons_lib.batching import INSTRUCTION_MASKS, collate_steps, count_targets
from lessons_lib.batching.cells import padded_kinds, target_kinds
from lessons_lib.data import PROMPT_FORMATS, get_tokenizer, load_entries
from lessons_lib.support.paths import FRONT_END
from lessons_lib.widgets.inspector import PADDINGS, collator_options, length_limit
from lessons_lib.widgets.payload import make_examples, make_payload
from tests.helpers.llama_toys import begun, tiny_tokenizer

LAYOUT_OF = Path(__file__).parents[1] / "helpers" / "layout_of.mjs"
MODULE = FRONT_END / "inspector.js"
KINDS = {
    "end of text": "end",
    "ignored padding": "ignored-padding",
    "ignored prompt": "ignored-prompt",
}
# (mask, weight): every mask without a weight, and weights without a mask
MASKS = [(mask, None) for mask in INSTRUCTION_MASKS] + [("none", w) for w in (0.0, 0.1, 1.0)]
GRID = list(
    itertools.product(PROMPT_FORMATS, PADDINGS, MASKS, (None, "short", "middle"), (False, True))
)
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
words = texts.filter(str.strip)
entry_lists = st.lists(
    st.fixed_dictionaries({"instruction": words, "input": texts, "output": words}),
    min_size=1,
    max_size=5,
)


def run_front_end(cases):
    """What layout() and counts() make of the cases, in one run of Node."""
    done = subprocess.run(
        ["node", LAYOUT_OF, MODULE],
        input=json.dumps(cases),
        capture_output=True,
        encoding="utf-8",
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def make_cases(entries, first=0, tokenizer=None, pad_token_id=None):
    """Every combination of the grid with these entries, lengths chosen to cut some of them."""
    tokenizer = tokenizer or get_tokenizer()
    examples, joined = make_examples(entries, PROMPT_FORMATS, tokenizer)
    data = make_payload(
        entries, PROMPT_FORMATS, examples, joined, tokenizer, pad_token_id=pad_token_id
    )
    for name, padding, (mask, weight), length, some in GRID:
        longest = max(len(example.token_ids) for example in examples[name])
        prompt = max(example.prompt_length for example in examples[name])
        yield SimpleNamespace(
            data=data,
            tokenizer=tokenizer,
            entries=entries,
            examples=examples[name],
            prompt_format=name,
            padding=padding,
            instruction_mask=mask,
            prompt_loss_weight=weight,
            max_length={None: None, "short": prompt - 1, "middle": prompt + 2}[length],
            fixed_length=longest + 3 if first % 2 else prompt + 1,
            selected=list(range(0, len(entries), 2 if some else 1)),
        )


def as_message(case):
    names = set(vars(case)) - {"data", "tokenizer", "entries", "examples"}
    return {"data": case.data, "options": {name: getattr(case, name) for name in names}}


def check(case, answer):
    """One answer of the front end against ``collate_steps`` with the same options."""
    limit = length_limit(case)
    kept = [i for i in case.selected if limit is None or case.examples[i].prompt_length <= limit]
    assert [row["index"] for row in answer["rows"]] == kept
    assert [lost["index"] for lost in answer["leftOut"]] == [
        i for i in case.selected if i not in kept
    ]
    if not kept:
        return 0
    steps = collate_steps(
        [case.entries[i] for i in kept],
        case.tokenizer,
        case.prompt_format,
        pad_token_id=case.data["pad"],
        **collator_options(case, case.examples),
    )
    rows = answer["rows"]
    assert answer["width"] == steps.inputs.shape[1]
    for name, tensor in (
        ("padded", steps.padded),
        ("inputs", steps.inputs),
        ("shifted", steps.shifted),
        ("paddingMasked", steps.padding_masked),
        ("targets", steps.targets),
    ):
        assert [row[name] for row in rows] == tensor.tolist(), name
    if steps.weights is None:
        assert all(row["weights"] is None for row in rows)
    else:
        weights = [[round(w, 6) for w in row] for row in steps.weights.tolist()]
        assert [row["weights"] for row in rows] == weights
    assert [row["kinds"] for row in rows] == renamed(padded_kinds(steps))
    for substep, targets in (("2.4", steps.shifted), ("2.5", steps.targets)):
        assert answer["targetKinds"][substep] == renamed(target_kinds(steps, targets))
        expected, found = count_targets(steps, targets), answer["counts"][substep]
        assert found["total"] == expected.total
        assert found["live"] == expected.live
        assert found["ignoredPadding"] == expected.ignored_padding
        assert found["ignoredPrompt"] == expected.ignored_prompt
        assert found["paddingThatCounts"] == expected.padding_that_counts
    tokens = [kind for row in renamed(padded_kinds(steps)) for kind in row]
    for kind, count in answer["counts"]["2.3"]["tokens"].items():
        assert count == tokens.count(kind)
    return 1


def renamed(rows):
    return [[KINDS.get(kind, kind) for kind in row] for row in rows]


@needs_node
def test_front_end_equals_collate_steps_on_the_bundled_entries():
    entries = load_entries()
    cases = list(make_cases(entries[:7]))
    assert len(cases) >= 300
    compared = sum(map(check, cases, run_front_end(list(map(as_message, cases)))))
    assert compared >= 300  # the others leave every entry out


@needs_node
@pytest.mark.parametrize(
    ("tokenizer", "pad_token_id"),
    [(tiny_tokenizer(), None), (tiny_tokenizer(), 0), (begun(tiny_tokenizer()), 2)],
    ids=["its end pads", "a padding token", "a begin token"],
)
def test_front_end_equals_collate_steps_with_another_tokenizer(tokenizer, pad_token_id):
    cases = list(make_cases(load_entries()[:5], 0, tokenizer, pad_token_id))
    data = cases[0].data
    assert data["end"] == 2 and data["pad"] == (2 if pad_token_id is None else pad_token_id)
    assert "50256" not in json.dumps(data)
    assert sum(map(check, cases, run_front_end(list(map(as_message, cases))))) >= 200


@needs_node
@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(entry_lists, st.integers(0, 1))
def test_front_end_equals_collate_steps_on_any_entries(entries, first):
    cases = list(make_cases(entries, first))
    assert len(cases) >= 300
    list(map(check, cases, run_front_end(list(map(as_message, cases)))))


@needs_node
def test_nothing_chosen_is_an_empty_layout():
    case = next(make_cases([{"instruction": "Say hello.", "input": "", "output": "Hello."}]))
    case.selected = []
    [answer] = run_front_end([as_message(case)])
    assert answer["rows"] == [] and answer["width"] == 0
    assert answer["counts"]["2.5"]["total"] == 0
