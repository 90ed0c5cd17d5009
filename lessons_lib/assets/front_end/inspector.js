// The batch inspector. First what is pure and runs anywhere (layout, counts), then what draws.
// Text of a data set reaches the page through textContent alone.

export const OPTIONS = [
  "substep", "prompt_format", "padding", "fixed_length", "max_length", "instruction_mask",
  "prompt_loss_weight", "selected", "fold", "show", "show_bytes",
];

// ---------------------------------------------------------------- the substeps, once more

// How many inputs a row may have, or null.
function lengthLimit(options) {
  const limits = [options.max_length, options.padding === "fixed" ? options.fixed_length : null];
  const given = limits.filter((limit) => limit != null);
  return given.length ? Math.min(...given) : null;
}

// The batch that some options make: the same as collate_steps in Python, held equal by a test.
// rows[i] has padded, inputs, shifted, paddingMasked, targets, weights (or null) and the kinds.
export function layout(data, options) {
  const all = data.rows[options.prompt_format];
  const limit = lengthLimit(options);
  const lost = (row) => limit !== null && row.prompt > limit;
  const inputs = (row) => (limit === null ? row.ids.length : Math.min(row.ids.length, limit));
  const chosen = options.selected.filter((index) => all[index] !== undefined);
  const kept = chosen.filter((index) => !lost(all[index]));
  const leftOut = chosen
    .filter((index) => lost(all[index]))
    .map((index) => ({ index, prompt: all[index].prompt, limit }));
  const longest = (rows) => rows.reduce((most, row) => Math.max(most, inputs(row)), 0);
  let width = longest(kept.map((index) => all[index]));
  if (options.padding === "static") width = longest(all.filter((row) => !lost(row)));
  if (options.padding === "fixed") width = options.fixed_length;
  const rows = kept.map((index) => layoutRow(all[index], index, width, limit, options, data));
  return { rows, width: rows.length ? width : 0, chosen: chosen.length, leftOut, limit };
}

function layoutRow(row, index, width, limit, options, data) {
  const ended = [...row.ids, data.end].slice(0, limit === null ? undefined : limit + 1);
  const padded = ended.concat(Array(width + 1 - ended.length).fill(data.pad));
  const shifted = padded.slice(1);
  const length = limit === null ? row.ids.length : Math.min(row.ids.length, limit);
  const paddingMasked = shifted.map((id, t) => (t < length ? id : data.ignore));
  const border = maskedUntil(row, options);
  const targets = paddingMasked.map((id, t) => (t < border - 1 ? data.ignore : id));
  const kinds = padded.map((_, t) => {
    if (t >= ended.length) return "padding";
    if (t === row.ids.length) return "end";
    return t < row.prompt ? "prompt" : "response";
  });
  const weight = weightOfPrompts(options);
  const weights = weight === null ? null : paddingMasked.map((id, t) =>
    id === data.ignore ? 0 : t < row.prompt - 1 ? weight : 1);
  const laid = {
    index, length, padded, inputs: padded.slice(0, width), shifted, paddingMasked, targets,
    weights, kinds, cut: row.ids.length > length, ids: row.ids, prompt: row.prompt,
  };
  if (!data.given) return laid;
  const given = givenRow(data.given, laid, options);
  return given && data.given.unmarked ? unmarkedRow(given, laid, data) : { ...laid, given };
}

// A row as some code made it, with nothing marked: whoever looks is to find what is wrong.
function unmarkedRow({ inputs, targets }, row, data) {
  return {
    ...row, inputs, targets, unmarked: true,
    padded: [...inputs, row.padded.at(-1)],
    shifted: targets.map((id, t) => (id === data.ignore ? row.shifted[t] : id)),
    kinds: row.kinds.map((kind, t) =>
      inputs[t] === data.pad && kind !== "end" ? "padding" : kind),
  };
}

// What a learner's function made of a row, where the options are those it was checked with.
function givenRow(given, row, options) {
  const { inputs, targets } = given.rows[row.index] ?? {};
  const same = options.substep === given.substep && options.instruction_mask === given.mask
    && targets?.length === row.inputs.length && !row.weights;
  return same ? { inputs, targets } : null;
}

// Whether a cell of a learner's row is not what it should be.
export function isWrong(row, t, name, substep) {
  if (!row.given) return false;
  const right = name === "inputs" ? row.inputs : rightTargets(row, substep);
  return row.given[name][t] !== right[t];
}

// Up to which token of a row targets are ignored; 0 without a mask.
function maskedUntil(row, options) {
  if (options.instruction_mask === "prompt") return row.prompt;
  if (options.instruction_mask === "keep-header") return row.header;
  return options.prompt_loss_weight === 0 ? row.prompt : 0;
}

// What a prompt's target counts, or null where all targets count the same.
function weightOfPrompts(options) {
  const weight = options.prompt_loss_weight;
  const plain = options.instruction_mask !== "none" || weight == null;
  return plain || weight === 0 || weight === 1 ? null : weight;
}

// The targets of a row as a substep shows them; null before there are any.
export function stageTargets(row, substep) {
  return row.given ? row.given.targets : rightTargets(row, substep);
}

function rightTargets(row, substep) {
  if (substep === "2.4") return row.shifted;
  return substep === "2.5" ? row.targets : null;
}

// The kind of the target at a position: its token's, or why it is ignored.
export function targetKind(row, t, target, data) {
  const kind = row.kinds[t + 1];
  if (target !== data.ignore) return kind;
  return kind === "padding" || kind === "end" ? "ignored-padding" : "ignored-prompt";
}

// How many targets count at a substep, and why the others do not; tokens by kind, too.
export function counts(plan, data, substep = "2.5") {
  const found = {
    total: 0, live: 0, ignoredPadding: 0, ignoredPrompt: 0, paddingThatCounts: 0,
    weighted: 0, cells: 0, tokens: { prompt: 0, response: 0, end: 0, padding: 0 }, rows: [],
  };
  for (const row of plan.rows) {
    const targets = stageTargets(row, substep);
    const shown = substep === "2.2" ? row.ids.length : targets ? plan.width : plan.width + 1;
    for (let t = 0; t < shown; t += 1) {
      const kind = substep === "2.2" ? (t < row.prompt ? "prompt" : "response") : row.kinds[t];
      found.tokens[kind] += 1;
    }
    found.cells += plan.width + 1;
    let live = 0;
    for (let t = 0; targets && t < plan.width; t += 1) {
      const kind = targetKind(row, t, targets[t], data);
      if (kind === "ignored-padding") found.ignoredPadding += 1;
      else if (kind === "ignored-prompt") found.ignoredPrompt += 1;
      else live += 1;
      if (kind === "padding") found.paddingThatCounts += 1;
      if (substep === "2.5" && row.weights && row.weights[t] > 0 && row.weights[t] < 1) {
        found.weighted += 1;
      }
    }
    found.live += live;
    found.total += targets ? plan.width : 0;
    found.rows.push(live);
  }
  return found;
}

// How many columns at the left are the preamble that all rows share; 0 where that is not worth it.
export function sharedColumns(plan, data, options) {
  const rows = plan.rows.map((row) => data.rows[options.prompt_format][row.index]);
  if (!options.fold || !rows.length) return 0;
  let shared = Math.min(plan.width, ...rows.map((row) => row.preamble));
  for (const row of rows) {
    for (let t = 0; t < shared; t += 1) if (row.ids[t] !== rows[0].ids[t]) shared = t;
  }
  return shared >= 4 ? shared : 0;
}

