/** What a runtime promises of grants: what is granted works, the rest not. */

import { SandboxError } from "../errors.ts";
import type { ExecuteOptions } from "../sandbox_options.ts";
import { Capabilities } from "../security/capabilities.ts";
import type { Capability } from "../security/types.ts";
import type { SandboxCase } from "./_runtime_case.ts";
import { check, checkSame } from "./_runtime_check.ts";
import { PROGRAM, run, textOf, WITH_FILES } from "./_runtime_command_cases.ts";
import type { SandboxPlace } from "./_runtime_place.ts";

/** How a run ended: with its exit code and output, or by an error. */
interface End {
  readonly exitCode?: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly files: readonly string[];
  readonly error?: SandboxError;
}

/** What the guest `files` does. */
const FILE_ACTIONS = "dfgpw";

const NOTHING = { stdout: "", stderr: "", files: [] };

/** Runs a program under a policy, which may be refused from the start. */
async function end(
  place: SandboxPlace,
  policy: readonly Capability[],
  what: string,
  options: ExecuteOptions = {},
): Promise<End> {
  const guest = FILE_ACTIONS.includes(what.charAt(0)) ? "files" : "command";
  try {
    await using sandbox = await place.sandbox(guest, { policy });
    const result = await run(sandbox, what, options);
    return {
      exitCode: result.exitCode,
      stdout: textOf(result.stdout),
      stderr: textOf(result.stderr),
      files: [...result.files.keys()],
    };
  } catch (error) {
    check(SandboxError.is(error), `${what} failed with ${error}`);
    return { ...NOTHING, error };
  }
}

/** The capabilities of a program without those of one type. */
function without(type: string): readonly Capability[] {
  return PROGRAM.filter((each) => each.type !== type);
}

/** Fails unless a run was told of an error, or ended by one. */
function checkDenied({ exitCode, error }: End, what: string): void {
  check(
    error !== undefined || (exitCode !== undefined && exitCode !== 0),
    `${what} was not denied`,
  );
  if (error === undefined) return;
  check(
    ["capability-not-granted", "access-denied", "unsupported"].includes(
      error.code,
    ),
    `${what} was denied with ${error}`,
  );
}

/** Fails unless a run ended with 0. */
function checkGranted({ exitCode, error }: End, what: string): void {
  checkSame(exitCode, 0, `${what}: ${error ?? "its exit code"}`);
}

const VARIABLES = Capabilities.environment({
  variables: { A: "1", B: "zwei" },
});
const IN = { files: { "/workspace/in.txt": "hello" } };

/** Grants. */
export const GRANT_CASES: readonly SandboxCase[] = [
  {
    name: "gives no arguments that are not granted",
    async run(place) {
      const { stdout } = await end(place, without("process"), "a");
      check(!stdout.includes("a"), `a program saw "${stdout}"`);
    },
  },
  {
    name: "gives variables that are granted, and no others",
    async run(place) {
      const { stdout, ...granted } = await end(
        place,
        [...without("environment"), VARIABLES],
        "v",
      );
      checkGranted(granted as End, "an environment");
      checkSame(
        stdout.split("\0").sort().join("|"),
        "|A=1|B=zwei",
        "variables",
      );
      for (const policy of [PROGRAM, without("environment")]) {
        const denied = await end(place, policy, "v");
        checkSame(denied.stdout, "", "variables that are not granted");
      }
    },
  },
  {
    name: "tells the time if that is granted",
    async run(place) {
      checkGranted(await end(place, PROGRAM, "c"), "a clock");
      checkDenied(await end(place, without("clock"), "c"), "a clock");
    },
  },
  {
    name: "gives random bytes if they are granted",
    async run(place) {
      checkGranted(await end(place, PROGRAM, "k"), "random bytes");
      checkDenied(await end(place, without("random"), "k"), "random bytes");
    },
  },
  {
    name: "carries the standard streams if they are granted",
    async run(place) {
      const silent = without("stdio");
      const out = await end(place, silent, "o5");
      checkSame(out.stdout, "", "output that is not granted");
      const err = await end(place, silent, "e5");
      checkSame(err.stderr, "", "errors that are not granted");
      const input = await end(place, silent, "i5", { stdin: "hello" });
      check(input.exitCode !== 5, "a program read what is not granted");
    },
  },
  {
    name: "gives files of a memory mount, and takes them back",
    async run(place) {
      const read = await end(place, WITH_FILES, "p", IN);
      checkGranted(read, "reading a file");
      checkSame(read.stdout, "hello", "what was read");
      await using sandbox = await place.sandbox("files", {
        policy: WITH_FILES,
      });
      const { files, exitCode } = await run(sandbox, "w9");
      checkSame(exitCode, 0, "writing a file");
      checkSame(files.get("/workspace/baaa")?.length, 9, "what was written");
    },
  },
  {
    name: "lets nobody write to a mount that is read only",
    async run(place) {
      const policy = [
        ...PROGRAM,
        Capabilities.memory("/workspace", { access: "read" }),
      ];
      const read = await end(place, policy, "p", IN);
      // who cannot keep it from being written to has to refuse it
      if (SandboxError.is(read.error, "unsupported")) return;
      checkGranted(read, "reading a file");
      checkSame(read.stdout, "hello", "what was read");
      const write = await end(place, policy, "w9");
      checkDenied(write, "writing a file");
      check(!write.files.includes("/workspace/baaa"), "a file was written");
      checkDenied(await end(place, policy, "d1"), "making a directory");
    },
  },
  {
    name: "gives no files that are not granted",
    async run(place) {
      checkDenied(await end(place, PROGRAM, "p"), "reading a file");
      checkDenied(await end(place, PROGRAM, "w1"), "writing a file");
      checkDenied(await end(place, PROGRAM, "d1"), "making a directory");
    },
  },
  {
    name: "lets nobody climb out of a mount",
    async run(place) {
      checkDenied(await end(place, WITH_FILES, "g"), "a path above the mount");
      checkDenied(await end(place, PROGRAM, "g"), "a path without a mount");
    },
  },
];
