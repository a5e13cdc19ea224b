// What the browser remembers of an upload that may be interrupted: one for each phase.

const PREFIX = "upload:";

export class Memory {
  constructor(path) {
    this.key = PREFIX + path;
  }

  // {upload, fingerprint, name}, or null.
  get recalled() {
    try {
      return JSON.parse(localStorage.getItem(this.key));
    } catch {
      return null;
    }
  }

  remember(upload, fingerprint, name) {
    try {
      localStorage.setItem(this.key, JSON.stringify({ upload, fingerprint, name }));
    } catch {
      // Storage may be forbidden or full: the upload then cannot be resumed after a reload.
    }
  }

  forget() {
    try {
      localStorage.removeItem(this.key);
    } catch {
      // As above.
    }
  }
}
