/** What a runtime promises of modules that it is given. */

import type { Module, Runtime } from "../runtime/types.ts";
import { V8Runtime } from "../runtime/v8/runtime.ts";
import { FEATURES, type WasmFeature } from "../runtime/v8/features.ts";
import { LIMIT_NAMES, type LimitName } from "../security/limits.ts";
import type { RuntimeCase } from "./_runtime_case.ts";
import {
  check,
  checkFails,
  checkSame,
  checkTypeError,
  failureOf,
} from "./_runtime_check.ts";
import { guest, type GuestName } from "./_runtime_place.ts";

/** What is no module, as text and as bytes. */
const GARBAGE: Readonly<Record<string, Uint8Array<ArrayBuffer>>> = {
  "nothing": new Uint8Array(),
  "a header that is cut off": Uint8Array.of(0, 0x61, 0x73, 0x6d),
  "another version": Uint8Array.of(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0),
  "a component": Uint8Array.of(0, 0x61, 0x73, 0x6d, 13, 0, 1, 0),
  "a program of another kind": new TextEncoder().encode("\u007fELF........"),
  "text": new TextEncoder().encode("(module)"),
  "zeros": new Uint8Array(1_000),
  "a section of 4 GiB": Uint8Array.of(
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1],
    ...[0xff, 0xff, 0xff, 0xff, 0x0f],
  ),
};

/** Limits that do not hold unless they are given. */
const OPTIONAL: readonly LimitName[] = LIMIT_NAMES.filter((name) =>
  [
    "fuel",
    "cpuMs",
    "stackBytes",
    "hostCalls",
    "messages",
    "instances",
    "networkRequests",
    "networkBytes",
  ].includes(name)
);

const REFUSED = ["unsupported", "module-refused", "invalid-module"] as const;

/** Name of the guest that uses a proposal. */
export function guestOf(feature: WasmFeature): GuestName {
  return `feature_${feature}`;
}

async function checkRefused(runtime: Runtime, name: string): Promise<void> {
  const error = await checkFails(
    () => runtime.compile(GARBAGE[name] ?? new Uint8Array()),
    ["invalid-module", "module-refused"],
    `compiling ${name}`,
  );
  check(error.message.startsWith("Cannot "), `it says "${error.message}"`);
}

/** A module of a runtime, cut off anywhere. */
async function checkTruncated(runtime: Runtime): Promise<void> {
  const whole = guest("traps");
  for (let length = 1; length < whole.length; length++) {
    let module: Module;
    try {
      module = await runtime.compile(whole.slice(0, length));
    } catch (error) {
      check(
        error instanceof Error && "code" in error,
        `${length} bytes of a module are refused with ${error}`,
      );
      continue;
    }
    // a module may end before its code begins, if it has no functions
    check(
      module.exports.length === 0,
      `${length} bytes of ${whole.length} are taken for a module`,
    );
  }
}

/** A module with one byte changed is refused, or compiled; nothing else. */
async function checkChanged(runtime: Runtime): Promise<void> {
  const whole = guest("messages");
  for (let at = 8; at < whole.length; at += 3) {
    const changed = whole.slice();
    changed[at] = (changed[at] ?? 0) ^ 0x55;
    try {
      await runtime.compile(changed);
    } catch (error) {
      check(
        error instanceof Error && "code" in error,
        `a change at ${at} is refused with ${error}`,
      );
    }
  }
}

async function checkDescription(runtime: Runtime): Promise<void> {
  const module = await runtime.compile(guest("start"));
  checkSame(module.byteLength, guest("start").length, "its length");
  checkSame(module.hasStart, true, "whether it has a start function");
  checkSame(module.imports.length, 1, "its imports");
  const [need] = module.imports;
  checkSame(need?.module, "env", "the module that it imports from");
  checkSame(need?.name, "started", "the name of its import");
  checkSame(need?.kind, "function", "the kind of its import");
  checkSame([...need?.signature?.results ?? []], ["i32"], "its results");
  const numbers = await runtime.compile(guest("numbers"));
  const swap = numbers.exports.find(({ name }) => name === "swap");
  checkSame(
    [...swap?.signature?.params ?? []],
    ["i32", "i64", "f32", "f64"],
    "parameters of an export",
  );
  const constant = numbers.exports.find(({ name }) => name === "constant");
  checkSame(constant?.kind, "global", "the kind of an export");
  const memory = await runtime.compile(guest("traps"));
  checkSame(memory.memories[0]?.minPages, 1, "pages of a memory");
  checkSame(memory.memories[0]?.maxPages, 1, "most pages of a memory");
}

