// Bundles uppy.js for the site, with the licences of all that is in it and a manifest of versions and hashes.

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = new URL(".", import.meta.url);
const target = new URL("../platform/bayerboard/static/vendor/uppy/", here);
const BANNER = "/*! Uppy (core, aws-s3) and what it needs: see LICENSES.txt and manifest.json beside this file. */";

const bundle = async () => {
  const result = await build({
    absWorkingDir: fileURLToPath(here),
    entryPoints: ["uppy.js"],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    banner: { js: BANNER },
    metafile: true,
    write: false,
  });
  return { bytes: result.outputFiles[0].contents, inputs: Object.keys(result.metafile.inputs) };
};

// Some keep the text in a file of its own, some at the end of their readme.
const licenceOf = async (folder) => {
  const files = await readdir(folder);
  const own = files.find((file) => /^licen[cs]e/i.test(file));
  if (own) return readFile(new URL(own, folder), "utf8");
  const readme = await readFile(new URL("README.md", folder), "utf8");
  return readme.match(/^## Licen[cs]e[^\n]*\n(.*Copyright.*)$/ms)?.[1] ?? null;
};

const packagesOf = async (inputs) => {
  const folders = inputs.map((input) => input.match(/^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0]);
  const found = new Map();
  for (const folder of new Set(folders.filter(Boolean))) {
    const { name, version, license } = JSON.parse(await readFile(new URL(`${folder}/package.json`, here), "utf8"));
    const text = await licenceOf(new URL(`${folder}/`, here));
    found.set(`${name} ${version}`, { name, version, license, text });
  }
  return [...found.keys()].sort().map((key) => found.get(key));
};

const { bytes, inputs } = await bundle();
const packages = await packagesOf(inputs);
const withoutText = packages.filter((one) => !one.text || !/MIT|ISC|BSD|0BSD|Apache/.test(one.license));
if (withoutText.length) throw new Error(`no licence for ${withoutText.map((one) => one.name).join(", ")}`);

await mkdir(target, { recursive: true });
await writeFile(new URL("uppy.js", target), bytes);
await writeFile(
  new URL("LICENSES.txt", target),
  packages
    .map((one) => `${one.name} ${one.version} (${one.license})\n\n${one.text.trim()}\n`)
    .join(`\n${"-".repeat(80)}\n\n`),
);
const manifest = {
  file: "uppy.js",
  size_bytes: bytes.length,
  sha256: createHash("sha256").update(bytes).digest("hex"),
  packages: packages.map(({ name, version, license }) => ({ name, version, license })),
};
await writeFile(new URL("manifest.json", target), `${JSON.stringify(manifest, null, 2)}\n`);
console.log(`uppy.js: ${bytes.length} bytes, ${packages.length} packages`);
