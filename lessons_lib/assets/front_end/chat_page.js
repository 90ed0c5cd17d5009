// The server's page: the same chat as in the notebook, answered by the server's own API.

import { chatBox } from "/chat.js";

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.setAttribute("theme", dark.matches ? "dark" : "light");
dark.addEventListener("change", follow);
follow();

const chat = document.getElementById("chat");
const numbers = JSON.parse(chat.dataset.numbers);
const options = JSON.parse(chat.dataset.options); // at first those that the server was started with
let turns = [];
let running = null; // what stops the reply under way
let model = "";
let key = ""; // where the server asks for one

const view = chatBox(chat, {
  send,
  stop: () => running?.abort(),
  clear() {
    turns = [];
    running?.abort("clear");
    view.show({ turns, message: null, reply: "", busy: false });
  },
  set: (name, value) => { options[name] = value; },
}, numbers);
view.settings(options);
meet();

async function meet() {
  view.ready(" ");
  try {
    let response = await ask("/v1/models");
    while (response.status === 401) {
      const typed = prompt("This server asks for its key:");
      if (typed === null) break;
      key = typed.trim();
      response = await ask("/v1/models");
    }
    model = (await read(response)).data[0].id;
    document.querySelector("h1").textContent = `Chat with ${model}`;
    view.ready("");
    view.area.focus();
  } catch (error) {
    view.ready(`The server does not answer: ${error.message}`);
  }
}

// A request to the API, with the key.
function ask(path, { headers = {}, ...options } = {}) {
  return fetch(path, {
    ...options, headers: key ? { ...headers, Authorization: `Bearer ${key}` } : headers,
  });
}

// A JSON answer, or the error that the server tells.
async function read(response) {
  const body = await response.json();
  if (!response.ok) throw new Error(body.error?.message ?? `status ${response.status}`);
  return body;
}

function body(text) {
  const { max_new_tokens, ...others } = options;
  const earlier = turns.flatMap(({ message, reply }) => [
    { role: "user", content: message }, { role: "assistant", content: reply },
  ]);
  return JSON.stringify({
    model,
    // Without memory only the message counts, so only the message travels.
    messages: [...(options.memory ? earlier : []), { role: "user", content: text }],
    stream: true, max_tokens: max_new_tokens, ...others,
  });
}

async function send(text) {
  const here = running = new AbortController();
  const turn = { message: text, reply: "", finish: "stopped" };
  view.show({ turns, message: text, reply: "", busy: true });
  let notice = "";
  let refused = false;
  try {
    const response = await ask("/v1/chat/completions", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: body(text),
      signal: here.signal,
    });
    if (!response.ok) await read(response);
    for await (const chunk of events(response.body)) {
      if (chunk.error) throw new Error(chunk.error.message);
      const choice = chunk.choices[0];
      if (choice.delta.content && here === running) view.add(choice.delta.content);
      turn.reply += choice.delta.content ?? "";
      if (choice.finish_reason) turn.finish = choice.finish_reason === "stop" ? "end" : "length";
    }
  } catch (error) {
    if (!here.signal.aborted) [notice, refused] = [error.message, true]; // no turn took place
  }
  if (here.signal.reason === "clear") return;
  if (!refused) turns = [...turns, turn];
  view.show({ turns, message: null, reply: "", busy: false });
  view.tell(notice);
  if (refused && !view.area.value) view.area.value = text; // to be mended
}

// The JSON of each server-sent event, up to [DONE].
async function* events(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const data = part.replace(/^data: /, "");
      if (data === "[DONE]") return;
      yield JSON.parse(data);
    }
  }
}
