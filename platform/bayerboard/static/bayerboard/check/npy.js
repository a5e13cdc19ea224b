// The header of a .npy file, by the server's grammar: no eval, and nothing is unpickled.

import { ascii, view } from "./bytes.js";
import { readAll, readStart } from "./contents.js";
import { Fault } from "./problems.js";

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const TEXT_LENGTH_AT = 8;
const PAIR = new RegExp(
  String.raw`[ \t\r\n]*(?<quote>['"])(?<key>[a-z_]+)\k<quote>[ \t\r\n]*:[ \t\r\n]*` +
    String.raw`(?:(?<open>['"])(?<text>[^'"\\]*)\k<open>|(?<flag>True|False)` +
    String.raw`|\((?<tuple>[0-9, ]*)\)|(?<fields>\[[^\[\]]*\]))` +
    String.raw`[ \t\r\n]*(?:,[ \t\r\n]*(?<last>\})?|(?<end>\}))`,
  "y",
);
const SIDE = /^[0-9]{1,18}$/;
const NUMBER_DESCR = /^(?<order>[<>|=]?)(?:(?<flag>\?)|(?<kind>[biufc])(?<bytes>[0-9]{1,2}))$/;
const OBJECT_DESCR = /^\|?O[0-9]?$/;
const KINDS = {
  b: { name: () => "bool", sizes: [1] },
  i: { name: (bits) => `int${bits}`, sizes: [1, 2, 4, 8] },
  u: { name: (bits) => `uint${bits}`, sizes: [1, 2, 4, 8] },
  f: { name: (bits) => `float${bits}`, sizes: [2, 4, 8, 16] },
  c: { name: (bits) => `complex${bits}`, sizes: [8, 16, 32] },
};

// From the first bytes of a file: {shape, dtypeName, dtype (kind, bytes, isLittle; null for no plain numbers),
// isPickled, dataOffset, dataBytes (null for no plain numbers)}. Sides and sizes are BigInts.
export const parseHeader = (start, limits) => {
  if (!MAGIC.every((byte, place) => start[place] === byte)) throw malformed("npy-signature");
  const isKnown = [1, 2, 3].includes(start[6]) && start[7] === 0;
  if (!isKnown) throw malformed("npy-version");
  const lengthBytes = start[6] === 1 ? 2 : 4;
  const textAt = TEXT_LENGTH_AT + lengthBytes;
  let length = 0;
  start.subarray(TEXT_LENGTH_AT, textAt).forEach((byte, place) => {
    length += byte * 256 ** place;
  });
  if (length > limits.max_npy_header_bytes) {
    throw new Fault("npy-header-too-long", { size_bytes: length, limit_bytes: limits.max_npy_header_bytes });
  }
  const dataOffset = textAt + length;
  if (start.length < dataOffset) throw malformed("npy-ends-in-header");
  const { descr, fortran_order: order, shape } = parseDict(start.subarray(textAt, dataOffset), limits);
  if (typeof descr !== "string" || typeof order !== "boolean" || !Array.isArray(shape)) throw malformed("npy-kind");
  const dtype = numberType(descr);
  return {
    shape,
    dtype,
    dtypeName: dtype ? dtype.name : descr,
    isPickled: OBJECT_DESCR.test(descr),
    dataOffset,
    dataBytes: dtype && shape.reduce((product, side) => product * side, BigInt(dtype.bytes)),
  };
};

// The header of an entry that is a .npy file, and a function that reads its values.
export const lookAtNpy = async (entry, span, limits) => {
  const header = parseHeader(await readStart(entry, span, limits.npy_prefix_bytes), limits);
  return { header, sizeBytes: entry.sizeBytes, readAll: () => readAll(entry, span) };
};

const malformed = (detail) => new Fault("npy-malformed", { detail });

const parseDict = (bytes, limits) => {
  const literal = ascii(bytes)?.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
  const values = new Map();
  PAIR.lastIndex = 1;
  let isClosed = false;
  while (!isClosed) {
    const at = PAIR.lastIndex;
    const pair = literal?.startsWith("{") ? PAIR.exec(literal)?.groups : null;
    if (!pair || values.has(pair.key)) throw malformed("npy-header");
    values.set(pair.key, parseValue(pair, limits));
    isClosed = Boolean(pair.last ?? pair.end);
    if (PAIR.lastIndex === at) throw malformed("npy-header");
  }
  const isWhole = PAIR.lastIndex === literal.length;
  if (!isWhole || values.size !== 3 || !["descr", "fortran_order", "shape"].every((key) => values.has(key))) {
    throw malformed("npy-header");
  }
  return Object.fromEntries(values);
};

const parseValue = (pair, limits) => {
  if (pair.flag) return pair.flag === "True";
  if (pair.tuple !== undefined) return parseTuple(pair.tuple, limits);
  // A list of fields is a structured type: its text is enough to say that it is not expected.
  return pair.fields || pair.text;
};

// One number needs a comma to be a tuple, and several may have one at the end.
const parseTuple = (text, limits) => {
  const sides = text.split(",").map((side) => side.trim());
  const last = sides.pop();
  if (last && !sides.length) throw malformed("npy-header");
  if (last) sides.push(last);
  if (sides.length > limits.max_npy_dimensions || !sides.every((side) => SIDE.test(side)))
    throw malformed("npy-header");
  return sides.map(BigInt);
};

const numberType = (descr) => {
  const found = NUMBER_DESCR.exec(descr)?.groups;
  if (!found) return null;
  const kind = found.flag ? "b" : found.kind;
  const bytes = found.flag ? 1 : Number(found.bytes);
  if (!KINDS[kind].sizes.includes(bytes)) throw malformed("npy-type");
  return { kind, bytes, name: KINDS[kind].name(bytes * 8), isLittle: found.order !== ">" };
};

// What the values of floats or signed integers say about how they came to be of the wrong type: a code.
export const diagnose = (bytes, { dtype, dataOffset, dataBytes }) => {
  if (BigInt(bytes.length - dataOffset) !== dataBytes) {
    throw new Fault("npy-wrong-length", { actual_bytes: bytes.length - dataOffset, announced_bytes: dataBytes });
  }
  const read = readerOf(view(bytes), dtype);
  if (!read) return "wrong-dtype";
  let [allFinite, least, largest] = [true, Infinity, -Infinity];
  for (let at = dataOffset; at < bytes.length; at += dtype.bytes) {
    const value = read(at);
    allFinite &&= Number.isFinite(value);
    if (value < least) least = value;
    if (value > largest) largest = value;
  }
  if (!allFinite) return "not-finite";
  if (least < 0) return "negative-values";
  return dtype.kind === "f" && largest > 0 && largest <= 1 ? "looks-normalised" : "wrong-dtype";
};

const readerOf = (data, { kind, bytes, isLittle }) => {
  const readers = {
    i1: (at) => data.getInt8(at),
    i2: (at) => data.getInt16(at, isLittle),
    i4: (at) => data.getInt32(at, isLittle),
    i8: (at) => Number(data.getBigInt64(at, isLittle)),
    f2: (at) => half(data.getUint16(at, isLittle)),
    f4: (at) => data.getFloat32(at, isLittle),
    f8: (at) => data.getFloat64(at, isLittle),
  };
  return readers[`${kind}${bytes}`];
};

const half = (bits) => {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 0x1f, bits & 0x3ff];
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : (fraction / 1024) * 2 ** -14);
};
