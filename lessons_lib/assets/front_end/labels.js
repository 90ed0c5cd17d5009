// The labels of anybody's batch: first what is pure and runs anywhere, then what draws it.
// Text of a data set or a tokenizer reaches the page through textContent alone.

export const OPTIONS = ["row", "at", "show", "fold"];
const KEPT = 2; // columns at each end of folded padding
const FEWEST = 6; // columns that are worth folding
const LINE = { both: 36, text: 24, ids: 24 }; // pixels of a cell's height
const GAP = 3; // pixels between an input and its target
const BELOW = 15; // pixels below a line
const MARGIN = 5; // pixels above the first line, for its outlines
const HEADING = 24; // pixels above a text of a packed row
const PIECES = 600; // of a row's strip, at most

// ---------------------------------------------------------------- one row, column by column

// The values of runs, [value, count] each, one by one.
function spread(runs) {
  return runs.flatMap(([value, count]) => Array(count).fill(value));
}

// A row as it travels, spelled out by column; the same as LabelledRow in Python, held by a test.
// goals[t] is what follows inputs[t], live or not, or null at the end; odd[t] says that the target
// is something else than what follows.
export function layout(data, place) {
  const row = data.rows[place];
  const inputs = row.ids;
  const reasons = spread(row.reasons);
  const kinds = spread(row.kinds);
  const segments = spread(row.segments);
  const targets = inputs.map((_, t) => {
    if (row.others[t] !== undefined) return row.others[t];
    return reasons[t] === "counts" ? inputs[t + 1] : data.ignore;
  });
  const live = targets.map((target) => target !== data.ignore);
  const goals = targets.map((target, t) => (live[t] ? target : inputs[t + 1] ?? null));
  const odd = targets.map((target, t) => live[t] && t + 1 < inputs.length && target !== inputs[t + 1]);
  const goalKinds = goals.map((goal, t) => {
    if (odd[t] || t + 1 === inputs.length) return data.stops.includes(goal) ? "stop" : kinds[t];
    return kinds[t + 1];
  });
  const states = reasons.map((reason, t) => (live[t] ? liveState(goalKinds[t]) : stateOf(reason)));
  return {
    index: row.index, length: inputs.length, given: row.length, inputs, targets, kinds, reasons,
    segments, live, goals, odd, goalKinds, states,
  };
}

// How a target that counts is drawn from afar: what is no response looks different.
function liveState(kind) {
  return kind === "response" || kind === "stop" ? "live" : "live-prompt";
}

// How a target that does not count is drawn.
function stateOf(reason) {
  if (reason === "padding") return "padding";
  return ["prompt", "header", "turn"].includes(reason) ? "prompt" : "other";
}

// How many targets of a row count, and why how many others do not.
export function counts(laid) {
  const reasons = {};
  const kinds = {};
  laid.reasons.forEach((reason, t) => {
    if (!laid.live[t]) reasons[reason] = (reasons[reason] ?? 0) + 1;
    kinds[laid.kinds[t]] = (kinds[laid.kinds[t]] ?? 0) + 1;
  });
  const live = laid.live.filter(Boolean).length;
  return { total: laid.length, live, odd: laid.odd.filter(Boolean).length, reasons, kinds };
}

// The columns to draw: [first, count], where count is more than 1 for padding folded into one.
export function columnsOf(laid, fold) {
  const idle = (t) => laid.kinds[t] === "padding" && laid.states[t] === "padding";
  const columns = [];
  for (let t = 0; t < laid.length;) {
    let end = t;
    while (fold && end < laid.length && idle(end)) end += 1;
    if (end - t < FEWEST) {
      end = Math.max(end, t + 1);
      for (; t < end; t += 1) columns.push([t, 1]);
    } else {
      for (let k = 0; k < KEPT; k += 1) columns.push([t + k, 1]);
      columns.push([t + KEPT, end - t - 2 * KEPT]);
      for (let k = KEPT; k > 0; k -= 1) columns.push([end - k, 1]);
      t = end;
    }
  }
  return columns;
}

