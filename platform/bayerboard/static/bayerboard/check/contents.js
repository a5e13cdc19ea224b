// What an entry of a zip holds: its first bytes, inflating no more than them, or all of it.

import { concatenate } from "./bytes.js";
import { STORED } from "./directory.js";
import { Fault } from "./problems.js";

const CHUNK_BYTES = 4096;

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
export const readStart = (source, entry, span, sizeBytes) => unpack(source, entry, span, Math.min(sizeBytes, entry.sizeBytes));

// All bytes of an entry, just as many as announced, with the checksum verified.
export const readAll = async (source, entry, span) => {
  // One more byte would show that the entry is longer than it announces.
  const bytes = await unpack(source, entry, span, entry.sizeBytes + 1);
  if (bytes.length !== entry.sizeBytes) throw new Fault("entry-damaged");
  if (crc32(bytes) !== entry.crc) throw new Fault("crc-mismatch");
  return bytes;
};

const unpack = async (source, entry, span, sizeBytes) => {
  if (entry.method === STORED) return source.read(span.dataStart, Math.min(sizeBytes, entry.packedBytes));
  const pieces = [];
  const inflater = new DecompressionStream("deflate-raw");
  // What goes wrong in here is told by the reader, too.
  const feeding = feed(inflater.writable.getWriter(), source, span.dataStart, entry.packedBytes, sizeBytes);
  const reader = inflater.readable.getReader();
  let left = sizeBytes;
  try {
    while (left > 0) {
      const { value, done } = await reader.read();
      if (done) break;
      pieces.push(value.subarray(0, left));
      left -= pieces.at(-1).length;
    }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Fault("entry-damaged");
  } finally {
    await reader.cancel().catch(() => undefined);
    await feeding;
  }
  return concatenate(pieces);
};

// In small bits for the start of an entry, so that not much more is inflated than is asked for.
const feed = async (writer, source, start, packedBytes, sizeBytes) => {
  const chunkBytes = Math.max(CHUNK_BYTES, Math.min(sizeBytes, 1 << 20));
  try {
    for (let at = 0; at < packedBytes; at += chunkBytes) {
      await writer.write(await source.read(start + at, Math.min(chunkBytes, packedBytes - at)));
    }
    await writer.close();
  } catch {
    // The stream is damaged, which the reader says, or the reader has enough.
    await writer.abort().catch(() => undefined);
  }
};
