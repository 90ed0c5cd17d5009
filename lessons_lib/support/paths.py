"""Where the project keeps its files.

In a clone of the project, whatever is made while learning (downloads, caches) goes into one folder
inside it, so that deleting the clone leaves nothing behind elsewhere.
"""

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
ASSETS = PACKAGE / "assets"
FRONT_END = ASSETS / "front_end"  # the widgets' JavaScript and style sheets
MEASURED = ASSETS / "measured"  # what benchmarks and long runs measured


def cache_folder() -> Path:
    """The folder for downloads and other things that can be made again.

    ``LESSONS_LIB_CACHE`` names it; otherwise it is ``.cache`` in a clone of the project, and
    ``~/.cache/lessons_lib`` where the package was installed without its project.
    The folder is not created here.
    """
    named = os.environ.get("LESSONS_LIB_CACHE")
    if named:
        return Path(os.path.expanduser(named))
    project = PACKAGE.parent
    if (project / "pyproject.toml").is_file():
        return project / ".cache"
    return Path.home() / ".cache" / "lessons_lib"


def learner_folder() -> Path:
    """The folder of what a learner writes: progress, predictions, functions that were kept.

    ``LESSONS_LIB_WORK`` names it; otherwise it is ``my_work`` in a clone of the project, beside the
    notebooks, and in the home folder where the package was installed without its project.
    The folder is not created here, and nothing in it can be made again.
    """
    named = os.environ.get("LESSONS_LIB_WORK")
    if named:
        return Path(os.path.expanduser(named))
    project = PACKAGE.parent
    return (project if (project / "pyproject.toml").is_file() else Path.home()) / "my_work"


def models_folder() -> Path:
    """The folder that holds the models' folders; not created here."""
    return cache_folder() / "models"