// The columns broken into lines no wider than `room`; each text of a packed row starts a line.
// A line is { from, to, text }: columns from … to − 1, and the number of the text that begins.
export function breakLines(laid, columns, widths, room) {
  const packed = laid.segments.some((segment) => segment > 1);
  const lines = [];
  let used = Infinity;
  let before = null;
  columns.forEach(([t], c) => {
    const segment = laid.segments[t];
    const begins = packed && segment !== before;
    if (begins || used + widths[c] > room) {
      lines.push({ from: c, to: c, text: begins ? segment : null });
      used = 0;
    }
    used += widths[c];
    lines.at(-1).to = c + 1;
    before = segment;
  });
  return lines;
}

// Where targets begin or cease to count, or another text begins: the places worth jumping to.
export function borders(laid) {
  const places = [];
  for (let t = 1; t < laid.length; t += 1) {
    if (laid.live[t] !== laid.live[t - 1] || laid.segments[t] !== laid.segments[t - 1]) places.push(t);
  }
  return places;
}

// A row from afar: [state, share of the row] in order. In a row too long to show each column, a
// piece counts if any of its targets does, so that a lone live target stays visible.
export function strip(laid, most = PIECES) {
  const step = Math.max(1, Math.ceil(laid.length / most));
  const pieces = [];
  for (let t = 0; t < laid.length; t += step) {
    const states = laid.states.slice(t, t + step);
    const state = states.find((each) => each.startsWith("live")) ?? states[0];
    const share = states.length / laid.length;
    if (pieces.at(-1)?.[0] === state) pieces.at(-1)[1] += share;
    else pieces.push([state, share]);
  }
  return pieces;
}

// ---------------------------------------------------------------- small helpers for drawing

const KIND_NAMES = {
  prompt: "prompt", header: "response header", response: "response", stop: "stop token",
  padding: "padding",
};
const STATE_NAMES = {
  prompt: "−100 on the prompt", padding: "−100 on padding", other: "−100 for another reason",
};
const CLASSES = {
  prompt: "bi-prompt", header: "bi-prompt bl-header", response: "bi-response", stop: "bi-end",
  padding: "bi-padding",
};
const IGNORED = { prompt: "bi-ignored-prompt", padding: "bi-ignored-padding", other: "bl-other" };
let views = 0;

// An element with a class and children; strings become text, never markup.
function make(tag, className = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

function count(number) {
  return number.toLocaleString("en-US");
}

function percent(part, whole) {
  return `${(whole ? (100 * part) / whole : 0).toFixed(1)}\u00a0%`;
}

function change(view, name, value) {
  view.model.set(name, value);
  view.model.save_changes();
}

// Characters in a word, wide ones twice.
function textWidth(text) {
  let width = 0;
  for (const character of text) width += character.codePointAt(0) >= 0x1100 ? 2 : 1;
  return width;
}

// How a token is written: padding as such, a stop token with a mark, the rest as its characters.
function word(view, id, kind) {
  if (kind === "padding") return "pad";
  const text = view.data.words[id] ?? String(id);
  return kind === "stop" ? `■ ${text}` : text;
}

// ---------------------------------------------------------------- controls

function button(label, name, act) {
  const element = make("button", "bi-button", label);
  element.type = "button";
  element.setAttribute("aria-label", name);
  element.title = name;
  element.addEventListener("click", act);
  return element;
}

function placeOf(view, index) {
  const indices = view.data.rows.map((row) => row.index);
  const found = indices.indexOf(index);
  if (found >= 0) return found;
  const distances = indices.map((each) => Math.abs(each - index));
  return distances.indexOf(Math.min(...distances));
}

function chooseRow(view, place) {
  const { rows } = view.data;
  const index = rows[Math.min(Math.max(place, 0), rows.length - 1)].index;
  view.missed = "";
  view.model.set("at", null);
  change(view, "row", index);
}

function rowControls(view) {
  const group = make("div", "bi-group");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "Row");
  const field = make("input", "bi-number bl-number");
  Object.assign(field, { type: "number", min: 0, step: 1 });
  field.setAttribute("aria-label", "Go to row");
  const go = () => {
    if (field.value === "" || !field.validity.valid) return;
    const wanted = Number(field.value);
    const place = placeOf(view, wanted);
    chooseRow(view, place);
    const { index } = view.data.rows[place];
    view.missed = index === wanted ? "" : `Row ${count(wanted)} is not among the rows here; the nearest is ${count(index)}.`;
    refresh(view);
  };
  field.addEventListener("change", go);
  const previous = button("‹", "Previous row", () => chooseRow(view, view.place - 1));
  const next = button("›", "Next row", () => chooseRow(view, view.place + 1));
  const total = make("span", "bl-of");
  view.updates.push(() => {
    const { rows } = view.data;
    field.value = rows[view.place].index;
    previous.disabled = view.place === 0;
    next.disabled = view.place === rows.length - 1;
    total.textContent = `of ${count(view.data.total)}`
      + (rows.length < view.data.total ? `, ${count(rows.length)} of them here` : "");
  });
  group.append(make("span", "bi-title", "Row"), previous, field, next, total);
  return group;
}

