export { decodeFrame, encodeFrame } from "./link/frame.js";
