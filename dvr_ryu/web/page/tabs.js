// The tabs of the panel, as WAI-ARIA has them: arrow keys move, one tab is in the order of the Tab key.

import { get } from "./dom.js";

const tabs = [...document.querySelectorAll("[role=tab]")];

/** Shows the panel with this id. */
export function show(id) {
  for (const tab of tabs) {
    const chosen = tab.getAttribute("aria-controls") === id;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    get(tab.getAttribute("aria-controls")).hidden = !chosen;
  }
  document.dispatchEvent(new CustomEvent("panel", { detail: id }));
}

/** Whether the panel with this id is shown. */
export const shows = (id) => !get(id).hidden;

const STEPS = { ArrowRight: 1, ArrowLeft: -1 };

for (const [at, tab] of tabs.entries()) {
  tab.addEventListener("click", () => show(tab.getAttribute("aria-controls")));
  tab.addEventListener("keydown", (event) => {
    let to = at + STEPS[event.key];
    if (event.key === "Home") to = 0;
    if (event.key === "End") to = tabs.length - 1;
    if (Number.isNaN(to)) return;
    event.preventDefault();
    const next = tabs[(to + tabs.length) % tabs.length];
    next.focus();
    next.click();
  });
}
