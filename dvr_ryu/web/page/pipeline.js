// The pipeline of a bridge: its lines, their sentences, and the packets that they have counted.

import { ago, ask, local, number, repeat } from "./asking.js";
import { chip, get, make } from "./dom.js";
import { diff } from "./edits.js";
import { markChosen } from "./picture.js";
import { show, shows } from "./tabs.js";

const SECONDS = 3;
const choice = get("bridge");
const tables = get("tables");
let before = null; // the last document, for packets a second
let asked = 0;
let wanted = ""; // the line to show, as FILE:LINE

/** Offers the bridges of a status document. */
export function offer(bridges) {
  const names = bridges.map((bridge) => `${bridge.host}/${bridge.bridge}`);
  const current = names.includes(choice.value) ? choice.value : names[0];
  choice.replaceChildren(...names.map((name) => make("option", { value: name, text: name })));
  choice.value = current;
}

/** Shows the pipeline of a host's bridge, perhaps with one of its lines (FILE:LINE) in view. */
export function open(host, bridge, location = "") {
  choice.value = `${host}/${bridge}`;
  wanted = location;
  if (location) get("counted").checked = false;
  show("lines");
}

async function look() {
  const mine = ++asked;
  const at = choice.value.lastIndexOf("/");
  const query = { host: choice.value.slice(0, at), bridge: choice.value.slice(at + 1) };
  markChosen(choice.value);
  let found;
  try {
    found = await ask("/lines.json", query);
  } catch (error) {
    if (mine === asked) tables.replaceChildren(make("p", { class: "empty", role: "alert", text: error.message }));
    return;
  }
  if (mine !== asked) return;
  const same = before?.host === found.host && before?.bridge === found.bridge;
  const opened = tables.querySelector("details")?.open;
  tables.replaceChildren(...content(found, same ? before : null, opened));
  before = found;
  point();
}

function point() {
  const line = wanted && tables.querySelector(`[data-location="${CSS.escape(wanted)}"]`);
  if (!line) return;
  line.classList.add("pointed");
  if (tables.dataset.pointed !== wanted) line.scrollIntoView({ block: "center" });
  tables.dataset.pointed = wanted;
}

function* content(found, earlier, opened) {
  const lines = found.tables.flatMap((table) => table.lines);
  const dropped = lines.filter((line) => line.drops).reduce((sum, line) => sum + line.packets, 0);
  const { installed, learned, foreign } = found.flows;
  const counts = [`${number(installed)} flows`, `${number(learned)} learned`];
  if (foreign) counts.push(`${number(foreign)} of others`);
  yield make(
    "p",
    { class: "quiet" },
    `${counts.join(", ")} · `,
    chip(`${number(dropped)} packets met a line that drops`, dropped ? "bad" : ""),
  );
  const rates = ratesOf(found, earlier);
  const most = Math.max(1, ...rates.values());
  for (const table of found.tables) {
    const shown = table.lines.filter((line) => line.packets || !get("counted").checked);
    if (shown.length) yield section(table, shown, rates, most);
  }
  yield changes(found.changes, opened);
}

const key = (table, line) => `${table.number} ${line.file}:${line.line} ${line.learned}`;

function ratesOf(found, earlier) {
  const rates = new Map();
  const seconds = earlier ? found.time - earlier.time : 0;
  const packets = new Map();
  for (const table of earlier?.tables ?? []) {
    for (const line of table.lines) packets.set(key(table, line), line.packets);
  }
  for (const table of found.tables) {
    for (const line of table.lines) {
      const was = packets.get(key(table, line));
      if (was !== undefined && seconds > 0) rates.set(key(table, line), (line.packets - was) / seconds);
    }
  }
  return rates;
}

function section(table, lines, rates, most) {
  return make(
    "section",
    { class: "table", "aria-label": `table ${table.number} ${table.name}` },
    make(
      "h2",
      {},
      make("span", { class: "mono", text: `${table.number} ${table.name}` }),
      make("span", { class: "quiet", text: table.sentence }),
    ),
    make("ol", {}, ...lines.map((line) => row(line, rates.get(key(table, line)) ?? 0, most))),
  );
}

function row(line, rate, most) {
  const state = [line.drops ? "drops" : "", rate > 0 ? "busy" : "", line.packets ? "" : "idle"].join(" ");
  const gauge = make("div", { class: "gauge" });
  gauge.style.width = `${rate > 0 ? Math.max(6, (100 * rate) / most) : 0}%`;
  return make(
    "li",
    { class: `line ${state}`, "data-location": `${line.file}:${line.line}` },
    make(
      "div",
      { class: "count" },
      make("div", { class: "packets", title: `${number(line.bytes)} bytes`, text: number(line.packets) }),
      make("div", { class: "rate", text: rate > 0 ? `${rate < 10 ? rate.toFixed(1) : number(rate)}/s` : "" }, gauge),
    ),
    make(
      "div",
      {},
      make("div", { text: line.sentence }),
      make(
        "div",
        { class: "about" },
        make("span", { class: "location", text: `${line.file}:${line.line}` }),
        line.each ? make("span", { class: "location", text: `each ${line.each}` }) : null,
        line.drops ? chip("drop", "bad") : null,
        line.learned ? chip("learned", "accent") : null,
      ),
      line.source ? make("code", { class: "source", text: line.source }) : null,
    ),
  );
}

function changes(found, opened) {
  const entries = found.flatMap((change) => [
    make("p", { class: "quiet", title: local(change.time), text: `${ago(change.time)} ago: ${change.summary}` }),
    ...(change.lines.length ? [diff(change.lines)] : []),
  ]);
  const none = make("p", { class: "quiet", text: "None since the controller runs." });
  const title = make("summary", { text: "The last changes of this bridge's flows" });
  return make("details", { open: opened ? "" : null }, title, ...(entries.length ? entries : [none]));
}

repeat(look, SECONDS, () => shows("lines") && choice.value !== "");
choice.addEventListener("change", () => {
  wanted = "";
  look();
});
get("counted").addEventListener("change", look);
document.addEventListener("panel", (event) => {
  if (event.detail === "lines" && choice.value) {
    delete tables.dataset.pointed;
    look();
  } else markChosen("");
});
