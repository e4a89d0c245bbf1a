// Elements made of names, attributes and texts. Data only ever becomes a text node or an attribute, never markup.

/** An element; children are elements and texts, what is null or false is left out. */
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "onclick") made.addEventListener("click", value);
    else made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** The element of the page with that id. */
export const at = (id) => document.getElementById(id);

/** A count with its noun. */
export const counted = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;

/** The time of day of a Unix time, with milliseconds. */
export function clock(seconds) {
  const moment = new Date(seconds * 1000);
  const two = (number) => String(number).padStart(2, "0");
  const day = [moment.getHours(), moment.getMinutes(), moment.getSeconds()].map(two).join(":");
  return `${day}.${String(moment.getMilliseconds()).padStart(3, "0")}`;
}

/** A duration to read. */
export function took(seconds) {
  if (seconds < 0.001) return `${Math.max(0.01, seconds * 1000).toFixed(2)} ms`;
  return seconds < 1 ? `${(seconds * 1000).toFixed(seconds < 0.1 ? 1 : 0)} ms` : `${seconds.toFixed(2)} s`;
}

/** A number of bytes to read. */
export function size(bytes) {
  if (bytes < 1024) return counted(bytes, "byte");
  const [number, unit] = bytes < 1024 * 1024 ? [bytes / 1024, "KiB"] : [bytes / 1024 / 1024, "MiB"];
  return `${number < 10 ? number.toFixed(1) : Math.round(number)} ${unit}`;
}

/** A JSON value from the administration; throws an Error with the problem's own sentence. */
export async function ask(path, options = {}) {
  const answer = await fetch(path, options);
  const value = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(value.detail || `the mock answered ${answer.status}`);
  return value;
}
