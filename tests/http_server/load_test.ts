import { assertEquals } from "@std/assert";
import { findWrk } from "../_wrk.ts";
import { problemsOf, underLoad } from "./_load.ts";

/** A few seconds are too short for what compiles and collects to settle. */
const MAX_GROWTH_BYTES = 128 * 2 ** 20;

const wrk = await findWrk();
if (wrk === undefined && Deno.env.has("CI")) {
  throw new Error("There is no wrk, and it cannot be fetched");
}

Deno.test({
  name: "HttpServer loses and confuses nothing under hostile load",
  ignore: wrk === undefined,
  async fn() {
    const report = await underLoad({ seconds: 5 });
    assertEquals(report && problemsOf(report, MAX_GROWTH_BYTES), []);
  },
});
