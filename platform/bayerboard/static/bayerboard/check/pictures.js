// What the header of a PNG or JPEG says; the server reads the pixels.

import { view } from "./bytes.js";
import { Fault } from "./problems.js";
import { fits, shapeLabel, tuple } from "./shapes.js";

export const PICTURE_START_BYTES = 1 << 17;
const FORMATS = { png: "PNG", jpg: "JPEG" };
const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const PNG_HEADER_BYTES = 26;
const NO_LENGTH = (marker) => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
// A frame's header, but not a table of Huffman codes, an extension or arithmetic conditioning.
const IS_FRAME = (marker) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

// Throws a Fault where the first bytes of the file show that it is not what `spec` says.
export const checkPicture = (start, entry, spec, limits) => {
  const malformed = new Fault("picture-malformed", { format: FORMATS[spec.container] });
  const header = spec.container === "png" ? readPng(start) : readJpeg(start, start.length < entry.sizeBytes);
  if (header === undefined) throw malformed;
  if (header === null) return;
  if (header.width * header.height > limits.max_picture_pixels) {
    throw new Fault("picture-too-large", { limit: limits.max_picture_pixels });
  }
  const shape = [BigInt(header.height), BigInt(header.width), 3n];
  if (!fits(shape, spec.shape)) {
    throw new Fault("wrong-shape", { actual: tuple(shape), expected: shapeLabel(spec.shape) });
  }
  if (!header.isRgb) throw new Fault("wrong-picture-mode");
};

// undefined for what is no PNG.
const readPng = (start) => {
  const isPng = start.length >= PNG_HEADER_BYTES && PNG_SIGNATURE.every((byte, place) => start[place] === byte);
  if (!isPng || String.fromCharCode(...start.subarray(12, 16)) !== "IHDR") return undefined;
  const data = view(start);
  return { width: data.getUint32(16), height: data.getUint32(20), isRgb: start[24] === 8 && start[25] === 2 };
};

// undefined for what is no JPEG, null where the frame's header lies further behind than was read.
const readJpeg = (start, isCut) => {
  if (start[0] !== 0xff || start[1] !== 0xd8) return undefined;
  const data = view(start);
  let at = 2;
  while (at + 9 < start.length) {
    if (start[at] !== 0xff) return undefined;
    const marker = start[at + 1];
    if (IS_FRAME(marker)) {
      return { height: data.getUint16(at + 5), width: data.getUint16(at + 7), isRgb: start[at + 4] === 8 && start[at + 9] === 3 };
    }
    if (marker === 0xff) at += 1;
    else at += 2 + (NO_LENGTH(marker) ? 0 : data.getUint16(at + 2));
  }
  return isCut ? null : undefined;
};
