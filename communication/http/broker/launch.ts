/**
 * How a broker's process is started: it may use the network for one thing, and
 * nothing else at all.
 *
 * @module
 */

import { BOOT } from "../../../runtime/process/child/boot.ts";
import type { Launch } from "../../../runtime/process/launch.ts";
import { type Machine, machine } from "../../../runtime/process/machine.ts";

const MIB = 2 ** 20;
/** The heap of the broker's own program. */
const HEAP_MIB = 64;
/** What Deno itself needs of RLIMIT_DATA: threads, heaps and code. */
const DENO_DATA_BYTES = 768 * MIB;
/** Files that Deno itself holds open, and a connection. */
const FILES = 96;

/** What a broker is started for. */
export interface BrokerLaunchOptions {
  /** An address and port to connect to, or one name to look up. */
  readonly net: string;
  /** Longest body that it holds. */
  readonly bodyBytes: number;
}

/**
 * Works out how to start a broker.
 *
 * @param options What it is for.
 * @param on What the machine has.
 * @returns The command.
 */
export async function prepareBroker(
  { net, bodyBytes }: BrokerLaunchOptions,
  on: Machine = machine,
): Promise<Launch> {
  const { prlimit, setpriv } = await on.tools();
  const dataBytes = DENO_DATA_BYTES + HEAP_MIB * MIB +
    Math.ceil(8 * bodyBytes / MIB) * MIB;
  const [command = on.deno, ...args] = [
    ...(prlimit === undefined
      ? []
      : [prlimit, `--data=${dataBytes}`, "--core=0", `--nofile=${FILES}`]),
    ...(setpriv === undefined ? [] : [
      setpriv.path,
      "--pdeathsig=KILL",
      "--no-new-privs",
      ...(setpriv.dropsAll ? ["--bounding-set=-all"] : []),
    ]),
    on.deno,
    ...denoArguments(net),
  ];
  return {
    command,
    args,
    env: {
      DENO_DIR: "/dev/null/cache",
      DENO_NO_UPDATE_CHECK: "1",
      HOME: "/nonexistent",
      NO_COLOR: "1",
    },
    report: {
      filesystem: "none",
      parentDeath: setpriv === undefined ? "watcher" : "pdeathsig",
      dataBytes: prlimit === undefined ? undefined : dataBytes,
      cpuSeconds: undefined,
      noNewPrivileges: setpriv !== undefined,
    },
    key: net,
  };
}

function denoArguments(net: string): readonly string[] {
  return [
    "run",
    "--quiet",
    "--no-prompt",
    "--no-remote",
    "--no-npm",
    "--cached-only",
    "--deny-import",
    "--no-config",
    "--no-lock",
    "--no-code-cache",
    `--allow-net=${net}`,
    `--v8-flags=--max-old-space-size=${HEAP_MIB}`,
    `data:application/javascript,${encodeURIComponent(BOOT)}`,
  ];
}
