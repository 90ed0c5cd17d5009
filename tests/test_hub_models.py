"""Downloads from a hub that runs on this machine: whole, cached, pinned, and refused when cut."""

import http.server
import os
import subprocess
import sys
import threading

import pytest
import torch

from lessons_lib.checkpoints import load_model, save_model
from lessons_lib.hub_models import HUB_MODELS
from lessons_lib.model import GPT, GPTConfig

SIZES = GPTConfig(vocabulary_size=50, context_length=16, width=8, layers=1, heads=2)
MODEL = HUB_MODELS["gpt2"]
INPUTS = [[3, 9, 4, 11]]
# In a process of its own: the hub's address is read when huggingface_hub is imported.
PROGRAM = f"""
import sys
from lessons_lib.checkpoints import CheckpointError, load_model
import torch
try:
    print(load_model("gpt2")(torch.tensor({INPUTS})).flatten().tolist())
except CheckpointError as error:
    print("CheckpointError:", error)
"""


class Hub(http.server.BaseHTTPRequestHandler):
    """Serves the files of ``folder`` as the hub does; ``cut`` bytes are missing from their ends."""

    def do_HEAD(self):
        self.answer(send=False)

    def do_GET(self):
        self.answer(send=True)

    def answer(self, send: bool) -> None:
        self.server.asked.append(self.path)
        start = f"/{MODEL.repository}/resolve/{MODEL.revision}/"
        path = self.server.folder / self.path.removeprefix(start)
        if not self.path.startswith(start) or not path.is_file():
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        content = path.read_bytes()
        self.send_response(200)
        self.send_header("ETag", f'"{path.name}-{len(content)}"')
        self.send_header("X-Repo-Commit", MODEL.revision)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if send:
            self.wfile.write(content[: len(content) - self.server.cut])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def hub(tmp_path):
    torch.manual_seed(1)
    save_model(GPT(SIZES), tmp_path / "files")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.folder, server.cut, server.asked = tmp_path / "files", 0, []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def load(hub, home, offline=False) -> str:
    environment = os.environ | {
        "HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_OFFLINE": "1" if offline else "0",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HOME": str(home),
        "HF_HUB_CACHE": str(home / "hub"),
        "NO_PROXY": "127.0.0.1",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_model_is_downloaded_once_and_then_read_offline(hub, tmp_path):
    expected = str(load_model(hub.folder)(torch.tensor(INPUTS)).flatten().tolist())
    assert load(hub, tmp_path / "home") == expected
    files = [path for path in hub.asked if "/resolve/" in path]
    assert files and all(MODEL.revision in path for path in files)
    asked = len(hub.asked)
    assert load(hub, tmp_path / "home", offline=True) == expected
    assert load(hub, tmp_path / "home") == expected
    assert len(hub.asked) == asked  # a pinned file in the cache needs no question


def test_offline_and_not_cached_says_what_to_do(hub, tmp_path):
    answer = load(hub, tmp_path / "home", offline=True)
    assert "gpt2 is not in the cache" in answer and "download gpt2" in answer
    assert not hub.asked


def test_a_download_that_breaks_off_is_refused_and_leaves_nothing(hub, tmp_path):
    hub.cut = 100
    assert load(hub, tmp_path / "home").startswith("CheckpointError: gpt2's config.json")
    assert not list((tmp_path / "home").rglob("snapshots/*/*.safetensors"))
    hub.cut = 0
    assert load(hub, tmp_path / "home").startswith("[")


def test_a_hub_without_the_file_is_named(hub, tmp_path):
    (hub.folder / "model.safetensors").unlink()
    assert "the hub does not give gpt2's model.safetensors" in load(hub, tmp_path / "home")


def test_a_hub_that_nobody_answers_for_is_told_from_one_that_refuses(hub, tmp_path):
    hub.shutdown()
    hub.server_close()
    assert "the Hugging Face hub cannot be reached" in load(hub, tmp_path / "home")
