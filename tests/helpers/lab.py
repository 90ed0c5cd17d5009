"""A JupyterLab for tests: loopback only, temporary folders, stopped at the end."""

import contextlib
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import nbformat

from tests.helpers.servers import free_port, until
from tools.build_notebooks import KERNEL

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (
    *("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"),
    *("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR"),
)
# Playwright's evaluate() would wait for ever where a kernel does not come.
RUN_ALL = """async () => {
  const app = window.jupyterapp;
  const run = async () => {
    await app.restored;
    const notebook = app.shell.currentWidget;
    await notebook.context.ready;
    await notebook.sessionContext.ready;
    await app.commands.execute("notebook:run-all-cells");
  };
  const late = new Promise((_, refuse) =>
    setTimeout(() => refuse(new Error("the notebook did not run within 120 s")), 120000));
  await Promise.race([run(), late]);
}"""

RUN_CELL = """async (place) => {
  const app = window.jupyterapp;
  const run = async () => {
    await app.restored;
    await app.shell.currentWidget.context.ready;
    await app.shell.currentWidget.sessionContext.ready;
    app.shell.currentWidget.content.activeCellIndex = place;
    app.commands.execute("notebook:run-cell");
  };
  const late = new Promise((_, refuse) =>
    setTimeout(() => refuse(new Error("the kernel did not come within 120 s")), 120000));
  await Promise.race([run(), late]);
}"""


def guarded_page(context):
    """A new page, and a list of its faults: requests to other machines, which fail, and errors."""
    page, faults = context.new_page(), []

    def route(route):
        url = urllib.parse.urlsplit(route.request.url)
        if url.scheme in ("file", "data", "blob") or url.hostname == "127.0.0.1":
            route.continue_()
        else:
            faults.append(route.request.url)
            route.abort()

    page.route("**/*", route)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: said.type == "error" and faults.append(said.text))
    return page, faults


class Lab(NamedTuple):
    """A JupyterLab that runs."""

    notebooks: Path  # its folder
    server: str  # "http://127.0.0.1:port"
    token: str

    def address(self, name: str) -> str:
        """Where a notebook is opened."""
        return f"{self.server}/doc/tree/{name}?token={self.token}&reset"

    def end_kernels(self) -> None:
        for session in json.loads(self._ask("GET", "/api/sessions")):
            self._ask("DELETE", f"/api/sessions/{session['id']}")

    def _ask(self, method: str, path: str) -> bytes:
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(self.server + path, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()


@contextlib.contextmanager
def notebook_in_lab(browser, lab: Lab, sources: list[str]):
    """Yields a page of JupyterLab with a notebook of these cells, none of them run.

    Nothing may leave this machine, and the page's console may tell of no error. The kernel ends
    with the test.
    """
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    # Without a kernel's name JupyterLab would ask for one, and wait.
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL})
    name = f"{secrets.token_hex(8)}.ipynb"
    nbformat.write(notebook, lab.notebooks / name)
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    context.add_init_script("window.canary = () => { window.canaryCalled = true; };")
    page, faults = guarded_page(context)
    page.goto(lab.address(name))
    page.locator(".jp-Notebook").wait_for(timeout=60_000)
    try:
        yield page
    finally:
        context.close()
        lab.end_kernels()
    assert faults == []


@contextlib.contextmanager
def running_lab(folder: Path) -> Iterator[Lab]:
    """A server of its own, with its notebooks and all that it writes in this folder."""
    notebooks = folder / "notebooks"
    notebooks.mkdir()
    port, token = free_port(), secrets.token_hex(16)
    command = [
        *(sys.executable, "-m", "jupyter", "lab", "--no-browser", "--ip=127.0.0.1"),
        *(f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"),
        *(f"--ServerApp.root_dir={notebooks}", "--allow-root", "--LabApp.news_url=None"),
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        *("--LabApp.extension_manager=readonly", "--ServerApp.terminals_enabled=False"),
        "--LabApp.expose_app_in_browser=True",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment |= {name: str(folder / name) for name in FOLDERS}
    with (folder / "lab.log").open("w", encoding="utf-8") as log:
        server = subprocess.Popen(
            command, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/api?token={token}", server, folder / "lab.log")
        yield Lab(notebooks, f"http://127.0.0.1:{port}", token)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _wait_for(url: str, server: subprocess.Popen, log: Path) -> None:
    for _ in range(240):
        assert server.poll() is None, log.read_text(encoding="utf-8")
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.25)
    raise AssertionError(f"JupyterLab did not start: {log.read_text(encoding='utf-8')}")


def headline(page):
    """The numbers of the summary: targets that count, of how many.

    The text is taken from the document: of what JupyterLab has scrolled out or is just drawing
    anew, the screen shows none.
    """
    text = page.locator(".bi-headline strong").text_content()
    return tuple(int(number.replace(",", "")) for number in re.findall(r"[\d,]+", text))


def expect_headline(page, expected, what=""):
    """The summary comes to say so, within the time that a busy machine may need."""
    with contextlib.suppress(AssertionError):  # the comparison says what differs
        until(lambda: headline(page) == expected)
    assert headline(page) == expected, what


def choose(page, name, value):
    """Choose in a row of radio buttons, as a person does."""
    page.locator(f'input[name$="-{name}"][value="{value}"]').check()