// Which way of writing tokens: radio buttons, which arrow keys and screen readers know.
function showControls(view) {
  const group = make("fieldset", "bi-group");
  const bar = make("div", "bi-segments");
  const choices = [["text", "text"], ["ids", "ids"], ["both", "text + ids"]];
  const inputs = choices.map(([value, label]) => {
    const input = make("input");
    Object.assign(input, { type: "radio", name: `${view.id}-show`, value });
    input.addEventListener("change", () => change(view, "show", value));
    bar.append(make("label", "", input, make("span", "", label)));
    return input;
  });
  view.updates.push((options) => {
    for (const input of inputs) input.checked = input.value === options.show;
  });
  group.append(make("legend", "", "Show"), bar);
  return group;
}

function foldControl(view) {
  const input = make("input");
  input.type = "checkbox";
  input.addEventListener("change", () => change(view, "fold", input.checked));
  const control = make("label", "bi-check", input, "fold padding");
  view.updates.push((options) => {
    input.checked = options.fold;
    control.hidden = columnsOf(view.laid, true).length === view.laid.length;
  });
  return control;
}

// Buttons that do with the keyboard what a click on the strip does.
function jumpControls(view) {
  const group = make("div", "bi-group");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "Jump");
  const jump = (find) => () => {
    const here = view.active ?? view.columns[view.lines[firstLine(view)].from][0];
    const to = find(borders(view.laid), here);
    if (to !== undefined) goTo(view, to);
  };
  group.append(
    make("span", "bi-title", "Jump"),
    button("⇤", "To the start of the row", jump(() => 0)),
    button("← change", "To the change before", jump((places, here) => places.findLast((t) => t < here) ?? 0)),
    button("change →", "To the next change", jump((places, here) => places.find((t) => t > here))),
    button("⇥", "To the end of the row", jump(() => view.laid.length - 1)));
  return group;
}

// ---------------------------------------------------------------- what stands above the tokens

function drawSummary(view) {
  const { laid, data } = view;
  const found = counts(laid);
  view.headline.replaceChildren(
    make("strong", "", `${count(found.live)} of ${count(found.total)}`),
    ` targets of row ${count(laid.index)} count in the loss (${percent(found.live, found.total)})`);
  const all = view.counts.reduce((sum, each) => [sum[0] + each.live, sum[1] + each.total], [0, 0]);
  view.shape.textContent = data.rows.length < 2 ? ""
    : `in the ${count(data.rows.length)} rows here: ${count(all[0])} of ${count(all[1])} (${percent(...all)})`;
  view.legend.replaceChildren(...legendItems(found));
  const notes = [view.missed, ...data.notes];
  if (laid.length < laid.given) {
    notes.push(`Row ${count(laid.index)} has ${count(laid.given)} columns; the first ${count(laid.length)} are here.`);
  }
  if (found.odd) {
    notes.push(`${count(found.odd)} targets of this row are not the token that follows (≠): `
      + "the model learns to write something else than these texts.");
  }
  view.notes.replaceChildren(...notes.filter(Boolean).map((text) => make("p", "", text)));
  drawStrips(view);
}

