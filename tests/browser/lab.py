"""A JupyterLab of its own for a test: loopback only, temporary folders, stopped at the end."""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.servers import free_port

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


@contextlib.contextmanager
def running_lab(folder: Path, notebooks: Path):
    """Yields a function from a notebook's name to its address."""
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
        yield lambda name: f"http://127.0.0.1:{port}/doc/tree/{name}?token={token}&reset"
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
