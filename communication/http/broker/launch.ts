/**
 * How a broker's process is started: it may use the network for one thing, and
 * nothing else at all.
 *
 * @module
 */

import { BOOT } from "../../../runtime/process/child/boot.ts";
import {
  DENO_DATA_BYTES,
  DENO_FLAGS,
  environment,
  limited,
  privileges,
} from "../../../runtime/process/command.ts";
import type { Launch } from "../../../runtime/process/launch.ts";
import { type Machine, machine } from "../../../runtime/process/machine.ts";

const MIB = 2 ** 20;
/** The heap of the broker's own program. */
const HEAP_MIB = 64;
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
    ...limited({ prlimit }, { files: FILES, dataBytes, cpuSeconds: undefined }),
    ...privileges(setpriv, false),
    on.deno,
    ...denoArguments(net),
  ];
  return {
    command,
    args,
    env: environment(),
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
    ...DENO_FLAGS,
    `--allow-net=${net}`,
    `--v8-flags=--max-old-space-size=${HEAP_MIB}`,
    `data:application/javascript,${encodeURIComponent(BOOT)}`,
  ];
}
