/** What a runtime promises of programs for WASI. */

import { Capabilities } from "../security/capabilities.ts";
import type { Capability } from "../security/types.ts";
import type { ExecuteOptions, ExecuteResult } from "../sandbox_options.ts";
import type { Sandbox } from "../sandbox.ts";
import type { SandboxCase } from "./_runtime_case.ts";
import {
  check,
  checkFails,
  checkInTime,
  checkLimit,
  checkSame,
} from "./_runtime_check.ts";

/** What an ordinary program is granted, and every engine has. */
export const PROGRAM: readonly Capability[] = Object.freeze([
  Capabilities.process(),
  Capabilities.stdio(),
  Capabilities.clock({ mode: "real" }),
  Capabilities.random(),
  Capabilities.environment(),
]);

/** The same, and files. */
export const WITH_FILES: readonly Capability[] = Object.freeze([
  ...PROGRAM,
  Capabilities.memory("/workspace"),
]);

/** Text of bytes. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Runs the guest `command`. */
export function run(
  sandbox: Sandbox,
  what: string,
  options: ExecuteOptions = {},
): Promise<ExecuteResult> {
  return sandbox.execute([what], options);
}

function streamOf(...pieces: readonly string[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(
    pieces.map((piece) => new TextEncoder().encode(piece)),
  );
}

/** Programs. */
export const COMMAND_CASES: readonly SandboxCase[] = [
  {
    name: "executes a program that needs nothing",
    async run(place) {
      await using sandbox = await place.sandbox("silent_start");
      const { exitCode, stdout, stderr } = await sandbox.execute();
      checkSame(exitCode, 0, "its exit code");
      checkSame(stdout.length + stderr.length, 0, "what it wrote");
    },
  },
  {
    name: "gives the exit code",
    async run(place) {
      await using sandbox = await place.sandbox("command", { policy: PROGRAM });
      for (const code of [0, 1, 7, 125]) {
        const { exitCode } = await run(sandbox, `x${code}`);
        checkSame(exitCode, code, "the exit code");
      }
    },
  },
  {
    name: "gives a program its name and arguments",
    async run(place) {
      await using sandbox = await place.sandbox("command", { policy: PROGRAM });
      const { stdout } = await sandbox.execute(["a", "", "ä b"], {
        name: "me",
      });
      checkSame(textOf(stdout), "me\0a\0\0ä b\0", "its arguments");
    },
  },
  {
    name: "carries the standard streams as bytes",
    async run(place) {
      await using sandbox = await place.sandbox("command", { policy: PROGRAM });
      const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
      const { stdout, exitCode } = await run(sandbox, "q", { stdin: bytes });
      checkSame(exitCode, 0, "the exit code");
      checkSame(stdout.toHex(), bytes.toHex(), "the standard output");
      const { stderr } = await run(sandbox, "e10");
      checkSame(stderr.length, 10, "the standard error");
      const { exitCode: read } = await run(sandbox, "i7", {
        stdin: "x".repeat(100),
      });
      checkSame(read, 100, "bytes of the standard input");
      checkSame((await run(sandbox, "i7")).exitCode, 0, "an empty input");
    },
  },
  {
    name: "carries streams",
    async run(place) {
      await using sandbox = await place.sandbox("command", { policy: PROGRAM });
      const { exitCode } = await run(sandbox, "i9", {
        stdin: streamOf("one", "two", "three"),
      });
      checkSame(exitCode, 11, "bytes of a stream");
      const { readable, writable } = new TransformStream<Uint8Array>();
      const written = new Response(readable).bytes();
      const { stdout } = await run(sandbox, "o1000", { stdout: writable });
      await writable.close();
      checkSame(stdout.length, 0, "output beside the stream");
      checkSame((await written).length, 1_000, "output in the stream");
    },
  },
  {
    name: "begins anew with each run",
    async run(place) {
      await using sandbox = await place.sandbox("files", {
        policy: WITH_FILES,
      });
      // the same name is a new file each time, or it would be one more
      for (let turn = 0; turn < 3; turn++) {
        const { exitCode, files } = await run(sandbox, "w5");
        checkSame(exitCode, 0, "the exit code");
        checkSame([...files.keys()].join(), "/workspace/baaa", "its files");
      }
    },
  },
  {
    name: "ends a program that traps, and runs the next",
    async run(place) {
      await using sandbox = await place.sandbox("command", { policy: PROGRAM });
      await checkFails(() => run(sandbox, "u"), "trap", "a program that traps");
      checkSame((await run(sandbox, "x3")).exitCode, 3, "the next run");
    },
  },
  {
    name: "ends a program that recurses without end, and runs the next",
    async run(place) {
      await using sandbox = await place.sandbox("command", { policy: PROGRAM });
      await checkFails(
        () => run(sandbox, "r"),
        ["limit-exceeded", "trap"],
        "a program that recurses",
      );
      checkSame((await run(sandbox, "x3")).exitCode, 3, "the next run");
    },
  },
  {
    name: "ends a program that loops or sleeps beyond its deadline",
    async run(place) {
      const { timeoutMs } = place.runtime.features.limits;
      if (timeoutMs === undefined && place.isolation === "inline") return;
      await using sandbox = await place.sandbox("command", {
        policy: PROGRAM,
        limits: { timeoutMs: 2_000 },
      });
      const limits = { timeoutMs: 300 };
      for (const what of ["s", "z60000"]) {
        const { allowed } = await checkInTime(
          () => checkLimit(() => run(sandbox, what, limits), "timeoutMs", what),
          what,
        );
        checkSame(allowed, 300, "what was allowed");
      }
      checkSame((await run(sandbox, "x3")).exitCode, 3, "the next run");
    },
  },
  {
    name: "sleeps as long as a program asks",
    async run(place) {
      await using sandbox = await place.sandbox("command", { policy: PROGRAM });
      const start = performance.now();
      const { exitCode } = await run(sandbox, "z100");
      checkSame(exitCode, 0, "the exit code");
      const ms = performance.now() - start;
      check(ms > 80, `100 ms of sleep took ${Math.round(ms)} ms`);
    },
  },
  {
    name: "offers WASIX only if it claims it",
    async run(place) {
      const run = async () => {
        await using sandbox = await place.sandbox("wasix", { policy: PROGRAM });
        return (await sandbox.execute()).exitCode;
      };
      if (place.runtime.features.wasix) {
        checkSame(await run(), 0, "the exit code of a program for WASIX");
        return;
      }
      await checkFails(
        run,
        ["import-not-granted", "unsupported"],
        "a program for WASIX",
      );
    },
  },
];
