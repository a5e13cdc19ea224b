// Sends one file in parts, and goes on from the parts that have arrived: after a pause, a lost connection, a reload.

import { AwsS3, Uppy } from "../../vendor/uppy/uppy.js";
import { NoAnswer, Refusal } from "./api.js";

const PARTS_AT_ONCE = 3;
// Within one try; afterwards the parts are listed anew.
const RETRY_AFTER_MS = [500, 1000, 2000, 4000];
const TRY_AGAIN_AFTER_MS = 5000;
// Refused as it was sent, and right when it is sent again.
const PASSING_CODES = ["upload-address-expired", "part-wrong-size", "upload-incomplete"];
const SILENT = { debug: () => {}, warn: () => {}, error: () => {} };

export class Transfer {
  #uppy = null;
  #stopped = new AbortController();
  #hurry = () => {};
  #isPaused = false;

  // listen: {onProgress(sentBytes), onInterrupted(), onGoing()}.
  constructor(api, file, listen) {
    this.api = api;
    this.file = file;
    this.listen = listen;
  }

  // Resolves when the archive has arrived whole; rejects with a Refusal, or when it is cancelled.
  async send(upload) {
    for (;;) {
      const failure = await this.#try(upload).catch((error) => error);
      this.#stopped.signal.throwIfAborted();
      if (!failure) return;
      if (!isPassing(failure)) throw failure;
      this.listen.onInterrupted();
      await this.#wait();
    }
  }

  pause() {
    this.#isPaused = true;
    this.#uppy?.pauseAll();
  }

  resume() {
    this.#isPaused = false;
    this.#uppy?.resumeAll();
    this.#hurry();
  }

  // Sends nothing any more; what has arrived is the caller's to remove.
  cancel() {
    this.#stopped.abort();
    this.#uppy?.destroy();
    this.#hurry();
  }

  // One try: null when the archive is complete, or why it is not.
  async #try(upload) {
    const plan = await this.api.listParts(upload, this.#stopped.signal);
    if (plan.state === "complete") return null;
    this.listen.onProgress(plan.parts.reduce((sum, part) => sum + part.size_bytes, 0));
    this.listen.onGoing();
    try {
      return await this.#sendParts(upload, plan);
    } finally {
      this.#uppy.destroy();
      this.#uppy = null;
    }
  }

  #sendParts(upload, plan) {
    const { name, type } = this.file;
    this.#uppy = new Uppy({ logger: SILENT }).use(AwsS3, this.#options(plan));
    const id = this.#uppy.addFile({ name, type, data: this.file });
    // Uppy restores an upload that it did not open itself, and then never gives it up on its own account.
    this.#uppy.setFileState(id, { s3Multipart: { key: upload, uploadId: upload } });
    return new Promise((resolve) => {
      this.#stopped.signal.addEventListener("abort", () => resolve(null));
      this.#uppy.on("upload-progress", (_, { bytesUploaded }) => this.listen.onProgress(bytesUploaded));
      this.#uppy.on("upload-success", () => resolve(null));
      this.#uppy.on("upload-error", (_, error) => resolve(failureOf(error)));
      this.#uppy.upload().catch(resolve);
      if (this.#isPaused) this.#uppy.pauseAll();
    });
  }

  #options(plan) {
    const { api } = this;
    return {
      shouldUseMultipart: true,
      limit: PARTS_AT_ONCE,
      retryDelays: RETRY_AFTER_MS,
      getChunkSize: () => plan.part_size_bytes,
      createMultipartUpload: () => Promise.reject(new Error("the upload is open already")),
      // To cancel is the page's affair: Uppy would do so whenever a try fails.
      abortMultipartUpload: () => Promise.resolve(),
      listParts: async (_, { uploadId, signal }) => {
        const { parts } = await api.listParts(uploadId, signal);
        return parts.map(({ number, size_bytes: Size, etag: ETag }) => ({ PartNumber: number, Size, ETag }));
      },
      signPart: (_, { uploadId, partNumber, signal }) => api.signPart(uploadId, partNumber, signal),
      completeMultipartUpload: async (_, { uploadId, parts, signal }) => {
        const sent = parts.map(({ PartNumber: number, ETag: etag }) => ({ number, etag }));
        await api.completeUpload(uploadId, sent, signal);
        return {};
      },
    };
  }

  // Until some seconds have passed, the connection is back, or somebody asks for it.
  #wait() {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#hurry(), TRY_AGAIN_AFTER_MS);
      this.#hurry = () => {
        clearTimeout(timer);
        removeEventListener("online", this.#hurry);
        this.#hurry = () => {};
        resolve();
      };
      addEventListener("online", this.#hurry);
    });
  }
}

// What an address said no to, as the site's words where it said any.
const failureOf = (error) => {
  const { status, responseText } = error.source ?? {};
  if (!status) return error instanceof Refusal ? error : new NoAnswer();
  try {
    return new Refusal(JSON.parse(responseText), status);
  } catch {
    // A storage that speaks XML: a new address may help.
    return new NoAnswer();
  }
};

const isPassing = (failure) =>
  failure instanceof NoAnswer ||
  (failure instanceof Refusal && (failure.isPassing || PASSING_CODES.includes(failure.code)));
