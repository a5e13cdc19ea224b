// Which entry of an archive is which image, by the table of contents alone: the rules of the server's layout.

import { folded, isImage, isJunk, isNestedArchive, isReadme, likelyStem, naturalOrder } from "./naming.js";

// {members (entries by stem), readme (or null), found (problems)}; facts: what the phase's check.json holds.
export const arrange = (entries, facts, problems) => {
  const layout = { members: new Map(), readme: null, found: [] };
  const say = (...problem) => layout.found.push(problems.make(...problem));
  const sayOfArchive = (...problem) => layout.found.push(problems.ofArchive(...problem));
  let files = safeFiles(entries, say);
  if (!files.length && !layout.found.length) {
    sayOfArchive("archive-no-files");
    return layout;
  }
  refuseUnreadable(files, say);
  files = withoutJunk(files, facts.names, say);
  [layout.readme = null] = files.filter((file) => isReadme(file.name, facts.names)).sort(readmeOrder);
  if (!layout.readme) sayOfArchive("readme-missing");
  const others = takeExactMatches(
    files.filter((file) => file !== layout.readme),
    facts.files,
    layout,
    say,
  );
  const { suffix } = facts;
  refuseAmbiguous(files, say);
  checkFolders(
    files.filter((file) => isImage(file.name, suffix)),
    facts.limits,
    say,
    sayOfArchive,
  );
  // An image that was refused for its path or kind is not missing as well.
  const refused = entries
    .filter((entry) => entry.isUnsafe || entry.isSpecial)
    .map((entry) => stemOf(entry.name, suffix));
  const known = new Set([...layout.members.keys(), ...refused]);
  const missing = facts.files.map((spec) => spec.name).filter((stem) => !known.has(stem));
  const ignored = explainOthers(others, missing, facts, say);
  for (const stem of missing) say("image-missing", stem + suffix);
  for (const file of ignored.slice(0, facts.limits.max_listed_ignored)) say("file-ignored", file.path);
  const unlisted = ignored.length - facts.limits.max_listed_ignored;
  if (unlisted > 0) sayOfArchive("more-files-ignored", { count: unlisted });
  return layout;
};

const stemOf = (name, suffix) => (name.endsWith(suffix) ? name.slice(0, -suffix.length) : name);

const safeFiles = (entries, say) => {
  const files = [];
  for (const entry of entries) {
    if (entry.isUnsafe) say("unsafe-path", entry.rawName);
    else if (entry.isSpecial) say("symlink", entry.path);
    else if (!entry.isFolder) files.push(entry);
  }
  return files;
};

// One error for the archive, not one for each of its hundreds of files.
const refuseUnreadable = (files, say) => {
  const encrypted = files.filter((file) => file.isEncrypted);
  const unsupported = files.filter((file) => !file.isSupported);
  if (encrypted.length) say("archive-encrypted", encrypted[0].path, { count: encrypted.length });
  if (unsupported.length) say("unsupported-compression", unsupported[0].path, { count: unsupported.length });
};

const withoutJunk = (files, names, say) => {
  const junk = files.filter((file) => isJunk(file.path, names));
  if (junk.length) say("junk-ignored", junk[0].path, { count: junk.length });
  return files.filter((file) => !junk.includes(file));
};

// The text file first, then the one nearest to the top.
const readmeOrder = (one, other) => {
  const rank = ({ name, path }) => [!name.toLowerCase().endsWith(".txt"), path.split("/").length, casefold(path)];
  const [first, second] = [rank(one), rank(other)];
  for (const place of first.keys()) {
    if (first[place] < second[place]) return -1;
    if (first[place] > second[place]) return 1;
  }
  return 0;
};

// Fills in the members; returns the files whose names are no image's.
const takeExactMatches = (files, specs, layout, say) => {
  const found = new Map(specs.map((spec) => [spec.fileName, []]));
  const others = files.filter((file) => !found.get(file.name)?.push(file));
  for (const spec of specs) {
    const [first, ...more] = found.get(spec.fileName);
    if (first) layout.members.set(spec.name, first);
    if (more.length) say("image-twice", spec.fileName, { count: more.length + 1 });
  }
  return others;
};

// Paths that are one and the same to some systems.
const refuseAmbiguous = (files, say) => {
  for (const [first, ...others] of groupBy(files, (file) => casefold(file.path.normalize("NFC"))).values()) {
    const other = others.find((file) => file.path !== first.path);
    if (other) say("names-collide", other.path, { other: first.path });
  }
};

// As Python folds it, for all that names of files are likely to hold.
const casefold = (text) => text.toLowerCase().replaceAll("ß", "ss").replaceAll("ς", "σ");

const groupBy = (items, key) => {
  const groups = new Map();
  for (const item of items) {
    const name = key(item);
    if (groups.has(name)) groups.get(name).push(item);
    else groups.set(name, [item]);
  }
  return groups;
};

const checkFolders = (images, limits, say, sayOfArchive) => {
  const folders = [...new Set(images.map((image) => image.folder))].sort(naturalOrder);
  if (folders.length > 1) {
    const shown = folders.map((folder) => `“${folder || "(top)"}”`);
    if (shown.length > limits.max_listed_folders) shown.splice(limits.max_listed_folders, Infinity, "…");
    sayOfArchive("several-folders", { folders: shown.join(", ") });
  } else if (folders.some((folder) => folder.includes("/"))) {
    say("nested-folder", images[0].path);
  }
};

// Says what files are whose names are no image's, and takes from `missing` what one of them explains; returns the
// files that do no harm.
const explainOthers = (others, missing, { suffix, names }, say) => {
  const wanted = groupBy([...missing], (stem) => folded(stem));
  const ignored = [];
  for (const file of others) {
    const meant = wanted.get(likelyStem(file.name, names)) ?? [];
    if (meant.length === 1) {
      const stem = meant.pop();
      missing.splice(missing.indexOf(stem), 1);
      const hasOtherSuffix = file.name.includes(".") && !isImage(file.name, suffix);
      say(hasOtherSuffix ? "wrong-format" : "image-misnamed", file.path, { expected: stem + suffix, suffix });
    } else if (isImage(file.name, suffix)) {
      say("image-surplus", file.path);
    } else if (missing.length && isNestedArchive(file.name, names)) {
      say("nested-archive", file.path);
    } else {
      ignored.push(file);
    }
  }
  return ignored;
};
