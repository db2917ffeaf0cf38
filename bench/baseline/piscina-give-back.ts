import { move } from "piscina";

export default function giveBack(buffer: ArrayBuffer): unknown {
  return move(buffer);
}
