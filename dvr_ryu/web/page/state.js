// What is in sync and what is not: asks every two seconds, and tells the header, the panel and the picture.

import { ago, ask, local, number, repeat } from "./asking.js";
import { chip, get, make } from "./dom.js";
import { markAstray } from "./picture.js";

const SECONDS = 2;
let opens = () => {};
let last = "";

/** Calls `action` with host and bridge when a bridge of the table is chosen. */
export function onBridge(action) {
  opens = action;
}

/** Begins to ask. `changed` gets the document whenever topology or flows have changed. */
export function watch(changed) {
  repeat(async () => {
    let found;
    try {
      found = await ask("/status.json");
    } catch (error) {
      summarize("unknown", error.message);
      return;
    }
    tell(found);
    const version = JSON.stringify([found.controller.started, found.controller.since]);
    if (version !== last) changed(found);
    last = version;
  }, SECONDS);
}

function summarize(state, text) {
  const summary = get("summary");
  summary.dataset.state = state;
  if (summary.textContent !== text) summary.textContent = text;
}

function tell(found) {
  const wrong = found.bridges.filter((bridge) => !bridge.in_sync);
  if (found.in_sync) summarize("good", `in sync: ${found.hosts.length} hosts, ${found.bridges.length} bridges`);
  else if (wrong.length) summarize("bad", `not in sync: ${wrong.length} of ${found.bridges.length} bridges`);
  else summarize("bad", "the last save is not in force");
  markAstray(wrong.map((bridge) => `${bridge.host}/${bridge.bridge}`));
  const focused = document.activeElement?.closest?.("#state [data-bridge]")?.dataset.bridge;
  get("state").replaceChildren(...controller(found.controller), bridges(found.bridges));
  if (focused) get("state").querySelector(`[data-bridge="${CSS.escape(focused)}"]`)?.focus();
}

function* controller(state) {
  const { applied, refused } = state.edits;
  yield make("h2", { text: "Controller" });
  const facts = [
    ["listens at", state.listens],
    ["topology", state.topology],
    ["flows", state.flows],
    ["runs for", since(state.started)],
    ["unchanged for", since(state.since)],
    ["edits", `${applied} applied, ${refused} refused`],
    ...state.moving.map((each) => ["moving", `${each.instance} is still on ${each.host}`]),
    ...state.plugged.map(({ instance, hosts }) => ["plugged", `${instance}: ${hosts.join(" and ") || "not plugged in"}`]),
  ];
  yield make("dl", {}, ...facts.flatMap(([name, value]) => [make("dt", { text: name }), make("dd", {}, value)]));
  if (!state.error) return;
  yield make("p", {}, chip("not in force", "bad"), ` the last save, ${local(state.error.time)}:`);
  yield make("pre", { class: "error", tabindex: "0", text: state.error.text });
}

const since = (time) => make("time", { datetime: time, title: local(time), text: ago(time) });

function bridges(found) {
  const heads = ["Bridge", "State", "For"].map((text) => make("th", { scope: "col", text }));
  heads.push(make("th", { scope: "col", class: "number", text: "Flows" }));
  return make(
    "table",
    { "aria-label": "Bridges" },
    make("thead", {}, make("tr", {}, ...heads)),
    make("tbody", {}, ...found.flatMap(rows)),
  );
}

function rows(bridge) {
  const name = `${bridge.host}/${bridge.bridge}`;
  const error = bridge.refused ?? bridge.last_error?.text;
  const open = { type: "button", "data-bridge": name, text: name, click: () => opens(bridge.host, bridge.bridge) };
  const row = make(
    "tr",
    { class: error ? "open" : null },
    make("td", {}, make("button", open)),
    make("td", {}, chip(...word(bridge))),
    make("td", {}, since(bridge.in_sync_since ?? bridge.since)),
    make("td", { class: "number", text: number(bridge.flows) }),
  );
  if (!error) return [row];
  const when = bridge.refused ? "" : `${ago(bridge.last_error.time)} ago: `;
  return [row, make("tr", { class: "error" }, make("td", { colspan: "4", text: `${when}${error}` }))];
}

function word(bridge) {
  if (!bridge.connected) return ["not connected", "bad"];
  if (bridge.refused) return ["refuses its flows", "bad"];
  return bridge.in_sync ? ["in sync", "good"] : ["being changed", "wait"];
}
