// News of the journal: server-sent events, or asking again and again where these do not get through.

import { ask } from "./dom.js";

const ASKED_EVERY_MS = 1000;
const PATIENCE_MS = 3000;
const FAILURES = 3;

/** Calls `told` with each piece of news and `state` with "live", "polling" or "lost" until `stop` is called. */
export class Feed {
  #told;
  #state;
  #cursor = "";
  #source = null;
  #timer = 0;
  #failures = 0;
  #running = false;

  constructor(told, state) {
    this.#told = told;
    this.#state = state;
  }

  /** Begin, or go on from where it was stopped. */
  start() {
    if (this.#running) return;
    this.#running = true;
    if (typeof EventSource === "function" && this.#failures < FAILURES) this.#listen();
    else this.#poll();
  }

  /** Let go of the connection; a page that nobody sees does not hold one. */
  stop() {
    this.#running = false;
    this.#source?.close();
    this.#source = null;
    clearTimeout(this.#timer);
  }

  #listen() {
    const source = new EventSource(`/__admin/live?after=${encodeURIComponent(this.#cursor)}`);
    this.#source = source;
    const silent = () => {
      source.close();
      if (!this.#running || this.#source !== source) return;
      this.#source = null;
      this.#failures += 1;
      this.#poll();
    };
    this.#timer = setTimeout(silent, PATIENCE_MS); // something in between may hold events back
    source.onmessage = (event) => {
      clearTimeout(this.#timer);
      this.#failures = 0;
      this.#take(JSON.parse(event.data), "live");
    };
    source.onerror = silent;
  }

  async #poll() {
    try {
      const news = await ask(`/__admin/live?after=${encodeURIComponent(this.#cursor)}`);
      if (!this.#running) return;
      this.#take(news, "polling");
      if (this.#failures < FAILURES && typeof EventSource === "function") {
        this.#listen(); // it answers again
        return;
      }
    } catch (problem) {
      if (!this.#running) return;
      this.#state("lost", problem instanceof TypeError ? "" : problem.message);
    }
    this.#timer = setTimeout(() => this.#poll(), ASKED_EVERY_MS);
  }

  #take(news, how) {
    this.#state(how, "");
    const changed = news.whole || news.cursor !== this.#cursor;
    this.#cursor = news.cursor;
    if (changed) this.#told(news);
  }
}