// A model that lives in the page alone: for a page without Python, and for each half of two.
export function localModel(state) {
  const listeners = new Map();
  return {
    standalone: true,
    get: (name) => state[name],
    set(name, value) {
      if (state[name] === value) return;
      state[name] = value;
      for (const each of [`change:${name}`, "change"]) {
        for (const listener of listeners.get(each) ?? []) listener();
      }
    },
    save_changes() {},
    send() {},
    on: (name, listener) => listeners.set(name, [...(listeners.get(name) ?? []), listener]),
    off: (name, listener) =>
      listeners.set(name, (listeners.get(name) ?? []).filter((each) => each !== listener)),
  };
}

// ---------------------------------------------------------------- small helpers for drawing

const SVG = "http://www.w3.org/2000/svg";
const NO_KERNEL = "Searching and typing entries need Python's tokenizer, and no Python runs here.";
const KIND_NAMES = {
  prompt: "prompt", response: "response", end: "end of text", padding: "padding",
  "ignored-padding": "−100 on padding", "ignored-prompt": "−100 on the prompt",
};
// Parts of a text at substep 2.1; a format's closing tag looks like the response, without a border.
const PART_NAMES = {
  template: "prompt: template", instruction: "prompt: instruction", input: "prompt: input",
  header: "prompt: response header", output: "response: output",
};
let instances = 0;

// A landmark's name, with a number from the second of its kind on a page on: names must differ.
const named = new Map();
function landmark(element, name) {
  const count = (named.get(name) ?? 0) + 1;
  named.set(name, count);
  element.setAttribute("aria-label", count > 1 ? `${name}, number ${count}` : name);
}

// An element with a class and children; strings become text, never markup.
function make(tag, className = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

function number(value) {
  return value.toLocaleString("en-US");
}

function percent(part, whole) {
  const share = whole ? (100 * part) / whole : 0;
  return part > 0 && share < 0.05 ? "under 0.1\u00a0%" : `${share.toFixed(1)}\u00a0%`;
}

function plural(count, one, many = `${one}s`) {
  return `${number(count)} ${count === 1 ? one : many}`;
}

function readOptions(model) {
  return Object.fromEntries(OPTIONS.map((name) => [name, model.get(name)]));
}

function change(view, name, value) {
  view.model.set(name, value);
  view.model.save_changes();
}

// ---------------------------------------------------------------- controls

// Radio buttons in a row: arrow keys and screen readers know them.
function radioBar(view, name, title, choices) {
  const group = make("fieldset", "bi-group");
  group.append(make("legend", "", title));
  const bar = make("div", "bi-segments");
  const inputs = choices.map(([value, label, hint]) => {
    const input = make("input");
    input.type = "radio";
    input.name = `${view.id}-${name}`;
    input.value = value;
    input.addEventListener("change", () => change(view, name, value));
    const text = make("span", "", label);
    if (hint) text.append(" ", make("small", "", hint));
    bar.append(make("label", "", input, text));
    return input;
  });
  group.append(bar);
  view.updates.push((options) => {
    for (const input of inputs) input.checked = input.value === options[name];
  });
  return group;
}

function checkbox(view, name, label) {
  const input = make("input");
  input.type = "checkbox";
  input.addEventListener("change", () => change(view, name, input.checked));
  view.updates.push((options) => { input.checked = options[name]; });
  return make("label", "bi-check", input, label);
}

// A number field; an empty one means null where that is allowed.
function numberField(view, name, label, { min, max, step = 1, empty = null }) {
  const input = make("input", "bi-number");
  Object.assign(input, { type: "number", min, step, placeholder: empty ?? "" });
  if (max !== undefined) input.max = max;
  const read = () => {
    if (input.value === "" && !input.validity.badInput) {
      if (empty !== null) change(view, name, null);
    } else if (input.validity.valid) change(view, name, Number(input.value));
  };
  input.addEventListener("input", read);
  input.addEventListener("change", () => {
    read();
    input.value = view.model.get(name) ?? "";
  });
  view.updates.push((options) => {
    if (input !== view.root.getRootNode().activeElement) input.value = options[name] ?? "";
  });
  return make("label", "bi-field", make("span", "bi-title", label), input);
}

function select(view, name, label, choices) {
  const input = make("select");
  for (const [value, text] of choices) {
    const option = make("option", "", text);
    option.value = value;
    input.append(option);
  }
  input.addEventListener("change", () => change(view, name, input.value));
  view.updates.push((options) => { input.value = options[name]; });
  return make("label", "bi-field", make("span", "bi-title", label), input);
}

// Controls that mean nothing at a substep are switched off there.
function onlyFrom(view, substep, control) {
  view.updates.push((options) => {
    const off = options.substep < substep;
    control.classList.toggle("bi-off", off);
    for (const input of control.querySelectorAll("input, select")) input.disabled = off;
  });
  return control;
}

function entryButtons(view) {
  const group = make("div", "bi-group");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "Entries");
  const bar = make("div", "bi-segments bi-entries");
  group.append(make("span", "bi-title", "Entries"), bar);
  view.updates.push((options) => {
    const amount = view.data.entries.length;
    while (bar.children.length > amount) bar.lastChild.remove();
    while (bar.children.length < amount) bar.append(entryButton(view, bar.children.length));
    [...bar.children].forEach((button, index) => {
      button.setAttribute("aria-pressed", String(options.selected.includes(index)));
    });
  });
  return group;
}

function entryButton(view, index) {
  const button = make("button", "", `#${index}`);
  button.type = "button";
  button.addEventListener("click", () => {
    const chosen = view.model.get("selected");
    const without = chosen.filter((each) => each !== index);
    const sorted = without.length < chosen.length ? without : [...chosen, index].sort((a, b) => a - b);
    change(view, "selected", sorted);
  });
  const tell = () => {
    const { instruction, input } = view.data.entries[index];
    const text = input ? `${instruction} — ${input}` : instruction;
    view.sentence.replaceChildren(`Entry #${index}: ${text.slice(0, 300)}`);
  };
  button.addEventListener("pointerenter", tell);
  button.addEventListener("focus", tell);
  return button;
}

function bytesToggle(view) {
  const control = checkbox(view, "show_bytes", "bytes of split characters");
  view.updates.push((options) => {
    control.hidden = options.substep === "2.1" || !Object.keys(view.data.halves).length;
  });
  return control;
}

function buildControls(view) {
  const { data } = view;
  const formats = data.formats.map(({ name, label }) => [name, label]);
  const fixed = onlyFrom(view, "2.3",
    numberField(view, "fixed_length", "to", { min: 1, max: 4096 }));
  view.updates.push((options) => { fixed.hidden = options.padding !== "fixed"; });
  const weight = onlyFrom(view, "2.5",
    numberField(view, "prompt_loss_weight", "Prompt-loss weight",
      { min: 0, max: 1, step: "any", empty: "none" }));
  view.updates.push((options) => {
    if (options.instruction_mask !== "none") weight.querySelector("input").disabled = true;
    weight.classList.toggle("bi-off", weight.querySelector("input").disabled);
  });
  const controls = make("div", "bi-controls",
    radioBar(view, "substep", "Substep", [
      ["2.1", "2.1", "template"], ["2.2", "2.2", "token ids"], ["2.3", "2.3", "padding"],
      ["2.4", "2.4", "targets"], ["2.5", "2.5", "−100"]]),
    radioBar(view, "prompt_format", "Format", formats),
    onlyFrom(view, "2.3", radioBar(view, "padding", "Padding",
      [["dynamic", "dynamic"], ["static", "static"], ["fixed", "fixed"]])),
    fixed,
    entryButtons(view),
    onlyFrom(view, "2.3",
      numberField(view, "max_length", "Max length", { min: 1, max: 4096, empty: "none" })),
    onlyFrom(view, "2.5", radioBar(view, "instruction_mask", "Mask the prompt",
      [["none", "no"], ["keep-header", "keep header"], ["prompt", "yes"]])),
    weight,
    onlyFrom(view, "2.2", checkbox(view, "fold", "fold shared preamble")),
    bytesToggle(view),
    onlyFrom(view, "2.2", select(view, "show", "Show",
      [["text", "text"], ["ids", "ids"], ["both", "text + ids"], ["blocks", "blocks"]])));
  const all = make("div", "bi-all-controls", controls);
  if (!view.model.half) all.append(buildPicker(view));
  return all;
}

