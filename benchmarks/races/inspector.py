"""The batch inspector against an ipywidgets table: ``python -m benchmarks.inspector``.

Both show the same cells of the same 8 entries, in one JupyterLab, in one browser, and take turns;
a click on the instruction mask is timed until the changed picture has been painted. The peer is
what one would write first with ipywidgets: buttons, and one HTML table made in Python. Bytes are
those of all WebSocket messages of a click. The last line is JSON.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path

import nbformat

from benchmarks.entries import ENTRIES_VARIABLE, source_and_entries
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.helpers.lab import RUN_ALL, running_lab
from tools.build_notebooks import KERNEL

SETUP = """from benchmarks.inspector_peer import peer_table
from lessons_lib.widgets import inspect_batch
from lessons_lib.data import load_entries
import json, pathlib
entries = load_entries(pathlib.Path("entries.json"))
long = load_entries(pathlib.Path("long.json"))"""
CELLS = (
    SETUP,
    "inspect_batch(entries, instruction_mask='none')",
    "peer_table(entries)",
    "inspect_batch(long, instruction_mask='none')",
)
# Clicks, waits until the watched text has changed, then for the frame after the next to begin.
CLICK = """async ([button, watched]) => {
  const text = () => (watched.querySelector(".peer-count") ?? watched).textContent;
  const before = text();
  const started = performance.now();
  button.click();
  while (text() === before) await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  await new Promise((done) => setTimeout(done));
  return performance.now() - started;
}"""
COLUMNS = 512


class Traffic:
    """Counts the bytes of WebSocket messages in both directions."""

    def __init__(self, page):
        self.bytes = 0
        page.on("websocket", self._listen)

    def _listen(self, socket) -> None:
        for event in ("framesent", "framereceived"):
            socket.on(event, self._count)

    def _count(self, payload: str | bytes) -> None:
        self.bytes += len(payload.encode() if isinstance(payload, str) else payload)


def long_entries(entries: list[dict]) -> list[dict]:
    """32 entries whose texts are about 512 tokens long."""
    text = " ".join(entry["output"] for entry in entries)
    words = text.split()
    return [
        {**entries[i % len(entries)], "output": " ".join((words[i:] + words * 60)[:330])}
        for i in range(32)
    ]


def timed_clicks(page, traffic, target: dict, rounds: int) -> tuple[list[float], list[int]]:
    """Milliseconds and bytes of clicks that switch the mask on and off in turn."""
    times, sizes = [], []
    for turn in range(rounds):
        button = page.locator(target["buttons"][turn % 2]).element_handle()
        watched = page.locator(target["watched"]).element_handle()
        before = traffic.bytes
        times.append(page.evaluate(CLICK, [button, watched]))
        page.wait_for_timeout(150)  # for the kernel's answers that come after the picture
        sizes.append(traffic.bytes - before)
    return times, sizes


def targets_of(cell: int) -> dict:
    """Where to click and what to watch in an inspector."""
    place = f".jp-Cell >> nth={cell} >> "
    return {
        "buttons": [
            f'{place}input[name$="-instruction_mask"][value="{mask}"]'
            for mask in ("prompt", "none")
        ],
        "watched": f"{place}.bi-headline",
    }


def measure(rounds: int) -> dict[str, float | str]:
    """Open JupyterLab, run the cells, click.

    Raises:
        SystemExit: there is no Chromium.
    """
    if CHROMIUM is None:
        raise SystemExit("This race needs Chromium (Debian's package is called chromium).")
    from playwright.sync_api import sync_playwright

    source, entries = source_and_entries()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        notebooks = folder / "notebooks"
        notebooks.mkdir()
        for file, chosen in (("entries", entries[:8]), ("long", long_entries(entries))):
            (notebooks / f"{file}.json").write_text(json.dumps(chosen), encoding="utf-8")
        cells = [nbformat.v4.new_code_cell(text) for text in CELLS]
        notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL})
        nbformat.write(notebook, notebooks / "race.ipynb")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        with running_lab(folder, notebooks) as address:
            page = browser.new_page(viewport={"width": 1400, "height": 3600})
            traffic = Traffic(page)
            page.goto(address("race.ipynb"))
            page.locator(".jp-Notebook").wait_for(timeout=60_000)
            page.evaluate(RUN_ALL)
            page.locator(".bi").nth(1).wait_for(timeout=120_000)
            page.locator(".peer-count").wait_for(timeout=60_000)
            figures = click_all(page, traffic, rounds)
            big = page.locator(".jp-Cell >> nth=3 >> .bi")
            figures["big_cells_in_page"] = big.locator(".bi-cell").count()
        browser.close()
    return {**figures, "state_bytes": state_bytes(entries[:8]), "source": source}


def click_all(page, traffic, rounds: int) -> dict[str, float]:
    """Click both rivals in turn, then the big batch."""
    ours, big = targets_of(1), targets_of(3)
    peer = {
        "buttons": [f"button.peer-{mask}" for mask in ("prompt", "none")],
        "watched": ".jp-Cell >> nth=2 >> .widget-html-content",
    }
    times: dict[str, list[float]] = {"ours": [], "peer": []}
    sizes: dict[str, list[int]] = {"ours": [], "peer": []}
    for target in (ours, peer):  # warm up
        timed_clicks(page, traffic, target, 2)
    for turn in range(rounds):
        order = (("ours", ours), ("peer", peer))
        for name, target in order if turn % 2 else reversed(order):
            clicked, sent = timed_clicks(page, traffic, target, 2)
            times[name] += clicked
            sizes[name] += sent
    big_times, _ = timed_clicks(page, traffic, big, rounds)
    median = statistics.median
    return {
        "vs_ipywidgets": round(median(times["peer"]) / median(times["ours"]), 2),
        "click_to_painted_ms": round(median(times["ours"]), 1),
        "ipywidgets_click_ms": round(median(times["peer"]), 1),
        "bytes_per_click": round(median(sizes["ours"])),
        "ipywidgets_bytes_per_click": round(median(sizes["peer"])),
        "big_click_ms": round(median(big_times), 1),
    }


def state_bytes(entries: list[dict]) -> int:
    """The bytes that the inspector of these entries adds to a saved notebook, without its code."""
    from lessons_lib.widgets import inspect_batch
    from lessons_lib.widgets.page import inspector_state

    state = inspector_state(inspect_batch(entries))
    return len(json.dumps(state, ensure_ascii=False).encode())


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inspector", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="pairs of clicks on each")
    figures = measure(parser.parse_args(arguments).rounds)
    print(f"8 entries, {figures['source']} ({ENTRIES_VARIABLE} names others)")
    print(f"{'':<12} {'click to painted':>17} {'bytes per click':>16}")
    for name, time, size in (
        ("inspector", "click_to_painted_ms", "bytes_per_click"),
        ("ipywidgets", "ipywidgets_click_ms", "ipywidgets_bytes_per_click"),
    ):
        print(f"{name:<12} {figures[time]:>14} ms {figures[size]:>16,}")
    print(f"32 entries × about {COLUMNS} tokens: {figures['big_click_ms']} ms per click")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
