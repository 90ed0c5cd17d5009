// The chat: a log, a field to type in, and settings. It draws and asks; `talk` reaches who answers.
// What somebody typed or a model wrote reaches the page through textContent alone.

const LONGEST = 20000; // characters that may be typed; the model's context is the real limit
const ENDS = {
  end: ["■ end", "bc-ended", "The model ended its reply by itself."],
  length: ["cut at the limit", "bc-cut", "The reply has as many tokens as are allowed."],
  stopped: ["stopped", "bc-cut", "The reply was stopped before its end."],
};

// Drawn as nothing, though Unicode counts them as letters or marks; as in spelling.py.
const INVISIBLE = "\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u3164\\uffa0\\u2800\\u180b-\\u180f\\ufe00-\\ufe0f"
  + "\\u{e0100}-\\u{e01ef}";
const HIDDEN = new RegExp(`[^\\P{C}\\n\\t]|[^\\P{Z} ]|[${INVISIBLE}]`, "gu");

// A text with nothing in it that is invisible or turns the direction of what is around it.
export function spell(text) {
  return text.replace(HIDDEN, (character) => {
    const code = character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
    return `⟨U+${code}⟩`;
  });
}

// What is wrong with what was typed for a number; "" where nothing is. The options of a reply that
// are numbers come from Python: { name, title, words, lowest, highest, whole, optional, help }. An
// optional one may be left empty, which is null and means that it is off.
export function fault({ title, words, lowest, highest, whole, optional }, text) {
  const value = Number(text);
  const allowed = value >= lowest && value <= (highest ?? Infinity)
    && (whole ? Number.isInteger(value) : Number.isFinite(value));
  if (text.trim() === "" ? optional : allowed) return "";
  return `${title} must be ${words}${optional ? ", or empty" : ""}.`;
}

// ---------------------------------------------------------------- drawing

let boxes = 0;