function legendItems(found) {
  const item = (className, name, number) =>
    make("span", "bi-key", make("i", `bi-swatch ${className}`), `${name} `, make("b", "", count(number)));
  const items = Object.keys(KIND_NAMES).filter((kind) => found.kinds[kind])
    .map((kind) => item(CLASSES[kind], KIND_NAMES[kind], found.kinds[kind]));
  items.push(item("bi-counts", "counts in the loss", found.live));
  if (found.odd) items.push(item("bi-wrong", "≠ not what follows", found.odd));
  for (const [state, name] of Object.entries(STATE_NAMES)) {
    const number = Object.entries(found.reasons)
      .reduce((sum, [reason, each]) => sum + (stateOf(reason) === state ? each : 0), 0);
    if (number) items.push(item(IGNORED[state], name, number));
  }
  return items;
}

// The pieces of a row's strip, for a bar of its own length.
function drawBar(pieces) {
  return make("div", "bl-bar", ...pieces.map(([state, share]) => {
    const piece = make("i", state === "live-prompt" ? "bl-live bl-live-prompt" : `bl-${state}`);
    piece.style.width = `${100 * share}%`;
    return piece;
  }));
}

// The row on show from afar, over the whole width; and all rows, as long as they are in relation.
function drawStrips(view) {
  const { rows } = view.data;
  const whole = drawBar(view.pieces[view.place]);
  whole.append(view.frame);
  view.whole.replaceChildren(whole);
  const longest = Math.max(...rows.map((row) => row.ids.length));
  view.strips.hidden = rows.length < 2;
  view.strips.classList.toggle("bi-many", rows.length > 12);
  view.strips.replaceChildren(...view.pieces.map((pieces, place) => {
    const here = place === view.place;
    const bar = drawBar(pieces);
    bar.style.width = `${(100 * rows[place].ids.length) / longest}%`;
    const { live, total } = view.counts[place];
    const element = make("div", `bi-strip${here ? " bl-here" : ""}`,
      make("span", "", `${here ? "▸ " : ""}${count(rows[place].index)}`), make("div", "bl-track", bar),
      make("span", "", `${count(live)} of ${count(total)}`));
    element.addEventListener("click", () => chooseRow(view, place));
    return element;
  }));
}

// A click on the row's strip brings that part of the row into view.
function jumpTo(view, event) {
  const box = view.whole.getBoundingClientRect();
  const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  goTo(view, Math.min(view.laid.length - 1, Math.floor(share * view.laid.length)));
}

// ---------------------------------------------------------------- the lines of tokens

