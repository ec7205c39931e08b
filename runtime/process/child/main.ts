/**
 * The program of a guest's process. It is built into `child_program.js`, which
 * a process is given at its start, so that it has nothing to import.
 *
 * @module
 */

import { FRAME, PROTOCOL } from "../frames.ts";
import { Pipe } from "./pipe.ts";

const pipe = new Pipe(Deno.stdin, Deno.stdout);
pipe.send(FRAME.ready, { protocol: PROTOCOL });
// read while the host hears of it and gets its first message ready
const { Child } = await import("./child.ts");
const child = new Child(pipe);
for (;;) {
  const message = pipe.receive();
  if (message === undefined) Deno.exit(0);
  await child.handle(message);
}
