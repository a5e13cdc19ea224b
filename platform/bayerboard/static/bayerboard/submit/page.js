// The submit page: checks the chosen zip, sends it in parts, then submits the form that names the upload.
// Without this script the form sends the file itself, and the server says all that is said here.

import { checkArchive } from "../check/check.js";
import { Problems } from "../check/problems.js";
import { Api, NoAnswer, Refusal } from "./api.js";
import { Memory } from "./memory.js";
import { Panel } from "./panel.js";
import { showReport } from "./report.js";
import { humanSize, plural } from "./sizes.js";
import { Transfer } from "./transfer.js";

class SubmitPage {
  // What the chosen file is: null, {file, state: checking | bad | good | unchecked, fingerprint}.
  #chosen = null;
  #transfer = null;

  constructor(form) {
    const root = form.querySelector("[data-upload]");
    this.form = form;
    this.input = form.elements.archive;
    this.field = form.elements.upload;
    this.button = form.querySelector("button[type=submit]");
    this.panel = new Panel(root);
    this.memory = new Memory(location.pathname);
    this.api = new Api({ ...root.dataset, token: form.elements.csrfmiddlewaretoken.value });
    this.limitBytes = Number(root.dataset.limit);
    this.input.addEventListener("change", () => this.#choose());
    // Before the page's own listener, which lets a form go only once.
    form.addEventListener("submit", (event) => this.#submit(event), { capture: true });
    this.#on("pause", () => this.#pause());
    this.#on("resume", () => this.#resume());
    this.#on("retry", () => this.#transfer?.resume());
    this.#on("cancel", () => this.#cancel());
    this.#on("discard", () => this.#discard());
  }

  #on(name, action) {
    this.panel.buttons[name].addEventListener("click", action);
  }

  // A file may be chosen already, or an upload may wait for its file.
  async start() {
    if (this.input.files.length) return this.#choose();
    const waiting = this.field.value || this.memory.recalled?.upload;
    this.field.value = "";
    if (!waiting) return undefined;
    const plan = await this.#planOf(waiting);
    if (!plan || this.#chosen) return undefined;
    if (plan.state === "complete" || (await this.#completed(waiting, plan)))
      return this.#arrived(waiting, plan.filename);
    const sent = plan.parts.reduce((sum, part) => sum + part.size_bytes, 0);
    this.panel.showProgress(sent, plan.size_bytes);
    return this.panel.say(
      "odd",
      `The upload of ${plan.filename} was interrupted.`,
      "Choose the same file again, and it goes on from what has arrived.",
      ["discard"],
    );
  }

  // Whether all parts had arrived, and the archive is made of them now.
  async #completed(upload, { parts, part_count: count }) {
    if (parts.length < count) return false;
    return this.api.completeUpload(upload, parts).then(
      () => true,
      () => false,
    );
  }

  // The plan of an upload that can still be used; null for any other, which is then forgotten.
  async #planOf(upload) {
    try {
      const plan = await this.api.listParts(upload);
      const isOver = plan.state === "open" && Date.parse(plan.finish_before) < Date.now();
      if (plan.state !== "aborted" && !plan.submission && !isOver) return plan;
    } catch (error) {
      if (error instanceof NoAnswer) return null;
      if (!(error instanceof Refusal)) throw error;
    }
    this.memory.forget();
    return null;
  }

  // --- The check ---

  async #choose() {
    const [file] = this.input.files;
    this.#transfer?.cancel();
    this.#transfer = null;
    this.field.value = "";
    this.panel.hide();
    this.#chosen = null;
    this.button.disabled = false;
    if (!file) return;
    const chosen = { file, state: "checking", fingerprint: null };
    this.#chosen = chosen;
    this.button.disabled = true;
    this.panel.say("busy", `Checking ${file.name}`);
    const report = await this.#check(file);
    // Another file may have been chosen meanwhile.
    if (this.#chosen === chosen) this.#judge(chosen, report);
  }

  // The report, or null where the check cannot be made.
  async #check(file) {
    try {
      const facts = await this.api.facts();
      if (file.size > this.limitBytes) return tooLarge(file, facts, this.limitBytes);
      return await checkArchive(file, facts, (bytes, path) => this.api.readReadme(bytes, path));
    } catch (error) {
      // Signed out meanwhile, say: what is wrong is told like a problem of the zip.
      if (error instanceof Refusal) return { errors: [error], warnings: [], factsheet: null };
      // An old browser, a file that vanished, a site that does not answer: the server checks all the same.
      console.info("the check could not be made:", error);
      return null;
    }
  }

  #judge(chosen, report) {
    const { file } = chosen;
    chosen.state = report === null ? "unchecked" : report.errors.length ? "bad" : "good";
    chosen.fingerprint = report?.fingerprint ?? `${file.name} ${file.size} ${file.lastModified}`;
    this.button.disabled = chosen.state === "bad";
    if (report === null) {
      const hint = "You can send it: the server checks it all the same.";
      this.panel.say("odd", "The zip could not be checked in this browser.", hint);
      return;
    }
    const first = showReport(this.panel.report, report);
    if (first) {
      const text = `${file.name} has ${plural(report.errors.length, "problem")} and cannot be sent.`;
      this.panel.say("bad", text, "Mend what is listed, then choose the new zip.");
      first.tabIndex = -1;
      first.focus();
      return;
    }
    const odd = report.warnings.length ? ` ${plural(report.warnings.length, "thing")} worth knowing below.` : "";
    const resumes = this.memory.recalled?.fingerprint === chosen.fingerprint;
    const next = resumes
      ? "Press Submit, and the upload goes on from what has arrived."
      : "Names and headers of all images fit.";
    this.panel.say("good", `${file.name} can be sent.`, next + odd);
  }