function measure(view) {
  const { laid, options } = view;
  view.columns = columnsOf(laid, options.fold);
  const widths = view.columns.map(([t, folded]) => {
    if (folded > 1) return 96;
    let most = 4;
    if (options.show !== "text") most = Math.max(most, String(laid.inputs[t]).length, String(laid.goals[t] ?? "").length);
    if (options.show !== "ids") {
      most = Math.max(most, textWidth(word(view, laid.inputs[t], laid.kinds[t])));
      if (laid.goals[t] !== null) {
        most = Math.max(most, textWidth(word(view, laid.goals[t], laid.goalKinds[t])) + (laid.odd[t] ? 2 : 0));
      }
    }
    return Math.min(150, Math.ceil(7.4 * most + 14));
  });
  const narrow = view.scroller.clientWidth && view.scroller.clientWidth < 520;
  view.label = narrow ? 52 : 74;
  const room = Math.max(160, (view.scroller.clientWidth || 1000) - view.label - 12);
  view.lines = breakLines(laid, view.columns, widths, room);
  view.widths = widths;
  const cell = LINE[options.show];
  const height = 2 * cell + GAP + BELOW;
  view.tops = [MARGIN];
  for (const line of view.lines) view.tops.push(view.tops.at(-1) + height + (line.text === null ? 0 : HEADING));
  view.cell = cell;
  view.scroller.classList.toggle("bi-narrow", Boolean(narrow));
  view.scroller.style.setProperty("--cell", `${cell}px`);
  view.scroller.style.setProperty("--label", `${view.label}px`);
  view.scroller.setAttribute("aria-rowcount", String(2 * view.lines.length));
  view.scroller.setAttribute("aria-colcount", String(laid.length));
}

function drawGrid(view) {
  measure(view);
  const height = view.tops.at(-1);
  view.canvas.style.height = `${height}px`;
  view.scroller.style.height = `${Math.min(height + 8, 560)}px`;
  view.drawn = null;
  drawWindow(view);
}

// The line whose top is the last that is not below y.
function lineAt(view, y) {
  let low = 0;
  let high = view.lines.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (view.tops[middle] <= y) low = middle;
    else high = middle - 1;
  }
  return low;
}

function firstLine(view) {
  return lineAt(view, view.scroller.scrollTop);
}

function lineOf(view, t) {
  const last = view.lines.findIndex((line) => view.columns[line.from][0] > t);
  return (last < 0 ? view.lines.length : last) - 1;
}

// Draw the lines in view, and two around them, unless they are there already.
function drawWindow(view) {
  const box = view.scroller;
  const seen = { top: firstLine(view), bottom: lineAt(view, box.scrollTop + (box.clientHeight || 560)) };
  drawFrame(view, seen);
  if (view.drawn && seen.top >= view.drawn.top && seen.bottom <= view.drawn.bottom) return;
  view.drawn = { top: Math.max(0, seen.top - 2), bottom: Math.min(view.lines.length - 1, seen.bottom + 2) };
  view.cells.clear();
  const elements = [];
  for (let number = view.drawn.top; number <= view.drawn.bottom; number += 1) {
    elements.push(...drawLine(view, number));
  }
  view.body.replaceChildren(...elements);
  markActive(view);
}

// The part of the row in view, as a frame on its strip.
function drawFrame(view, seen) {
  const { laid } = view;
  const start = view.columns[view.lines[seen.top].from][0];
  const [t, folded] = view.columns[view.lines[seen.bottom].to - 1];
  view.frame.style.left = `${(100 * start) / laid.length}%`;
  view.frame.style.width = `${(100 * (t + folded - start)) / laid.length}%`;
}

function heading(view, line) {
  const segment = line.text;
  const length = view.laid.segments.filter((each) => each === segment).length;
  const live = view.laid.live.filter((each, t) => each && view.laid.segments[t] === segment).length;
  return segment === 0 ? `no text: ${count(length)} columns of padding`
    : `text ${segment}: ${count(live)} of ${count(length)} targets count`;
}

