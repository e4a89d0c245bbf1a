// The page: keeps list, opened request and controls in step with the mock.

import { ask, at, counted, el } from "./dom.js";
import { detail } from "./detail.js";
import { Feed } from "./feed.js";
import { List } from "./list.js";

const SPOKEN_EVERY_MS = 5000;
const STATES = { live: "live", polling: "asking every second", lost: "the mock does not answer", paused: "paused" };

const list = new List();
let about = null;
let total = 0;
let dropped = 0;
let paused = false;
let held = []; // news that came during a pause
let openedId = "";
let spoken = { at: 0, count: 0, violated: 0, timer: 0 };

const feed = new Feed(told, (how, problem) => {
  state(paused && how !== "lost" ? "paused" : how);
  notice(problem);
});

function state(how) {
  at("state").dataset.state = how;
  if (at("state-text").textContent !== STATES[how]) at("state-text").textContent = STATES[how];
  if (how !== "lost" && !about) introduce();
}

function notice(text) {
  at("notice").hidden = !text;
  if (at("notice").textContent !== text) at("notice").textContent = text;
}

let saidTimer = 0;
function say(text) {
  at("said").textContent = text;
  clearTimeout(saidTimer);
  saidTimer = setTimeout(() => { at("said").textContent = ""; }, 8000);
}

// ---- news

function told(news) {
  if (news.whole) held = [];
  if (paused && !news.whole) held.push(news);
  else take(news);
  if (paused) at("pause").textContent = held.length ? `Go on (${waiting()} new)` : "Go on";
}

const waiting = () => held.reduce((sum, news) => sum + news.requests.length, 0);

function take(news) {
  const fresh = news.requests;
  list.take(fresh, news.whole, news.total);
  total = news.total;
  dropped = news.dropped;
  if (!news.whole) tell(fresh);
  draw();
  scenarios();
}

/** Say in a sentence what came, seldom enough to be bearable. */
function tell(fresh) {
  spoken.count += fresh.length;
  spoken.violated += fresh.filter((line) => line.violations).length;
  clearTimeout(spoken.timer);
  spoken.timer = setTimeout(() => {
    say(`${counted(spoken.count, "new request")}, ${spoken.violated || "none"} with violations.`);
    spoken = { at: Date.now(), count: 0, violated: 0, timer: 0 };
  }, Math.max(300, spoken.at + SPOKEN_EVERY_MS - Date.now()));
}

function draw() {
  sessions();
  const matching = list.draw();
  const all = counted(total, "request");
  const gone = dropped ? `, ${counted(dropped, "older one")} made room` : "";
  at("count").textContent = matching === list.length ? `${total ? all : "No request yet"}${gone}` : `${matching.toLocaleString("en")} of ${all}${gone}`;
  at("har").setAttribute("href", `/__admin/har?session=${encodeURIComponent(list.filter.session)}`);
  empty(matching);
  if (openedId) beside();
}

function empty(matching) {
  const place = at("empty");
  place.hidden = matching > 0;
  const kind = list.length ? "none" : about?.example ? "example" : "bare";
  if (place.hidden || place.dataset.kind === kind) return;
  place.dataset.kind = kind;
  if (kind === "none") {
    place.replaceChildren(el("p", {}, "No request fits the filter."),
      el("button", { type: "button", onclick: unfilter }, "Show everything"));
    return;
  }
  place.replaceChildren(...[
    el("p", {}, "Requests to the mock appear here as they arrive."),
    about && el("p", {}, "Point your program at ", el("code", {}, about.base_url), kind === "example" ? ", or try this:" : "."),
    kind === "example" && el("pre", { tabindex: "0", "aria-label": "An example" }, el("code", {}, about.example)),
  ].filter(Boolean));
}

function unfilter() {
  list.filter = { words: "", verdict: "all", session: "*" };
  at("filter").value = "";
  at("verdict").value = "all";
  at("session").value = "*";
  list.again();
  draw();
  scenarios();
  at("filter").focus();
}

function sessions() {
  const names = new Set(list.sessions());
  if (list.filter.session !== "*") names.add(list.filter.session);
  const wanted = ["*", ...names];
  const select = at("session");
  if (JSON.stringify([...select.options].map((option) => option.value)) === JSON.stringify(wanted)) return;
  select.replaceChildren(...wanted.map((name) =>
    el("option", { value: name }, name === "*" ? "all" : name || "without a name")));
  select.value = list.filter.session;
}

// ---- the mock

async function introduce() {
  about = {};
  try {
    about = await ask("/__admin/about");
  } catch {
    about = null;
    return;
  }
  document.title = `${about.contract}: mock inspector`;
  at("title").textContent = about.title;
  at("base").replaceChildren(el("code", {}, about.base_url), ` · contract ${about.contract}`, el("span", { class: "wide" }, ` · version ${about.version}`));
  draw();
}

/** The session that arming is for: a scenario belongs to one. */
const own = () => (list.filter.session === "*" ? "" : list.filter.session);
const named = () => (own() ? { "Mock-Session": own() } : {});

