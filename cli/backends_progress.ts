/**
 * The progress of an installation, in words.
 *
 * @module
 */

import type { InstallProgress } from "../runtime/wasmtime/download.ts";
import { formatSize } from "../security/units.ts";
import type { Progress } from "./progress.ts";

/**
 * Says how far an installation is.
 *
 * @param progress How far.
 * @returns The same, as a line shows it.
 */
export function installProgress(
  { step, from, bytes, totalBytes }: InstallProgress,
): Progress {
  if (step === "verify") return { text: "checking what came" };
  const source = from === "pip" ? "the wheel" : "the archive";
  if (step === "unpack") return { text: `unpacking ${source}` };
  if (bytes === undefined) return { text: `downloading ${source}` };
  const came = `downloading ${source}: ${formatSize(bytes)}`;
  return totalBytes === undefined ? { text: came } : {
    text: `${came} of ${formatSize(totalBytes)}`,
    done: bytes / totalBytes,
  };
}