function drawLine(view, number) {
  const line = view.lines[number];
  const elements = [];
  let top = view.tops[number];
  if (line.text !== null) {
    const head = make("div", "bl-text", heading(view, line));
    head.style.top = `${top}px`;
    elements.push(head);
    top += HEADING;
  }
  for (const name of ["inputs", "targets"]) {
    const element = make("div", `bi-line bi-${name}`);
    element.style.top = `${top + (name === "targets" ? view.cell + GAP : 0)}px`;
    element.setAttribute("role", "row");
    element.setAttribute("aria-rowindex", String(2 * number + (name === "targets" ? 2 : 1)));
    const label = make("div", "bi-label bl-label");
    label.setAttribute("role", "rowheader");
    if (name === "inputs") label.append(make("b", "", count(view.columns[line.from][0])), " ");
    label.append(make("span", "", name));
    element.append(label);
    let left = view.label;
    for (let c = line.from; c < line.to; c += 1) {
      const [t, folded] = view.columns[c];
      const cell = folded > 1 ? foldCell(folded, name) : tokenCell(view, t, name);
      cell.style.left = `${left + 1}px`;
      cell.style.width = `${view.widths[c] - 3}px`;
      cell.setAttribute("aria-colindex", String(t + 1));
      cell.id = `${view.id}-${t}-${name}`;
      cell.dataset.at = t;
      if (folded === 1) view.cells.set(`${t}:${name}`, cell);
      left += view.widths[c];
      element.append(cell);
    }
    elements.push(element);
  }
  return elements;
}

function foldCell(folded, name) {
  const cell = make("div", "bi-cell bi-fold", make("span", "", name === "inputs" ? `⋯ ${count(folded)} pad` : "⋯"));
  cell.setAttribute("role", "gridcell");
  return cell;
}

// One token: its text over its id; a target that does not count is −100 over what it replaced.
function tokenCell(view, t, name) {
  const { laid, options } = view;
  const target = name === "targets";
  const id = target ? laid.goals[t] : laid.inputs[t];
  const kind = target ? laid.goalKinds[t] : laid.kinds[t];
  const ignored = target && !laid.live[t];
  const cell = make("div", `bi-cell ${ignored ? IGNORED[laid.states[t]] : CLASSES[kind]}`);
  cell.setAttribute("role", "gridcell");
  if (target && !ignored) cell.classList.add("bi-live");
  if (target && laid.odd[t]) cell.classList.add("bi-wrong");
  if (ignored) {
    cell.append(make("span", "bi-word", "−100"));
    if (options.show === "both" && id !== null) {
      cell.append(make("s", "bi-id", kind === "padding" ? String(id) : word(view, id, kind)));
    }
    return cell;
  }
  const text = `${target && laid.odd[t] ? "≠ " : ""}${word(view, id, kind)}`;
  if (options.show !== "ids") cell.append(make("span", "bi-word", text));
  if (options.show !== "text") cell.append(make("span", "bi-id", String(id)));
  return cell;
}

// ---------------------------------------------------------------- the column in hand

function setActive(view, t) {
  view.active = t;
  markActive(view);
  view.sentence.replaceChildren(...tell(view, t));
}

// Outline the token read and its target, and the input that comes next.
function markActive(view) {
  for (const cell of view.marked) cell.classList.remove("bi-reads", "bi-source");
  view.marked = [];
  view.scroller.removeAttribute("aria-activedescendant");
  if (view.active === null) return;
  for (const [name, t, className] of [
    ["inputs", view.active, "bi-reads"], ["targets", view.active, "bi-reads"],
    ["inputs", view.active + 1, "bi-source"]]) {
    const cell = view.cells.get(`${t}:${name}`);
    if (!cell) continue;
    cell.classList.add(className);
    view.marked.push(cell);
    if (name === "targets") view.scroller.setAttribute("aria-activedescendant", cell.id);
  }
}

// A token in a sentence: its text in a box, then its id.
function quote(view, id, kind) {
  const text = view.data.words[id] ?? String(id);
  return [make("code", "", text), ` (${id}${kind === "padding" ? ", padding" : ""})`];
}

function tell(view, t) {
  const { laid } = view;
  const packed = laid.segments.some((segment) => segment > 1) && laid.segments[t];
  const start = `Row ${count(laid.index)}, column ${count(t)}${packed ? ` (text ${laid.segments[t]})` : ""}: after reading `;
  const read = quote(view, laid.inputs[t], laid.kinds[t]);
  if (laid.goals[t] === null) return [start, ...read, ` nothing is predicted — ${verdict(view, t)}`];
  return [start, ...read, " the model must predict ", ...quote(view, laid.goals[t], laid.goalKinds[t]),
    ` — ${verdict(view, t)}`];
}

