// What an entry of a zip holds: its first bytes, inflating no more than them, or all of it.

import { concatenate } from "./bytes.js";
import { STORED } from "./directory.js";
import { Fault } from "./problems.js";

const CHUNK_BYTES = 1 << 13;
const LARGE_CHUNK_BYTES = 1 << 20;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

export const crc32 = (bytes) => {
  let value = 0xffffffff;
  for (const byte of bytes) value = CRC_TABLE[(value ^ byte) & 0xff] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
};

// The first bytes of an entry, fewer where it ends before; its checksum is not verified.
export const readStart = (entry, span, sizeBytes) => unpack(entry, span, Math.min(sizeBytes, entry.sizeBytes));

// All bytes of an entry, just as many as announced, with the checksum verified.
export const readAll = async (entry, span) => {
  // One more byte would show that the entry is longer than it announces.
  const bytes = await unpack(entry, span, entry.sizeBytes + 1);
  if (bytes.length !== entry.sizeBytes) throw new Fault("entry-damaged");
  if (crc32(bytes) !== entry.crc) throw new Fault("crc-mismatch");
  return bytes;
};

const unpack = async (entry, span, sizeBytes) => {
  if (entry.method === STORED) return span.source.read(span.dataStart, Math.min(sizeBytes, entry.packedBytes));
  const inflater = new DecompressionStream("deflate-raw");
  const reader = inflater.readable.getReader();
  const wanted = { bytes: sizeBytes };
  // What goes wrong in here is told by the reader, too.
  feed(inflater.writable.getWriter(), wanted, span, entry.packedBytes);
  const pieces = [];
  try {
    while (wanted.bytes > 0) {
      const { value, done } = await reader.read();
      if (done) break;
      pieces.push(value.subarray(0, wanted.bytes));
      wanted.bytes -= pieces.at(-1).length;
    }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Fault("entry-damaged");
  } finally {
    wanted.bytes = 0;
    // Nobody waits for it: the rest of the entry is of no interest.
    reader.cancel().catch(() => undefined);
  }
  return concatenate(pieces);
};

const feed = async (writer, wanted, span, packedBytes) => {
  const chunkBytes = wanted.bytes < 2 * CHUNK_BYTES ? CHUNK_BYTES : LARGE_CHUNK_BYTES;
  try {
    for (let at = 0; at < packedBytes && wanted.bytes > 0; at += chunkBytes) {
      await writer.write(await span.source.read(span.dataStart + at, Math.min(chunkBytes, packedBytes - at)));
      // The reader takes what this gave before more is read from the file.
      if (at + chunkBytes < packedBytes) await new Promise((resolve) => setTimeout(resolve));
    }
    if (wanted.bytes > 0) await writer.close();
  } catch {
    // The stream is damaged, which the reader says, or the reader has enough.
    await writer.abort().catch(() => undefined);
  }
};
