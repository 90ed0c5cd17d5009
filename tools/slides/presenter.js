// ---------------------------------------------------------------- the presenter's window
// An empty window that this page fills: notes, minutes, a clock and the next slide. It runs no
// script of its own and loads nothing, so it works from a file, too.
const PRESENTER = `
  body { margin: 0; padding: 12px 16px; font: 17px/1.45 system-ui, sans-serif; background: #14171b; color: #eef1f4; }
  header { display: flex; flex-wrap: wrap; gap: 8px 20px; align-items: center; border-bottom: 1px solid #414954; padding-bottom: 8px; }
  .time { font: 700 34px/1.1 ui-monospace, monospace; }
  .late { color: #ffb683; }
  button { font: inherit; padding: 4px 14px; border-radius: 6px; border: 1px solid #8a949e; background: #23272e; color: inherit; cursor: pointer; }
  button:focus-visible { outline: 3px solid #56b4e9; }
  main { display: grid; grid-template-columns: 3fr 2fr; gap: 20px; }
  h1 { font-size: 21px; margin: 12px 0 6px; } h2 { font-size: 16px; color: #b9c2cc; margin: 12px 0 6px; }
  #notes { font-size: 19px; } #notes > p:first-child > strong:only-child { color: #ffd27a; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #23272e; padding: 8px; font-size: 14px; }
  a { color: #8fcdf4; } summary { cursor: pointer; }
  .anchor-link { display: none; }
  #next { border: 1px solid #414954; border-radius: 8px; padding: 8px 14px; font-size: 15px; max-height: 50vh; overflow: hidden; }
  #next .step, #next script, #next style { display: none; } #next img { max-width: 100%; background: #fff; }
  @media (max-width: 700px) { main { grid-template-columns: 1fr; } }`;
let view = null; // the window, while it is open
const planned = deck.map((slide) => Number(slide.dataset.minutes));
const clock = { running: false, spent: 0, since: 0, slide: 0 };
const elapsed = () => clock.spent + (clock.running ? Date.now() - clock.since : 0);
const asTime = (milliseconds) => {
  const seconds = Math.floor(Math.abs(milliseconds) / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
};

function startOrStop() {
  if (clock.running) clock.spent = elapsed();
  clock.running = !clock.running;
  clock.since = Date.now();
  tick();
}

function reset() {
  Object.assign(clock, { running: false, spent: 0, slide: 0 });
  tick();
}

function part(tag, id, text = "") {
  const element = view.document.createElement(tag);
  element.id = id;
  element.textContent = text;
  return element;
}

function present() {
  if (view && !view.closed) return view.focus();
  view = window.open("", `presenter-${title}`, "width=1100,height=720");
  if (!view) return say("The browser has blocked the presenter's window: allow pop-up windows for this page.");
  const { document: page } = view;
  page.title = `Presenter: ${title}`;
  page.documentElement.lang = "en";
  const style = page.createElement("style");
  style.textContent = PRESENTER;
  page.head.replaceChildren(style);
  const buttons = [["Back", back], ["Forward", forward], ["", startOrStop], ["Reset", reset]].map(([text, act]) => {
    const button = part("button", act.name, text);
    button.addEventListener("click", act);
    return button;
  });
  const header = page.createElement("header");
  const time = part("span", "time");
  time.className = "time";
  header.append(time, part("span", "plan"), part("span", "late"), part("span", "wall"), ...buttons);
  const [left, right, main] = [page.createElement("section"), page.createElement("section"), page.createElement("main")];
  left.append(part("h1", "now"), part("div", "notes"));
  right.append(part("h2", "coming"), part("div", "next"));
  main.append(left, right);
  page.body.replaceChildren(header, main);
  view.addEventListener("keydown", onKey);
  tell();
}

// The notes of this slide and the beginning of the next.
function tell() {
  clock.slide = elapsed();
  if (!view || view.closed) return;
  const find = (id) => view.document.getElementById(id);
  const minutes = planned[here];
  find("now").textContent = `${here + 1} / ${deck.length}  ${deck[here].dataset.title}  (${minutes} min)`;
  const copied = (nodes) => [...nodes].map((node) => view.document.importNode(node, true));
  find("notes").replaceChildren(...copied(deck[here].querySelector("template.notes").content.childNodes));
  const next = deck[here + 1];
  find("coming").textContent = next ? `Next: ${next.dataset.title}` : "This is the last slide.";
  find("next").replaceChildren(...(next ? copied(next.querySelector(".body").childNodes) : []));
  for (const widget of find("next").querySelectorAll(WIDGETS)) widget.replaceWith("[a widget to click in]");
  tick();
}

function tick() {
  if (!view || view.closed) return;
  const find = (id) => view.document.getElementById(id);
  const before = planned.slice(0, here).reduce((sum, each) => sum + each, 0);
  const all = planned.reduce((sum, each) => sum + each, 0);
  find("time").textContent = asTime(elapsed());
  find("plan").textContent = `this slide ${asTime(elapsed() - clock.slide)} of ${asTime(60000 * planned[here])}, all ${asTime(60000 * all)}`;
  const late = elapsed() - 60000 * (before + planned[here]);
  find("late").textContent = late > 0 ? `${asTime(late)} behind the plan` : "";
  find("late").className = "late";
  find("wall").textContent = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  find("startOrStop").textContent = clock.running ? "Pause" : "Start";
}

listeners.push(tell);
setInterval(tick, 1000);
show(fromAddress());
// Widgets draw themselves in the module before this one; their first frame has their sizes.
requestAnimationFrame(lay);
