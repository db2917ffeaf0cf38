import { type ChildProgram, childContender } from "./child-program.js";

type Payload = "record" | "small";

/** Two processes, each bound to a scheduler of its own; or as the scheduler decides, which may be on one core. */
type Placement = "two_schedulers" | "unbound";

function erlang(name: string, how: string, module: string, ...args: string[]): ChildProgram {
  return {
    name,
    how,
    source: `erlang/${module}.erl`,
    compile: (source, folder) => ["erlc", "-o", folder, source],
    run: (folder) => ["erl", "-noshell", "+S", "2:2", "-pa", folder, "-run", module, "main", ...args],
  };
}

export function erlangOneWay(payload: Payload, placement: Placement) {
  return childContender(
    erlang(`Erlang, ${placement.replace("_", " ")}`, "!, 1024 on credit", "one_way", payload, placement),
  );
}

export function erlangPingPong(placement: Placement) {
  return childContender(erlang(`Erlang, ${placement.replace("_", " ")}`, "! and receive", "ping_pong", placement));
}

/** Messages among so many processes, on one scheduler. */
export function erlangAmong(processes: number) {
  const program = erlang("Erlang", "!, one scheduler", "among", "rounds", String(processes));
  return childContender({
    ...program,
    run: (folder) => [
      "erl",
      "-noshell",
      "+S",
      "1:1",
      "+P",
      "1000000",
      "-pa",
      folder,
      "-run",
      "among",
      "main",
      "rounds",
      String(processes),
    ],
  });
}
