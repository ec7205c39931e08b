/**
 * How fast bytes pass through WASI, against `node:wasi` of the same Deno.
 *
 * @module
 */

import process from "node:process";
import { WASI } from "node:wasi";
import {
  Capabilities,
  type HostMount,
  type MemoryMount,
  Sandbox,
  SecurityPolicy,
} from "../mod.ts";
import {
  type Benchmark,
  interleave,
  print,
  type Ratio,
  ratio,
  type Side,
  summarize,
  table,
  target,
} from "./measure.ts";

const PROGRAM = new URL("../examples/programs/c/copy.wasm", import.meta.url);
const MIB = 2 ** 20;

/** Length of the file, in MiB; it stays in the page cache. */
const FILE_MIB = 16;
const TARGET = 0.8;

/** How one program is run: it reads or writes `mib` MiB of `file`. */
type Run = (args: readonly string[]) => unknown;

interface Row {
  readonly work: string;
  /** Median speed, in MiB a second. */
  readonly speed: number;
  readonly baseSpeed: number;
  /** Speed of ours in parts of the other's. */
  readonly ratio: Ratio;
}

/** Measures files. */
export const wasiFiles: Benchmark = {
  name: "wasi-files",
  about:
    "A C program reads and writes a file in calls of 1 MiB, in turn through our\n" +
    "WASI and through node:wasi, whose file is always the host's. MiB a second,\n" +
    `start of an instance included. Target: ${TARGET} of node:wasi for host files.`,
  async run({ quick }) {
    await using stack = new AsyncDisposableStack();
    const folder = await Deno.realPath(await Deno.makeTempDir());
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    await Deno.writeFile(`${folder}/file`, new Uint8Array(FILE_MIB * MIB));
    const module = await Deno.readFile(PROGRAM);
    await silenceWarning();
    const node = nodeRun(module, folder);
    const host = await sandboxRun(stack, module, "inline", {
      guest: "/data",
      host: folder,
      access: "read-write",
    });
    const child = await sandboxRun(stack, module, "process", {
      guest: "/data",
      host: folder,
      access: "read-write",
    });
    const memory = await sandboxRun(stack, module, "inline", {
      guest: "/data",
      memory: true,
      maxBytes: 2 * FILE_MIB * MIB,
    });
    const rows: Row[] = [];
    const mib = quick ? 128 : 512;
    for (const work of ["read", "write"] as const) {
      const sides = { "host file": host, "host file, process": child, memory };
      const args = [
        work,
        "/data/file",
        `${work === "read" ? mib / FILE_MIB : mib}`,
      ];
      const named: Side[] = Object.entries({ node, ...sides })
        .map(([name, run]) => ({ name, run: () => run(args) }));
      const [base = [], ...times] = await interleave(named, {
        rounds: quick ? 5 : 15,
        warmup: 2,
      });
      Object.keys(sides).forEach((name, index) => {
        const samples = times[index] ?? [];
        rows.push({
          work: `${work}, ${name}`,
          speed: speed(mib, samples),
          baseSpeed: speed(mib, base),
          ratio: ratio(base, samples),
        });
      });
    }
    print(table(
      ["work", "ours", "node:wasi", "ratio", "half within", "target"],
      rows.map((row) => [
        row.work,
        row.speed.toFixed(0),
        row.baseSpeed.toFixed(0),
        row.ratio.median.toFixed(2),
        `${row.ratio.low.toFixed(2)}–${row.ratio.high.toFixed(2)}`,
        row.work.includes("host") ? target(row.ratio.median, TARGET, true) : "",
      ]),
    ));
    return { rows };
  },
};

function speed(mib: number, samples: readonly number[]): number {
  return mib / (summarize(samples).median / 1_000);
}

/** Runs the program in a sandbox that is made once. */
async function sandboxRun(
  stack: AsyncDisposableStack,
  module: Uint8Array<ArrayBuffer>,
  isolation: "inline" | "process",
  mount: HostMount | MemoryMount,
): Promise<Run> {
  const sandbox = stack.use(
    await Sandbox.create({
      module,
      isolation,
      limits: { timeoutMs: 60_000, writtenBytes: 2 ** 40 },
      policy: SecurityPolicy.strict().allowCapability(
        Capabilities.process(),
        Capabilities.stdio(),
        Capabilities.filesystem({ mounts: [mount] }),
      ),
    }),
  );
  const files: Record<string, Uint8Array> = "memory" in mount
    ? { "/data/file": new Uint8Array(FILE_MIB * MIB) }
    : {};
  return async (args) => {
    const { exitCode, stderr } = await sandbox.execute(args, { files });
    if (exitCode !== 0) throw new Error(new TextDecoder().decode(stderr));
  };
}

function nodeRun(bytes: Uint8Array<ArrayBuffer>, folder: string): Run {
  const module = new WebAssembly.Module(bytes);
  return (args) => {
    const wasi = new WASI({
      version: "preview1",
      args: ["copy", ...args],
      preopens: { "/data": folder },
      returnOnExit: true,
    });
    const imports = wasi.getImportObject() as WebAssembly.Imports;
    const exitCode = wasi.start(new WebAssembly.Instance(module, imports));
    if (exitCode !== 0) throw new Error(`node:wasi: exit code ${exitCode}`);
  };
}

/** Has `node:wasi` say that it is experimental when nobody listens. */
async function silenceWarning(): Promise<void> {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  new WASI({ version: "preview1" });
  await new Promise((resolve) => setTimeout(resolve));
  process.emitWarning = emitWarning;
}
