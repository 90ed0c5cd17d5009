// The slides of one lesson: which is shown, by key, click and finger, how large its type is, and paper.
// What the speaker sees is in presenter.js, which stands behind this file in the same script.
const deck = [...document.querySelectorAll(".slide")];
const WIDGETS = ".bi-mount, .ba-mount, .bf-mount";
// Of the usual type. What is too long even in the smallest can be scrolled.
const [LARGEST, BREAKS, SMALLEST] = [1.3, 0.9, 0.7];
const byId = (id) => document.getElementById(id);
const title = document.title.replace(/: slides$/, "");
const ZOOMS = [1.7, 1.6, 1.5, 1.4, 1.3, 1.2];
let here = 0;
const listeners = []; // called after each change of slide

const say = (text) => { byId("said").textContent = text; };
const steps = (slide) => [...slide.querySelectorAll(".step")];
const fromAddress = () => Math.max(0, Math.min(deck.length, parseInt(location.hash.slice(1), 10) || 1) - 1);

function show(index, allSteps = false) {
  here = Math.max(0, Math.min(index, deck.length - 1));
  deck.forEach((slide, at) => {
    slide.classList.toggle("here", at === here);
    slide.toggleAttribute("inert", at !== here);
  });
  deck.forEach((slide, at) => steps(slide).forEach((step) => step.classList.toggle("seen", allSteps && at === here)));
  document.body.style.setProperty("--done", String((here + 1) / deck.length));
  byId("number").textContent = `${here + 1} / ${deck.length}`;
  document.title = `${here + 1}. ${deck[here].dataset.title} · ${title}`;
  history.replaceState(null, "", `#${here + 1}`);
  say("");
  for (const listener of listeners) listener();
}

function forward() {
  const next = steps(deck[here]).find((step) => !step.classList.contains("seen"));
  if (next) next.classList.add("seen");
  else if (here < deck.length - 1) show(here + 1);
  else say("That was the last slide.");
}

function back() {
  const seen = steps(deck[here]).filter((step) => step.classList.contains("seen"));
  if (seen.length) seen.at(-1).classList.remove("seen");
  else show(here - 1, true);
}

// ---------------------------------------------------------------- type size

// The largest type with which the slide holds it all: code by its longest line, then all by height.
// Sizes follow the window, so once is enough.
function fit(slide) {
  const body = slide.querySelector(".body");
  const set = (name, value) => slide.style.setProperty(name, value.toFixed(2));
  slide.classList.remove("breaks");
  slide.classList.add("measured"); // with all its steps
  set("--fit", 1);
  set("--code", 1);
  const across = [...body.querySelectorAll("pre")].map((pre) => pre.clientWidth / pre.scrollWidth);
  const widest = Math.min(LARGEST, ...across.map((share) => (share < 1 ? share - 0.01 : LARGEST)));
  slide.classList.toggle("breaks", widest < BREAKS);
  // Short lines are enlarged as far as the longest of them allows.
  const wide = widest < BREAKS ? 1 : widest;
  const holds = () => body.scrollHeight <= body.clientHeight + 1
    && [body, ...body.querySelectorAll("pre")].every((each) => each.scrollWidth <= each.clientWidth + 1);
  for (let size = slide.querySelector(WIDGETS) ? 1 : LARGEST; size > SMALLEST; size -= 0.05) {
    set("--fit", size);
    for (let code = Math.min(size, wide); code > SMALLEST; code -= 0.05) {
      set("--code", code);
      if ([...body.querySelectorAll("pre")].every((each) => each.scrollWidth <= each.clientWidth + 1)) break;
    }
    if (holds()) break;
  }
  slide.toggleAttribute("data-scrolls", body.scrollHeight > body.clientHeight + 1);
  slide.classList.remove("measured");
  if (slide.hasAttribute("data-scrolls")) body.tabIndex = 0;
}

// Widgets measure in pixels; they are enlarged as the slide is, as far as its height allows.
const windowScale = () => parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;

