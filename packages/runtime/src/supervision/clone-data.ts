import { Serializer } from "node:v8";
import { MessagePort } from "node:worker_threads";

const PORT = new TypeError("it holds a MessagePort, which changes hands and cannot be copied");

/** Walks a value as structured cloning does, and writes nothing that is read again. */
class PortFinder extends Serializer {
  _writeHostObject(object: object): void {
    if (object instanceof MessagePort) throw PORT;
    this.writeUint32(0);
  }
  _getSharedArrayBufferId(): number {
    return 0;
  }
  _getDataCloneError = Error;
}

/**
 * Copies by structured cloning. Throws for a MessagePort anywhere in the value before Node sees it: `structuredClone`
 * of a port that is closed ends the process (Node 20 to 26).
 */
export function cloneData(value: unknown): unknown {
  const finder = new PortFinder();
  try {
    finder.writeValue(value);
  } catch (error) {
    // Node copies some of its own objects that a bare serializer refuses, histograms for one.
    if (error === PORT) throw error;
  }
  return structuredClone(value);
}

/** Refuses what has to be shared: Node's own serializer copies a view of shared memory without a word. */
class Leaving extends Serializer {
  _writeHostObject(object: object): never {
    throw new TypeError(`it holds an object of the platform, a ${object.constructor?.name}`);
  }
  _getSharedArrayBufferId(): never {
    throw new TypeError("it holds shared memory");
  }
  _getDataCloneError = TypeError;
}

/** Throws for what no other process can have. */
export function checkLeavesProcess(value: unknown): void {
  new Leaving().writeValue(value);
}
