// The table of answers: choosing and counting are pure functions, the rest draws their result.
// Text of a data set or a model reaches the page through textContent alone.

export const OPTIONS = ["family", "marked", "words", "order"];
const TEXTS = ["instruction", "input", "expected", "answer"];
const SIGNS = new Map([
  [true, ["✓", "ba-right"]], [false, ["✗", "ba-wrong"]], [null, ["–", "ba-open"]],
]);
const LONG = 300; // characters of a text that are shown unfolded

// Places of the rows that the options let through, in the order asked for.
export function choose(data, options) {
  const wanted = options.words.toLowerCase().split(/[ \t\n]+/);
  const mark = options.marked.replace(/^not /, "");
  const value = options.marked === mark;
  return data.orders[options.order].filter((place) => {
    const row = data.rows[place];
    const text = TEXTS.map((name) => row[name]).join("\n").toLowerCase();
    return (!options.family || row.family === options.family)
      && (!mark || row.marks[mark] === value)
      && wanted.every((word) => text.includes(word));
  });
}

// Of some rows, for each mark how many have it, of how many for which it is defined.
export function shares(data, places) {
  return data.marks.map((name) => {
    const values = places.map((place) => data.rows[place].marks[name]).filter((each) => each !== null);
    return { name, count: values.filter(Boolean).length, total: values.length };
  });
}

// ---------------------------------------------------------------- drawing

let tables = 0;

// An element with a class and children; strings become text, never markup.
function make(tag, className = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

function field(title, control) {
  return make("label", "bi-field", make("span", "bi-title", title), control);
}

// A list to choose from; choices are [value, text].
function select(view, name, title, choices) {
  const control = make("select");
  for (const [value, text] of choices) {
    const option = make("option", "", text);
    option.value = value;
    control.append(option);
  }
  control.addEventListener("change", () => set(view, name, control.value));
  view.updates.push((options) => { control.value = options[name]; });
  return field(title, control);
}

function search(view) {
  const control = make("input", "bi-search ba-search");
  control.type = "search";
  control.addEventListener("input", () => set(view, "words", control.value));
  view.updates.push((options) => {
    if (control.value !== options.words) control.value = options.words;
  });
  return field("Search", control);
}

function set(view, name, value) {
  view.model.set(name, value);
  view.model.save_changes();
}

function controls(view) {
  const { families, marks, orders } = view.data;
  const row = make("div", "bi-controls");
  if (families.length) {
    row.append(select(view, "family", "Family", [["", "all"], ...families.map((name) => [name, name])]));
  }
  const marked = marks.flatMap((name) => [[name, `✓ ${name}`], [`not ${name}`, `✗ not ${name}`]]);
  row.append(
    select(view, "marked", "Marked", [["", "any"], ...marked]),
    search(view),
    select(view, "order", "Order", Object.keys(orders).map((name) => [name, name])));
  return row;
}

// Explicit roles, since the narrow layout turns rows into blocks.
function cell(tag, role, className, ...children) {
  const element = make(tag, className, ...children);
  element.setAttribute("role", role);
  return element;
}

function headRow(view) {
  const names = ["#", ...(view.data.families.length ? ["family"] : []), "asked", "expected", "answer", "marks"];
  const heads = names.map((name) => {
    const head = cell("th", "columnheader", `ba-${name === "#" ? "place" : name}`, name);
    head.scope = "col";
    return head;
  });
  const row = cell("tr", "row", "", ...heads);
  return cell("thead", "rowgroup", "", row);
}

// Texts keep their line ends; an empty one says so, the rest of a long one unfolds.
function text(value, className = "ba-text") {
  if (!value) return make("div", "ba-empty", "(empty)");
  const letters = Array.from(value);
  if (letters.length <= LONG) return make("div", className, value);
  const [start, rest] = [letters.slice(0, LONG).join(""), letters.slice(LONG).join("")];
  const more = make("span", "ba-more", ` … ${letters.length - LONG} more characters`);
  return make("details", className, make("summary", "", start, more), rest);
}

function answerRow(view, place) {
  const row = view.data.rows[place];
  const head = cell("th", "rowheader", "ba-place", `${place}`);
  head.scope = "row";
  const asked = cell("td", "cell", "ba-asked", text(row.instruction));
  if (row.input) asked.append(text(row.input, "ba-text ba-input"));
  const expected = cell("td", "cell", "ba-expected", text(row.expected));
  if (row.key) expected.append(make("div", "ba-key", `key answer: ${row.key}`));
  const marks = view.data.marks.map((name) => {
    const [sign, className] = SIGNS.get(row.marks[name]);
    return make("span", `ba-mark ${className}`, `${sign} ${tellMark(name, row.marks[name])}`);
  });
  const family = view.data.families.length ? [cell("td", "cell", "ba-family", row.family)] : [];
  return cell("tr", "row", "", head, ...family, asked, expected,
    cell("td", "cell", "ba-answer", text(row.answer)), cell("td", "cell", "ba-marks", ...marks));
}

function tellMark(name, value) {
  if (value === null) return `${name} undefined`;
  return value ? name : `not ${name}`;
}

function tellShares(data, places) {
  const counts = shares(data, places).filter(({ total }) => total)
    .map(({ name, count, total }) => `${name} ${count} of ${total} (${((100 * count) / total).toFixed(1)}\u00a0%)`);
  const strong = `${places.length} of ${data.rows.length} answers`;
  return [make("strong", "", strong), counts.length ? `: ${counts.join(", ")}.` : ". Nothing fits the filters."];
}

function refresh(view) {
  const options = Object.fromEntries(OPTIONS.map((name) => [name, view.model.get(name)]));
  for (const update of view.updates) update(options);
  const places = choose(view.data, options);
  view.says.replaceChildren(...tellShares(view.data, places));
  view.body.replaceChildren(...places.map((place) => answerRow(view, place)));
  view.table.hidden = !places.length;
  view.scroller.scrollTop = 0;
}

// One table in an element; returns what ends it.
function render({ model, el }) {
  tables += 1;
  const name = tables > 1 ? `Answers, number ${tables}` : "Answers";
  const view = {
    model, data: model.get("_data"), updates: [], root: make("section", "bi ba"),
    says: make("p", "ba-says"), body: cell("tbody", "rowgroup", ""), scroller: make("div", "ba-scroll"),
  };
  view.root.setAttribute("aria-label", name);
  view.says.setAttribute("role", "status");
  view.table = cell("table", "table", "ba-table", headRow(view), view.body);
  view.scroller.append(view.table);
  view.scroller.tabIndex = 0;
  view.scroller.setAttribute("role", "region");
  view.scroller.setAttribute("aria-label", `${name}: the table`);
  view.root.append(controls(view), view.says, view.scroller);
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
  return () => {
    model.off("change", follow);
    view.root.remove();
  };
}

export default { render };