// ---------------------------------------------------------------- finding and typing entries

function buildPicker(view) {
  const picker = make("details", "bi-picker");
  const says = make("p", "bi-says", NO_KERNEL);
  says.setAttribute("role", "status");
  const results = make("ul", "bi-results");
  const search = make("input", "bi-search");
  search.type = "search";
  const texts = ["instruction", "input", "output"].map((name) => {
    const area = make("textarea");
    area.rows = 2;
    area.name = name;
    return area;
  });
  const add = make("button", "bi-button", "Add to the batch");
  add.type = "button";
  const fields = texts.map((area) => make("label", "", area.name, area));
  picker.append(
    make("summary", "", "Find or type entries"), says,
    make("label", "bi-field", make("span", "bi-title", "Search instructions"), search), results,
    make("fieldset", "bi-mine", make("legend", "", "Mine"), ...fields, add));
  const inputs = [search, ...texts, add];
  for (const input of inputs) input.disabled = true;
  add.addEventListener("click", () => {
    const entry = Object.fromEntries(texts.map((area) => [area.name, area.value]));
    view.model.send({ kind: "mine", entry });
  });
  const ask = () => view.model.send({ kind: "search", words: search.value });
  let waiting;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, 150);
  });
  view.listen("msg:custom", (message) => {
    if (message.kind === "ready") {
      for (const input of inputs) input.disabled = false;
      says.textContent = "";
    } else if (message.kind === "found") {
      results.replaceChildren(...message.entries.map((entry) => foundEntry(view, entry)));
      says.textContent = `${plural(message.entries.length, "entry", "entries")} found.`;
    } else if (message.kind === "added" || message.kind === "refused") {
      says.textContent = message.text;
    }
  });
  if (!view.model.standalone) view.model.send({ kind: "hello" });
  return picker;
}

function foundEntry(view, entry) {
  const button = make("button", "bi-button", entry.text);
  button.type = "button";
  button.addEventListener("click", () => view.model.send({ kind: "pick", index: entry.index }));
  return make("li", "", button);
}

// ---------------------------------------------------------------- summary

function drawSummary(view) {
  const { options, plan, data, found } = view;
  const [strong, rest] = headline(view);
  const shape = options.substep < "2.2" || !plan.rows.length ? ""
    : options.substep === "2.2" ? nameVocabulary(data.tokenizer)
      : `batch ${plan.rows.length} × ${plan.width + (options.substep === "2.3" ? 1 : 0)}`;
  view.headline.replaceChildren(make("strong", "", strong), ` ${rest}`);
  view.shape.textContent = shape;
  drawStrips(view);
  view.legend.replaceChildren(...legendItems(options.substep, found));
  if (data.losses && options.substep >= "2.4") {
    const swatch = make("i", "bi-swatch bi-cell bi-loss");
    view.legend.append(make("span", "bi-key", swatch, "loss: the fuller, the higher"));
  }
  view.notes.replaceChildren(...notes(view).map((text) => make("p", "", text)));
}

function nameVocabulary({ name, size }) {
  return size === null ? `tokenizer ${name}` : `tokenizer ${name}, ${number(size)} token ids`;
}

function headline(view) {
  const { options, plan, data, found } = view;
  if (!plan.rows.length) return ["Nothing to show.", ""];
  if (options.substep === "2.1") {
    const parts = plan.rows.flatMap((row) => partsOf(view, row.index));
    const size = (list) => list.reduce((sum, part) => sum + [...part.text].length, 0);
    const own = size(parts.filter((part) => ["instruction", "input", "output"].includes(part.kind)));
    const all = size(parts);
    return [plural(plan.rows.length, "text"),
      `of ${number(all)} characters, ${percent(all - own, all)} of them the template's`];
  }
  if (options.substep === "2.2") {
    const lengths = plan.rows.map((row) => row.ids.length);
    const tokens = lengths.reduce((sum, length) => sum + length, 0);
    return [plural(tokens, "token"), `in ${plural(lengths.length, "row")} of `
      + (Math.min(...lengths) === Math.max(...lengths) ? `${lengths[0]}`
        : `${Math.min(...lengths)} to ${Math.max(...lengths)}`)];
  }
  if (options.substep === "2.3") {
    return [`${number(found.tokens.padding)} of ${number(found.cells)}`,
      `cells are padding (${percent(found.tokens.padding, found.cells)})`];
  }
  let rest = `targets count in the loss (${percent(found.live, found.total)})`;
  if (found.weighted) rest += `, ${number(found.weighted)} of them with weight ${options.prompt_loss_weight}`;
  const mean = meanLoss(view);
  if (mean !== null) rest += `; their mean loss is ${mean.toFixed(3)}`;
  return [`${number(found.live)} of ${number(found.total)}`, rest];
}

// What is missing from the picture, and why.
function notes(view) {
  const { options, plan, data } = view;
  const texts = [];
  if (plan.rows.some((row) => row.given)) {
    texts.push("This is what your function made of this batch; ✗ marks the cells that are not right.");
  } else if (plan.rows.some((row) => row.unmarked)) {
    texts.push("This is the batch as the exhibit's code made it. Nothing marks what is wrong in it.");
  } else if (data.given?.unmarked) {
    texts.push("This is how the batch should be; the exhibit's is shown at 2.5 with the prompt masked.");
  } else if (data.given) {
    texts.push("This is how the batch should be; your function was checked with other settings.");
  }
  if (!plan.chosen) texts.push("No entry is chosen: switch one on under Entries.");
  else if (!plan.rows.length) {
    texts.push(`None of the chosen entries has room for a response at a length of ${plan.limit}.`);
  }
  for (const { index, prompt, limit } of plan.leftOut) {
    texts.push(`#${index} is left out: its prompt alone has ${prompt} tokens; ${limit} are allowed.`);
  }
  const cut = plan.rows.filter((row) => row.cut && options.substep >= "2.3");
  if (cut.length) {
    texts.push(`${cut.map((row) => `#${row.index}`).join(", ")}: cut to ${plan.limit} inputs, `
      + "without end of text.");
  }
  for (const row of plan.rows) {
    if (data.rows[options.prompt_format][row.index].joined) {
      texts.push(`#${row.index}: a token joins the end of the prompt and the start of the response; `
        + "it counts as response.");
    }
  }
  if (plan.width > data.context) {
    texts.push(`The batch is ${number(plan.width)} tokens long; the model reads `
      + `${number(data.context)} at most.`);
  }
  return texts;
}

function legendItems(substep, found) {
  if (substep === "2.1") {
    return Object.entries(PART_NAMES).map(([kind, name]) =>
      make("span", "bi-key", make("i", `bi-swatch bi-part-${kind}`), name));
  }
  const items = Object.entries(found.tokens)
    .filter(([kind]) => substep >= "2.3" || kind === "prompt" || kind === "response")
    .map(([kind, count]) => legendItem(kind, KIND_NAMES[kind], count));
  if (substep >= "2.4") items.push(legendItem("counts", "counts in the loss", found.live));
  if (substep === "2.4" && found.paddingThatCounts) {
    items.push(legendItem("padding", "of these padding", found.paddingThatCounts));
  }
  if (substep === "2.5") {
    items.push(legendItem("ignored-padding", KIND_NAMES["ignored-padding"], found.ignoredPadding));
    items.push(legendItem("ignored-prompt", KIND_NAMES["ignored-prompt"], found.ignoredPrompt));
  }
  return items;
}

