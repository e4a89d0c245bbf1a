// An opened request: what is wrong with it and by which sentence, both sides, and how to send it again.

import { ask, clock, counted, el, took } from "./dom.js";
import { verdict } from "./list.js";
import { message } from "./message.js";

/** The elements of an opened exchange; `close` and `step` (-1 for a newer one, 1 for an older one) are called by its buttons. */
export async function detail(id, { close, step, say }) {
  const path = `/__admin/requests/${encodeURIComponent(id)}/view`;
  let view;
  try {
    view = await ask(path);
  } catch (problem) {
    return [bar(`Request ${id}`, close, step), el("p", { class: "notice" }, problem.message)];
  }
  const marks = (numbers) => numbers.length > 0 && el("span", { class: "marks" }, numbers.map((number) => mark(view.found[number - 1])));
  return [
    bar(`${view.method} ${view.path}`, close, step),
    facts(view),
    view.found.length > 0 && findings(view.found),
    view.notes.length > 0 && el("ul", { class: "notes", "aria-label": "Notes" }, view.notes.map((note) => el("li", {}, note))),
    message(view.request, "request", marks),
    message(view.response, "response", marks),
    repeat(view.curl, say),
  ].filter(Boolean);
}

function bar(title, close, step) {
  const beside = (label, sign, places) => el("button", {
    type: "button", class: "icon", "aria-label": label, title: label, "data-step": places, onclick: () => step(places),
  }, sign);
  return el("div", { class: "bar" },
    el("button", { type: "button", class: "close", onclick: close }, "Close"),
    el("h2", { id: "opened", tabindex: "-1" }, el("bdi", {}, title)),
    beside("Newer request", "↑", -1), beside("Older request", "↓", 1));
}

function facts(view) {
  const [kind, word] = verdict(view);
  const pairs = [
    ["verdict", el("span", { class: `pill ${kind}` }, word)],
    ["status", el("span", { class: view.status >= 400 ? "status bad" : "status" }, String(view.status))],
    ["operation", view.operation || "none of the contract"],
    ["at", clock(view.started)],
    ["took", took(view.duration_s)],
    ["session", view.session],
    ["scenario", view.scenario],
    ["exchange", el("code", {}, view.id)],
  ];
  return el("dl", { class: "facts" }, pairs.filter(([, value]) => value).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, el("bdi", {}, value)))));
}

function findings(found) {
  return el("section", { class: "findings", "aria-labelledby": "findings-head" },
    el("h3", { id: "findings-head" }, counted(found.length, "violation")),
    el("ol", {}, found.map((one) => el("li", { class: `card ${one.severity}`, id: `finding-${one.number}` }, finding(one)))));
}

function finding(one) {
  const { source } = one;
  const link = /^https?:\/\//i.test(source.page ?? "");
  const where = [source.at, source.page].filter(Boolean).join(", ");
  return [
    el("p", { class: "message" },
      el("span", { class: `pill ${one.severity}` }, one.severity), " ", el("bdi", {}, one.message)),
    el("dl", { class: "told" },
      pair(source.convention ? "convention" : "documented", one.documented),
      pair("came", one.observed)),
    source.quote && el("blockquote", { dir: "auto" }, source.quote),
    source.convention && el("p", { class: "dim" }, source.convention),
    where && el("p", { class: "small" }, link ? el("a", { href: source.page, target: "_blank", rel: "noopener noreferrer" }, where) : where),
    el("p", { class: "small dim" },
      el("code", {}, one.rule), " at ",
      el("button", { type: "button", class: "link", onclick: () => show(`mark-${one.number}`) },
        el("span", { class: "spoken" }, "show the place "), el("code", {}, one.pointer))),
    one.schema && el("p", { class: "small dim" }, "In the contract: ", el("code", {}, one.schema)),
  ];
}

function pair(name, text) {
  return text ? el("div", {}, el("dt", {}, name), el("dd", { dir: "auto" }, text)) : null;
}

function mark(one) {
  return el("button", {
    type: "button", class: `mark ${one.severity}`, id: `mark-${one.number}`, onclick: () => show(`finding-${one.number}`),
  }, el("span", { class: "spoken" }, `violation ${one.number}, ${one.severity}: `), el("bdi", {}, one.message));
}

/** Bring an element of the detail into view, put the caret there and point it out. */
function show(id) {
  const target = document.getElementById(id);
  if (!target) return;
  const details = target.closest("details");
  if (details) details.open = true;
  if (target.tagName !== "BUTTON") target.tabIndex = -1;
  target.focus({ preventScroll: true });
  target.scrollIntoView({ block: "center" });
  target.classList.remove("pointed");
  requestAnimationFrame(() => target.classList.add("pointed"));
}

function repeat(command, say) {
  const code = el("code", {}, command);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(command);
      say("The command is in the clipboard.");
    } catch {
      getSelection().selectAllChildren(code); // no clipboard outside a secure context
      say("The command is selected: copy it.");
    }
  };
  return el("section", { class: "side", "aria-labelledby": "repeat-head" },
    el("h3", { id: "repeat-head" }, "Send it again"),
    el("p", { class: "about" }, el("button", { type: "button", onclick: copy }, "Copy"),
      el("span", { class: "dim" }, " The key is read from the environment: it was never kept.")),
    el("pre", { tabindex: "0", "aria-label": "curl command" }, code));
}