/** A module whose proposal is claimed or not, allowed or not. */
function proposalCase(feature: WasmFeature): RuntimeCase {
  return {
    name: `takes ${feature} only if it claims it, and if it is allowed`,
    async run({ runtime }) {
      const bytes = guest(guestOf(feature));
      const { wasm, calls, isolations } = runtime.features;
      await checkFails(
        () => runtime.compile(bytes, { features: { [feature]: false } }),
        REFUSED,
        `a module that uses ${feature}, which is not allowed,`,
      );
      if (!wasm.includes(feature)) {
        for (const features of [{}, { [feature]: true }]) {
          await checkFails(
            () => runtime.compile(bytes, { features }),
            REFUSED,
            `a module that uses ${feature}, which is not claimed,`,
          );
        }
        return;
      }
      const features = Object.fromEntries(wasm.map((each) => [each, true]));
      const module = await runtime.compile(bytes, { features });
      if (!calls || !isolations.includes("inline")) return;
      await using instance = await runtime.instantiate(module);
      checkSame(await instance.call("run", []), 42, `what ${feature} gives`);
    },
  };
}

/** Modules. */
export const COMPILE_CASES: readonly RuntimeCase[] = [
  ...Object.keys(GARBAGE).map((name): RuntimeCase => ({
    name: `compile() refuses ${name}`,
    run: ({ runtime }) => checkRefused(runtime, name),
  })),
  {
    name: "compile() refuses a module that is cut off anywhere",
    run: ({ runtime }) => checkTruncated(runtime),
  },
  {
    name: "compile() survives modules with a changed byte",
    run: ({ runtime }) => checkChanged(runtime),
  },
  {
    name: "compile() describes the module",
    run: ({ runtime }) => checkDescription(runtime),
  },
  {
    name: "compile() leaves the bytes alone, and does not keep them",
    applies: ({ calls, isolations }) => calls && isolations.includes("inline"),
    async run({ runtime }) {
      const bytes = guest("numbers");
      const module = await runtime.compile(bytes);
      checkSame(bytes.toBase64(), guest("numbers").toBase64(), "the bytes");
      bytes.fill(0);
      await using instance = await runtime.instantiate(module);
      checkSame(await instance.call("i32", [7]), 7, "after the bytes changed");
    },
  },
  {
    name: "compile() refuses a module that does not fit its limits",
    applies: ({ limits }) => limits.moduleBytes?.level === "hard",
    async run({ runtime }) {
      const bytes = guest("messages");
      await checkFails(
        () => runtime.compile(bytes, { limits: { moduleBytes: 20 } }),
        "limit-exceeded",
        "a module that is too long",
      );
    },
  },
  {
    name: "compile() refuses a ready WebAssembly.Module",
    async run({ runtime }) {
      const ready = new WebAssembly.Module(guest("numbers"));
      await failureOf(
        () => runtime.compile(ready as unknown as Uint8Array<ArrayBuffer>),
        "a ready WebAssembly.Module",
      );
    },
  },
  {
    name: "compile() ends with the signal's reason",
    async run({ runtime }) {
      const reason = new Error("enough");
      const signal = AbortSignal.abort(reason);
      const error = await failureOf(
        () => runtime.compile(guest("numbers"), { signal }),
        "a cancelled compile()",
      );
      check(error === reason, `a cancelled compile() failed with ${error}`);
    },
  },
  ...FEATURES.map(proposalCase),
  {
    name: "refuses limits that it does not claim",
    async run({ runtime }) {
      const { limits, calls, isolations } = runtime.features;
      const isHere = calls && isolations.includes("inline");
      for (const name of OPTIONAL) {
        if ((limits[name]?.level ?? "none") !== "none") continue;
        const asked = { limits: { [name]: 300_000 } };
        const error = await failureOf(async () => {
          const module = await runtime.compile(guest("numbers"), asked);
          if (!isHere) throw new TypeError("no instance of it can be made");
          await using _used = await runtime.instantiate(module);
        }, `the limit ${name}, which is not claimed,`);
        if (!isHere && error instanceof TypeError) continue;
        await checkFails(
          () => Promise.reject(error),
          "unsupported",
          `the limit ${name}, which is not claimed,`,
        );
      }
    },
  },
  {
    name: "instantiate() refuses modules that it did not compile",
    applies: ({ calls, isolations }) => calls && isolations.includes("inline"),
    async run({ runtime }) {
      const bytes = guest("numbers");
      const module = await runtime.compile(bytes);
      await using v8 = new V8Runtime();
      const foreign = runtime.name === v8.name ? [] : [await v8.compile(bytes)];
      const copy = {
        byteLength: module.byteLength,
        imports: module.imports,
        exports: module.exports,
        memories: module.memories,
        features: module.features,
        hasStart: module.hasStart,
      };
      for (const each of [...foreign, copy]) {
        await checkTypeError(
          () => runtime.instantiate(each),
          "a module of another runtime",
        );
      }
    },
  },
];
