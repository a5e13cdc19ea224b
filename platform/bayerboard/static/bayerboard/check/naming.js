// What the names of files in an archive say; `names` are the server's own lists, from the phase's check.json.

const endsWithAny = (name, suffixes) => suffixes.some((suffix) => name.toLowerCase().endsWith(suffix));

export const isJunk = (path, names) => {
  const folders = path.split("/");
  const name = folders.pop();
  return (
    folders.some((folder) => names.junk_folders.includes(folder)) ||
    names.junk_names.includes(name.toLowerCase()) ||
    name.startsWith(names.junk_prefix)
  );
};

export const isReadme = (name, names) =>
  name.toLowerCase().startsWith("readme") && !endsWithAny(name, names.image_suffixes);

export const isImage = (name, suffix) => name.toLowerCase().endsWith(suffix);

export const isNestedArchive = (name, names) => endsWithAny(name, names.nested_suffixes);

// The stem that a file's name probably means, to compare with `folded` stems.
export const likelyStem = (name, names) => {
  const withoutSuffix = (text) => text.slice(0, Math.max(text.lastIndexOf("."), 0));
  const stem = withoutSuffix(name) || name;
  // numpy.save adds the suffix to a name that has it in capitals.
  return folded(endsWithAny(stem, names.image_suffixes) ? withoutSuffix(stem) : stem);
};

// A stem without what people change by accident: case, leading zeros, kind and number of separators.
export const folded = (stem) =>
  stem
    .trim()
    .replace(/[\s_-]+/gu, "_")
    .toLowerCase()
    .replace(/(?<![0-9])0+(?=[0-9])/g, "");

// Compares names with numbers read as numbers: 6_2 before 6_10.
export const naturalOrder = (one, other) => {
  const [first, second] = [one, other].map((name) => name.split(/([0-9]+)/));
  for (let place = 0; place < Math.min(first.length, second.length); place += 1) {
    const [left, right] = [first[place], second[place]];
    if (left === right) continue;
    const [leftNumber, rightNumber] = [left, right].map((part) => (/^[0-9]+$/.test(part) ? BigInt(part) : null));
    if (leftNumber !== null && rightNumber !== null && leftNumber !== rightNumber)
      return leftNumber < rightNumber ? -1 : 1;
    return left < right ? -1 : 1;
  }
  return first.length - second.length;
};
