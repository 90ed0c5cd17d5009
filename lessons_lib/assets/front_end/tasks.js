// The editor of tasks: one at a time, three questions about what the teacher wrote, three texts to
// correct. Python saves the work, counts, and says how each task stands.
// Text that a model wrote reaches the page through textContent and value alone.

const PAUSE = 400; // milliseconds without a letter, after which what was typed is sent
const PATIENCE = 2000; // milliseconds for Python to say that the work is saved
const SIGNS = {
  good: ["✓", "bi-prompt"], mended: ["✎", "bi-response"], bad: ["✗", "bi-ignored-prompt"],
  faulty: ["!", "bi-wrong"], open: ["–", "bi-ignored-padding"],
};
const ANSWERS = [["yes", true], ["no", false], ["not yet", null]];
let editors = 0;

// An element with a class and children; strings become text, never markup.
function make(tag, className = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

function button(text, listener, className = "bi-button") {
  const control = make("button", className, text);
  control.type = "button";
  control.addEventListener("click", listener);
  return control;
}

// A text as a field for texts gives it back: with line feeds alone.
const asTyped = (text) => text.replace(/\r\n?/g, "\n");

// Let `alter` change the review of the task at `index`. Both sides follow the model: the page at once,
// so that nothing moves under a pointer that leaves a field, and Python after `pause` milliseconds.
function change(view, index, alter, pause = 0) {
  const { turn, reviews } = structuredClone(view.model.get("_work"));
  alter(reviews[index]);
  view.model.set("_work", { turn: turn + 1, reviews });
  clearTimeout(view.sending);
  if (pause) view.sending = setTimeout(() => view.model.save_changes(), pause);
  else view.model.save_changes();
}

function go(view, index) {
  view.model.set("index", index);
  view.model.save_changes();
}

// ---------------------------------------------------------------- one of the three fields

function question(view, { name, asks }) {
  const group = make("fieldset", "bi-group", make("legend", "", asks));
  const choices = make("div", "bi-segments");
  for (const [word, value] of ANSWERS) {
    const input = make("input");
    Object.assign(input, { type: "radio", name: `${view.id}-${name}`, value: word });
    input.addEventListener("change", () => change(view, view.index(), (review) => { review[name] = value; }));
    view.updates.push(({ review }) => { input.checked = review[name] === value; });
    choices.append(make("label", "", input, make("span", "", word)));
  }
  group.append(choices);
  return group;
}

function textArea(view, field) {
  const area = make("textarea", "bt-area");
  Object.assign(area, { id: `${view.id}-${field}-text`, dir: "auto", rows: field === "input" ? 1 : 2 });
  area.addEventListener("input", () => {
    const text = area.value.toWellFormed?.() ?? area.value;
    change(view, view.index(), (review) => {
      delete review.corrected[field];
      if (text !== asTyped(view.data.tasks[view.index()][field])) review.corrected[field] = text;
    }, PAUSE);
  });
  area.addEventListener("blur", () => {
    clearTimeout(view.sending);
    view.model.save_changes();
    view.refresh();
  });
  let drawn = null; // the index of the task whose text stands here
  view.updates.push(({ index, task, review }) => {
    const text = asTyped(review.corrected[field] ?? task[field]);
    const typing = document.activeElement === area && drawn === index;
    if (!typing && area.value !== text) area.value = text;
    drawn = index;
  });
  return area;
}

function fieldPart(view, asked) {
  const { field } = asked;
  const area = textArea(view, field);
  const label = make("label", "bi-title", `${field[0].toUpperCase()}${field.slice(1)}`);
  label.htmlFor = area.id;
  const [seen, written] = [make("span", "bt-text"), make("span", "bt-text")];
  const hidden = make("div", "bt-aside", "With what cannot be seen spelled out: ", seen);
  const back = button("Undo", () => {
    change(view, view.index(), (review) => { delete review.corrected[field]; });
    area.focus();
  });
  back.setAttribute("aria-label", `Undo the change of the ${field}`);
  const was = make("div", "bt-aside bt-was", back, make("div", "", "As it was written: ", written));
  view.updates.push(({ index, task, review, told }) => {
    const corrected = field in review.corrected;
    const plain = view.data.spelled[index][field];
    const spelled = corrected ? told.spelled[field] : plain !== task[field] && plain;
    seen.textContent = spelled || "";
    hidden.hidden = !spelled;
    written.textContent = plain || "(empty)";
    was.hidden = !corrected;
  });
  return make("div", "bt-field", make("div", "bt-head", label, question(view, asked)), area, hidden, was);
}

// ---------------------------------------------------------------- which task, and how all stand

function strip(view) {
  const list = make("nav", "bt-strip");
  list.setAttribute("aria-label", "Tasks");
  view.marks = view.data.tasks.map((_, place) => {
    const mark = button("", () => go(view, place), "bt-mark");
    view.updates.push(({ index, all }) => {
      const { standing } = all[place];
      const [sign, className] = SIGNS[standing];
      mark.className = `bt-mark ${className}`;
      mark.textContent = `#${place} ${sign}`;
      mark.setAttribute("aria-label", `Task #${place}, ${standing}`);
      if (place === index) mark.setAttribute("aria-current", "true");
      else mark.removeAttribute("aria-current");
    });
    return mark;
  });
  list.append(...view.marks);
  return list;
}

function steps(view) {
  const last = view.data.tasks.length - 1;
  const previous = button("← Previous", () => go(view, view.index() - 1));
  const next = button("Next →", () => go(view, view.index() + 1));
  view.updates.push(({ index }) => {
    const lost = document.activeElement === (index === last ? next : previous);
    previous.disabled = index === 0;
    next.disabled = index === last;
    if (lost && (index === 0 || index === last)) view.marks[index].focus();
  });
  return make("div", "bt-steps", previous, next);
}

// Whether the work is saved, once Python has said so of the latest change.
function savedLine(view) {
  const line = make("p", "bt-saved");
  line.setAttribute("role", "status");
  const say = (text) => { if (line.textContent !== text) line.textContent = text; };
  view.updates.push(() => {
    clearTimeout(view.waiting);
    const told = view.model.get("_told");
    if (told.turn === view.model.get("_work").turn) return say(told.saved);
    view.waiting = setTimeout(() => say("Python has not answered yet, so this is not saved. It may be busy "
      + "with another cell; if it was restarted, run this cell again."), PATIENCE);
    return undefined;
  });
  return line;
}

// One editor in an element; returns what ends it.
function render({ model, el }) {
  editors += 1;
  const data = model.get("_data");
  const view = { model, data, updates: [], id: `bt-${editors}` };
  view.index = () => Math.min(Math.max(model.get("index"), 0), data.tasks.length - 1);
  view.refresh = () => {
    const [index, told] = [view.index(), model.get("_told")];
    if (index < 0) return;
    const [task, review] = [data.tasks[index], model.get("_work").reviews[index]];
    for (const update of view.updates) update({ index, task, review, all: told.tasks, told: told.tasks[index] });
    view.counts.textContent = told.counts;
    const says = `#${index}: ${told.tasks[index].says}`;
    if (view.says.textContent !== says) view.says.textContent = says;
  };
  view.counts = make("strong", "bt-counts");
  view.says = make("p", "bi-sentence");
  view.says.setAttribute("role", "status");
  const root = make("section", "bi bt");
  root.setAttribute("aria-label", editors > 1 ? `Tasks to judge, number ${editors}` : "Tasks to judge");
  if (data.tasks.length) {
    const how = "Judge each task as the model wrote it; then correct what is worth it.";
    root.append(
      make("div", "bi-panel bt-top", view.counts, make("span", "", how), strip(view)),
      ...data.questions.map((asked) => fieldPart(view, asked)),
      steps(view), view.says, savedLine(view));
  } else root.append(make("p", "", "There is no task to judge."));
  // JupyterLab must not take keys pressed in here for its own: "d d" deletes a cell.
  root.addEventListener("focusin", (event) => {
    event.target.setAttribute("data-lm-suppress-shortcuts", "true");
  });
  model.on("change", view.refresh);
  view.refresh();
  el.append(root);
  return () => {
    clearTimeout(view.waiting);
    clearTimeout(view.sending);
    model.off("change", view.refresh);
    root.remove();
  };
}

export default { render };
