// The last edits of the topology and of flows/, and their differences.

import { ask, local, repeat } from "./asking.js";
import { chip, get, make } from "./dom.js";
import { shows } from "./tabs.js";

const SECONDS = 2;
let last = "";

const MARKS = { "+": "plus", "-": "minus", "@": "at" };

/** Lines of a difference, coloured. */
export function diff(lines) {
  const spans = lines.map((text) => make("span", { class: MARKS[text[0]], text: text || " " }));
  return make("pre", { class: "diff", tabindex: "0" }, ...spans);
}

async function look() {
  const panel = get("edits");
  try {
    const { edits } = await ask("/edits.json");
    const now = JSON.stringify(edits);
    if (now === last) return; // so that a selection or the focus stays
    last = now;
    const none = "No edit since the controller runs. Save the topology, or a file of flows/, and its difference is here.";
    panel.replaceChildren(...(edits.length ? edits.map(entry) : [make("p", { class: "empty", text: none })]));
  } catch (error) {
    last = "";
    panel.replaceChildren(make("p", { class: "empty", role: "alert", text: error.message }));
  }
}

function entry(edit) {
  const time = make("time", { datetime: edit.time, text: local(edit.time) });
  const heading = make("h2", {}, edit.error ? chip("refused", "bad") : chip("applied", "good"), time);
  const parts = edit.files.flatMap((file) => [make("div", { class: "mono", text: file.file }), diff(file.lines)]);
  if (edit.error) parts.push(make("pre", { class: "error", tabindex: "0", text: edit.error }));
  else if (!parts.length) parts.push(make("p", { class: "quiet", text: "The texts are the same as before." }));
  return make("article", { class: "edit" }, heading, ...parts);
}

repeat(look, SECONDS, () => shows("edits"));
document.addEventListener("panel", (event) => {
  if (event.detail === "edits") look();
});