  // --- The upload ---

  #submit(event) {
    // The upload is complete, and the form names it.
    if (this.field.value) {
      this.input.disabled = true;
      return;
    }
    if (!this.#chosen) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const isReady = this.#chosen.state === "good" || this.#chosen.state === "unchecked";
    if (isReady && !this.#transfer) this.#send(this.#chosen);
  }

  async #send({ file, fingerprint }) {
    this.button.disabled = true;
    const transfer = new Transfer(this.api, file, {
      onProgress: (sentBytes) => this.panel.showProgress(sentBytes, file.size),
      onInterrupted: () => this.#sayInterrupted(),
      onGoing: () => this.#sayGoing(file),
    });
    this.#transfer = transfer;
    this.#sayGoing(file);
    this.panel.show();
    try {
      const upload = await this.#openFor(file, fingerprint);
      if (this.#transfer !== transfer) return this.#giveUp(upload);
      await transfer.send(upload);
      this.#transfer = null;
      this.#arrived(upload, file.name);
      return this.form.requestSubmit(this.button);
    } catch (error) {
      if (this.#transfer !== transfer) return undefined;
      this.#transfer = null;
      return this.#fail(error);
    }
  }

  // The upload that this file was on its way in, or a new one.
  async #openFor(file, fingerprint) {
    const recalled = this.memory.recalled;
    if (recalled?.fingerprint === fingerprint && (await this.#planOf(recalled.upload))) return recalled.upload;
    const { upload } = await this.api.openUpload(file);
    this.memory.remember(upload, fingerprint, file.name);
    return upload;
  }

  #sayGoing(file) {
    this.panel.restartRate();
    this.panel.say("busy", `Uploading ${file.name}`, "", ["pause", "cancel"]);
  }

  #sayInterrupted() {
    this.panel.say("odd", "The connection was lost. Trying again …", "What has arrived is kept.", ["retry", "cancel"]);
  }

  #pause() {
    this.#transfer.pause();
    this.panel.say("odd", "The upload is paused.", "What has arrived is kept.", ["resume", "cancel"]);
  }

  #resume() {
    this.#transfer.resume();
    this.#sayGoing(this.#chosen.file);
  }

  #arrived(upload, name) {
    this.field.value = upload;
    this.input.required = false;
    this.button.disabled = false;
    this.panel.hideProgress();
    this.panel.say("good", `${name} has arrived whole.`, "Press Submit to have it scored.", ["discard"]);
  }

  #fail(error) {
    this.button.disabled = false;
    this.panel.hideProgress();
    const isKnown = error instanceof Refusal;
    if (isKnown && !error.isPassing) this.memory.forget();
    if (isKnown) this.panel.say("bad", error.message, error.hint);
    else this.panel.say("bad", "The site does not answer.", "Look at your connection, then press Submit again.");
    this.panel.show();
    if (!isKnown && !(error instanceof NoAnswer)) throw error;
  }

  #cancel() {
    const { file } = this.#chosen;
    this.#transfer.cancel();
    this.#transfer = null;
    this.#giveUp(this.memory.recalled?.upload);
    this.button.disabled = false;
    this.panel.hideProgress();
    const hint = `${file.name} (${humanSize(file.size)}) can still be sent: press Submit.`;
    this.panel.say("good", "The upload is cancelled.", hint);
    this.button.focus();
  }

  #discard() {
    this.#giveUp(this.field.value || this.memory.recalled?.upload);
    this.field.value = "";
    this.input.required = true;
    this.panel.hide();
    this.input.focus();
  }

  // What nobody asks for any more ends by itself, should this not get through.
  #giveUp(upload) {
    this.memory.forget();
    if (upload) this.api.abortUpload(upload).catch(() => undefined);
  }
}

const tooLarge = (file, facts, limitBytes) => {
  const values = { size_bytes: file.size, limit_bytes: limitBytes };
  const errors = [new Problems(facts, file.name).ofArchive("archive-too-large", values)];
  return { errors, warnings: [], factsheet: null };
};

const form = document.querySelector("form:has([data-upload])");
if (form) new SubmitPage(form).start();
