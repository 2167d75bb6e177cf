// Makes elements. Text is always text: nothing here parses HTML.

/** An element with properties (class, text, data, aria and other attributes) and children. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "text") element.textContent = value;
    else if (name === "click") element.addEventListener("click", value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** The element with this id. */
export const get = (id) => document.getElementById(id);

/** A chip: a word or two on a coloured ground. */
export const chip = (text, kind = "") => make("span", { class: `chip ${kind}`, text });
