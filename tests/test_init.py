"""The package's front door: light to import, and every public name behind it."""

import json
import subprocess
import sys

import pytest

import lessons_lib

HEAVY = ["torch", "numpy", "matplotlib", "tiktoken", "IPython", "rapidfuzz"]


def loaded_after(code: str) -> set[str]:
    """The modules that a fresh Python has loaded after running some code."""
    code += "\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    return set(json.loads(answer.stdout))


def test_importing_the_package_loads_nothing_large():
    loaded = loaded_after("import lessons_lib; dir(lessons_lib)")
    assert not loaded.intersection(HEAVY)
    assert not [name for name in loaded if name.startswith("lessons_lib.")]


def test_a_name_loads_its_own_module_only():
    loaded = loaded_after("from lessons_lib import load_entries, format_input")
    assert {"lessons_lib.data.entries", "lessons_lib.data.prompts"} <= loaded
    assert not loaded.intersection(["torch", "matplotlib"])


@pytest.mark.parametrize("name", lessons_lib.__all__)
def test_public_names_resolve(name):
    assert getattr(lessons_lib, name) is not None
    assert name in dir(lessons_lib)


def test_public_names_are_the_modules_own():
    from lessons_lib.batching import pad

    assert lessons_lib.pad is pad


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'padd'"):
        lessons_lib.padd  # noqa: B018
