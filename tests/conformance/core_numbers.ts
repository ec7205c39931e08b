/**
 * Runs the core scripts on runtimes through their own interface, and compares
 * command by command what became of them.
 *
 * Left out is what that interface does not have: vectors and references as
 * arguments and results, globals that are read from outside, and modules that
 * import memories, tables or what another module of the script made. A trap
 * ends an instance: the commands behind it get a new one, on which those that
 * returned are done once more.
 *
 * @module
 */

import { SandboxError } from "../../errors.ts";
import type {
  Instance,
  Module,
  Runtime,
  WasmResult,
  WasmValue,
} from "../../runtime/types.ts";

interface Value {
  readonly type: string;
  readonly value: string;
}

interface Action {
  readonly type: string;
  readonly module?: string;
  readonly field: string;
  readonly args?: readonly Value[];
}

/** A command of a script; what is not used is left out. */
interface Command {
  readonly type: string;
  readonly name?: string;
  readonly filename?: string;
  readonly "module_type"?: string;
  readonly action?: Action;
  readonly expected?: readonly Value[];
}

/** What became of each command, by script. */
export type Log = Readonly<Record<string, readonly string[]>>;

/** What became of a command that the interface does not have. */
export const LEFT_OUT = "left out";

/** What became of a command that the script wants to return something else. */
export const UNEXPECTED = "returned, against the script:";

const NUMBERS = ["i32", "i64", "f32", "f64"];
const LIMITS = { memoryBytes: 256 * 2 ** 20, timeoutMs: 10_000 };

const IMPORTS = {
  spectest: {
    print: () => {},
    print_i32: () => {},
    print_i64: () => {},
    print_f32: () => {},
    print_f64: () => {},
    print_i32_f32: () => {},
    print_f64_f64: () => {},
    global_i32: 666,
    global_i64: 666n,
    global_f32: Math.fround(666.6),
    global_f64: 666.6,
  },
};

/** A module that a script made, and what has been done with it. */
class Guest {
  readonly #runtime: Runtime;
  readonly #module: Module;
  readonly #done: [string, readonly WasmValue[]][] = [];
  #instance: Instance | undefined;

  constructor(runtime: Runtime, module: Module) {
    this.#runtime = runtime;
    this.#module = module;
  }

  /** Whether a function takes and gives numbers only. */
  canCall(name: string): boolean {
    const found = this.#module.exports.find((each) => each.name === name);
    const { params = [], results = [] } = found?.signature ?? {};
    return found?.kind === "function" &&
      ![...params, ...results].includes("other");
  }

  async start(): Promise<Instance> {
    if (this.#instance?.failure !== undefined) await this.close();
    if (this.#instance !== undefined) return this.#instance;
    this.#instance = await this.#runtime.instantiate(this.#module, {
      imports: IMPORTS,
    });
    for (const [name, args] of this.#done) this.#instance.callSync(name, args);
    return this.#instance;
  }

  async call(name: string, args: readonly WasmValue[]): Promise<WasmResult> {
    const result = (await this.start()).callSync(name, args);
    this.#done.push([name, args]);
    return result;
  }

  async close(): Promise<void> {
    await this.#instance?.[Symbol.asyncDispose]();
    this.#instance = undefined;
  }
}

/** Runs one script. */
class Script {
  readonly #runtime: Runtime;
  readonly #folder: string;
  readonly #named = new Map<string | undefined, Guest | undefined>();
  readonly #guests: Guest[] = [];

  constructor(runtime: Runtime, folder: string) {
    this.#runtime = runtime;
    this.#folder = folder;
  }

