/**
 * The program of a guest's process. It is built into `child_program.js`, which
 * a process is given at its start, so that it has nothing to import but the SDK
 * of Wasmer, which it is given too.
 *
 * @module
 */

import { FRAME, PROTOCOL } from "../../process/frames.ts";
import { Child } from "./child.ts";
import { AsyncPipe } from "./pipe.ts";

// what the engine has to say goes where crashes are told, not among messages
const { console: terminal } = globalThis;
for (const name of ["log", "info", "debug", "warn"] as const) {
  terminal[name] = terminal.error;
}
const pipe = new AsyncPipe({
  input: Deno.stdin,
  output: Deno.stdout,
  onEnd: () => Deno.exit(0),
});
pipe.send(FRAME.ready, { protocol: PROTOCOL });
const child = new Child(pipe);
for (;;) await child.handle(await pipe.receive());