function legendItem(kind, name, count) {
  return make("span", "bi-key", make("i", `bi-swatch bi-${kind}`), `${name} `,
    make("b", "", number(count)));
}

// The whole batch from afar: a strip for each row, runs of one kind as one piece.
function drawStrips(view) {
  const { plan, options, found } = view;
  const width = lineWidth(view);
  view.strips.classList.toggle("bi-many", plan.rows.length > 12);
  view.panel.classList.toggle("bi-no-strips", options.substep === "2.1" || !plan.rows.length);
  view.strips.replaceChildren(...(options.substep === "2.1" ? [] : plan.rows).map((row, rowIndex) => {
    const bar = make("div", "bi-bar");
    const targets = stageTargets(row, options.substep);
    const kindAt = (t) => (targets ? targetKind(row, t, targets[t], view.data) : kindOfInput(view, row, t));
    const end = options.substep === "2.2" ? row.ids.length : width;
    for (let start = 0, t = 1; t <= end; t += 1) {
      if (t < end && kindAt(t) === kindAt(start)) continue;
      const piece = make("i", `bi-${kindAt(start)}`);
      piece.style.width = `${(100 * (t - start)) / width}%`;
      bar.append(piece);
      start = t;
    }
    const says = targets ? `${found.rows[rowIndex]} in loss` : plural(row.ids.length, "token");
    return make("div", "bi-strip", make("span", "", `#${row.index}`), bar, make("span", "", says));
  }));
}

// ---------------------------------------------------------------- losses of a model, where given

// The loss of a target and the model's likeliest tokens there, or null.
function lossAt(view, row, t) {
  const rows = view.data.losses?.[view.options.prompt_format];
  const found = rows?.[row.index];
  if (!found || view.options.substep < "2.4" || found.loss[t] === undefined) return null;
  return row.kinds[t + 1] === "padding" ? null : { loss: found.loss[t], top: found.top[t] };
}

// Fill a live target's cell as high as its loss, and write the loss into it.
function colourLoss(view, cell, { loss }) {
  cell.classList.add("bi-loss");
  cell.style.setProperty("--loss", `${Math.min(100, 12 * loss).toFixed(0)}%`);
  const id = cell.querySelector(".bi-id");
  if (id) id.textContent = loss.toFixed(2);
}

function tellLoss(view, { loss, top }) {
  const text = [`; loss ${loss.toFixed(2)}, so its probability was ${percent(Math.exp(-loss), 1)}. Likeliest: `];
  top.forEach(([id, share], index) => {
    text.push(index ? ", " : "", make("code", "", word(view, id, id === view.data.end ? "end" : "")),
      ` ${percent(share, 1)}`);
  });
  return text;
}

// The mean loss over the targets that count, with their weights.
function meanLoss(view) {
  let sum = 0;
  let weights = 0;
  for (const row of view.plan.rows) {
    const targets = stageTargets(row, view.options.substep) ?? [];
    targets.forEach((target, t) => {
      const found = target === view.data.ignore ? null : lossAt(view, row, t);
      const weight = view.options.substep === "2.5" && row.weights ? row.weights[t] : 1;
      sum += found ? weight * found.loss : 0;
      weights += found ? weight : 0;
    });
  }
  return weights ? sum / weights : null;
}

// ---------------------------------------------------------------- substep 2.1: the texts

function partsOf(view, index) {
  const row = view.data.rows[view.options.prompt_format][index];
  const entry = view.data.entries[index];
  return row.parts.map(([kind, literal]) =>
    ({ kind, text: literal === undefined ? entry[kind] : view.data.literals[literal] }));
}

function drawTexts(view) {
  view.texts.replaceChildren(...view.plan.rows.map((row) => {
    const text = make("div", "bi-text");
    for (const { kind, text: content } of partsOf(view, row.index)) {
      const [, inside, after] = content.replaceAll("\n", "↵\n").match(/^(.*?)(\n?)$/s);
      text.append(make("span", `bi-part bi-part-${kind}`, inside), after);
    }
    return make("div", "bi-entry-text", make("b", "", `#${row.index}`), text);
  }));
}

// ---------------------------------------------------------------- the grid: where things are

const LABEL = 84; // pixels for the names of the lines
const TOP = 26; // pixels for the positions

// How many columns a line has at this substep.
function lineWidth(view) {
  const { plan, options } = view;
  if (options.substep === "2.2") return Math.max(0, ...plan.rows.map((row) => row.ids.length));
  return options.substep === "2.3" ? plan.width + 1 : plan.width;
}

function kindOfInput(view, row, t) {
  if (view.options.substep !== "2.2") return row.kinds[t];
  return t < row.prompt ? "prompt" : "response";
}

// How a token is written: "pad", "■ end", or its own characters.
function word(view, id, kind) {
  if (kind === "padding") return "pad";
  if (kind === "end") return "■ end";
  const { data, options } = view;
  return (!options.show_bytes && data.halves[id]) || (data.words[id] ?? String(id));
}

// Characters in a word, wide ones twice.
function textWidth(text) {
  let width = 0;
  for (const character of text) width += character.codePointAt(0) >= 0x1100 ? 2 : 1;
  return width;
}

// The left edge of every column, the fold as one column; edges[i + 1] - edges[i] is its width.
function measure(view) {
  const { options, plan } = view;
  const shared = sharedColumns(plan, view.data, options);
  const width = lineWidth(view);
  const columns = [];
  if (shared) columns.push({ fold: shared, at: 0, size: options.show === "blocks" ? 34 : 78 });
  const widths = new Map();
  const wide = (id, kind) => {
    const key = kind === "padding" || kind === "end" ? kind : id;
    if (!widths.has(key)) widths.set(key, textWidth(word(view, id, kind)));
    return widths.get(key);
  };
  for (let t = shared; t < width; t += 1) {
    let most = options.show === "text" ? 2 : 5;
    if (options.show === "text" || options.show === "both") {
      for (const row of plan.rows) {
        const ids = options.substep === "2.2" ? row.ids : row.padded;
        if (t < ids.length) most = Math.max(most, wide(ids[t], kindOfInput(view, row, t)));
        if (options.substep >= "2.4") most = Math.max(most, wide(row.padded[t + 1], row.kinds[t + 1]));
        for (const name of row.given ? ["inputs", "targets"] : []) {
          if (isWrong(row, t, name, options.substep)) {
            const texts = [writeGiven(view, row.given[name][t]), writeRight(view, row, t, name)];
            most = Math.max(most, ...texts.map((text) => 2 + textWidth(text)));
          }
        }
      }
    }
    columns.push({ at: t, size: options.show === "blocks" ? 10 : Math.min(108, 7.4 * most + 14) });
  }
  const edges = [0];
  for (const column of columns) edges.push(edges.at(-1) + column.size);
  const cell = { both: 36, text: 24, ids: 24, blocks: 16 }[options.show];
  const gap = options.show === "blocks" ? 8 : 16;
  const lines = options.substep >= "2.4" ? 2 : 1;
  const rowHeight = lines * cell + (lines - 1) * gap + (options.show === "blocks" ? 12 : 14);
  view.grid = { columns, edges, shared, cell, gap, lines, rowHeight };
}

// The index in `columns` of position t.
function columnOf(view, t) {
  const { shared } = view.grid;
  if (!shared) return t;
  return t < shared ? 0 : t - shared + 1;
}

// The last edge that is not right of x.
function columnAt(edges, x) {
  let low = 0;
  let high = edges.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (edges[middle] <= x) low = middle;
    else high = middle - 1;
  }
  return Math.max(0, low);
}