  async run(commands: readonly Command[]): Promise<string[]> {
    const log: string[] = [];
    for (const command of commands) {
      try {
        log.push(await this.#command(command));
      } catch (error) {
        log.push(endOf(error));
      }
    }
    for (const guest of this.#guests) await guest.close();
    return log;
  }

  async #command(command: Command): Promise<string> {
    switch (command.type) {
      case "module":
        return await this.#module(command);
      case "assert_invalid":
      case "assert_malformed":
        if (command["module_type"] === "text") return LEFT_OUT;
        await this.#compile(command);
        return "accepted";
      case "assert_uninstantiable":
        await new Guest(this.#runtime, await this.#compile(command)).start();
        return "instantiated";
      case "action":
      case "assert_return":
      case "assert_trap":
      case "assert_exhaustion":
      case "assert_exception":
        return await this.#action(command);
      default:
        return LEFT_OUT;
    }
  }

  async #compile({ filename = "" }: Command): Promise<Module> {
    const { features: { wasm } } = this.#runtime;
    return await this.#runtime.compile(
      await Deno.readFile(`${this.#folder}/${filename}`),
      {
        limits: LIMITS,
        features: Object.fromEntries(wasm.map((name) => [name, true])),
      },
    );
  }

  async #module(command: Command): Promise<string> {
    this.#named.set(undefined, undefined);
    this.#named.set(command.name, undefined);
    const guest = new Guest(this.#runtime, await this.#compile(command));
    this.#guests.push(guest);
    await guest.start();
    this.#named.set(undefined, guest);
    this.#named.set(command.name, guest);
    return "instantiated";
  }

  async #action({ action, expected }: Command): Promise<string> {
    const guest = this.#named.get(action?.module);
    const args = action?.args ?? [];
    if (
      action?.type !== "invoke" || guest === undefined ||
      !guest.canCall(action.field) ||
      !args.every(({ type }) => NUMBERS.includes(type))
    ) return LEFT_OUT;
    const result = await guest.call(action.field, args.map(valueOf));
    const results = result === undefined ? [] : [result].flat();
    const isRight = expected === undefined ||
      expected.length === results.length &&
        expected.every((each, index) => fits(each, results[index]));
    const text = results.map((each) => Object.is(each, -0) ? "-0" : each);
    return `${isRight ? "returned" : UNEXPECTED} ${text}`;
  }
}

/** Says how a command ended, in words that are the same for every runtime. */
function endOf(error: unknown): string {
  if (!SandboxError.is(error)) return `unexpected: ${error}`;
  if (SandboxError.is(error, "trap")) return `trap ${error.details.kind}`;
  if (SandboxError.is(error, "limit-exceeded")) {
    return `exhausted ${error.details.limit}`;
  }
  if (SandboxError.is(error, "import-not-granted")) return LEFT_OUT;
  return error.code;
}

/** Values stand in scripts as their bits. */
function valueOf({ type, value }: Value): WasmValue {
  const bits = BigInt.asUintN(64, BigInt(value));
  if (type === "i32") return Number(BigInt.asIntN(32, bits));
  if (type === "i64") return BigInt.asIntN(64, bits);
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, bits);
  return type === "f32" ? view.getFloat32(4) : view.getFloat64(0);
}

function fits(expected: Value, value: unknown): boolean {
  if (!NUMBERS.includes(expected.type)) return false;
  if (expected.value.startsWith("nan")) return Number.isNaN(value);
  return Object.is(valueOf(expected), value);
}

/**
 * Runs all scripts below a folder.
 *
 * @param runtime The runtime.
 * @param folder The folder.
 * @returns What became of each command.
 */
export async function runNumbers(
  runtime: Runtime,
  folder: string,
): Promise<Log> {
  const log: Record<string, string[]> = {};
  for await (const path of scriptsIn(folder)) {
    const { commands }: { commands?: readonly Command[] } = JSON.parse(
      await Deno.readTextFile(path),
    );
    const place = path.slice(0, path.lastIndexOf("/"));
    const script = new Script(runtime, place);
    log[path.slice(folder.length + 1)] = await script.run(commands ?? []);
  }
  return log;
}

async function* scriptsIn(folder: string): AsyncIterable<string> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  for (const { name, isDirectory } of entries) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* scriptsIn(path);
    else if (name.endsWith(".json")) yield path;
  }
}
