import { assert, assertEquals, assertThrows } from "@std/assert";
import { AuditLog } from "../../security/audit/mod.ts";
import { event, events } from "./_events.ts";

Deno.test("AuditLog keeps the last events", () => {
  const log = new AuditLog({ maxEvents: 3 });
  for (const each of events(5)) log.record(each);
  assertEquals(log.events().map(({ sequence }) => sequence), [3, 4, 5]);
  assertEquals(log.counters, {
    recorded: 5,
    dropped: 2,
    refused: 0,
    failures: 0,
  });
});

Deno.test("AuditLog gives each iterator every event, and ends them", async () => {
  const log = new AuditLog();
  log.record(event({ sequence: 1 }));
  const read = async () => {
    const sequences: number[] = [];
    for await (const { sequence } of log) sequences.push(sequence);
    return sequences;
  };
  const readers = [read(), read(), read()];
  for (let sequence = 2; sequence <= 4; sequence++) {
    await Promise.resolve();
    log.record(event({ sequence }));
  }
  log.close();
  log.close();
  assertEquals(await Promise.all(readers), Array(3).fill([1, 2, 3, 4]));
  assertEquals(await read(), [1, 2, 3, 4]);
});

Deno.test("AuditLog tells a slow iterator what it missed", async () => {
  const log = new AuditLog({ maxEvents: 10 });
  const slow = log[Symbol.asyncIterator]();
  log.record(event({ sequence: 1 }));
  assertEquals((await slow.next()).value?.sequence, 1);
  for (let sequence = 2; sequence <= 100; sequence++) {
    log.record(event({ sequence }));
  }
  assertEquals((await slow.next()).value?.sequence, 91);
  assertEquals(slow.missed, 89);
});

Deno.test("AuditLog ends a wait when its iterator is left", async () => {
  const log = new AuditLog();
  const iterator = log[Symbol.asyncIterator]();
  const waiting = [iterator.next(), iterator.next()];
  await iterator.return?.();
  assertEquals((await Promise.all(waiting)).map(({ done }) => done), [
    true,
    true,
  ]);
  log.record(event());
  assertEquals((await iterator.next()).done, true);
});

Deno.test("AuditLog gives an event to one of several waits of an iterator", async () => {
  const log = new AuditLog();
  const iterator = log[Symbol.asyncIterator]();
  const waiting = [iterator.next(), iterator.next()];
  log.record(event({ sequence: 1 }));
  log.record(event({ sequence: 2 }));
  const results = await Promise.all(waiting);
  assertEquals(results.map(({ value }) => value?.sequence).sort(), [1, 2]);
});

Deno.test("AuditLog calls onEvent at once, and counts its failures", async () => {
  const seen: number[] = [];
  const log = new AuditLog({
    onEvent: ({ sequence }) => {
      seen.push(sequence);
      if (sequence === 2) throw new Error("no");
      return sequence === 3 ? Promise.reject(new Error("no")) : undefined;
    },
  });
  for (const each of events(4)) log.record(each);
  assertEquals(seen, [1, 2, 3, 4]);
  await Promise.resolve();
  assertEquals(log.counters.failures, 2);
});

Deno.test("AuditLog refuses events after its end, and counts them", () => {
  const log = new AuditLog();
  log[Symbol.dispose]();
  log.record(event());
  assertEquals([log.counters.refused, log.events().length], [1, 0]);
});

Deno.test("AuditLog keeps memory flat through a million events", () => {
  const log = new AuditLog();
  const readers = Array.from(
    { length: 100 },
    () => log[Symbol.asyncIterator](),
  );
  const before = Deno.memoryUsage().heapUsed;
  for (let sequence = 1; sequence <= 1_000_000; sequence++) {
    log.record(event({ sequence, resource: `/data/${sequence}` }));
  }
  assertEquals(log.counters.dropped, 1_000_000 - 4096);
  assertEquals(readers.length, 100);
  const grown = Deno.memoryUsage().heapUsed - before;
  assert(grown < 64 * 2 ** 20, `${grown} bytes more`);
});

Deno.test("AuditLog refuses a bound that is none", () => {
  for (const maxEvents of [0, -1, 1.5, NaN, Infinity, 2_000_000]) {
    assertThrows(() => new AuditLog({ maxEvents }), RangeError, "maxEvents");
  }
});
