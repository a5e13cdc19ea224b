// The check before upload: what `python -m scoring check` and the server say of an archive, said in the browser.
// It reads the zip's table of contents and every image's header from the file itself; nothing is sent but the readme,
// which the server reads (it is the only one that knows how).

import { entryFaults } from "./bounds.js";
import { mapParallel } from "./bytes.js";
import { crc32, readStart } from "./contents.js";
import { openZip } from "./directory.js";
import { ImageCheck } from "./images.js";
import { arrange } from "./layout.js";
import { Fault, Problems } from "./problems.js";

const DEFAULT_CONTAINER = "npy";

// Facts of the phase, ready for use.
const prepare = (facts) => {
  const files = facts.manifest.files.map((spec) => {
    const container = spec.container ?? DEFAULT_CONTAINER;
    return { ...spec, container, fileName: `${spec.name}.${container}` };
  });
  return { ...facts, files, suffix: `.${files[0].container}` };
};

// {errors, warnings, factsheet (rows, or null), fingerprint}: the same fingerprint is the same archive, since it is made
// of all names, sizes and checksums. readReadme(bytes, path) gives {factsheet, warnings}.
export const checkArchive = async (file, given, readReadme) => {
  const facts = prepare(given);
  const problems = new Problems(facts, file.name || null);
  try {
    const zip = await openZip(file, facts.limits);
    const report = await inspect(zip, facts, problems, readReadme);
    return { ...report, fingerprint: `${file.size}-${crc32(zip.table).toString(16)}` };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { errors: [problems.ofArchive(error.code, error.values)], warnings: [], factsheet: null, fingerprint: null };
  }
};

const inspect = async ({ source, entries, start }, facts, problems, readReadme) => {
  const { faults, spans } = await entryFaults(source, entries, start, facts.limits);
  const bounds = faults.map(({ code, entry, values }) =>
    entry ? problems.make(code, entry.path, values) : problems.ofArchive(code, values),
  );
  const { members, readme, found } = arrange(entries, facts, problems);
  const errors = [...bounds, ...found.filter((one) => one.level === "error")];
  const warnings = found.filter((one) => one.level === "warning");
  let factsheet = null;
  if (!bounds.length) {
    const images = checkImages(source, members, spans, facts, problems);
    if (readme?.isReadable) {
      const read = await readReadme(await startOf(source, readme, spans, facts.limits), readme.path);
      factsheet = read.factsheet;
      warnings.push(...read.warnings);
    }
    errors.push(...(await images));
  }
  const unlisted = errors.length - facts.limits.max_listed_errors;
  if (unlisted > 0) errors.splice(facts.limits.max_listed_errors, Infinity, problems.ofArchive("more-problems", { count: unlisted }));
  return { errors, warnings, factsheet };
};

const checkImages = async (source, members, spans, facts, problems) => {
  const readable = facts.files.filter((spec) => members.get(spec.name)?.isReadable);
  const images = new ImageCheck(source, facts, problems);
  const looks = await mapParallel(readable, (spec) => {
    const entry = members.get(spec.name);
    return images.look(entry, spans.get(entry), spec);
  });
  const found = [];
  for (const [place, spec] of readable.entries()) found.push(...(await images.judge(members.get(spec.name), spec, looks[place])));
  return found;
};

const startOf = async (source, readme, spans, limits) => {
  try {
    return await readStart(source, readme, spans.get(readme), limits.max_readme_bytes);
  } catch (error) {
    if (error instanceof Fault) return new Uint8Array();
    throw error;
  }
};
