// The picture: shows an SVG of the controller, sizes it, marks bridges, and lights a packet's way.

import { get } from "./dom.js";

const canvas = get("canvas");
const LEAST = 0.5;
const STEP = 45; // milliseconds from one element of a way to the next

let picture = null;
let scale = 0; // 0: fit
let astray = new Set();
let chosen = "";
let run = 0;
let opens = () => {};

/** Calls `action` with host and bridge when a bridge is clicked, or Enter is pressed on it. */
export function onBridge(action) {
  opens = action;
}

/** Shows the text of an SVG; the policy of this page allows no styles in it: picture.css has them. */
export function draw(text) {
  const plain = text.replace(/<style>[^]*?<\/style>/, "");
  const svg = new DOMParser().parseFromString(plain, "image/svg+xml").documentElement;
  picture = document.importNode(svg, true);
  picture.setAttribute("role", "group");
  picture.setAttribute("aria-label", picture.querySelector("title").textContent);
  for (const bridge of picture.querySelectorAll("g.bridge")) enable(bridge);
  canvas.replaceChildren(picture);
  run += 1;
  resize();
  mark();
}

function enable(bridge) {
  const [, host, name] = bridge.id.split("/").map(decodeURIComponent);
  bridge.setAttribute("tabindex", "0");
  bridge.setAttribute("role", "button");
  bridge.setAttribute("aria-label", `${host} ${name}: its pipeline`);
  bridge.addEventListener("click", () => opens(host, name));
  bridge.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    opens(host, name);
  });
}

/** Marks the bridges of these names (host/bridge) as not in sync. */
export function markAstray(names) {
  astray = new Set(names);
  mark();
}

/** Marks the bridge whose pipeline is shown. */
export function markChosen(name) {
  chosen = name;
  mark();
}

function mark() {
  for (const bridge of picture?.querySelectorAll("g.bridge") ?? []) {
    const name = decodeURIComponent(bridge.id.slice("bridge/".length));
    bridge.classList.toggle("astray", astray.has(name));
    bridge.classList.toggle("chosen", name === chosen);
  }
}

/** Lights the elements of a way, one after the other, and marks the last one if the packet ends there too early. */
export async function light(way, delivered) {
  const mine = ++run;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const elements = [...new Set(way)].map(get).filter((element) => element !== null);
  scrollTo(elements);
  if (!delivered) markEnd(elements.findLast((element) => !element.classList.contains("cable")));
  if (still) return;
  picture.classList.add("lighting");
  for (const element of elements) element.classList.remove("passed");
  for (const element of elements) {
    await new Promise((resolve) => setTimeout(resolve, STEP));
    if (mine !== run) return;
    element.classList.add("passed");
  }
  picture.classList.remove("lighting");
}

function markEnd(element) {
  const mark = document.createElementNS(element.namespaceURI, "tspan");
  mark.setAttribute("class", "end");
  mark.textContent = " ✕ ends here";
  element.classList.add("ended");
  element.querySelector(":scope > text").append(mark);
}

function scrollTo(elements) {
  const box = canvas.getBoundingClientRect();
  const first = elements[0]?.getBoundingClientRect();
  if (first && (first.bottom > box.bottom || first.top < box.top)) canvas.scrollBy(0, first.top - box.top - 80);
}

function resize() {
  if (!picture) return;
  const { width, height } = picture.viewBox.baseVal;
  const fit = Math.min(1, (canvas.clientWidth - 22) / width);
  const size = scale || Math.max(LEAST, fit);
  picture.setAttribute("width", width * size);
  picture.setAttribute("height", height * size);
}

function zoom(factor) {
  const { width } = picture.viewBox.baseVal;
  scale = Math.min(4, Math.max(0.1, (picture.width.baseVal.value / width) * factor));
  resize();
}

get("larger").addEventListener("click", () => zoom(1.25));
get("smaller").addEventListener("click", () => zoom(0.8));
get("fit").addEventListener("click", () => {
  scale = 0;
  resize();
});
new ResizeObserver(resize).observe(canvas);
