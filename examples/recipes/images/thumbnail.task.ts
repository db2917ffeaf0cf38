import sharp from "sharp";

// The pool has the threads: one of libvips for each task is enough, and no memory of one task is kept for the next.
sharp.concurrency(1);
sharp.cache(false);

export interface Thumbnail {
  readonly image: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** 24 megapixels: a photo of today. A small file can say that it holds a thousand times more. */
const MAX_PIXELS = 24_000_000;

export default async function thumbnail(image: Uint8Array): Promise<Thumbnail> {
  const { data, info } = await sharp(image, { limitInputPixels: MAX_PIXELS, failOn: "error" })
    .resize({ width: 320, withoutEnlargement: true })
    .jpeg({ quality: 80 })
    .toBuffer({ resolveWithObject: true });
  return { image: data, width: info.width, height: info.height };
}
