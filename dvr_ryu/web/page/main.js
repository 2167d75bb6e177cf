// Puts the parts together: what one of them does when another one is used.

import { ask } from "./asking.js";
import { get, make } from "./dom.js";
import * as picture from "./picture.js";
import * as pipeline from "./pipeline.js";
import * as state from "./state.js";
import * as way from "./way.js";

const shown = get("shown");
let started = false;

async function names() {
  const found = await ask("/names.json");
  way.offer(found.ends);
  const options = found.hosts.map((host) => make("option", { value: host, text: host }));
  if (found.whole) options.unshift(make("option", { value: "", text: "all hosts" }));
  const current = shown.value;
  shown.replaceChildren(...options);
  shown.value = [...shown.options].some((option) => option.value === current) ? current : shown.options[0].value;
}

async function drawn() {
  const hadWay = way.isShown();
  const overtaken = () => way.isShown() && !hadWay; // the way's own picture has come meanwhile
  try {
    const { svg } = await ask("/picture.json", shown.value ? { host: shown.value } : {});
    if (!overtaken()) picture.draw(svg);
  } catch (error) {
    if (overtaken()) return;
    get("canvas").replaceChildren(make("p", { class: "empty", role: "alert", text: error.message }));
  }
}

async function renew(status) {
  pipeline.offer(status.bridges);
  try {
    await names();
  } catch {
    // the picture, or the way, tells why
  }
  if (!way.isShown()) await drawn();
  else if (started) await way.renew();
  else await way.trace();
  started = true;
}

picture.onBridge(pipeline.open);
state.onBridge(pipeline.open);
way.restore();
way.onClear(drawn);
way.onLine(pipeline.open);
shown.addEventListener("change", drawn);
state.watch(renew);
