/** What the process of the suite for wrappers holds, and what it prints. */

import { childProcesses } from "./effects.ts";

/** Processes that this one has started; none where that cannot be told. */
export function children(): readonly number[] {
  return Deno.build.os === "linux" ? childProcesses() : [];
}

/** Sockets that this process holds open. */
export function sockets(): number {
  return entries("/proc/self/fd").filter((name) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`).startsWith("socket:");
    } catch {
      return false;
    }
  }).length;
}

/** Nothing, where there is no such table. */
function entries(path: string): readonly string[] {
  try {
    return [...Deno.readDirSync(path)].map(({ name }) => name);
  } catch {
    return [];
  }
}

/** What happened while something ran. */
export interface Watched<T> {
  readonly result: T;
  /** What was printed, and through what. */
  readonly printed: readonly string[];
  /** Timers that still run. */
  readonly timers: number;
}

const PRINTERS = ["log", "info", "warn", "error", "debug", "trace"] as const;

/** Runs something, and looks at what it prints and which timers it leaves. */
export async function watched<T>(run: () => Promise<T>): Promise<Watched<T>> {
  const printed: string[] = [];
  const timers = new Set<unknown>();
  using stack = new DisposableStack();
  const replace = (
    object: object,
    name: string,
    make: (
      old: (...args: unknown[]) => unknown,
    ) => (...args: unknown[]) => unknown,
  ) => {
    const table = object as Record<string, (...args: unknown[]) => unknown>;
    const old = table[name];
    if (old === undefined) return;
    table[name] = make(old);
    stack.defer(() => table[name] = old);
  };
  for (const name of PRINTERS) {
    replace(globalThis.console, name, () => () => {
      printed.push(`console.${name}`);
    });
  }
  for (const [what, stream] of Object.entries(STREAMS)) {
    for (const name of ["write", "writeSync"]) {
      replace(stream, name, (old) => (...args) => {
        printed.push(`Deno.${what}.${name}`);
        return old.apply(stream, args);
      });
    }
  }
  for (const name of ["setTimeout", "setInterval"]) {
    replace(globalThis, name, (old) => (handler, ...args) => {
      const run = (...given: unknown[]) => {
        if (name === "setTimeout") timers.delete(id);
        return (handler as (...given: unknown[]) => unknown)(...given);
      };
      const id = old.call(globalThis, run, ...args);
      timers.add(id);
      return id;
    });
  }
  for (const name of ["clearTimeout", "clearInterval"]) {
    replace(globalThis, name, (old) => (id) => {
      timers.delete(id);
      return old.call(globalThis, id);
    });
  }
  const result = await run();
  return { result, printed, timers: timers.size };
}

const STREAMS = { stdout: Deno.stdout, stderr: Deno.stderr } as const;