// Columns and rows in view.
function visibleRange(view) {
  const { edges, rowHeight } = view.grid;
  const box = view.scroller;
  const right = box.scrollLeft + Math.max(100, box.clientWidth) - view.label;
  return {
    left: columnAt(edges, box.scrollLeft), right: columnAt(edges, right) + 1,
    top: Math.max(0, Math.floor(box.scrollTop / rowHeight)),
    bottom: Math.ceil((box.scrollTop + Math.max(100, box.clientHeight || 600)) / rowHeight),
  };
}

// ---------------------------------------------------------------- the grid: drawing

// Draw the columns and rows in view, and some around them, unless they are there already.
function drawWindow(view, force = false) {
  const seen = visibleRange(view);
  const done = view.drawn;
  drawFrame(view, seen);
  if (!force && done && seen.left >= done.left && seen.right <= done.right
      && seen.top >= done.top && seen.bottom <= done.bottom) return;
  const { columns } = view.grid;
  const more = view.options.show === "blocks" ? 10 : 4;
  view.drawn = {
    left: Math.max(0, seen.left - more), right: Math.min(columns.length, seen.right + more),
    top: Math.max(0, seen.top - 1), bottom: Math.min(view.plan.rows.length, seen.bottom + 1),
  };
  view.cells.clear();
  const lines = [];
  for (let rowIndex = view.drawn.top; rowIndex < view.drawn.bottom; rowIndex += 1) {
    lines.push(drawLine(view, rowIndex, "inputs"));
    if (view.grid.lines === 2) lines.push(drawLine(view, rowIndex, "targets"));
  }
  view.lines.replaceChildren(...lines);
  view.positions.replaceChildren(...positionMarks(view));
  markActive(view);
}

function positionMarks(view) {
  const { columns, edges } = view.grid;
  const marks = [];
  for (let c = view.drawn.left; c < view.drawn.right; c += 1) {
    if (columns[c].fold || columns[c].at % 5) continue;
    const mark = make("span", "", String(columns[c].at));
    mark.style.left = `${view.label + (edges[c] + edges[c + 1]) / 2}px`;
    marks.push(mark);
  }
  return marks;
}

function drawLine(view, rowIndex, name) {
  const { grid, plan, drawn, options } = view;
  const row = plan.rows[rowIndex];
  const line = make("div", `bi-line bi-${name}`);
  const top = TOP + rowIndex * grid.rowHeight + (name === "targets" ? grid.cell + grid.gap : 0);
  line.style.top = `${top}px`;
  line.setAttribute("role", "row");
  line.setAttribute("aria-rowindex", String(rowIndex * grid.lines + (name === "targets" ? 2 : 1)));
  const label = make("div", "bi-label");
  label.setAttribute("role", "rowheader");
  if (name === "inputs") label.append(make("b", "", `#${row.index} `));
  label.append(make("span", "", grid.lines === 2 ? name : options.substep === "2.2" ? "tokens" : "padded"));
  line.append(label);
  for (let c = drawn.left; c < drawn.right; c += 1) {
    const column = grid.columns[c];
    if (options.substep === "2.2" && !column.fold && column.at >= row.ids.length) break;
    const cell = column.fold ? foldCell(view, column, name) : tokenCell(view, row, column.at, name);
    cell.style.left = `${view.label + grid.edges[c] + 1}px`;
    cell.style.width = `${column.size - (options.show === "blocks" ? 1 : 3)}px`;
    cell.setAttribute("aria-colindex", String(c + 1));
    if (!column.fold) {
      cell.id = `${view.id}-${rowIndex}-${column.at}-${name}`;
      cell.dataset.row = rowIndex;
      cell.dataset.at = column.at;
      view.cells.set(`${rowIndex}:${column.at}:${name}`, cell);
    }
    line.append(cell);
  }
  return line;
}

function foldCell(view, column, name) {
  const cell = make("div", "bi-cell bi-fold");
  cell.setAttribute("role", "gridcell");
  if (view.options.show === "blocks") cell.append("⋯");
  else if (name === "inputs") cell.append(make("span", "", "⋯"), make("span", "", `${column.fold} shared`));
  else cell.append(make("span", "", "⋯"));
  return cell;
}

// One token: its text over its id; an ignored target shows −100 over what it replaced.
function tokenCell(view, row, t, name) {
  const { options, data } = view;
  const targets = name === "targets" ? stageTargets(row, options.substep) : null;
  const ids = options.substep === "2.2" ? row.ids : row.padded;
  const wrong = isWrong(row, t, name, options.substep);
  if (wrong) return wrongCell(view, row, t, name);
  const id = targets ? row.shifted[t] : ids[t];
  const kind = targets ? targetKind(row, t, targets[t], data) : kindOfInput(view, row, t);
  const cell = make("div", `bi-cell bi-${kind}`);
  cell.setAttribute("role", "gridcell");
  const ignored = targets !== null && targets[t] === data.ignore;
  if (targets && !ignored) cell.classList.add("bi-live");
  if (targets && !ignored && row.weights && row.weights[t] < 1 && options.substep === "2.5") {
    cell.classList.add("bi-weighted");
  }
  const text = word(view, id, targets ? row.kinds[t + 1] : kind);
  if (options.show === "blocks") {
    const found = targets && !ignored ? lossAt(view, row, t) : null;
    if (found) colourLoss(view, cell, found);
    return blockCell(cell, ignored ? "−100" : text);
  }
  if (!ignored) {
    if (options.show !== "ids") cell.append(make("span", "bi-word", text));
    if (options.show !== "text") cell.append(make("span", "bi-id", String(id)));
    const found = targets ? lossAt(view, row, t) : null;
    if (found) colourLoss(view, cell, found);
    return cell;
  }
  cell.append(make("span", "bi-word", "−100"));
  if (options.show === "both") {
    cell.append(make("s", "bi-id", kind === "ignored-padding" ? String(id) : text));
  }
  return cell;
}

// A cell of a learner's batch that is not right: a cross, and what stands there.
function wrongCell(view, row, t, name) {
  const cell = make("div", "bi-cell bi-wrong");
  cell.setAttribute("role", "gridcell");
  const text = writeGiven(view, row.given[name][t]);
  if (view.options.show === "blocks") return blockCell(cell, `✗ ${text}`);
  cell.append(make("span", "bi-word", `✗ ${text}`));
  if (view.options.show === "both") cell.append(make("span", "bi-id", `≠ ${writeRight(view, row, t, name)}`));
  return cell;
}

function writeRight(view, row, t, name) {
  const right = name === "inputs" ? row.inputs : rightTargets(row, view.options.substep);
  return writeGiven(view, right[t]);
}

function writeGiven(view, id) {
  return id === view.data.ignore ? "−100" : word(view, id, "");
}

// In the blocks view a cell shows its kind alone; its word is there for a screen reader.
function blockCell(cell, text) {
  cell.setAttribute("aria-label", text);
  return cell;
}

// The frame on the strips that says which part of the batch is in view.
function drawFrame(view, seen) {
  const { columns } = view.grid;
  if (!columns.length) return;
  const total = lineWidth(view);
  const start = columns[Math.min(seen.left, columns.length - 1)].at;
  const last = columns[Math.min(seen.right, columns.length) - 1];
  const end = last.at + (last.fold ?? 1);
  view.frame.style.setProperty("--from", String(start / total));
  view.frame.style.setProperty("--share", String((end - start) / total));
}

