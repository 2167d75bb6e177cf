// A packet's way: sends the form, lights the way in the picture, and tells its story.

import { ask } from "./asking.js";
import { get, make } from "./dom.js";
import { draw, light } from "./picture.js";
import { show } from "./tabs.js";

const form = get("trace");
const panel = get("way");
const empty = [...panel.childNodes];
let cleared = () => {};
let opens = () => {};
let turn = 0;

/** Calls `action` when the way is to go from the picture. */
export function onClear(action) {
  cleared = action;
}

/** Calls `action` with host, bridge and FILE:LINE when the line of a step is chosen. */
export function onLine(action) {
  opens = action;
}

/** Whether the picture has a way. */
export const isShown = () => new URLSearchParams(location.hash.slice(1)).has("from");

/** Offers names in the form's fields. */
export function offer(names) {
  get("ends").replaceChildren(...names.map((name) => make("option", { value: name })));
}

function query() {
  const found = Object.fromEntries(new FormData(form));
  if (get("port").hidden) delete found.port;
  return found;
}

/** Traces what the form has, and shows its story. */
export const trace = () => follow(query(), true);

/** Traces the way of the picture again, after an edit. The form, and the panel in view, stay as they are. */
export const renew = () => follow(Object.fromEntries(new URLSearchParams(location.hash.slice(1))), false);

async function follow(asked, reveals) {
  const button = form.querySelector("[type=submit]");
  const mine = ++turn;
  button.disabled = true;
  try {
    const found = await ask("/trace.json", asked);
    if (mine !== turn) return; // meanwhile another way was asked for, or none
    history.replaceState(null, "", `#${new URLSearchParams(asked)}`);
    draw(found.svg);
    tell(reveals, ...content(found));
    await light(found.way, found.delivered);
  } catch (error) {
    if (mine === turn) tell(reveals, make("p", { class: "verdict bad", role: "alert", text: error.message }));
  } finally {
    if (mine === turn) button.disabled = false;
  }
}

function tell(reveals, ...elements) {
  panel.replaceChildren(...elements);
  if (!reveals) return;
  panel.scrollTop = 0;
  show("way");
}

function* content(found) {
  const [title, ...lines] = found.lines;
  yield make("h2", { text: title.text });
  const last = lines.filter((line) => line.level === "good" || line.level === "bad");
  const verdict = found.delivered ? last.at(0) : last.find((line) => line.level === "bad");
  yield make("p", { class: `verdict ${found.delivered ? "good" : "bad"}`, role: "status", text: verdict.text });
  yield make("ol", { class: "story" }, ...items(lines));
}

function* items(lines) {
  let host = "";
  for (const line of lines) {
    if (line.level === "host") host = line.text;
    yield item(line, host);
  }
}

function item(line, host) {
  if (line.level !== "step") return make("li", { class: line.level, text: line.text });
  if (!line.label) return make("li", { class: "step plain", text: line.text });
  const parts = [
    make("span", { class: "label", text: line.label }),
    line.file ? lineButton(line.file, host) : null,
    make("span", { class: "text", text: `${"· ".repeat(line.depth)}${line.text}` }),
  ];
  return make("li", { class: "step" }, ...parts.filter((part) => part !== null));
}

function lineButton(file, host) {
  const bridge = file.slice(0, file.indexOf(".flows"));
  const title = `this line in the pipeline of ${host}/${bridge}`;
  return make("button", { type: "button", class: "file", title, text: file, click: () => opens(host, bridge, file) });
}

function clear() {
  turn += 1;
  form.querySelector("[type=submit]").disabled = false;
  history.replaceState(null, "", location.pathname);
  panel.replaceChildren(...empty);
  cleared();
}

function ports() {
  get("port").hidden = !["tcp", "udp"].includes(form.elements.protocol.value);
}

/** Fills the form with what the address of the page says. */
export function restore() {
  const fields = new URLSearchParams(location.hash.slice(1));
  for (const [name, value] of fields) {
    const field = form.elements.namedItem(name);
    if (field?.type === "checkbox") field.checked = true;
    else if (field) field.value = value;
  }
  ports();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  trace();
});
form.addEventListener("change", ports);
form.addEventListener("reset", () => setTimeout(() => (ports(), clear())));
