// Images in .npz files, each with the level that is white in it.

import { entryFaults } from "./bounds.js";
import { readAll } from "./contents.js";
import { openZip } from "./directory.js";
import { lookAtNpy, parseHeader } from "./npy.js";
import { Fault } from "./problems.js";

const RAW_MEMBER = "raw.npy";
const MAX_VAL_MEMBER = "max_val.npy";

// A .npz is a zip within memory, held to the same bounds as the archive it came in.
export const lookIntoNpz = (bytes, limits) =>
  sayOfNpz(async () => {
    const { source, entries, start } = await openZip(new Blob([bytes]), limits);
    const { faults, spans } = await entryFaults(source, entries, start, limits);
    if (faults.length) throw new Fault(faults[0].code);
    const names = entries.map((entry) => entry.path).sort();
    if (names.join() !== [MAX_VAL_MEMBER, RAW_MEMBER].join())
      throw new Fault("npz-malformed", { detail: "npz-members" });
    if (!entries.every((entry) => entry.isReadable)) throw new Fault("npz-malformed", { detail: "npz-packing" });
    const [level, raw] = [MAX_VAL_MEMBER, RAW_MEMBER].map((name) => entries.find((entry) => entry.path === name));
    await checkLevel(level, spans.get(level), limits);
    const npy = await lookAtNpy(raw, spans.get(raw), limits);
    return { ...npy, readAll: () => sayOfNpz(npy.readAll) };
  });

// Says of the .npz what is wrong with the zip that it is; what is wrong with its array has codes of its own.
const sayOfNpz = async (work) => {
  try {
    return await work();
  } catch (error) {
    const isOfZip = error instanceof Fault && !/^(npz|npy|max-val|pickled)-/.test(error.code);
    throw isOfZip ? new Fault("npz-malformed", { detail: "npz-zip", code: error.code }) : error;
  }
};

const checkLevel = async (entry, span, limits) => {
  if (entry.sizeBytes > limits.npy_prefix_bytes) throw new Fault("max-val-invalid");
  const bytes = await readAll(entry, span);
  try {
    const { dtype, dataBytes, dataOffset } = parseHeader(bytes, limits);
    const isOne = dtype && "uif".includes(dtype.kind) && dataBytes === BigInt(dtype.bytes);
    if (!isOne || BigInt(bytes.length - dataOffset) !== dataBytes) throw new Fault("max-val-invalid");
  } catch (error) {
    throw error instanceof Fault ? new Fault("max-val-invalid") : error;
  }
};