function drawGrid(view) {
  view.label = view.scroller.clientWidth && view.scroller.clientWidth < 520 ? 58 : LABEL;
  view.scroller.classList.toggle("bi-narrow", view.label < LABEL);
  measure(view);
  const { edges, rowHeight, lines, columns } = view.grid;
  const { plan, options } = view;
  const height = TOP + plan.rows.length * rowHeight;
  view.canvas.style.width = `${view.label + edges.at(-1)}px`;
  view.canvas.style.height = `${height}px`;
  view.scroller.style.height = `${Math.min(height + 14, 640)}px`;
  view.scroller.style.setProperty("--cell", `${view.grid.cell}px`);
  view.scroller.style.setProperty("--gap", `${view.grid.gap}px`);
  view.scroller.dataset.show = options.show;
  view.scroller.setAttribute("aria-rowcount", String(plan.rows.length * lines));
  view.scroller.setAttribute("aria-colcount", String(columns.length));
  view.drawn = null;
  drawWindow(view, true);
}

// ---------------------------------------------------------------- the token in hand

function clampActive(view) {
  const { active, plan } = view;
  if (!active || !plan.rows.length) return null;
  const rowIndex = Math.min(active.rowIndex, plan.rows.length - 1);
  const width = view.options.substep === "2.2" ? plan.rows[rowIndex].ids.length : lineWidth(view);
  return { rowIndex, at: Math.min(Math.max(active.at, view.grid.shared), Math.max(0, width - 1)) };
}

function setActive(view, active) {
  view.active = active;
  markActive(view);
  drawSentence(view);
}

// Outline the token read, the target it predicts, and the input that target is a copy of.
function markActive(view) {
  for (const cell of view.marked) cell.classList.remove("bi-reads", "bi-source");
  view.marked = [];
  view.arrows.replaceChildren();
  const active = clampActive(view);
  view.scroller.removeAttribute("aria-activedescendant");
  if (!active) return;
  const { rowIndex, at } = active;
  const mark = (name, t, className) => {
    const cell = view.cells.get(`${rowIndex}:${t}:${name}`);
    if (!cell) return null;
    cell.classList.add(className);
    view.marked.push(cell);
    return cell;
  };
  const reads = mark("inputs", at, "bi-reads");
  if (reads) view.scroller.setAttribute("aria-activedescendant", reads.id);
  if (view.grid.lines < 2) return;
  const target = mark("targets", at, "bi-reads");
  if (target) view.scroller.setAttribute("aria-activedescendant", target.id);
  const unmarked = view.plan.rows[rowIndex].unmarked;
  const source = unmarked ? null : mark("inputs", at + 1, "bi-source");
  if (reads && target) drawArrows(view, rowIndex, at, source !== null);
}

function drawArrows(view, rowIndex, at, withSource) {
  const { edges, cell, gap, rowHeight } = view.grid;
  const middle = (t) => {
    const c = columnOf(view, t);
    return view.label + (edges[c] + edges[c + 1]) / 2;
  };
  const top = TOP + rowIndex * rowHeight + cell + 1;
  const bottom = top + gap - 3;
  const path = (d, className) => {
    const element = document.createElementNS(SVG, "path");
    element.setAttribute("d", d);
    element.setAttribute("class", className);
    view.arrows.append(element);
  };
  const x = middle(at);
  path(`M${x} ${top}V${bottom - 2}`, "bi-predicts");
  path(`M${x - 4} ${bottom - 5}L${x} ${bottom}L${x + 4} ${bottom - 5}`, "bi-predicts");
  if (!withSource) return;
  const from = middle(at + 1);
  const to = x + 10;
  path(`M${from} ${top}Q${(from + to) / 2 + 6} ${top + 6} ${to} ${bottom - 1}`, "bi-copied");
  path(`M${to + 6} ${bottom - 4}L${to} ${bottom - 1}L${to + 5} ${bottom + 2}`, "bi-predicts");
}

function drawSentence(view) {
  const active = clampActive(view);
  if (!active) {
    view.sentence.replaceChildren(view.options.substep === "2.1"
      ? "The entry's own texts, and what the template puts around them."
      : view.options.substep < "2.4"
        ? "Point at a token, or Tab into the grid and use the arrow keys, to read what it is."
        : "Point at a token, or Tab into the grid and use the arrow keys, to see which target it predicts.");
    return;
  }
  view.sentence.replaceChildren(...sentence(view, view.plan.rows[active.rowIndex], active.at));
}

// A token in a sentence: its text in a box, then its id.
function quote(view, id, kind) {
  return [make("code", "", word(view, id, kind)), ` (${id})`];
}

function sentence(view, row, t) {
  const { options, data } = view;
  const start = `Entry #${row.index}, position ${t}: `;
  const kind = kindOfInput(view, row, t);
  const targets = stageTargets(row, options.substep);
  if (!targets) {
    const id = (options.substep === "2.2" ? row.ids : row.padded)[t];
    return [start, ...quote(view, id, kind), ` — ${describeKind(kind, data)}`];
  }
  for (const name of ["inputs", "targets"]) {
    if (isWrong(row, t, name, options.substep)) return [start, ...tellWrong(view, row, t, name)];
  }
  const goal = row.shifted[t];
  const found = lossAt(view, row, t);
  return [`${start}after reading `, ...quote(view, row.inputs[t], kind), " the model must predict ",
    ...quote(view, goal, row.kinds[t + 1]), " — ", verdict(view, row, t, targets[t]),
    ...(found ? tellLoss(view, found) : [])];
}

function tellWrong(view, row, t, name) {
  const right = name === "inputs" ? row.inputs[t] : rightTargets(row, view.options.substep)[t];
  const box = (id) => [make("code", "", writeGiven(view, id)),
    id === view.data.ignore ? "" : ` (${id})`];
  return [`✗ among the ${name} your function has `, ...box(row.given[name][t]),
    ", where ", ...box(right), " should be"];
}

function describeKind(kind, data) {
  const called = (id) => data.words[id] ?? String(id);
  const filler = data.pad === data.end ? "" : ` with ${called(data.pad)}`;
  return {
    prompt: "part of the prompt", response: "part of the response",
    end: `end of text, ${called(data.end)}: where the model should stop`,
    padding: `padding${filler}: fills the row, means nothing`,
  }[kind];
}

function verdict(view, row, t, target) {
  const { options, data } = view;
  const kind = targetKind(row, t, target, data);
  if (kind === "ignored-padding") return "does not count, because it is padding";
  if (kind === "ignored-prompt") {
    return "does not count, because it belongs to the prompt, which is masked";
  }
  if (kind === "padding") return "counts in the loss, although it is padding; substep 2.5 mends that";
  if (row.weights && row.weights[t] < 1 && options.substep === "2.5") {
    return `counts with weight ${row.weights[t]}, because it belongs to the prompt`;
  }
  if (kind === "end") return "counts in the loss ✓, because here the model learns to stop";
  if (kind === "prompt") {
    return options.instruction_mask === "keep-header" && options.substep === "2.5"
      ? "counts in the loss ✓, because the response header is kept, though the prompt is masked"
      : "counts in the loss ✓, because the prompt is not masked";
  }
  return "counts in the loss ✓, because it is part of the response";
}

// ---------------------------------------------------------------- moving about in the grid

function scrollToActive(view) {
  const active = clampActive(view);
  const { edges, rowHeight } = view.grid;
  const box = view.scroller;
  const c = columnOf(view, active.at);
  const inside = box.clientWidth - view.label;
  if (edges[c] < box.scrollLeft) box.scrollLeft = edges[c] - 8;
  else if (edges[c + 1] > box.scrollLeft + inside) box.scrollLeft = edges[c + 1] - inside + 8;
  const top = active.rowIndex * rowHeight;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + rowHeight + TOP > box.scrollTop + box.clientHeight) {
    box.scrollTop = top + rowHeight + TOP - box.clientHeight;
  }
}

