import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { Gate } from "../../wrappers/mod.ts";

Deno.test("Gate.enter() lets in as many as there is room for, first come first", async () => {
  const gate = new Gate({ maxInside: 2, maxWaiting: 10 });
  const order: number[] = [];
  const visit = async (name: number) => {
    await gate.enter();
    order.push(name);
  };
  const visits = [0, 1, 2, 3, 4].map(visit);
  await visits[1];
  assertEquals([gate.inside, gate.waiting], [2, 3]);
  gate.leave();
  // whoever comes now is behind those who wait
  const late = visit(5);
  gate.leave();
  gate.leave();
  gate.leave();
  await Promise.all([...visits, late]);
  assertEquals(order, [0, 1, 2, 3, 4, 5]);
  gate.leave();
  gate.leave();
  assertEquals([gate.inside, gate.waiting], [0, 0]);
});

Deno.test("Gate.enter() turns away whom it has no room for", () => {
  const gate = new Gate({ maxInside: 1, maxWaiting: 0, what: "guests" });
  assertEquals(gate.enter(), undefined);
  const error = assertThrows(() => gate.enter(), SandboxError);
  assertEquals(error.code, "overloaded");
  assertEquals(error.details, { running: 1, waiting: 0 });
  assertEquals(error.message.startsWith("Cannot take more guests: "), true);
});

Deno.test("Gate.enter() can be given up, and keeps the place of nobody", async () => {
  const gate = new Gate({ maxInside: 1, maxWaiting: 2 });
  gate.enter();
  const controller = new AbortController();
  const waiting = gate.enter({ signal: controller.signal });
  const next = gate.enter();
  const reason = new Error("no more");
  controller.abort(reason);
  assertEquals(await assertRejects(() => Promise.resolve(waiting)), reason);
  assertEquals(gate.waiting, 1);
  gate.leave();
  await next;
  gate.leave();
  assertEquals(gate.inside, 0);
  assertThrows(
    () => gate.enter({ signal: controller.signal }),
    Error,
    "no more",
  );
});

Deno.test("Gate.close() refuses who comes, and who waits if it has to", async () => {
  const reason = new Error("closed");
  const open = new Gate({ maxInside: 1, maxWaiting: 2 });
  open.enter();
  const last = open.enter();
  open.close(reason);
  open.close(new Error("again"));
  assertThrows(() => open.enter(), Error, "closed");
  open.leave();
  await last;

  const shut = new Gate({ maxInside: 1, maxWaiting: 2 });
  shut.enter();
  const refused = [shut.enter(), shut.enter()];
  shut.close(reason, { refuseWaiting: true });
  for (const each of refused) {
    assertEquals(await assertRejects(() => Promise.resolve(each)), reason);
  }
  assertEquals([shut.inside, shut.waiting], [1, 0]);
});

Deno.test("Gate.whenEmpty() waits for the last one, or until it is aborted", async () => {
  const gate = new Gate({ maxInside: 2, maxWaiting: Infinity });
  await gate.whenEmpty();
  gate.enter();
  const controller = new AbortController();
  const given = gate.whenEmpty({ signal: controller.signal });
  controller.abort(new Error("no patience"));
  await assertRejects(() => given, Error, "no patience");
  let isEmpty = false;
  const empty = gate.whenEmpty().then(() => isEmpty = true);
  await Promise.resolve();
  assertEquals(isEmpty, false);
  gate.leave();
  // somebody else comes before anybody hears of it
  gate.enter();
  let isEmptyAgain = false;
  const again = gate.whenEmpty().then(() => isEmptyAgain = true);
  await empty;
  await Promise.resolve();
  assertEquals(isEmptyAgain, false);
  gate.leave();
  await again;
});

Deno.test("Gate.leave() is for those who are inside", () => {
  const gate = new Gate({ maxInside: 1, maxWaiting: 0 });
  assertThrows(() => gate.leave(), TypeError, "nobody is inside");
});

Deno.test("Gate() refuses counts that are none", () => {
  for (const maxInside of [0, -1, 1.5, NaN, "2"]) {
    const options = { maxInside: maxInside as number, maxWaiting: 0 };
    assertThrows(() => new Gate(options), TypeError, "maxInside");
  }
  for (const maxWaiting of [-1, 0.5, NaN]) {
    const options = { maxInside: 1, maxWaiting };
    assertThrows(() => new Gate(options), TypeError, "maxWaiting");
  }
});
