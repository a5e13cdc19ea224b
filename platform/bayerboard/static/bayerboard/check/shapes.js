// Shapes of images, whose sides are BigInts where a file says them; 0 stands for a side that the phase leaves open.

export const fits = (shape, expected) =>
  shape.length === expected.length &&
  shape.every((side, place) => side >= 1n && (expected[place] === 0 || side === BigInt(expected[place])));

// As Python writes a tuple.
export const tuple = (shape) => (shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`);

export const shapeLabel = (expected) =>
  expected.includes(0) ? `(height, width, ${expected.at(-1)})` : tuple(expected);
