"""Open JupyterLab on the learner's lessons: .venv/bin/python tools/lab.py [flags of jupyter lab]

Jupyter's, IPython's and matplotlib's own files go to .cache in the project's folder, so nothing is
registered anywhere else, and nothing from elsewhere (settings, kernels) interferes.
"""

import json
import os
import subprocess
import sys
import urllib.parse
from pathlib import Path

from lessons_lib.working_copy import WorkError, make_working_copy

ROOT = Path(__file__).resolve().parent.parent
# The name of each variable's folder under .cache/jupyter.
FOLDERS = {
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_DATA_DIR": "data",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "JUPYTERLAB_SETTINGS_DIR": "settings",
    "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    "IPYTHONDIR": "ipython",
    "MPLCONFIGDIR": "matplotlib",
}
# Settings for the first start; what a learner changes afterwards stays.
SETTINGS = {
    # Do not ask about news: the answer is no, and nothing goes to the network.
    "settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings": {
        "fetchNews": "false",
        "checkForUpdates": False,
    },
    # Show the README, to which the lessons link as their contents, as a page, not as source.
    "settings/@jupyterlab/docmanager-extension/plugin.jupyterlab-settings": {
        "defaultViewers": {"markdown": "Markdown Preview"},
    },
    # Do not warn at each start that kernels talk unencrypted: they talk inside this machine.
    "ipython/profile_default/ipython_kernel_config.json": {"IPKernelApp": {"log_level": 40}},
}
# When imported, rfc3987_syntax compiles a grammar of international web addresses, which takes two
# thirds of JupyterLab's start. Nothing here checks such addresses, and jsonschema can do without.
LAUNCH = """
import sys
sys.modules["rfc3987_syntax"] = None
from jupyterlab.labapp import main
sys.exit(main())
"""
# These would put somebody else's kernels, extensions and settings before those of .venv.
UNWANTED = ["JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "JUPYTERLAB_DIR", "PYTHONHOME"]


def lab_environment() -> dict[str, str]:
    """The variables with which JupyterLab and its kernels run; makes the folders they name."""
    environment = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    for name, folder in FOLDERS.items():
        path = ROOT / ".cache" / "jupyter" / folder
        path.mkdir(parents=True, exist_ok=True)
        environment[name] = str(path)
    for name, settings in SETTINGS.items():
        path = ROOT / ".cache" / "jupyter" / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(settings, indent=1), encoding="utf-8")
    if named := environment.get("LESSONS_LIB_WORK"):  # kernels work in other folders than this
        environment["LESSONS_LIB_WORK"] = os.path.abspath(os.path.expanduser(named))
    environment["JUPYTER_PREFER_ENV_PATH"] = "1"  # .venv's kernel before others of its name
    # In a lesson, `!pip` and `!python` are those of .venv.
    environment["VIRTUAL_ENV"] = sys.prefix
    scripts = str(Path(sys.executable).parent)
    environment["PATH"] = scripts + os.pathsep + environment.get("PATH", "")
    return environment


def lab_folder() -> Path:
    """The learner's copies of the lessons; where they cannot be made, the lessons themselves."""
    try:
        return make_working_copy()
    except WorkError as error:
        print(f"There is no working copy, as {error}. This opens the lessons in notebooks/.")
        return ROOT / "notebooks"


def lab_command(folder: Path, flags: list[str]) -> list[str]:
    """The command line to open a folder's first lesson; ``flags`` come last, so they override.

    JupyterLab shows the whole project, to which the lessons link, unless the folder lies elsewhere.
    """
    root = ROOT if folder.is_relative_to(ROOT) else folder
    lessons = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    page = "/lab"
    if lessons:
        page = f"/lab/tree/{urllib.parse.quote(lessons[0].relative_to(root).as_posix())}"
    command = [
        *[sys.executable, "-c", LAUNCH],
        f"--ServerApp.root_dir={root}",
        f"--LabApp.default_url={page}",
        "--ServerApp.answer_yes=True",  # Ctrl-C stops at once
        "--Application.log_level=ERROR",  # the address is still shown
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
        # Looking for language servers starts npm and others, which write to the home folder.
        "--LanguageServerManager.autodetect=False",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # as in most containers
    return command + flags


def main() -> int:
    folder = lab_folder()
    print("JupyterLab opens the first lesson in your browser; Ctrl-C here stops it.", flush=True)
    command, environment = lab_command(folder, sys.argv[1:]), lab_environment()
    if os.name == "nt":  # Windows' exec would return to the prompt while the server runs on
        return subprocess.call(command, env=environment)
    os.execve(command[0], command, environment)


if __name__ == "__main__":
    sys.exit(main())
