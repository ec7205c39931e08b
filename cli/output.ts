/**
 * How values and usage are printed, with everything escaped that a guest could
 * use to forge a line or to move the cursor.
 *
 * @module
 */

import { printable } from "../_text.ts";
import { SandboxError } from "../errors.ts";
import type { WasmResult, WasmValue } from "../runtime/types.ts";
import type { LimitUsage, SandboxUsage } from "../sandbox_options.ts";
import type { CliHost } from "./host.ts";
import { formatCount, formatDuration, formatSize } from "../security/units.ts";

/** What `JSON.stringify` leaves as it is, and a terminal should not see. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Writes a value as JSON that is safe to print.
 *
 * @param value Plain data.
 * @returns One line.
 * @throws {SandboxError} With code `guest-protocol` if it nests too deep.
 */
export function jsonText(value: unknown): string {
  return stringify(value).replace(UNPRINTABLE, (char) => {
    const units = Array.from({ length: char.length }, (_, at) => at);
    return units.map((at) =>
      `\\u${char.charCodeAt(at).toString(16).padStart(4, "0")}`
    ).join("");
  });
}

function stringify(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    const problem = "the value nests too deep to be printed";
    throw new SandboxError("guest-protocol", `Cannot print: ${problem}`, {
      cause,
      details: { export: "", problem },
    });
  }
}

/**
 * Writes the result of a call by numbers.
 *
 * @param result What the function returned.
 * @returns The values with a space between them; empty if there is none.
 */
export function numbersText(result: WasmResult): string {
  return listOf(result).map(numberText).join(" ");
}

/**
 * The result of a call by numbers as JSON can hold it: a 64-bit integer, and
 * `nan`, `inf`, `-inf` and `-0`, as a string.
 *
 * @param result What the function returned.
 * @returns Null, one value, or an array.
 */
export function numbersJson(result: WasmResult): unknown {
  const values = listOf(result).map((value) =>
    typeof value === "number" && JSON.stringify(value) === numberText(value)
      ? value
      : numberText(value)
  );
  return values.length > 1 ? values : values[0] ?? null;
}

/**
 * Bytes that a program has written as JSON can hold them.
 *
 * @param bytes The bytes.
 * @returns Text, or an object with `base64` if they are none.
 */
export function outputJson(bytes: Uint8Array): string | { base64: string } {
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return decoder.decode(bytes);
  } catch {
    return { base64: bytes.toBase64() };
  }
}

function listOf(result: WasmResult): readonly WasmValue[] {
  if (result === undefined) return [];
  return typeof result === "object" ? result : [result];
}

function numberText(value: WasmValue): string {
  if (typeof value === "bigint") return String(value);
  if (Number.isNaN(value)) return "nan";
  if (Object.is(value, -0)) return "-0";
  return Number.isFinite(value) ? String(value) : value < 0 ? "-inf" : "inf";
}

/**
 * Prints bytes: as they are, but escaped on a terminal.
 *
 * @param host Where to.
 * @param bytes The bytes.
 */
export async function printBytes(
  host: CliHost,
  bytes: Uint8Array,
): Promise<void> {
  if (!host.isTerminal()) return await host.stdout(bytes);
  const lines = new TextDecoder().decode(bytes).split("\n");
  await host.stdout(`${lines.map(printable).join("\n")}\n`);
}

/** What a sandbox has used, and how long that took. */
export interface Usage extends SandboxUsage {
  /** Time from the start of the command, in milliseconds. */
  readonly elapsedMs: number;
}

/**
 * Writes usage for people.
 *
 * @param usage What was used.
 * @returns Lines.
 */
export function usageText({ elapsedMs, limits }: Usage): string {
  const { memoryBytes, tableElements, fuel } = limits;
  const lines = [
    `time: ${formatDuration(elapsedMs)}`,
    used("memory", memoryBytes, formatSize),
    used("table elements", tableElements, formatCount),
    used("fuel", fuel, formatCount),
  ];
  return lines.filter((line) => line !== undefined).join("\n") + "\n";
}

function used(
  name: string,
  usage: LimitUsage | undefined,
  format: (amount: number) => string,
): string | undefined {
  if (usage?.used === undefined) return undefined;
  return `${name}: ${format(usage.used)} of ${format(usage.allowed)}`;
}
