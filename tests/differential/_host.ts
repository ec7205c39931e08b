/**
 * The host's side of a random module: functions whose results depend on nothing
 * but their arguments and on how often they were called, and a trace of it all.
 *
 * @module
 */

import {
  CHECKPOINT_NAME,
  CONSTANT_NAME,
  HOST_MODULE,
  type HostShape,
  PROBE_MODULE,
} from "./generate.ts";
import type {
  GuestAccess,
  HostImports,
  HostModule,
  WasmValue,
} from "../../runtime/types.ts";

/** What the function of the host throws that fails. */
export class HostFailure extends Error {
  /** Name of the class. */
  override readonly name = "HostFailure";
}

/** Numbers that functions give for each type; what does not fit is wrapped. */
const RESULTS = {
  i32: [0, -1, 1, 2 ** 31, -(2 ** 31), 2 ** 32 + 5, 7.9, NaN, 65_536],
  i64: [0n, -1n, 1n, 2n ** 63n, 2n ** 64n + 3n, -(2n ** 63n), 65_536n],
  f32: [0, -0, 0.1, 1e39, -1e-46, NaN, Infinity, 16_777_217, 2 ** 31],
  f64: [0, -0, 0.1, 1e308, 5e-324, NaN, -Infinity, 2 ** 63, 2 ** 31],
} as const;

/** One call of a function of the host out of so many fails. */
const FAIL_EVERY = 61;

/** The value of the imported constant. */
const CONSTANT = 0x1234;

/** Writes a value so that all NaNs are alike, and zeros are not. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(show)}]`;
  if (typeof value === "bigint") return `${value}n`;
  return Object.is(value, -0) ? "-0" : String(value);
}

/** A number that stands for bytes. */
export function hash(bytes: Uint8Array): number {
  const words = new Int32Array(
    bytes.buffer,
    bytes.byteOffset,
    bytes.byteLength >> 2,
  );
  let sum = words.length;
  for (const word of words) {
    sum = Math.imul(sum ^ word, 0x01000193);
    sum ^= sum >>> 15;
  }
  return sum >>> 0;
}

/** Serves one instance. */
export class Host {
  /** What the guest asked for since it was last taken. */
  #trace: string[] = [];
  #calls = 0;
  readonly #hosts: readonly HostShape[];
  /** Whether the module has started. Before, nobody need see its memory. */
  hasStarted = false;

  constructor(hosts: readonly HostShape[]) {
    this.#hosts = hosts;
  }

  /** Takes what was noted so far. */
  takeTrace(): string {
    const trace = this.#trace.join(" ");
    this.#trace = [];
    return trace;
  }

  /** What the guest imports, but for the checkpoint. */
  get imports(): HostImports {
    const functions = this.#hosts.map((host) => [
      host.name,
      (...args: readonly WasmValue[]) => this.#answer(host, args),
    ]);
    return {
      [HOST_MODULE]: {
        ...Object.fromEntries(functions),
        [CONSTANT_NAME]: CONSTANT,
      },
    };
  }

  /** The checkpoint, which sees the memory. */
  probe(onLink: (guest: GuestAccess) => void): HostModule {
    return {
      name: PROBE_MODULE,
      signatures: { [CHECKPOINT_NAME]: { params: [], results: [] } },
      link: (guest) => {
        onLink(guest);
        return { [CHECKPOINT_NAME]: () => this.check(guest.memory()) };
      },
    };
  }

  /** Notes what the memory holds. */
  check(memory: Uint8Array | undefined): void {
    this.#calls++;
    const isSeen = this.hasStarted && memory !== undefined;
    this.#trace.push(`check(${isSeen ? hash(memory) : ""})`);
  }

  #answer(
    { name, signature: { results } }: HostShape,
    args: readonly WasmValue[],
  ): WasmValue | WasmValue[] | undefined {
    const call = `${name}(${args.map(show)})`;
    this.#trace.push(call);
    const encoded = new TextEncoder().encode(call.padEnd(128));
    const seed = Math.imul(hash(encoded), ++this.#calls) >>> 3;
    if (seed % FAIL_EVERY === 0) throw new HostFailure(call);
    const values = results.map((type, index): WasmValue => {
      const known = RESULTS[type];
      return known[(seed + index) % known.length] ?? 0;
    });
    return values.length > 1 ? values : values[0];
  }
}
