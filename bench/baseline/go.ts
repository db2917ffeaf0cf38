import { join } from "node:path";
import { type ChildProgram, childContender } from "./child-program.js";

function go(how: string, program: string, ...args: string[]): ChildProgram {
  return {
    name: "Go",
    how,
    source: `go/${program}.go`,
    compile: (source, folder) => ["go", "build", "-o", join(folder, program), source],
    run: (folder) => [join(folder, program), ...args],
  };
}

export function goOneWay(payload: "record" | "small") {
  return childContender(go("channel of 1024", "one_way", payload));
}

export function goPingPong() {
  return childContender(go("two channels", "ping_pong"));
}
