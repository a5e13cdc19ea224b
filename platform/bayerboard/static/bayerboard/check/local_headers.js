// What stands in front of each file in a zip, against what the table of contents says of it.

import { u16, u32, u64, view, Window } from "./bytes.js";
import { nameOf } from "./directory.js";
import { Fault } from "./problems.js";

const SIGNATURE = 0x04034b50;
const FIXED_BYTES = 30;
// For name and extra field, and with the packed data that holds the header of an image.
const ROOM_BYTES = 1 << 10;
const START_BYTES = ROOM_BYTES + (1 << 13);
const DESCRIPTOR_SIGNATURE = 0x08074b50;
const DESCRIPTOR_BYTES = 24;
const HAS_DESCRIPTOR = 0x8;
// How hard deflate tried: it changes nothing for whoever reads.
const EFFORT_FLAGS = 0x6;
const WIDE_ID = 1;
const IN_WIDE = 0xffffffff;

// The bytes that belong to an entry: header, packed data and data descriptor; throws a Fault of the entry. `source` has
// what begins the entry at hand: a zip of hundreds of images costs one read for each.
export const readSpan = async (file, entry) => {
  const source = await Window.open(
    file,
    entry.offset,
    Math.min(START_BYTES, FIXED_BYTES + ROOM_BYTES + entry.packedBytes),
  );
  const differs = (what) => new Fault("entry-contradicted", { detail: `differs-${what}` });
  const fixed = await source.read(entry.offset, FIXED_BYTES);
  if (fixed.length < FIXED_BYTES || u32(fixed, 0) !== SIGNATURE) throw new Fault("entry-damaged");
  const [flags, method, nameBytes, extraBytes] = [6, 8, 26, 28].map((at) => u16(fixed, at));
  const rest = await source.read(entry.offset + FIXED_BYTES, nameBytes + extraBytes);
  if (rest.length < nameBytes + extraBytes) throw new Fault("entry-damaged");
  if (nameOf(rest.subarray(0, nameBytes), flags) !== entry.rawName) throw differs("name");
  if ((flags ^ entry.flags) & ~EFFORT_FLAGS) throw differs("flags");
  if (method !== entry.method) throw differs("method");
  const told = [u32(fixed, 14), ...sizesOf(fixed, rest.subarray(nameBytes))];
  const expected = [entry.crc, entry.packedBytes, entry.sizeBytes];
  const dataStart = entry.offset + FIXED_BYTES + nameBytes + extraBytes;
  const span = { source, start: entry.offset, dataStart, end: dataStart + entry.packedBytes };
  // Written before they were known, they may be 0 here and stand behind the data.
  const hasDescriptor = Boolean(flags & HAS_DESCRIPTOR);
  const agrees = told.every((value, place) => value === expected[place] || (hasDescriptor && value === 0));
  if (!agrees) throw differs("sizes");
  if (hasDescriptor) {
    const length = descriptorBytes(expected, await source.read(span.end, DESCRIPTOR_BYTES));
    if (!length) throw differs("descriptor");
    span.end += length;
  }
  return span;
};

// Packed and unpacked size; where they do not fit into 32 bits, from the extra field, unpacked first.
const sizesOf = (fixed, extra) => {
  let [packed, size] = [u32(fixed, 18), u32(fixed, 22)];
  if (packed !== IN_WIDE && size !== IN_WIDE) return [packed, size];
  let at = 0;
  while (at + 4 <= extra.length) {
    const [id, length] = [u16(extra, at), u16(extra, at + 2)];
    if (id === WIDE_ID && at + 4 + length <= extra.length) {
      const wide = Array.from({ length: Math.floor(length / 8) }, (_, place) => u64(extra, at + 4 + 8 * place));
      if (size === IN_WIDE && wide.length) size = wide.shift();
      if (packed === IN_WIDE && wide.length) packed = wide.shift();
      return [packed, size];
    }
    at += 4 + length;
  }
  return [packed, size];
};

// With or without its signature, with sizes of 64 or 32 bits; 0 where none of them stands there.
const descriptorBytes = ([crc, packed, size], found) => {
  for (const signature of [4, 0]) {
    if (signature && (found.length < 4 || u32(found, 0) !== DESCRIPTOR_SIGNATURE)) continue;
    for (const width of [8, 4]) {
      const length = signature + 4 + 2 * width;
      if (found.length < length || u32(found, signature) !== crc) continue;
      const read = (at) => (width === 8 ? u64(found, at) : view(found).getUint32(at, true));
      if (read(signature + 4) === packed && read(signature + 4 + width) === size) return length;
    }
  }
  return 0;
};

// Whether any two of them share a byte.
export const overlap = (spans) => {
  const ordered = [...spans].sort((one, other) => one.start - other.start);
  return ordered.some((span, place) => place > 0 && span.start < ordered[place - 1].end);
};
