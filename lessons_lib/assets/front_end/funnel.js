// The funnel: a bar for each stage; a click opens what the stage refused, by reason.
// Text that a model wrote reaches the page through textContent alone.

let funnels = 0;

// An element with a class and children; strings become text, never markup.
function make(tag, className = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

const count = (number) => number.toLocaleString("en");

// How much of all blocks came to a stage, and how much of that passed.
function bar(stage, all) {
  const width = (number) => `${all ? (100 * number) / all : 0}%`;
  const [passed, refused] = [make("i", "bf-passed"), make("i", "bf-refused")];
  passed.style.width = width(stage.passed);
  refused.style.width = width(stage.refused);
  const track = make("span", "bf-track", passed, refused);
  track.setAttribute("aria-hidden", "true");
  return track;
}

function tell(stage) {
  return `${count(stage.passed)} passed, ${count(stage.refused)} refused`;
}

function item({ text, output, like, f }) {
  const element = make("li", "", make("div", "bf-text", text || "(empty)"));
  if (output) element.append(make("div", "bf-text bf-output", output));
  if (like) {
    const alike = make("div", "bf-like", "too like: ", make("span", "bf-text", like), ` (F = ${f.toFixed(2)})`);
    element.append(alike);
  }
  return element;
}

function reasonPart({ reason, total, items }, open) {
  const part = make("details", "bf-reason", make("summary", "", `${reason}: ${count(total)}`));
  part.open = open;
  const list = make("ol", "", ...items.map(item));
  part.append(list);
  if (total > items.length) part.append(make("p", "bf-more", `… and ${count(total - items.length)} more`));
  return part;
}

function row(view, stage) {
  const { model, data } = view;
  const head = make("button", "bf-stage", make("b", "", stage.label), bar(stage, data.blocks), make("span", "bf-count", tell(stage)));
  head.type = "button";
  const body = make("div", "bf-body");
  body.id = `${view.id}-${stage.name}`;
  head.setAttribute("aria-controls", body.id);
  head.addEventListener("click", () => {
    model.set("opened", model.get("opened") === stage.name ? "" : stage.name);
    model.save_changes();
  });
  view.updates.push((opened) => {
    const open = opened === stage.name;
    head.setAttribute("aria-expanded", `${open}`);
    body.hidden = !open;
    if (!open) body.replaceChildren();
    else if (!stage.reasons.length) body.replaceChildren(make("p", "bf-more", "This stage refused nothing."));
    else if (!body.childElementCount) {
      body.append(...stage.reasons.map((reason, place) => reasonPart(reason, place === 0)));
    }
  });
  return make("div", "", head, body);
}

// One funnel in an element; returns what ends it.
function render({ model, el }) {
  funnels += 1;
  const data = model.get("_data");
  const view = { model, data, updates: [], id: `bf-${funnels}` };
  const root = make("section", "bi bf", make("p", "bf-says", data.says));
  root.setAttribute("aria-label", funnels > 1 ? `Funnel, number ${funnels}` : "Funnel");
  root.append(...data.stages.map((stage) => row(view, stage)));
  // JupyterLab must not take keys pressed in here for its own: "d d" deletes a cell.
  root.addEventListener("focusin", (event) => {
    event.target.setAttribute("data-lm-suppress-shortcuts", "true");
  });
  const refresh = () => view.updates.forEach((update) => update(model.get("opened")));
  model.on("change", refresh);
  refresh();
  el.append(root);
  return () => {
    model.off("change", refresh);
    root.remove();
  };
}

export default { render };
