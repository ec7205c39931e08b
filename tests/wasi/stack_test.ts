/** Guests that recurse until there is hardly any stack, and then call WASI. */

import { assert, assertEquals } from "@std/assert";
import { GuestHand } from "./_guest.ts";

/** A guest whose events take more of the stack than what it does. */
class DeepHand extends GuestHand {
  override readonly events = new DeepList();
}

class DeepList extends Array<GuestHand["events"][number]> {
  override push(...events: this): number {
    Deno.inspect({ events, at: [{ once: new Date() }] });
    return super.push(...events);
  }
}

/** Makes a directory from so far down, and removes it. */
function makeFrom(hand: GuestHand, depth: number): string {
  if (depth > 0) return `${makeFrom(hand, depth - 1)}`;
  return hand.call("path_create_directory", 3, 50_000, 1);
}

/** What became of it: the error, the events, and whether it is there. */
function attempt(hand: GuestHand, depth: number): string {
  let errno = "";
  try {
    errno = makeFrom(hand, depth);
  } catch (error) {
    assert(error instanceof RangeError, String(error));
    errno = "stack";
  }
  const events = hand.events.splice(0).length;
  const made = hand.call("path_remove_directory", 3, 50_000, 1) === "SUCCESS";
  hand.events.length = 0;
  return `${errno}, ${events} events, ${made ? "made" : "not made"}`;
}

Deno.test("Wasi does nothing that a guest keeps from being recorded", () => {
  using hand = new DeepHand();
  hand.text("d", 50_000);
  // what is called for the first time takes much of the stack to be compiled
  assertEquals(attempt(hand, 0), "SUCCESS, 1 events, made");
  // from too deep to deep enough; where that is depends on the engine's mood
  const seen = new Set<string>();
  let last = "stack";
  for (let depth = 40_000; last.startsWith("stack"); depth -= 20) {
    last = attempt(hand, depth);
    seen.add(last);
  }
  assertEquals([...seen], [
    "stack, 0 events, not made",
    "SUCCESS, 1 events, made",
  ]);
});
