// Reading numbers and text from bytes, and bytes from a file.

const encodings = {
  utf8: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }),
  latin1: new TextDecoder("latin1"),
};
// The upper half of code page 437, in which zip has names that are not marked as UTF-8.
const CP437 =
  "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀" +
  "αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";

export const view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
export const u16 = (bytes, at) => view(bytes).getUint16(at, true);
export const u32 = (bytes, at) => view(bytes).getUint32(at, true);
// Beyond 2^53 inexact, which no file is.
export const u64 = (bytes, at) => Number(view(bytes).getBigUint64(at, true));

// Throws where the bytes are not UTF-8.
export const utf8 = (bytes) => encodings.utf8.decode(bytes);
export const cp437 = (bytes) =>
  Array.from(bytes, (byte) => (byte < 128 ? String.fromCharCode(byte) : CP437[byte - 128])).join("");
export const ascii = (bytes) => (bytes.every((byte) => byte < 128) ? encodings.latin1.decode(bytes) : null);

export const concatenate = (pieces) => {
  const joined = new Uint8Array(pieces.reduce((total, piece) => total + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
};

// A file (or a blob) to read from at any place.
export class Source {
  constructor(blob) {
    this.blob = blob;
    this.size = blob.size;
  }

  // So many bytes at a position: fewer at the end of the file, none outside.
  async read(position, size) {
    if (position < 0 || position > this.size) return new Uint8Array();
    return new Uint8Array(await this.blob.slice(position, Math.min(position + size, this.size)).arrayBuffer());
  }
}

// A part of a source that is read once, for many small reads; what lies outside comes from the source.
export class Window {
  static async open(source, start, size) {
    return new Window(source, start, await source.read(start, size));
  }

  constructor(source, start, bytes) {
    Object.assign(this, { source, start, bytes });
  }

  async read(position, size) {
    const at = position - this.start;
    const isInside = at >= 0 && at + size <= this.bytes.length;
    return isInside ? this.bytes.subarray(at, at + size) : this.source.read(position, size);
  }
}

// Calls `work` for every item, a few at a time; returns the results in the items' order.
export const mapParallel = async (items, work, atOnce = 32) => {
  const results = new Array(items.length);
  let next = 0;
  const run = async () => {
    while (next < items.length) {
      const place = next;
      next += 1;
      results[place] = await work(items[place], place);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, run));
  return results;
};
