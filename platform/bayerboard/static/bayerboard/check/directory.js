// A zip's table of contents, zip64 too: read as the server reads it, so that both see the same archive.

import { cp437, Source, u16, u32, u64, utf8 } from "./bytes.js";
import { Fault } from "./problems.js";

const LOCAL = 0x04034b50;
const RECORD = 0x02014b50;
const END = 0x06054b50;
const WIDE_END = 0x06064b50;
const WIDE_LOCATOR = 0x07064b50;
const RECORD_BYTES = 46;
const END_BYTES = 22;
const WIDE_END_BYTES = 56;
const WIDE_LOCATOR_BYTES = 20;
const MAX_COMMENT_BYTES = 1 << 16;
// Newer versions of the format are not read.
const MAX_VERSION = 63;
const IN_WIDE = 0xffffffff;
const NAME_IS_UTF8 = 0x800;
// Encrypted, strongly encrypted, directory encrypted.
const ENCRYPTED_FLAGS = 0x1 | 0x40 | 0x2000;
const PATCHED_FLAG = 0x20;
export const STORED = 0;
export const DEFLATED = 8;
const KIND_MASK = 0o170000;
const ORDINARY_KINDS = [0, 0o100000, 0o040000];

// One file in the archive, as its table of contents announces it.
export class Entry {
  constructor(fields) {
    Object.assign(this, fields);
    this.path = fields.rawName.split("\0", 1)[0];
    this.name = this.path.slice(this.path.lastIndexOf("/") + 1);
    this.folder = this.path.slice(0, Math.max(this.path.lastIndexOf("/"), 0));
  }

  get isEncrypted() {
    return Boolean(this.flags & ENCRYPTED_FLAGS);
  }

  get isSupported() {
    return (this.method === STORED || this.method === DEFLATED) && !(this.flags & PATCHED_FLAG);
  }

  get isReadable() {
    return this.isSupported && !this.isEncrypted;
  }

  // A link, a device, a pipe.
  get isSpecial() {
    return !ORDINARY_KINDS.includes((this.attributes >>> 16) & KIND_MASK);
  }

  // A path that could lead outside the folder it is unpacked to, on any system.
  get isUnsafe() {
    const raw = this.rawName;
    return raw.startsWith("/") || raw[1] === ":" || raw.split("/").includes("..") || /[\\\0]/.test(raw);
  }

  get isFolder() {
    return this.path.endsWith("/");
  }
}

// The entries and where their table begins; throws a Fault of the archive.
export const readDirectory = async (source, limits) => {
  if (source.size === 0) throw new Fault("archive-empty");
  const end = await findEnd(source);
  if (end === null) {
    const start = await source.read(0, 4);
    const wasZip = start.length === 4 && u32(start, 0) === LOCAL;
    throw new Fault(wasZip ? "archive-truncated" : "archive-not-zip");
  }
  const start = end.position - end.size - (end.isWide ? WIDE_END_BYTES + WIDE_LOCATOR_BYTES : 0);
  if (start < 0) throw new Fault("archive-damaged");
  const tooMany = new Fault("too-many-entries", { limit: limits.max_entries });
  if (end.size > limits.max_directory_bytes) throw tooMany;
  const table = await source.read(start, end.size);
  const entries = readRecords(table, start - end.offset);
  if (entries.length > limits.max_entries) throw tooMany;
  return { entries, start, table };
};

const findEnd = async (source) => {
  if (source.size < END_BYTES) return null;
  const tailStart = Math.max(source.size - MAX_COMMENT_BYTES - END_BYTES, 0);
  const tail = await source.read(tailStart, source.size - tailStart);
  const last = tail.length - END_BYTES;
  const hasNoComment = u32(tail, last) === END && u16(tail, last + 20) === 0;
  const at = hasNoComment ? last : lastIndexOf(tail, END);
  if (at < 0 || at > last) return null;
  const end = { position: tailStart + at, size: u32(tail, at + 12), offset: u32(tail, at + 16), isWide: false };
  return widen(source, end);
};

const lastIndexOf = (bytes, signature) => {
  for (let at = bytes.length - 4; at >= 0; at -= 1) {
    if (bytes[at] === (signature & 0xff) && u32(bytes, at) === signature) return at;
  }
  return -1;
};

// Zip64 has a second end record before the first.
const widen = async (source, end) => {
  const locator = await source.read(end.position - WIDE_LOCATOR_BYTES, WIDE_LOCATOR_BYTES);
  if (locator.length < WIDE_LOCATOR_BYTES || u32(locator, 0) !== WIDE_LOCATOR) return end;
  if (u32(locator, 4) !== 0 || u32(locator, 16) > 1) throw new Fault("archive-damaged");
  const position = end.position - WIDE_LOCATOR_BYTES - WIDE_END_BYTES;
  if (position < 0) return null;
  const record = await source.read(position, WIDE_END_BYTES);
  if (u32(record, 0) !== WIDE_END) return end;
  return { ...end, size: u64(record, 40), offset: u64(record, 48), isWide: true };
};

const readRecords = (table, shift) => {
  const entries = [];
  let at = 0;
  while (at < table.length) {
    if (at + RECORD_BYTES > table.length || u32(table, at) !== RECORD) throw new Fault("archive-damaged");
    const [nameBytes, extraBytes, commentBytes] = [u16(table, at + 28), u16(table, at + 30), u16(table, at + 32)];
    const nameAt = at + RECORD_BYTES;
    const flags = u16(table, at + 8);
    if (table[at + 6] > MAX_VERSION) throw new Fault("archive-damaged");
    const entry = {
      rawName: decodeName(table.subarray(nameAt, nameAt + nameBytes), flags),
      flags,
      method: u16(table, at + 10),
      crc: u32(table, at + 16),
      packedBytes: u32(table, at + 20),
      sizeBytes: u32(table, at + 24),
      attributes: u32(table, at + 38),
      offset: u32(table, at + 42),
    };
    readExtra(entry, table.subarray(nameAt + nameBytes, nameAt + nameBytes + extraBytes));
    entry.offset += shift;
    entries.push(new Entry(entry));
    at = nameAt + nameBytes + extraBytes + commentBytes;
  }
  return entries;
};

const decodeName = (bytes, flags) => {
  const name = nameOf(bytes, flags);
  if (name === null) throw new Fault("archive-damaged");
  return name;
};

// The text of a file's name; null where it says that it is UTF-8 and is not.
export const nameOf = (bytes, flags) => {
  if (!(flags & NAME_IS_UTF8)) return cp437(bytes);
  try {
    return utf8(bytes);
  } catch {
    return null;
  }
};

// The fields that do not fit into 32 bits, in their order, each only where it is needed.
const readExtra = (entry, extra) => {
  let at = 0;
  while (at + 4 <= extra.length) {
    const [id, length] = [u16(extra, at), u16(extra, at + 2)];
    if (at + 4 + length > extra.length) throw new Fault("archive-damaged");
    if (id === 1) {
      let field = at + 4;
      for (const name of ["sizeBytes", "packedBytes", "offset"]) {
        if (entry[name] !== IN_WIDE) continue;
        if (field + 8 > at + 4 + length) throw new Fault("archive-damaged");
        entry[name] = u64(extra, field);
        field += 8;
      }
    }
    at += 4 + length;
  }
};

export const openZip = async (blob, limits) => {
  const source = new Source(blob);
  return { source, ...(await readDirectory(source, limits)) };
};