function onKey(view, event) {
  const moves = {
    ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0],
    PageUp: [0, -10], PageDown: [0, 10], Home: [0, -Infinity], End: [0, Infinity],
  };
  const move = moves[event.key];
  if (!move || event.ctrlKey || event.metaKey || event.altKey || !view.plan.rows.length) return;
  event.preventDefault();
  event.stopPropagation();
  const from = clampActive(view) ?? firstInView(view);
  const rowIndex = Math.min(Math.max(from.rowIndex + move[0], 0), view.plan.rows.length - 1);
  const at = Math.min(Math.max(from.at + move[1], 0), lineWidth(view) - 1);
  view.active = { rowIndex, at };
  view.active = clampActive(view);
  scrollToActive(view);
  drawWindow(view);
  setActive(view, view.active);
}

function firstInView(view) {
  const seen = visibleRange(view);
  const column = view.grid.columns[seen.left];
  return { rowIndex: Math.min(seen.top, view.plan.rows.length - 1), at: column.at + (column.fold ?? 0) };
}

function buildGrid(view) {
  view.positions = make("div", "bi-positions");
  view.positions.setAttribute("aria-hidden", "true");
  view.corner = make("div", "bi-corner", "position");
  view.corner.setAttribute("aria-hidden", "true");
  view.lines = make("div", "bi-lines");
  view.lines.setAttribute("role", "presentation");
  view.arrows = document.createElementNS(SVG, "svg");
  view.arrows.setAttribute("class", "bi-arrows");
  view.arrows.setAttribute("aria-hidden", "true");
  const head = make("div", "bi-head", view.corner, view.positions);
  head.setAttribute("role", "presentation");
  view.canvas = make("div", "bi-canvas", head, view.lines, view.arrows);
  view.canvas.setAttribute("role", "presentation");
  view.scroller = make("div", "bi-scroll", view.canvas);
  Object.assign(view.scroller, { tabIndex: 0 });
  view.scroller.setAttribute("role", "grid");
  landmark(view.scroller, "Tokens of the batch, inputs over targets");
  const point = (event) => {
    const cell = event.target.closest?.(".bi-cell[data-at]");
    if (cell) setActive(view, { rowIndex: Number(cell.dataset.row), at: Number(cell.dataset.at) });
  };
  view.canvas.addEventListener("pointerover", point);
  view.canvas.addEventListener("click", point);
  view.scroller.addEventListener("keydown", (event) => onKey(view, event));
  view.scroller.addEventListener("scroll", () => drawWindow(view));
  view.scroller.addEventListener("focus", () => {
    if (!view.active && view.plan.rows.length && view.scroller.matches(":focus-visible")) {
      setActive(view, firstInView(view));
    }
  });
}

function buildPanel(view) {
  view.headline = make("p", "bi-headline");
  view.headline.setAttribute("role", "status");
  view.shape = make("span", "bi-shape");
  view.strips = make("div", "bi-strips");
  view.strips.setAttribute("aria-hidden", "true");
  view.frame = make("div", "bi-frame");
  view.legend = make("div", "bi-legend");
  view.notes = make("div", "bi-notes");
  view.notes.setAttribute("role", "status");
  const strips = make("div", "bi-strip-box", view.strips, view.frame);
  strips.addEventListener("click", (event) => jumpTo(view, event));
  view.panel = make("div", "bi-panel",
    make("div", "bi-top", view.headline, view.shape), strips, view.legend);
}

// A click on the strips brings that part of the batch into view.
function jumpTo(view, event) {
  const bar = view.strips.querySelector(".bi-bar")?.getBoundingClientRect();
  if (!bar) return;
  const share = Math.min(1, Math.max(0, (event.clientX - bar.left) / bar.width));
  const { edges } = view.grid;
  const c = columnOf(view, Math.floor(share * (lineWidth(view) - 1)));
  const inside = view.scroller.clientWidth - view.label;
  view.scroller.scrollLeft = (edges[c] + edges[c + 1]) / 2 - inside / 2;
}

// ---------------------------------------------------------------- the whole

function refresh(view) {
  const before = view.options;
  view.options = readOptions(view.model);
  view.data = view.model.get("_data");
  view.plan = layout(view.data, view.options);
  view.found = counts(view.plan, view.data, view.options.substep);
  for (const update of view.updates) update(view.options);
  const texts = view.options.substep === "2.1" || !view.plan.rows.length;
  view.texts.hidden = !texts;
  view.scroller.hidden = texts;
  view.root.dataset.substep = view.options.substep;
  drawSummary(view);
  if (texts) drawTexts(view);
  else {
    drawGrid(view);
    if (!before || before.fold !== view.options.fold) view.scroller.scrollLeft = 0;
    beginAtEnds(view);
  }
  drawSentence(view);
  if (before && before.substep !== view.options.substep) animate(view);
  view.onRefresh?.();
}

// From substep 2.3 on the ends of the rows are what matters: begin there, once, when there is room.
function beginAtEnds(view) {
  const inside = view.scroller.clientWidth - view.label;
  if (view.begun || view.scroller.hidden || inside <= 0 || view.options.substep < "2.3") return;
  view.begun = true;
  if (view.data.given) {
    const [rowIndex, at] = view.data.given.at;
    view.active = { rowIndex, at };
    const c = columnOf(view, clampActive(view).at);
    view.scroller.scrollLeft = (view.grid.edges[c] + view.grid.edges[c + 1] - inside) / 2;
    scrollToActive(view);
    setActive(view, view.active);
    return;
  }
  const shortest = Math.min(...view.plan.rows.map((row) => row.ids.length));
  const last = Math.min(shortest + 6, lineWidth(view) - 1);
  view.scroller.scrollLeft = view.grid.edges[columnOf(view, last) + 1] - inside;
}

// Padding grows in, targets slide, −100 fades in: once, when the substep changes.
function animate(view) {
  view.root.classList.remove("bi-moving");
  clearTimeout(view.moving);
  if (view.cells.size > 240) return;
  requestAnimationFrame(() => view.root.classList.add("bi-moving"));
  view.moving = setTimeout(() => view.root.classList.remove("bi-moving"), 700);
}

// JupyterLab must not take keys pressed in here for its own: "d d" deletes a cell.
function keepKeys(root) {
  root.addEventListener("focusin", (event) => {
    event.target.setAttribute("data-lm-suppress-shortcuts", "true");
  });
}

// One inspector in an element; returns the view, whose stop() ends it.
export function inspector(model, el) {
  instances += 1;
  const view = {
    model, id: `bi${instances}-${Math.random().toString(36).slice(2, 7)}`, updates: [], marked: [],
    cells: new Map(), active: null, label: LABEL, listening: [],
    root: make("section", "bi"), data: model.get("_data"),
  };
  view.listen = (name, listener) => {
    model.on(name, listener);
    view.listening.push([name, listener]);
  };
  landmark(view.root, "Batch inspector");
  view.texts = make("div", "bi-texts");
  Object.assign(view.texts, { tabIndex: 0 });
  view.texts.setAttribute("role", "region");
  landmark(view.texts, "Texts of the batch");
  view.sentence = make("p", "bi-sentence");
  view.sentence.setAttribute("role", "status");
  buildPanel(view);
  buildGrid(view);
  view.root.append(buildControls(view), view.panel, view.notes, view.texts, view.scroller, view.sentence);
  keepKeys(view.root);
  el.append(view.root);
  let asked = false;
  view.listen("change", () => {
    if (asked) return;
    asked = true;
    queueMicrotask(() => {
      asked = false;
      refresh(view);
    });
  });
  refresh(view);
  let width = 0;
  const resized = new ResizeObserver(() => {
    if (view.scroller.clientWidth === width || view.scroller.hidden) return;
    width = view.scroller.clientWidth;
    drawGrid(view);
    beginAtEnds(view);
  });
  resized.observe(view.root);
  view.stop = () => {
    resized.disconnect();
    for (const [name, listener] of view.listening) model.off(name, listener);
    view.root.remove();
  };
  return view;
}

