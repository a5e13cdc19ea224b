// Reading numbers and text from bytes, and bytes from a file.

const BLOCK_BYTES = 4096;
const encodings = { utf8: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }), latin1: new TextDecoder("latin1") };
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
export const cp437 = (bytes) => Array.from(bytes, (byte) => (byte < 128 ? String.fromCharCode(byte) : CP437[byte - 128])).join("");
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

// A file (or a blob) to read from at any place. Small reads share blocks: an entry's header, the end of the entry
// before it and the start of its data lie side by side.
export class Source {
  #blocks = new Map();

  constructor(blob) {
    this.blob = blob;
    this.size = blob.size;
  }

  // So many bytes at a position: fewer at the end of the file, none outside.
  async read(position, size) {
    if (position < 0 || position > this.size) return new Uint8Array();
    const end = Math.min(position + size, this.size);
    if (end - position > BLOCK_BYTES) return this.#slice(position, end);
    const first = Math.floor(position / BLOCK_BYTES);
    const last = Math.floor(Math.max(position, end - 1) / BLOCK_BYTES);
    const blocks = [];
    for (let number = first; number <= last; number += 1) blocks.push(this.#block(number));
    const bytes = last > first ? concatenate(await Promise.all(blocks)) : await blocks[0];
    return bytes.subarray(position - first * BLOCK_BYTES, end - first * BLOCK_BYTES);
  }

  #block(number) {
    if (!this.#blocks.has(number)) {
      const start = number * BLOCK_BYTES;
      this.#blocks.set(number, this.#slice(start, Math.min(start + BLOCK_BYTES, this.size)));
    }
    return this.#blocks.get(number);
  }

  async #slice(start, end) {
    return new Uint8Array(await this.blob.slice(start, end).arrayBuffer());
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
