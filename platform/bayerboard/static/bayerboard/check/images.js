// What the header of one image says, against what the phase expects of it.

import { readAll, readStart } from "./contents.js";
import { diagnose, lookAtNpy } from "./npy.js";
import { lookIntoNpz } from "./npz.js";
import { checkPicture, PICTURE_START_BYTES } from "./pictures.js";
import { Fault } from "./problems.js";
import { fits, shapeLabel, tuple } from "./shapes.js";

// Checks the images of one archive. `look` reads a header, for many images at once; `judge` takes what was read, one
// image after the other, and reads the values of the first few that are of a wrong type.
export class ImageCheck {
  #diagnosed = 0;

  constructor(source, facts, problems) {
    this.source = source;
    this.facts = facts;
    this.problems = problems;
  }

  async look(entry, span, spec) {
    const { limits } = this.facts;
    try {
      if (spec.container === "npy") return { npy: await lookAtNpy(this.source, entry, span, limits) };
      if (spec.container === "npz") return { npy: await lookIntoNpz(await readAll(this.source, entry, span), limits) };
      checkPicture(await readStart(this.source, entry, span, PICTURE_START_BYTES), entry, spec, limits);
      return {};
    } catch (error) {
      if (error instanceof Fault) return { fault: error };
      throw error;
    }
  }

  async judge(entry, spec, { npy, fault }) {
    const found = [];
    const say = (code, values) => found.push(this.#problem(code, entry.path, values));
    try {
      if (fault) throw fault;
      if (npy) await this.#compare(npy, spec, say);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      say(error.code, error.values);
    }
    return found;
  }

  async #compare({ header, sizeBytes, readAll: readValues }, spec, say) {
    if (header.isPickled) return say("pickled-array");
    const limit = this.facts.limits.max_entry_bytes;
    if (header.dataBytes !== null && header.dataBytes > limit) {
      return say("npy-claims-too-much", { size_bytes: header.dataBytes, limit_bytes: limit });
    }
    const hasShape = fits(header.shape, spec.shape);
    const hasType = header.dtypeName === spec.dtype;
    if (!hasShape) say("wrong-shape", { actual: tuple(header.shape), expected: shapeLabel(spec.shape) });
    if (!hasType) {
      const code = hasShape ? await this.#diagnose(header, readValues) : "wrong-dtype";
      say(code, { actual: header.dtypeName, expected: spec.dtype });
    }
    const held = sizeBytes - header.dataOffset;
    if (hasShape && hasType && BigInt(held) !== header.dataBytes) {
      say("npy-wrong-length", { actual_bytes: held, announced_bytes: header.dataBytes });
    }
  }

  async #diagnose(header, readValues) {
    const canTell = header.dtype && "if".includes(header.dtype.kind);
    if (!canTell || this.#diagnosed >= this.facts.limits.max_images_diagnosed) return "wrong-dtype";
    this.#diagnosed += 1;
    return diagnose(await readValues(), header);
  }

  #problem(code, file, values = {}) {
    const { array_label: expected, white_level: whiteLevel } = this.facts;
    return this.problems.make(code, file, { expected, white_level: whiteLevel, ...values });
  }
}