// ---------------------------------------------------------------- two batches side by side

// What differs between two batches of the same entries: targets at the same position of the same
// entry, positions that only one side has, and targets that count.
export function differences(left, right) {
  const found = { targets: 0, onlyLeft: 0, onlyRight: 0, live: 0 };
  const live = (plan) => plan.rows.reduce(
    (sum, row) => sum + row.targets.filter((target) => target !== -100).length, 0);
  for (const row of left.rows) {
    const other = right.rows.find((each) => each.index === row.index);
    if (!other) continue;
    const shared = Math.min(row.targets.length, other.targets.length);
    for (let t = 0; t < shared; t += 1) if (row.targets[t] !== other.targets[t]) found.targets += 1;
    found.onlyLeft += row.targets.length - shared;
    found.onlyRight += other.targets.length - shared;
  }
  found.live = live(right) - live(left);
  return found;
}

// One side's options as a model of their own; changes go to the widget's `left` or `right`.
function halfModel(model, side, data, partner) {
  const half = localModel({ ...model.get(side), _data: data });
  const setHere = half.set;
  half.half = true;
  half.setHere = setHere;
  half.set = (name, value) => {
    setHere(name, value);
    model.set(side, { ...model.get(side), [name]: value });
    model.save_changes();
    if (name === "selected" && half.get(name) !== partner().get(name)) partner().set(name, value);
  };
  model.on(`change:${side}`, () => {
    for (const [name, value] of Object.entries(model.get(side))) setHere(name, value);
  });
  return half;
}

function comparison(model, el) {
  const root = make("section", "bi-pair");
  landmark(root, "Two batches side by side");
  const says = make("p", "bi-sentence bi-differences");
  says.setAttribute("role", "status");
  const frame = make("div", "bi bi-pair-says", says);
  const places = [make("div"), make("div")];
  root.append(frame, make("div", "bi-sides", ...places));
  el.append(root);
  const datas = model.get("_datas");
  const halves = [];
  halves.push(halfModel(model, "left", datas[0], () => halves[1]));
  halves.push(halfModel(model, "right", datas[1] ?? datas[0], () => halves[0]));
  const views = halves.map((half, side) => inspector(half, places[side]));
  views.forEach((view, side) => {
    landmark(view.root, side ? "Right batch" : "Left batch");
  });
  const tell = () => says.replaceChildren(...tellDifferences(...views));
  for (const view of views) view.onRefresh = tell;
  tell();
  return () => {
    for (const view of views) view.stop();
    root.remove();
  };
}

function tellDifferences(left, right) {
  const found = differences(left.plan, right.plan);
  const cells = (view) => view.plan.rows.length * view.plan.width;
  const compare = (value, what) => (value === 0 ? `as many ${what}`
    : `${number(Math.abs(value))} ${value > 0 ? "more" : "fewer"} ${what}`);
  const text = [make("strong", "", "The right batch"),
    ` has ${compare(cells(right) - cells(left), "cells")} and `
    + `${compare(found.live, "targets that count")} after all substeps.`];
  const alike = JSON.stringify(left.data.tokenizer) === JSON.stringify(right.data.tokenizer);
  if (!alike) {
    text.push(` Their tokens are not the same: ${left.data.tokenizer.name} cut the left one's texts, `
      + `${right.data.tokenizer.name} the right one's.`);
  } else if (left.options.prompt_format === right.options.prompt_format) {
    const single = found.onlyLeft + found.onlyRight;
    text.push(` At the same positions ${plural(found.targets, "target")} `
      + `${found.targets === 1 ? "differs" : "differ"}; `
      + `${plural(single, "position")} ${single === 1 ? "exists" : "exist"} on one side only.`);
  }
  return text;
}

// ---------------------------------------------------------------- the padding race

// Cells and padding of each way to batch, once `done` (0 … 1) of its batches are made.
export function raceAt(lanes, done) {
  return lanes.map((lane) => {
    const batches = lane.batches.slice(0, Math.round(done * lane.batches.length));
    const cells = batches.reduce((sum, batch) => sum + batch[0], 0);
    const padding = batches.reduce((sum, batch) => sum + batch[1], 0);
    return { name: lane.name, batches: batches.length, cells, padding };
  });
}

function race(model, el) {
  const lanes = model.get("_lanes");
  const root = make("section", "bi bi-race");
  landmark(root, "Padding race");
  const most = Math.max(...raceAt(lanes, 1).map((lane) => lane.cells));
  const rows = lanes.map((lane) => {
    const filled = make("i", "bi-response");
    const padding = make("i", "bi-padding");
    const says = make("span", "bi-race-says");
    const row = make("div", "bi-race-lane", make("b", "", lane.name),
      make("span", "bi-race-track", filled, padding), says, make("small", "", lane.explains));
    return { row, filled, padding, says };
  });
  const slider = make("input");
  Object.assign(slider, { type: "range", min: 0, max: 100, step: 1, value: model.get("progress") });
  const start = make("button", "bi-button", "Race");
  start.type = "button";
  const says = make("p", "bi-sentence");
  says.setAttribute("role", "status");
  root.append(
    make("div", "bi-controls", start, make("label", "bi-field", make("span", "bi-title", "Batches made"), slider)),
    make("div", "bi-legend", make("span", "bi-key", make("i", "bi-swatch bi-response"), "tokens"),
      make("span", "bi-key", make("i", "bi-swatch bi-padding"), "padding")),
    ...rows.map(({ row }) => row), says);
  keepKeys(root);
  el.append(root);
  let frame = 0;
  const draw = () => {
    const progress = Number(slider.value);
    raceAt(lanes, progress / 100).forEach((lane, index) => {
      const { filled, padding, says: text } = rows[index];
      filled.style.width = `${(100 * (lane.cells - lane.padding)) / most}%`;
      padding.style.width = `${(100 * lane.padding) / most}%`;
      text.textContent = `${number(lane.padding)} of ${number(lane.cells)} cells are padding `
        + `(${percent(lane.padding, lane.cells)})`;
    });
    says.textContent = progress < 100 ? "Which way of batching wastes the most? Guess, then press Race."
      : tellRace(raceAt(lanes, 1));
  };
  const stop = () => {
    cancelAnimationFrame(frame);
    frame = 0;
  };
  const set = (progress) => {
    slider.value = String(progress);
    draw();
    if (progress === 100 || !frame) change({ model }, "progress", progress);
  };
  start.addEventListener("click", () => {
    stop();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return set(100);
    const began = performance.now();
    const run = (now) => {
      const progress = Math.max(0, Math.min(100, Math.round((now - began) / 25)));
      set(progress);
      if (progress < 100) frame = requestAnimationFrame(run);
      else frame = 0;
    };
    frame = requestAnimationFrame(run);
    return undefined;
  });
  slider.addEventListener("input", () => {
    stop();
    set(Number(slider.value));
  });
  const follow = () => {
    if (frame) return;
    slider.value = model.get("progress");
    draw();
  };
  model.on("change:progress", follow);
  draw();
  return () => {
    stop();
    model.off("change:progress", follow);
    root.remove();
  };
}

function tellRace(lanes) {
  const waste = (lane) => lane.padding / lane.cells;
  const sorted = [...lanes].sort((a, b) => waste(a) - waste(b));
  return `Least padding: ${sorted.map((lane) => `${lane.name} ${percent(lane.padding, lane.cells)}`).join(", then ")}.`;
}

function render({ model, el }) {
  const view = model.get("_view") ?? "inspector";
  if (view === "comparison") return comparison(model, el);
  return view === "race" ? race(model, el) : inspector(model, el).stop;
}

export default { render };
