// What the page asks of the site: the facts to check by, and uploads in parts.

const RETRY_AFTER_MS = [500, 1000, 2000, 4000, 8000];

// The site says no: code, message and hint are for the reader.
export class Refusal extends Error {
  constructor({ code, message, hint }, status) {
    super(message);
    Object.assign(this, { code, hint, status });
  }

  // Whether the same request may work later.
  get isPassing() {
    return this.status >= 500 || this.status === 429;
  }
}

// No answer, or none that makes sense: the connection broke, or the site is being restarted.
export class NoAnswer extends Error {}

export class Api {
  constructor({ checkUrl, readmeUrl, openUrl, uploadsUrl, token }) {
    Object.assign(this, { checkUrl, readmeUrl, openUrl, uploadsUrl, token });
  }

  facts() {
    return this.#ask("GET", this.checkUrl);
  }

  readReadme(bytes, path) {
    return this.#ask("POST", `${this.readmeUrl}?${new URLSearchParams({ name: path })}`, { body: bytes });
  }

  openUpload(file) {
    return this.#ask("POST", this.openUrl, { data: { filename: file.name, size_bytes: file.size } });
  }

  listParts(upload, signal) {
    return this.#ask("GET", `${this.uploadsUrl}${upload}/parts/`, { signal });
  }

  // Asked once: Uppy asks again itself.
  signPart(upload, number, signal) {
    return this.#ask("POST", `${this.uploadsUrl}${upload}/parts/${number}/`, { signal, retryAfterMs: [] });
  }

  completeUpload(upload, parts, signal) {
    return this.#ask("POST", `${this.uploadsUrl}${upload}/complete/`, { data: { parts }, signal });
  }

  abortUpload(upload) {
    return this.#ask("DELETE", `${this.uploadsUrl}${upload}/`, { retryAfterMs: [] });
  }

  async #ask(method, url, { data, body, signal, retryAfterMs = RETRY_AFTER_MS } = {}) {
    const headers = { Accept: "application/json", "X-CSRFToken": this.token };
    if (data) headers["Content-Type"] = "application/json";
    for (const waitMs of [...retryAfterMs, null]) {
      try {
        return await answerOf(await fetch(url, { method, headers, signal, body: data ? JSON.stringify(data) : body }));
      } catch (error) {
        const mayWork = error instanceof NoAnswer || error instanceof TypeError || error.isPassing;
        if (!mayWork) throw error;
        if (waitMs === null) throw error instanceof Refusal ? error : new NoAnswer();
        await pause(waitMs, signal);
      }
    }
  }
}

const answerOf = async (response) => {
  const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
  // A page instead of JSON: the sign-in page, or a proxy whose site is away.
  if (!isJson) throw new NoAnswer();
  const answer = await response.json();
  if (!response.ok) throw new Refusal(answer, response.status);
  return answer;
};

const pause = (milliseconds, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