function verdict(view, t) {
  const { laid, data } = view;
  if (!laid.live[t]) return `does not count: ${data.reasons[laid.reasons[t]] ?? laid.reasons[t]}`;
  const counted = "counts in the loss";
  if (laid.odd[t]) {
    const follows = data.words[laid.inputs[t + 1]] ?? laid.inputs[t + 1];
    return `${counted} ≠, although what follows is “${follows}”`;
  }
  if (laid.goalKinds[t] === "padding") return `${counted}, although it is padding`;
  if (t + 1 < laid.length && laid.segments[t + 1] !== laid.segments[t]) {
    return `${counted}, although it begins another text`;
  }
  return `${counted} ✓: ${{
    stop: "here the model learns to stop", header: "the response header is not masked",
    prompt: "it is not masked, though it is no part of a response",
  }[laid.goalKinds[t]] ?? "it is part of the response"}`;
}

// Bring a column into view, and say what it is.
function goTo(view, t) {
  if (!view.columns.some(([at, folded]) => at === t && folded === 1)) {
    t = view.columns.findLast(([at]) => at <= t)[0];
  }
  const number = lineOf(view, t);
  const box = view.scroller;
  if (view.tops[number] < box.scrollTop || view.tops[number + 1] > box.scrollTop + box.clientHeight) {
    box.scrollTop = view.tops[number] - Math.max(0, (box.clientHeight - (view.tops[number + 1] - view.tops[number])) / 2);
  }
  drawWindow(view);
  setActive(view, t);
}

function onKey(view, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const from = view.active ?? view.columns[view.lines[firstLine(view)].from][0];
  const c = view.columns.findLastIndex(([t]) => t <= from);
  const number = lineOf(view, from);
  const moves = {
    ArrowLeft: () => c - 1, ArrowRight: () => c + 1,
    ArrowUp: () => beside(view, c, number, -1), ArrowDown: () => beside(view, c, number, 1),
    PageUp: () => beside(view, c, number, -5), PageDown: () => beside(view, c, number, 5),
    Home: () => 0, End: () => view.columns.length - 1,
  };
  if (!moves[event.key]) return;
  event.preventDefault();
  event.stopPropagation();
  const to = Math.min(Math.max(moves[event.key](), 0), view.columns.length - 1);
  goTo(view, view.columns[to][0]);
}

// The column some lines further that lies nearest below or above column c.
function beside(view, c, number, step) {
  const to = view.lines[Math.min(Math.max(number + step, 0), view.lines.length - 1)];
  const middle = (line, column) => view.widths.slice(line.from, column).reduce((sum, each) => sum + each, 0)
    + view.widths[column] / 2;
  const x = middle(view.lines[number], c);
  let best = to.from;
  for (let column = to.from; column < to.to; column += 1) {
    if (Math.abs(middle(to, column) - x) < Math.abs(middle(to, best) - x)) best = column;
  }
  return best;
}

// ---------------------------------------------------------------- the whole

function buildPanel(view) {
  view.convention = make("p", "bl-convention", view.data.convention);
  view.headline = make("p", "bi-headline");
  view.headline.setAttribute("role", "status");
  view.shape = make("span", "bi-shape");
  view.frame = make("i", "bl-frame");
  view.whole = make("div", "bl-whole");
  view.whole.setAttribute("aria-hidden", "true");
  view.whole.addEventListener("click", (event) => jumpTo(view, event));
  view.strips = make("div", "bi-strips bl-strips");
  view.strips.setAttribute("aria-hidden", "true");
  view.legend = make("div", "bi-legend");
  view.notes = make("div", "bi-notes");
  view.notes.setAttribute("role", "status");
  view.sentence = make("p", "bi-sentence");
  view.sentence.setAttribute("role", "status");
  return make("div", "bi-panel", make("div", "bi-top", view.headline, view.shape), view.whole,
    view.strips, view.legend);
}

