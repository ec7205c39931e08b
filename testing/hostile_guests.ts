/**
 * Guests that mean harm, and what must come of them.
 *
 * @module
 */

import { SandboxError, type SandboxErrorCode } from "../errors.ts";
import type { HostImports } from "../runtime/types.ts";
import type { Sandbox } from "../sandbox.ts";
import { assemble, constant, region } from "./_assemble.ts";
import { denoTest } from "./_declare.ts";
import { GUESTS } from "./_runtime_guests.ts";
import { soon } from "./_wrapper_check.ts";
import { untilIdle } from "./effects.ts";
import { fakeGuest } from "./fake_guest.ts";

/** A guest that means harm. */
export interface HostileGuest {
  /** What it does. */
  readonly about: string;
  /** The module. */
  readonly module: Uint8Array<ArrayBuffer>;
  /** What it imports, and has to be given; all of it does nothing. */
  readonly imports: HostImports;
  /** How it may fail; empty if it may also end by itself. */
  readonly codes: readonly SandboxErrorCode[];
  /**
   * Lets it do harm.
   *
   * @param sandbox A sandbox around it.
   */
  readonly attack: (sandbox: Sandbox) => Promise<unknown>;
}

/** Names of {@linkcode HOSTILE_GUESTS}. */
export type HostileGuestName =
  | "endless-loop"
  | "endless-start"
  | "memory-bomb"
  | "huge-memory"
  | "table-bomb"
  | "recursion"
  | "trap"
  | "bad-pointer"
  | "bad-reply"
  | "output-flood"
  | "host-call-flood";

const LIMIT: readonly SandboxErrorCode[] = ["limit-exceeded"];
const STACK: readonly SandboxErrorCode[] = ["limit-exceeded", "trap"];

const FLOOD_PAGES = 512;

/** Replies with all of its first 512 pages, whatever it is asked. */
const FLOOD = assemble({
  functions: [
    { type: 1, code: constant(8), name: "wasm_sandbox_alloc" },
    { type: 2, code: region(0, FLOOD_PAGES * 65_536), name: "run" },
  ],
  pages: FLOOD_PAGES,
  data: { at: 0, bytes: [] },
});

/** Small guests that mean harm, by what they do. */
export const HOSTILE_GUESTS: Readonly<Record<HostileGuestName, HostileGuest>> =
  Object.freeze({
    "endless-loop": guest(
      "never returns",
      "endless",
      LIMIT,
      (sandbox) => sandbox.call("loop"),
    ),
    "endless-start": guest("never gets ready", "start_spins", LIMIT, use),
    "memory-bomb": guest(
      "grows its memory until it is refused, and uses all of it",
      "memory",
      [],
      async (sandbox) => {
        await sandbox.call("flood");
        await sandbox.call("touch");
      },
    ),
    "huge-memory": guest("begins with 4 GiB", "huge_memory", LIMIT, use),
    "table-bomb": guest(
      "grows its table until it is refused",
      "tables",
      [],
      (sandbox) => sandbox.call("flood"),
    ),
    "recursion": guest(
      "recurses without end",
      "traps",
      STACK,
      (sandbox) => sandbox.call("recursion", [0]),
    ),
    "trap": guest(
      "traps",
      "traps",
      ["trap"],
      (sandbox) => sandbox.call("unreachable"),
    ),
    "bad-pointer": guest(
      "wants its request beyond its memory",
      "messages",
      ["guest-protocol"],
      async (sandbox) => {
        await sandbox.call("set_pointer", [-16]);
        await sandbox.call("echo", { x: 1 });
      },
    ),
    "bad-reply": guest(
      "replies with nearly 4 GiB beyond its memory",
      "messages",
      ["guest-protocol"],
      async (sandbox) => {
        await sandbox.call("set_reply", [-1n]);
        await sandbox.call("lie", { x: 1 });
      },
    ),
    "output-flood": {
      about: "replies with 32 MiB",
      module: FLOOD,
      imports: {},
      codes: LIMIT,
      attack: (sandbox) => sandbox.call("run", {}),
    },
    "host-call-flood": {
      ...guest(
        "calls its host without end",
        "asks",
        LIMIT,
        (sandbox) => sandbox.call("endless"),
      ),
      imports: {
        env: {
          mixed: () => 0,
          wide: () => 0n,
          small: () => 0,
          whole: () => 0,
          pair: () => [0n, 0],
          none: () => {},
        },
      },
    },
  });

/** What a sandbox has to be made from. */
export type HostileGuestSource = Pick<HostileGuest, "imports" | "module">;

/** Options of {@linkcode testHostileGuests}. */
export interface HostileGuestOptions {
  /**
   * Registers a test with your runner.
   *
   * @default {Deno.test, with its sanitizers on}
   */
  readonly test?: (name: string, run: () => Promise<void>) => void;
}

/**
 * Registers a test for each of {@linkcode HOSTILE_GUESTS}: it has to fail as it
 * must, within 15 seconds, nothing of it may go on in this process, and the next
 * guest has to be served.
 *
 * @example Your own limits
 * ```ts
 * import { Sandbox } from "@wasm-sandbox/core";
 * import { testHostileGuests } from "@wasm-sandbox/core/testing";
 *
 * // any runner will do; without `test` it is Deno.test
 * const tests: (() => Promise<void>)[] = [];
 * testHostileGuests(
 *   "my sandbox",
 *   (guest) => Sandbox.create({ ...guest, limits: { timeoutMs: 200 } }),
 *   { test: (_name, run) => void tests.push(run) },
 * );
 * for (const run of tests) await run();
 * ```
 *
 * @param name What is tested, for the names of the tests.
 * @param make Makes a sandbox as you do, around the given module and imports.
 * @param options How tests are registered.
 */
export function testHostileGuests(
  name: string,
  make: (guest: HostileGuestSource) => Promise<Sandbox>,
  { test = denoTest }: HostileGuestOptions = {},
): void {
  for (const [title, guest] of Object.entries(HOSTILE_GUESTS)) {
    test(`${name} contains ${title}`, () => checkContained(guest, make));
  }
}

async function checkContained(
  { module, imports, codes, attack }: HostileGuest,
  make: (guest: HostileGuestSource) => Promise<Sandbox>,
): Promise<void> {
  const harm = async () => {
    await using sandbox = await make({ module, imports });
    await attack(sandbox);
  };
  const error = await soon(
    harm().then(() => undefined, (reason: unknown) => reason ?? null),
    "a hostile guest",
  );
  const isRight = error === undefined
    ? codes.length === 0
    : SandboxError.is(error) &&
      (codes.includes(error.code) ||
        codes.length === 0 && error.code === "limit-exceeded");
  if (!isRight) {
    const came = error === undefined ? "it ended well" : String(error);
    throw new Error(
      `The guest is not contained: ${came}, and not "${codes.join('" or "')}"`,
      { cause: error },
    );
  }
  await untilIdle();
  await using sandbox = await make({ module: GOOD, imports: {} });
  const reply = await soon(sandbox.call("handle", {}), "the next guest");
  if (reply !== "ok") throw new Error(`The next guest replied ${reply}`);
}

const GOOD = fakeGuest({ handle: { reply: "ok" } });

function guest(
  about: string,
  name: keyof typeof GUESTS,
  codes: readonly SandboxErrorCode[],
  attack: HostileGuest["attack"],
): HostileGuest {
  const module = Uint8Array.fromBase64(GUESTS[name]);
  return { about, module, imports: {}, codes, attack };
}

/** Where being made is the attack already, unless a sandbox waits for a call. */
function use(sandbox: Sandbox): Promise<unknown> {
  return sandbox.call("run");
}
