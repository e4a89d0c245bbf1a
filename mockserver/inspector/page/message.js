// One side of an exchange: its pictures, its body with the marked places, its headers.

import { el, size } from "./dom.js";

/** The whole side; `marks` makes the elements for the violations of a line. */
export function message(side, name, marks) {
  return el("section", { class: "side", "aria-labelledby": `${name}-head` },
    el("h3", { id: `${name}-head` }, name === "request" ? "Request" : "Answer"),
    first(side, name, marks),
    side.cut && el("p", { class: "cut" }, `The transfer ended early: ${side.cut}.`),
    gallery(side.pictures, name),
    body(side.body, name, marks),
    headers(side.headers, name, marks));
}

function first(side, name, marks) {
  const text = name === "request" ? side.target : `Status ${side.status}`;
  return el("div", { class: side.marks.length ? "first marked" : "first" },
    el("code", { dir: "ltr" }, text), marks(side.marks));
}

function headers(rows, name, marks) {
  const marked = rows.some((row) => row.marks.length);
  const lines = rows.map((row) =>
    el("tr", { class: row.marks.length ? "marked" : null },
      el("th", { scope: "row" }, el("bdi", {}, row.name)),
      el("td", {}, row.value === null ? el("em", {}, "absent") : el("bdi", {}, row.value), marks(row.marks))));
  return el("details", { open: marked || name === "request" ? true : null },
    el("summary", {}, `Headers (${rows.filter((row) => row.value !== null).length})`),
    el("table", { class: "headers" },
      el("caption", { class: "spoken" }, name === "request" ? "Headers of the request" : "Headers of the answer"),
      el("thead", { class: "spoken" }, el("tr", {}, el("th", { scope: "col" }, "name"), el("th", { scope: "col" }, "value"))),
      el("tbody", {}, lines)));
}

function body(content, name, marks) {
  if (content.form === "empty") {
    return el("p", { class: "dim" }, "No body.");
  }
  const what = { json: "JSON", parts: "form", text: "text", bytes: "bytes" }[content.form];
  const keep = el("a", { href: content.download, download: "" },
    "Download", el("span", { class: "spoken" }, name === "request" ? " the request's body" : " the answer's body"));
  return el("details", { open: true },
    el("summary", {}, `Body (${what}, ${size(content.bytes)})`),
    el("p", { class: "about dim" }, content.type && el("code", {}, content.type), " ", keep),
    el("div", {
      class: `body ${content.form}`, role: "region", tabindex: "0",
      "aria-label": name === "request" ? "Body of the request" : "Body of the answer",
    }, content.lines.map((line) => bodyLine(line, marks))));
}

function bodyLine(line, marks) {
  const made = el("div", { class: line.marks ? "line marked" : "line" },
    el("code", { class: `code ${line.kind}` },
      line.name !== undefined && [el("bdi", { class: "key" }, line.name), ": "],
      el("bdi", { class: line.kind }, line.text),
      line.end || null),
    line.marks && marks(line.marks));
  made.style.setProperty("--depth", String(line.depth));
  return made;
}

function gallery(pictures, name) {
  if (!pictures.length) return null;
  const shown = pictures.map((picture, index) => el("li", {}, figure(picture, index + 1, name)));
  return el("ul", { class: "gallery", "aria-label": name === "request" ? "Pictures sent" : "Pictures" }, shown);
}

function figure(picture, number, name) {
  const whole = el("figure");
  const words = el("figcaption", {},
    picture.url ? el("bdi", { class: "url" }, picture.url) : `${picture.type}, ${size(picture.bytes)}`);
  const load = () => {
    const image = el("img", {
      src: picture.src, alt: `Picture ${number} of the ${name === "request" ? "request" : "answer"}`, decoding: "async",
    });
    const link = el("a", { href: picture.src, target: "_blank", rel: "noopener noreferrer" }, image);
    image.addEventListener("load", () => words.prepend(`${image.naturalWidth} × ${image.naturalHeight}, `));
    image.addEventListener("error", () => {
      whole.classList.add("far");
      whole.replaceChildren(words, el("p", { class: "dim" }, "This is no picture that can be shown."));
    });
    whole.classList.remove("far");
    whole.replaceChildren(link, words);
    return link;
  };
  if (picture.load) {
    load();
    return whole;
  }
  // an address that may be no picture's is a request to the mock, which would be recorded
  const action = picture.src
    ? el("button", { type: "button", onclick: () => load().focus() }, "Load it")
    : elsewhere(picture.url);
  whole.classList.add("far");
  whole.append(words, el("p", { class: "dim" }, picture.src ? "Perhaps a picture. " : "On another host, which this page does not ask. ", action));
  return whole;
}

function elsewhere(url) {
  return /^https?:\/\//i.test(url)
    ? el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, "Open it in a new tab")
    : null;
}
