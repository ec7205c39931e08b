import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  formatCount,
  formatDuration,
  formatSize,
  parseCount,
  parseDuration,
  parseSize,
} from "../../security/units.ts";

/** Asserts what each text means; undefined is "refused". */
function assertParses(
  parse: (text: string) => number,
  expected: Readonly<Record<string, number | undefined>>,
): void {
  for (const [text, value] of Object.entries(expected)) {
    if (value !== undefined) assertEquals(parse(text), value, text);
    else assertThrows(() => parse(text), TypeError, "write it like", text);
  }
}

Deno.test("parseSize() takes bytes and units of both kinds", () => {
  assertParses(parseSize, {
    "65536": 65_536,
    "65_536": 65_536,
    "0": 0,
    "1B": 1,
    "512KiB": 524_288,
    "64MiB": 67_108_864,
    "64 MiB": 67_108_864,
    "1GiB": 2 ** 30,
    "1.5KiB": 1_536,
    "10MB": 10_000_000,
    "1.1MB": 1_100_000,
    "1kB": 1_000,
    "1KB": 1_000,
    "": undefined,
    "MiB": undefined,
    "-1": undefined,
    "+1": undefined,
    "0x10": undefined,
    "1mib": undefined,
    "1M": undefined,
    "1.5": undefined,
    "0.1KiB": undefined,
    "1 2": undefined,
    "1  MiB": undefined,
    " 1": undefined,
    "1_": undefined,
    "1__0": undefined,
    ".5KiB": undefined,
    "1.KiB": undefined,
    "99999999999GiB": undefined,
    "1constructor": undefined,
    "NaN": undefined,
    "١": undefined,
  });
});

Deno.test("parseDuration() takes a number with a unit", () => {
  assertParses(parseDuration, {
    "500ms": 500,
    "2s": 2_000,
    "1.5s": 1_500,
    "1m": 60_000,
    "2min": 120_000,
    "1h": 3_600_000,
    "500": undefined,
    "0.5ms": undefined,
    "1S": undefined,
    "2sec": undefined,
    "-1s": undefined,
    "Infinity": undefined,
  });
});

Deno.test("parseCount() takes plain, grouped and short numbers", () => {
  assertParses(parseCount, {
    "1000": 1_000,
    "1_000_000": 1_000_000,
    "10M": 10_000_000,
    "500k": 500_000,
    "1.5G": 1_500_000_000,
    "5e6": 5_000_000,
    "1.25e2": 125,
    "5e99": undefined,
    "5e-1": undefined,
    "1.5": undefined,
    "1,000": undefined,
    "10MiB": undefined,
  });
});

Deno.test("parseSize() says what it does not take, escaped", () => {
  const { message } = assertThrows(() => parseSize("1\x1b[2J"), TypeError);
  assertStringIncludes(message, '"1\\u001b[2J" is not a size');
});

Deno.test("formatSize() and its like write what people read", () => {
  assertEquals(
    [0, 1023, 1024, 1536, 64 * 2 ** 20, 5 * 2 ** 30].map(formatSize),
    ["0 B", "1023 B", "1 KiB", "1.5 KiB", "64 MiB", "5 GiB"],
  );
  assertEquals(
    [0.44, 12, 1_234, 90_000].map(formatDuration),
    ["0.4 ms", "12 ms", "1.2 s", "1.5 min"],
  );
  assertEquals(formatCount(1_234_567), "1,234,567");
  for (const bytes of [1024, 1536, 64 * 2 ** 20, 2 ** 30]) {
    assertEquals(parseSize(formatSize(bytes)), bytes);
  }
  for (const ms of [5, 1_500, 90_000]) {
    assertEquals(parseDuration(formatDuration(ms)), ms);
  }
});
