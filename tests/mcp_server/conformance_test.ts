import { assertEquals } from "@std/assert";
import {
  conformance,
  EXPECTED_FAILURES,
  NOT_JUDGED,
  SCENARIOS,
} from "./conformance.ts";

Deno.test("the server passes the scenarios of the conformance suite", async () => {
  const results = Object.entries(await conformance());
  assertEquals(results.length, SCENARIOS);
  const failed = results.filter(([, { failed }]) => failed > 0);
  assertEquals(failed.map(([name]) => name).sort(), EXPECTED_FAILURES);
  const idle = results.filter(([, { passed, failed }]) =>
    passed + failed === 0
  );
  assertEquals(idle.map(([name]) => name).sort(), NOT_JUDGED);
});