function enlarge(mount) {
  const rows = [...mount.querySelectorAll(".bi-scroll")];
  // What was last in view of the rows stays the last.
  const rights = rows.map((each) => each.scrollLeft + each.clientWidth);
  for (const each of rows) each.style.maxHeight = "";
  for (const zoom of ZOOMS) {
    mount.style.zoom = String(zoom * windowScale());
    mount.style.setProperty("--print-zoom", String(zoom));
    if (tooHigh(mount) <= 0) break;
  }
  squeeze(mount);
  rows.forEach((each, at) => { each.scrollLeft = rights[at] - each.clientWidth; });
}

// By how many pixels a widget is higher than its slide has room.
function tooHigh(mount) {
  return mount.getBoundingClientRect().bottom - mount.closest(".body").getBoundingClientRect().bottom;
}

// Where an inspector is still too high, or has become so, its rows are scrolled.
function squeeze(mount) {
  const rows = [...mount.querySelectorAll(".bi-scroll")];
  for (const each of rows) each.style.maxHeight = "";
  const over = tooHigh(mount) / Number(mount.style.zoom);
  if (over > 0) for (const each of rows) each.style.maxHeight = `${Math.max(130, each.clientHeight - over)}px`;
}

function lay() {
  document.querySelectorAll(WIDGETS).forEach(enlarge);
  deck.forEach(fit);
}

// ---------------------------------------------------------------- keys, clicks, fingers

const commands = {
  ArrowRight: forward, PageDown: forward, " ": forward, Enter: forward, n: forward,
  ArrowLeft: back, PageUp: back, Backspace: back, p: back,
  Home: () => show(0), End: () => show(deck.length - 1),
  o: () => list(), c: () => moreControls(), s: () => present(), t: () => byId("theme").click(), f: () => wholeScreen(),
  b: () => document.body.classList.toggle("black"), ".": () => document.body.classList.toggle("black"),
};

// A widget keeps its keys, and a button its space bar; Escape gives them back to the slides.
function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const at = event.target;
  if (at.closest?.(`${WIDGETS}, dialog`)) {
    if (event.key === "Escape") at.blur();
    return;
  }
  if (at.closest?.("button, a, summary") && [" ", "Enter"].includes(event.key)) return;
  const command = commands[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!command) return;
  event.preventDefault();
  command();
}

// Controls of an inspector that a class seldom needs are hidden, to leave room for large rows.
function moreControls() {
  document.body.classList.toggle("all-controls");
  lay();
}

function wholeScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen?.().catch(() => say("This browser refuses the whole screen."));
}

function list() {
  const items = deck.map((slide, at) => {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.textContent = slide.dataset.title;
    if (at === here) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => { byId("list").close(); show(at); });
    item.append(button);
    return item;
  });
  byId("list").querySelector("ol").replaceChildren(...items);
  byId("list").showModal();
  byId("list").querySelector("[aria-current]")?.focus();
}

// A finger that wipes sideways turns the page, unless it moves what is below it.
let touched = null;
addEventListener("touchstart", (event) => {
  const one = event.touches.length === 1 && !event.target.closest(`${WIDGETS}, .table, button`);
  touched = one ? event.touches[0] : null;
}, { passive: true });
addEventListener("touchend", (event) => {
  if (!touched) return;
  const [x, y] = [event.changedTouches[0].clientX - touched.clientX, event.changedTouches[0].clientY - touched.clientY];
  touched = null;
  if (Math.abs(x) > 50 && Math.abs(x) > 2 * Math.abs(y)) (x < 0 ? forward : back)();
});

addEventListener("keydown", onKey);
addEventListener("hashchange", () => show(fromAddress()));
addEventListener("resize", lay);
for (const mount of document.querySelectorAll(WIDGETS)) {
  for (const name of ["click", "change"]) {
    mount.addEventListener(name, () => requestAnimationFrame(() => squeeze(mount)));
  }
}
byId("forward").addEventListener("click", forward);
byId("back").addEventListener("click", back);
byId("contents").addEventListener("click", list);
byId("present").addEventListener("click", () => present());
byId("full").addEventListener("click", wholeScreen);
