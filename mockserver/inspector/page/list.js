// The list of requests: one line each, the newest first, as many at a time as a screen and a reader can bear.

import { at, clock, counted, el, took } from "./dom.js";

const AT_A_TIME = 200;
const KEPT = 10000;

/** Whether a line has something that makes it worth a colour, and the word for it. */
export function verdict(line) {
  if (line.violations) return [line.severity, counted(line.violations, "violation")];
  if (line.cut) return ["warning", "cut short"];
  return line.status >= 400 ? ["refused", "refused"] : ["clean", "clean"];
}

export class List {
  #lines = []; // the newest first
  #nodes = new Map();
  #shown = AT_A_TIME;
  #opened = "";
  filter = { words: "", verdict: "all", session: "*" };

  /** Take lines, oldest first; with `whole` they are all there is. The journal keeps `total` of all that were told. */
  take(lines, whole, total) {
    const fresh = [...lines].reverse();
    if (whole) this.#nodes.clear();
    this.#lines = (whole ? fresh : [...fresh, ...this.#lines]).slice(0, Math.min(KEPT, total));
  }

  get length() {
    return this.#lines.length;
  }

  /** The names of the sessions that are there. */
  sessions() {
    return [...new Set(this.#lines.map((line) => line.session))].sort();
  }

  /** The line with that id. */
  find(id) {
    return this.#lines.find((line) => line.id === id);
  }

  /** The id of the listed line that many places away from another; "" at an end. */
  beside(id, step) {
    const lines = this.#matching();
    const place = lines.findIndex((line) => line.id === id);
    return place < 0 ? "" : lines[place + step]?.id ?? "";
  }

  /** Show as many again. */
  more() {
    const last = at("rows").lastElementChild;
    this.#shown += AT_A_TIME;
    this.draw();
    last?.nextElementSibling?.querySelector("a").focus();
  }

  /** Begin at the top again, as after another filter. */
  again() {
    this.#shown = AT_A_TIME;
    this.draw();
  }

  /** Mark the line of the request that is open. */
  open(id) {
    this.#nodes.get(this.#opened)?.firstElementChild.removeAttribute("aria-current");
    this.#opened = id;
    this.#nodes.get(id)?.firstElementChild.setAttribute("aria-current", "true");
  }

  /** Put the caret on a line, if it is there. */
  focus(id) {
    const link = this.#nodes.get(id)?.firstElementChild;
    if (link?.isConnected) link.focus();
    return Boolean(link?.isConnected);
  }

  /** Bring the page up to date; what is there stays, so that neither caret nor scroll position is lost. */
  draw() {
    const matching = this.#matching();
    const wanted = matching.slice(0, this.#shown).map((line) => this.#node(line));
    const rows = at("rows");
    const keep = new Set(wanted);
    if (this.#nodes.size > 10 * AT_A_TIME) for (const [id, node] of this.#nodes) if (!keep.has(node)) this.#nodes.delete(id);
    for (const row of [...rows.children]) if (!keep.has(row)) row.remove();
    let place = rows.firstElementChild;
    for (const row of wanted) {
      if (row === place) place = place.nextElementSibling;
      else rows.insertBefore(row, place);
    }
    at("heads").hidden = !wanted.length;
    at("older").hidden = matching.length <= this.#shown;
    return matching.length;
  }

  #matching() {
    const { words, verdict: kind, session } = this.filter;
    const parts = words.toLowerCase().split(/\s+/).filter(Boolean);
    return this.#lines.filter((line) => {
      if (session !== "*" && line.session !== session) return false;
      if (kind === "violated" && !line.violations) return false;
      if (kind === "refused" && line.status < 400) return false;
      if (kind === "clean" && (line.violations || line.cut || line.status >= 400)) return false;
      if (!parts.length) return true;
      line.words ??= [line.id, line.method, line.path, line.operation, line.status, line.rules.join(" "), line.message,
        line.session, line.scenario].join(" ").toLowerCase();
      return parts.every((part) => line.words.includes(part));
    });
  }

  #node(line) {
    let node = this.#nodes.get(line.id);
    if (!node) {
      node = row(line);
      this.#nodes.set(line.id, node);
      if (line.id === this.#opened) node.firstElementChild.setAttribute("aria-current", "true");
    }
    return node;
  }
}

function row(line) {
  const [kind, word] = verdict(line);
  const spoken = (text) => el("span", { class: "spoken" }, text);
  return el("li", {},
    el("a", { href: `#${encodeURIComponent(line.id)}`, class: `row ${kind}` },
      el("span", { class: "when" }, clock(line.started)),
      el("span", { class: "what" },
        el("span", { class: "method" }, line.method), " ", el("bdi", { class: "path" }, line.path), " ",
        line.operation && el("bdi", { class: "operation" }, line.operation), " ",
        line.session && el("span", { class: "tag" }, spoken("session "), el("bdi", {}, line.session)), " ",
        line.scenario && el("span", { class: "tag scenario" }, spoken("scenario "), el("bdi", {}, line.scenario))),
      el("span", { class: line.status >= 400 ? "status bad" : "status" }, spoken("status "), String(line.status)),
      el("span", { class: "verdict" },
        el("span", { class: "word" }, word), " ", line.message && el("bdi", { class: "message" }, line.message)),
      el("span", { class: "took right" }, spoken("took "), took(line.duration_s))));
}
