// Asks the controller for documents, and writes numbers and times for people.

/** What the controller answers at a path; an Error with a text for people if it does not. */
export async function ask(path, query = {}) {
  const parameters = new URLSearchParams(query).toString();
  let response;
  try {
    response = await fetch(parameters ? `${path}?${parameters}` : path, { signal: AbortSignal.timeout(90000) });
  } catch {
    throw new Error("the controller does not answer");
  }
  const type = response.headers.get("Content-Type") ?? "";
  if (!type.startsWith("application/json")) throw new Error((await response.text()).trim() || response.statusText);
  const found = await response.json();
  if (found.error) throw new Error(found.error);
  return found;
}

/** Calls a function now and then: `seconds` after it is done, while the page is seen and `wanted` holds. */
export function repeat(action, seconds, wanted = () => true) {
  const turn = async () => {
    if (!document.hidden && wanted()) await action();
    setTimeout(turn, 1000 * seconds);
  };
  turn();
}

/** How long ago a time was, in its largest unit. */
export function ago(time) {
  const seconds = Math.max(0, (Date.now() - Date.parse(time)) / 1000);
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

/** A time of the controller as a local one. */
export const local = (time) => new Date(time).toLocaleString();

/** A number with a space between thousands. */
export const number = (value) => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, "\u202f");
