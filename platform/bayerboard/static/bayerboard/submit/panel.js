// The panel below the file field: one line that says where things stand, a progress bar, and what can be done.

import { humanSize, humanTime } from "./sizes.js";

const RATE_WINDOW_MS = 8000;
const SPOKEN_STEP = 25;

export class Panel {
  #samples = [];
  #spoken = 0;

  constructor(root) {
    this.root = root;
    const find = (name) => root.querySelector(`[data-${name}]`);
    this.line = find("line");
    this.text = find("text");
    this.hint = find("hint");
    this.spoken = find("spoken");
    this.progress = find("progress");
    this.bar = root.querySelector("progress");
    this.sent = find("sent");
    this.rate = find("rate");
    this.report = find("report");
    this.buttons = Object.fromEntries(
      [...root.querySelectorAll("[data-do]")].map((button) => [button.dataset.do, button]),
    );
  }

  // kind: busy, good, bad, odd; actions: which buttons there are.
  say(kind, text, hint = "", actions = []) {
    this.root.hidden = false;
    this.line.dataset.kind = kind;
    this.text.textContent = text;
    this.hint.textContent = hint;
    this.hint.hidden = !hint;
    // Speed and time left say nothing of an upload that stands still.
    if (kind !== "busy") [this.rate.textContent] = this.rate.textContent.split(" · ");
    const focused = document.activeElement;
    for (const [name, button] of Object.entries(this.buttons)) button.hidden = !actions.includes(name);
    // Whoever pressed a button that is gone finds the one that took its place.
    if (focused?.dataset.do && focused.hidden && actions.length) this.buttons[actions[0]].focus();
  }

  hide() {
    this.root.hidden = true;
    this.report.replaceChildren();
    this.hideProgress();
  }

  // The button that begins an upload may lie a page below.
  show() {
    this.line.scrollIntoView({ block: "nearest" });
  }

  hideProgress() {
    this.progress.hidden = true;
  }

  showProgress(sentBytes, totalBytes) {
    this.progress.hidden = false;
    const share = totalBytes ? Math.min(sentBytes / totalBytes, 1) : 0;
    this.bar.value = share;
    this.sent.textContent = `${humanSize(sentBytes)} of ${humanSize(totalBytes)}`;
    this.rate.textContent = [`${Math.floor(share * 100)} %`, ...this.#rate(sentBytes, totalBytes)].join(" · ");
    const step = Math.floor((share * 100) / SPOKEN_STEP) * SPOKEN_STEP;
    if (step > this.#spoken) this.spoken.textContent = `${step} percent uploaded`;
    this.#spoken = Math.max(step, this.#spoken);
  }

  // Speed and the time that is left, by the last seconds.
  #rate(sentBytes, totalBytes) {
    const now = performance.now();
    this.#samples = this.#samples.filter(({ at }) => now - at < RATE_WINDOW_MS);
    this.#samples.push({ at: now, sentBytes });
    const seconds = (now - this.#samples[0].at) / 1000;
    const perSecond = (sentBytes - this.#samples[0].sentBytes) / seconds;
    if (!(seconds >= 1 && perSecond > 0)) return [];
    return [`${humanSize(perSecond)}/s`, `${humanTime((totalBytes - sentBytes) / perSecond)} left`];
  }

  restartRate() {
    this.#samples = [];
  }
}
