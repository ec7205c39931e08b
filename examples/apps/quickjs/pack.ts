/**
 * Puts a script into `quickjs.wasm`, which makes a program of its own of it:
 * one file that needs no grant to read its script.
 *
 * ```sh
 * deno run -A examples/apps/quickjs/pack.ts calc.js calc.wasm
 * ```
 *
 * @module
 */

/** What `main.c` keeps for the script, with a zero at its end. */
const MAX_SCRIPT_BYTES = 256 * 1024 - 1;

const QUICKJS = new URL("quickjs.wasm", import.meta.url);

const DATA_SECTION = 11;
const HEADER_BYTES = 8;

/**
 * Puts a script into the interpreter.
 *
 * @param script What it is to run.
 * @returns The program, a WASI command.
 * @throws {RangeError} If the script is empty or longer than 256 KiB.
 */
export async function packScript(
  script: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const text = new TextEncoder().encode(script);
  if (text.length === 0 || text.length > MAX_SCRIPT_BYTES) {
    throw new RangeError(
      `Cannot pack the script: it has ${text.length} bytes, expected 1 to ` +
        `${MAX_SCRIPT_BYTES}`,
    );
  }
  const module = await Deno.readFile(QUICKJS);
  const place = await placeOf(module);
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, text.length, true);
  const content = joined([length, text]);
  return withSegment(module, place, content);
}

/** Where `packed_script` is in memory. Nothing of the module runs. */
async function placeOf(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
  const module = await WebAssembly.compile(bytes);
  const stubs: Record<string, Record<string, () => number>> = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    (stubs[from] ??= {})[name] = () => 0;
  }
  const { exports } = await WebAssembly.instantiate(module, stubs);
  const { packed_script: place } = exports;
  if (place instanceof WebAssembly.Global) return Number(place.value);
  throw new TypeError("quickjs.wasm does not export packed_script");
}

/** The module with one more segment of data. */
function withSegment(
  module: Uint8Array,
  place: number,
  content: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [module.subarray(0, HEADER_BYTES)];
  for (let at = HEADER_BYTES; at < module.length;) {
    const [size, body] = readUnsigned(module, at + 1);
    const end = body + size;
    parts.push(
      module[at] === DATA_SECTION
        ? longer(module.subarray(body, end), place, content)
        : module.subarray(at, end),
    );
    at = end;
  }
  return joined(parts);
}

/** The section of data with one more segment at its end. */
function longer(
  section: Uint8Array,
  place: number,
  content: Uint8Array,
): Uint8Array {
  const [count, rest] = readUnsigned(section, 0);
  const body = joined([
    unsigned(count + 1),
    section.subarray(rest),
    // active, in memory 0, at: i32.const place, end
    Uint8Array.of(0, 0x41),
    signed(place),
    Uint8Array.of(0x0b),
    unsigned(content.length),
    content,
  ]);
  return joined([Uint8Array.of(DATA_SECTION), unsigned(body.length), body]);
}

/** Reads a number in LEB128: its value, and where it ends. */
function readUnsigned(bytes: Uint8Array, start: number): [number, number] {
  let value = 0;
  let at = start;
  for (let factor = 1;; factor *= 128) {
    const byte = bytes[at++] ?? 0;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return [value, at];
  }
}

function unsigned(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; bytes.length === 0 || rest > 0; rest >>>= 7) {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
  }
  return Uint8Array.from(bytes);
}

/** A number that is not negative, in signed LEB128: its bit of 0x40 is 0. */
function signed(value: number): Uint8Array {
  const bytes = unsigned(value);
  const last = bytes.at(-1) ?? 0;
  if (last < 0x40) return bytes;
  return Uint8Array.of(...bytes.subarray(0, -1), last | 0x80, 0);
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

if (import.meta.main) {
  const [input = "", output = ""] = Deno.args;
  await Deno.writeFile(
    output,
    await packScript(await Deno.readTextFile(input)),
  );
}