let asking = 0;
function scenarios() {
  clearTimeout(asking);
  asking = setTimeout(async () => {
    try {
      playing(await ask("/__admin/scenarios", { headers: named() }));
    } catch { /* the feed says it */ }
  }, 300);
}

function playing(found) {
  const select = at("scenario");
  const names = found.scenarios.map((one) => one.name);
  if (JSON.stringify([...select.options].map((option) => option.value)) !== JSON.stringify(names)) {
    select.replaceChildren(...found.scenarios.map((one) => el("option", { value: one.name, title: one.description }, one.name)));
  }
  at("arm").disabled = !names.length;
  at("armed").hidden = !found.armed;
  const whose = found.session ? `session ${found.session}` : "requests without a session";
  at("armed-text").replaceChildren(
    el("span", { class: "pill warning" }, "scenario"), " ", el("bdi", {}, found.armed ?? ""),
    ` is armed for ${whose}; it has answered ${counted(found.answered, "request")}.`);
}

async function change(path, options, done) {
  try {
    const answer = await ask(path, options);
    say(done(answer));
    return answer;
  } catch (problem) {
    notice(problem.message);
    return null;
  }
}

async function arm() {
  const name = at("scenario").value;
  const body = JSON.stringify({ name });
  const found = await change("/__admin/scenarios", { method: "PUT", headers: named(), body }, () => `Scenario ${name} is armed.`);
  if (found) playing(found);
}

async function disarm() {
  const had = document.activeElement === at("disarm");
  const found = await change("/__admin/scenarios", { method: "DELETE", headers: named() }, () => "Answers are normal again.");
  if (found) playing(found);
  if (had) at("arm").focus();
}

function reset() {
  const session = list.filter.session;
  const whose = session === "*" ? "All recorded requests" : session ? `The requests of session ${session}` : "The requests without a session";
  at("sure-text").textContent = `${whose} are forgotten, and scenarios that were armed end.`;
  at("sure").showModal();
}

async function reallyReset() {
  at("sure").close();
  close(false);
  const session = encodeURIComponent(list.filter.session);
  const done = (answer) => `${counted(answer.forgotten, "request")} forgotten.`;
  if (await change(`/__admin/reset?session=${session}`, { method: "POST" }, done)) scenarios();
}

// ---- the opened request

const chosen = () => {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";
  }
};

async function route() {
  const id = chosen();
  if (!id || id === "list") {
    if (openedId) hide();
    return;
  }
  openedId = id;
  list.open(id);
  const made = await detail(id, { close: () => close(true), step, say });
  if (openedId !== id) return;
  at("detail").replaceChildren(...made);
  at("detail").hidden = false;
  document.body.classList.add("open");
  at("detail").scrollTop = 0;
  beside();
  at("opened").focus({ preventScroll: true });
  if (getComputedStyle(at("list")).display === "none") window.scrollTo(0, 0);
}

function step(places) {
  const id = list.beside(openedId, places);
  if (id) location.hash = encodeURIComponent(id);
}

/** Say whether there is a newer and an older request: what arrives and what the filter hides changes it. */
function beside() {
  for (const button of document.querySelectorAll("[data-step]")) {
    button.setAttribute("aria-disabled", String(!list.beside(openedId, Number(button.dataset.step))));
  }
}

function close(back) {
  const id = openedId;
  history.pushState(null, "", location.pathname);
  hide();
  if (back && !list.focus(id)) at("list").focus();
}

function hide() {
  openedId = "";
  list.open("");
  document.body.classList.remove("open");
  at("detail").hidden = true;
  at("detail").replaceChildren();
}

// ---- controls

function pause() {
  paused = !paused;
  at("pause").setAttribute("aria-pressed", String(paused));
  at("pause").textContent = paused ? "Go on" : "Pause";
  if (!paused) for (const news of held.splice(0)) take(news);
  state(paused ? "paused" : "live");
}

function filtered() {
  list.filter = { words: at("filter").value, verdict: at("verdict").value, session: at("session").value };
  list.again();
  draw();
  const shown = list.draw();
  say(`${counted(shown, "request")} shown.`);
}

let typing = 0;
at("filter").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(filtered, 150);
});
at("verdict").addEventListener("change", filtered);
at("session").addEventListener("change", () => {
  filtered();
  scenarios();
});
at("pause").addEventListener("click", pause);
at("arm").addEventListener("click", arm);
at("disarm").addEventListener("click", disarm);
at("reset").addEventListener("click", reset);
at("sure-yes").addEventListener("click", reallyReset);
at("sure-no").addEventListener("click", () => at("sure").close());
at("older").addEventListener("click", () => list.more());
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  at("list").focus();
});

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || at("sure").open) return;
  if (event.key === "Escape" && openedId && event.target !== at("filter")) close(true);
  const link = event.target.closest?.(".row");
  if (link && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    const row = link.parentElement;
    const other = event.key === "ArrowDown" ? row.nextElementSibling : row.previousElementSibling;
    if (other) {
      event.preventDefault();
      other.firstElementChild.focus();
    }
  }
});

window.addEventListener("hashchange", route);
document.addEventListener("visibilitychange", () => (document.hidden ? feed.stop() : feed.start()));
if (!document.hidden) feed.start();
sessions();
route();
