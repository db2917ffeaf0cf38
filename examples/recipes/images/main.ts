// Thumbnails in a supervised pool: an image that ends its thread affects no other image. Usage: node main.js
import { pool, startSystem } from "@mini-otp/runtime";
import sharp from "sharp";
import type thumbnail from "./thumbnail.task.js";

await using system = await startSystem({
  name: "images",
  // Memory that libvips allocates counts for no cap: this bounds it, for the whole process.
  guard: { totalMb: 1_024, onUnattributed: "exit" },
});
const thumbnails = await system.startChild(
  pool<typeof thumbnail>({
    id: "thumbnails",
    filename: new URL("./thumbnail.task.js", import.meta.url),
    maxThreads: 2,
    maxQueue: 64,
    taskTimeoutMs: 10_000,
    offHeapCapMb: 128,
  }),
);

const plain = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: "#2f6fdb" }, limitInputPixels: false });
const photo = await plain(1_600, 1_200).jpeg().toBuffer();
const uploads: Record<string, Uint8Array> = {
  "photo.jpeg": photo,
  // A hundred megapixels in a few KB.
  "bomb.png": await plain(10_000, 10_000).png({ compressionLevel: 9 }).toBuffer(),
  "noise.png": Buffer.from("no image at all"),
  "again.jpeg": photo,
};

for (const [name, image] of Object.entries(uploads)) {
  try {
    const { width, height } = await thumbnails.run(image);
    console.log(`${name}: ${width} × ${height}`);
  } catch (error) {
    // sharp's own error: its thread goes on.
    console.log(`${name}: refused, ${(error as Error).message.split("\n")[0]}`);
  }
}