function buildGrid(view) {
  view.body = make("div", "bl-lines");
  view.body.setAttribute("role", "presentation");
  view.canvas = make("div", "bi-canvas", view.body);
  view.canvas.setAttribute("role", "presentation");
  view.scroller = make("div", "bi-scroll bl-scroll", view.canvas);
  view.scroller.tabIndex = 0;
  view.scroller.setAttribute("role", "grid");
  view.scroller.setAttribute("aria-label", `${view.name}: inputs over what is predicted there`);
  const point = (event) => {
    const cell = event.target.closest?.(".bi-cell[data-at]");
    if (cell && !cell.classList.contains("bi-fold")) setActive(view, Number(cell.dataset.at));
  };
  view.canvas.addEventListener("pointerover", point);
  view.canvas.addEventListener("click", point);
  view.scroller.addEventListener("keydown", (event) => onKey(view, event));
  view.scroller.addEventListener("scroll", () => drawWindow(view));
  view.scroller.addEventListener("focus", () => {
    if (view.active === null && view.scroller.matches(":focus-visible")) {
      setActive(view, view.columns[view.lines[firstLine(view)].from][0]);
    }
  });
}

// Where the row's labels are decided: at its first live target, or at the column asked for.
function begin(view) {
  const asked = view.options.at;
  const first = view.laid.live.indexOf(true);
  goTo(view, Math.min(asked ?? Math.max(first, 0), view.laid.length - 1));
  if (asked !== null) return;
  view.active = null;
  markActive(view);
  view.sentence.replaceChildren("Point at a token, or Tab into the tokens and use the arrow keys, "
    + "to see what the model must predict after reading it.");
}

function refresh(view) {
  const before = view.options;
  view.options = Object.fromEntries(OPTIONS.map((name) => [name, view.model.get(name)]));
  view.place = placeOf(view, view.options.row);
  const moved = !before || before.row !== view.options.row || before.at !== view.options.at;
  if (moved) {
    view.laid = layout(view.data, view.place);
    view.active = null;
  }
  for (const update of view.updates) update(view.options);
  drawSummary(view);
  drawGrid(view);
  if (moved) begin(view);
}

// One batch's labels in an element; returns what ends it.
function render({ model, el }) {
  views += 1;
  const data = model.get("_data");
  const view = {
    model, data, id: `bl-${views}`, name: views > 1 ? `Labels, number ${views}` : "Labels", updates: [],
    marked: [], cells: new Map(), active: null, missed: "", root: make("section", "bi bl"),
  };
  const laid = data.rows.map((_, place) => layout(data, place));
  view.counts = laid.map(counts);
  view.pieces = laid.map((each) => strip(each));
  view.root.setAttribute("aria-label", view.name);
  const panel = buildPanel(view);
  buildGrid(view);
  view.root.append(view.convention,
    make("div", "bi-controls", rowControls(view), showControls(view), jumpControls(view), foldControl(view)),
    panel, view.notes, view.scroller, view.sentence);
  // JupyterLab must not take keys pressed in here for its own: "d d" deletes a cell.
  view.root.addEventListener("focusin", (event) => {
    event.target.setAttribute("data-lm-suppress-shortcuts", "true");
  });
  el.append(view.root);
  let asked = false;
  const follow = () => {
    if (asked) return;
    asked = true;
    queueMicrotask(() => {
      asked = false;
      refresh(view);
    });
  };
  model.on("change", follow);
  refresh(view);
  let width = view.scroller.clientWidth;
  const resized = new ResizeObserver(() => {
    if (view.scroller.clientWidth === width) return;
    width = view.scroller.clientWidth;
    const { active } = view;
    drawGrid(view);
    if (active === null) begin(view);
    else goTo(view, active);
  });
  resized.observe(view.root);
  return () => {
    resized.disconnect();
    model.off("change", follow);
    view.root.remove();
  };
}

export default { render };
