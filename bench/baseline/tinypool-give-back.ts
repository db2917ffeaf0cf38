import Tinypool from "tinypool";

export default function giveBack(buffer: ArrayBuffer): unknown {
  return Tinypool.move(buffer);
}
