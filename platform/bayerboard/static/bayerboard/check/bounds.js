// What an archive announces beyond the limits, and where its entries differ from its table of contents.

import { mapParallel } from "./bytes.js";
import { overlap, readSpan } from "./local_headers.js";
import { Fault } from "./problems.js";

// Where the table of contents announces too much, or the entries differ from it: the faults, each with its entry
// (or none), and the bytes that belong to each entry that can be read.
export const entryFaults = async (source, entries, tableStart, limits) => {
  const bounds = boundsExceeded(source, entries, limits);
  if (bounds.length) return { faults: bounds, spans: new Map() };
  const spans = new Map();
  const faults = await mapParallel(entries, async (entry) => {
    if (!entry.isReadable) return null;
    try {
      spans.set(entry, await readSpan(source, entry));
      return null;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return { code: error.code, entry, values: error.values };
    }
  });
  const found = faults.filter(Boolean);
  if (overlap([...spans.values(), { start: tableStart, end: source.size }]))
    found.push({ code: "overlapping-entries" });
  return { faults: found, spans };
};

const boundsExceeded = (source, entries, limits) => {
  const found = [];
  const sum = (field) => entries.reduce((total, entry) => total + entry[field], 0);
  if (sum("packedBytes") > source.size) found.push({ code: "overlapping-entries" });
  const total = sum("sizeBytes");
  if (total > limits.max_total_bytes) {
    found.push({ code: "total-too-large", values: { size_bytes: total, limit_bytes: limits.max_total_bytes } });
  }
  for (const entry of entries) {
    if (entry.sizeBytes > limits.max_entry_bytes) {
      const values = { size_bytes: entry.sizeBytes, limit_bytes: limits.max_entry_bytes };
      found.push({ code: "entry-too-large", entry, values });
    } else if (entry.sizeBytes > Math.max(limits.ratio_from_bytes, limits.max_ratio * entry.packedBytes)) {
      found.push({ code: "compression-ratio", entry, values: { limit: limits.max_ratio } });
    }
  }
  return found;
};