// An element with a class and children; strings become text, never markup.
function make(tag, className = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

function button(text, listener, type = "button") {
  const control = make("button", "bi-button bc-button", text);
  control.type = type;
  if (listener) control.addEventListener("click", listener);
  return control;
}

function bubble(who, className, text) {
  const words = make("div", "bc-words", spell(text));
  return { words, element: make("div", `bc-bubble ${className}`, make("b", "bc-who", who), words) };
}

function endMark(turn) {
  const [text, className, title] = ENDS[turn.finish] ?? ENDS.end;
  const mark = make("span", `bc-mark ${className}`, text);
  mark.title = title;
  return mark;
}

function turnBox(name, turn) {
  const reply = bubble(name, "bc-model", turn.reply);
  if (!turn.reply) reply.words.append(make("i", "bc-empty", "(an empty reply)"));
  reply.element.append(endMark(turn));
  return make("div", "bc-turn", bubble("You", "bc-you", turn.message).element, reply.element);
}

function numberField(view, option) {
  const { name, title, lowest, highest, whole, optional, help } = option;
  const control = make("input", "bi-number");
  // The browser's arrows count from `min`, so that is a whole number.
  Object.assign(control, { type: "number", min: Math.floor(lowest), step: whole ? 1 : 0.05 });
  if (highest !== null) control.max = highest;
  control.addEventListener("change", () => {
    // Where a field for numbers holds something else, its value is empty.
    const wrong = fault(option, control.validity.badInput ? "?" : control.value);
    control.setAttribute("aria-invalid", wrong ? "true" : "false");
    view.tell(wrong);
    if (!wrong) view.talk.set(name, control.value.trim() === "" ? null : Number(control.value));
  });
  view.inputs[name] = control;
  const label = make("span", "bi-title", optional ? `${title} (or empty)` : title);
  const field = make("label", "bi-field", label, control);
  field.title = help;
  return field;
}

function settings(view, numbers) {
  const memory = make("input");
  memory.type = "checkbox";
  memory.addEventListener("change", () => view.talk.set("memory", memory.checked));
  view.inputs.memory = memory;
  const row = make("div", "bi-controls", ...numbers.map((each) => numberField(view, each)),
    make("label", "bi-check", memory, "Memory: earlier turns stand before each message"));
  return make("details", "bi-picker", make("summary", "", "Settings"), row);
}

function messageForm(view) {
  const id = `bc${boxes}`;
  const label = make("label", "bi-title", "Message");
  const area = make("textarea", "bc-area");
  Object.assign(area, { id, rows: 2, maxLength: LONGEST, placeholder: "Name the capital of France." });
  label.htmlFor = id;
  const form = make("form", "bc-form");
  const send = () => {
    const text = area.value;
    if (!text.trim() || view.state.busy || view.root.classList.contains("bc-off")) return;
    area.value = "";
    view.tell("");
    view.talk.send(text);
    area.focus();
  };
  area.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  view.area = area;
  view.send = button("Send", null, "submit");
  view.stop = button("Stop", () => view.talk.stop());
  view.clear = button("Clear", () => {
    view.tell("");
    view.talk.clear();
    area.focus();
  });
  const hint = make("small", "bc-hint", "Enter sends, Shift + Enter begins a new line.");
  form.append(label, area, make("div", "bc-buttons", view.send, view.stop, view.clear, hint));
  return form;
}

// A reader at the end of the log stays at its end; one who has scrolled back is left alone.
function following(view, change) {
  const { log } = view;
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  change();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

// A chat in an element. talk = { send(text), stop(), clear(), set(name, value) }; the view that is
// returned draws what happens: show(state), add(piece), settings(values), ready(why not), tell(text).
export function chatBox(el, talk, numbers, name = "Model") {
  boxes += 1;
  const view = { talk, inputs: {}, drawn: [], state: { turns: [], message: null, busy: false } };
  view.root = make("section", "bi bc");
  view.root.setAttribute("aria-label", boxes > 1 ? `Chat, number ${boxes}` : "Chat");
  view.log = make("div", "bc-log");
  view.log.setAttribute("role", "log");
  view.log.setAttribute("aria-label", "What was said");
  view.log.setAttribute("aria-live", "polite");
  view.log.tabIndex = 0;
  view.nothing = make("p", "bc-nothing", "Nothing has been said yet.");
  view.notice = make("p", "bc-notice");
  view.notice.setAttribute("role", "status");
  view.tell = (text) => {
    view.notice.textContent = spell(text);
    view.notice.classList.toggle("bc-quiet", !text);
  };
  view.root.append(view.log, view.notice, messageForm(view), settings(view, numbers));
  view.show = (state) => following(view, () => show(view, state, name));
  view.add = (piece) => view.words && following(view, () => view.words.append(spell(piece)));
  view.settings = (values) => {
    for (const [name, control] of Object.entries(view.inputs)) {
      if (name === "memory") control.checked = values[name];
      else if (document.activeElement !== control) control.value = values[name] ?? "";
    }
  };
  view.ready = (why) => {
    view.root.classList.toggle("bc-off", Boolean(why));
    view.tell(why);
    enable(view);
  };
  view.tell("");
  view.show(view.state);
  // JupyterLab must not take keys pressed in here for its own: "d d" deletes a cell.
  view.root.addEventListener("focusin", (event) => {
    event.target.setAttribute("data-lm-suppress-shortcuts", "true");
  });
  el.append(view.root);
  return view;
}

function enable(view) {
  const off = view.root.classList.contains("bc-off");
  const { busy, turns } = view.state;
  const lost = [view.send, view.stop, view.clear].includes(document.activeElement);
  for (const control of [view.area, ...Object.values(view.inputs)]) control.disabled = off;
  view.send.disabled = off || busy;
  view.stop.disabled = off || !busy;
  view.clear.disabled = off || (!busy && !turns.length);
  if (lost && document.activeElement.disabled) view.area.focus();
}

// state = { turns, message, reply, busy }: the finished turns; the message to which a reply is under
// way, or null; and so much of the reply as there is.
function show(view, state, name) {
  view.state = state;
  const same = state.turns.length >= view.drawn.length
    && view.drawn.every((turn, index) => JSON.stringify(turn) === JSON.stringify(state.turns[index]));
  if (!same) {
    view.log.replaceChildren();
    view.drawn = [];
  }
  view.underWay?.remove();
  view.nothing.remove();
  for (const turn of state.turns.slice(view.drawn.length)) view.log.append(turnBox(name, turn));
  view.drawn = [...state.turns];
  view.underWay = view.words = null;
  // A screen reader reads the reply when it is whole, not piece by piece.
  view.log.setAttribute("aria-busy", state.busy ? "true" : "false");
  if (state.message !== null) {
    const reply = bubble(name, "bc-model bc-growing", state.reply);
    view.words = reply.words;
    view.underWay = make("div", "bc-turn", bubble("You", "bc-you", state.message).element, reply.element);
    view.log.append(view.underWay);
  } else if (!state.turns.length) view.log.append(view.nothing);
  enable(view);
}

// ---------------------------------------------------------------- the notebook's side

const PATIENCE = 1500; // milliseconds for Python to say that it is there

function render({ model, el }) {
  const send = (kind, more = {}) => model.send({ kind, ...more });
  const set = (name, value) => {
    model.set(name, value);
    model.save_changes();
  };
  const view = chatBox(el, {
    send: (text) => {
      view.show({ ...view.state, message: text, reply: "", busy: true });
      view.tell("Waiting for Python, which may be busy with another cell.");
      send("ask", { text });
    },
    stop: () => send("stop"),
    clear: () => send("clear"),
    set,
  }, model.get("_numbers"), model.get("name"));
  const names = ["memory", ...model.get("_numbers").map(({ name }) => name)];
  const follow = () => view.settings(Object.fromEntries(names.map((name) => [name, model.get(name)])));
  const hear = (message) => {
    if (message.kind === "state") {
      clearTimeout(waiting);
      view.ready("");
      view.show(message.state);
      view.tell(message.notice);
      if (message.refused && !view.area.value) view.area.value = message.refused; // to be mended
    } else if (message.kind === "piece") view.add(message.text);
  };
  view.show({ turns: model.get("_turns"), message: null, reply: "", busy: false });
  view.ready(" ");
  const waiting = setTimeout(
    () => view.ready("Nobody is here to answer: open the lesson in JupyterLab and run this cell."),
    PATIENCE);
  model.on("msg:custom", hear);
  for (const name of names) model.on(`change:${name}`, follow);
  follow();
  send("hello");
  return () => {
    clearTimeout(waiting);
    model.off("msg:custom", hear);
    for (const name of names) model.off(`change:${name}`, follow);
    view.root.remove();
  };
}

export default { render };
