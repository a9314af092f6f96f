// Reading a QR code out of a picture; the decoder is fetched when it is first needed.

/** Larger pictures are read smaller: a code fills a good part of a screenshot. */
const MOST_PIXELS = 1600;

/** The text of the code in a picture, if one is found. */
export async function readCode(file: Blob): Promise<string | undefined> {
  const [{ default: decode }, picture] = await Promise.all([import("qr/decode.js"), createImageBitmap(file)]);
  // A code at the edge of a picture lacks the light frame that readers look for; and some codes are only found at another size.
  for (const scale of [1, 0.5, 2]) {
    const text = attempt(() => decode(pixels(picture, scale), { effort: 10, timeLimit: 1500 }));
    if (text) return text;
  }
  return undefined;
}

function attempt(work: () => string): string | undefined {
  try {
    return work();
  } catch {
    return undefined; // how the decoder says that there is none
  }
}

function pixels(picture: ImageBitmap, scale: number): ImageData {
  const fit = Math.min(scale, (MOST_PIXELS * scale) / Math.max(picture.width, picture.height));
  const [width, height] = [Math.ceil(picture.width * fit), Math.ceil(picture.height * fit)];
  const margin = 16;
  const canvas = new OffscreenCanvas(width + 2 * margin, height + 2 * margin);
  const pen = canvas.getContext("2d")!;
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(picture, margin, margin, width, height);
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}
