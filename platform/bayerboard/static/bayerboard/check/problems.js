// What may be wrong, as a user is told it: codes and sentences come from the server's catalogue, none stands here.

// Something is wrong with the archive or a file in it: a code of the catalogue and the values of its sentence.
export class Fault extends Error {
  constructor(code, values = {}) {
    super(code);
    this.code = code;
    this.values = values;
  }
}

export class Problems {
  // facts: what the phase's check.json holds; archiveName: what messages call the archive.
  constructor({ catalogue, details, unnamed_archive: unnamed, max_shown_characters: length }, archiveName = null) {
    this.catalogue = catalogue;
    this.details = details;
    this.archiveName = archiveName;
    this.unnamed = unnamed;
    this.length = length;
  }

  make(code, file = null, values = {}) {
    const { level, what, to_do: toDo } = this.catalogue[code];
    const shown = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, this.printable(`${value}`)]));
    shown.file = file === null ? this.unnamed : this.printable(file);
    const fill = (template) => template.replace(/\{(\w+)\}/g, (_, name) => shown[name]);
    if (values.detail) shown.reason = shown.what = fill(this.details[values.detail]);
    return { code, level, message: fill(what), hint: fill(toDo), file: file === null ? null : shown.file };
  }

  // Of the archive as a whole.
  ofArchive(code, values = {}) {
    return this.make(code, this.archiveName, values);
  }

  // One line of printable characters, without its middle when it is long.
  printable(text) {
    const characters = Array.from(text, (character) =>
      character === " " || !/[\p{C}\p{Z}]/u.test(character) ? character : "\ufffd",
    );
    if (characters.length <= this.length) return characters.join("");
    const half = Math.floor(this.length / 2);
    return `${characters.slice(0, half - 1).join("")}…${characters.slice(-half).join("")}`;
  }
}
