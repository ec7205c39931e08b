/**
 * Random bytes, real or the same each time.
 *
 * @module
 */

import type { Capability, RandomCapability } from "../../security/types.ts";
import type { WasiFunctions } from "./abi.ts";
import type { WasiContext } from "./context.ts";
import { WasiError } from "./errno.ts";
import { MAX_TRANSFER_BYTES } from "./memory.ts";

/** Most bytes that the host's generator gives at a time. */
const STEP_BYTES = 65_536;

/** Fills a view with random bytes. */
export type RandomSource = (into: Uint8Array<ArrayBuffer>) => void;

/**
 * The source that a policy grants.
 *
 * @param capabilities All that is granted; a policy has one such at most.
 * @returns The source.
 */
export function randomSource(
  capabilities: readonly Capability[],
): RandomSource {
  const seed = capabilities.find(isRandom)?.seed;
  if (seed !== undefined) return seededSource(seed);
  return (into) => void crypto.getRandomValues(into);
}

function isRandom(capability: Capability): capability is RandomCapability {
  return capability.type === "random";
}

/**
 * Bytes that are the same for the same seed: xoshiro128** of Blackman and
 * Vigna, seeded by splitmix32. Whoever has seen some can tell the rest: not for
 * secrets.
 *
 * @param seed A whole number.
 * @returns The source, at its start.
 */
function seededSource(seed: number): RandomSource {
  let mixed = (seed >>> 0) ^ Math.imul(Math.floor(seed / 2 ** 32), 0x9e3779b1);
  const next = (): number => {
    mixed = (mixed + 0x9e3779b9) | 0;
    let hash = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    hash = Math.imul(hash ^ (hash >>> 15), 0x735a2d97);
    return hash ^ (hash >>> 15);
  };
  let [a, b, c, d] = [next(), next(), next(), next()];
  let word = 0;
  let wordBytes = 0;
  const step = (): number => {
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9);
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result;
  };
  return (into) => {
    let index = 0;
    while (index < into.length) {
      if (wordBytes === 0) {
        word = step();
        wordBytes = 4;
      }
      const end = Math.min(into.length, index + wordBytes);
      wordBytes -= end - index;
      while (index < end) {
        into[index++] = word;
        word >>>= 8;
      }
    }
  };
}

/** `random_get`. */
export function randomFunctions(
  { decisions, memory, random }: WasiContext,
): WasiFunctions<"random_get"> {
  return {
    random_get(at, length) {
      memory.check(at, length);
      // nothing interrupts it meanwhile
      if (length > MAX_TRANSFER_BYTES) throw new WasiError("INVAL");
      decisions.demand({
        capability: "random",
        action: "read",
        resource: "",
        via: "random_get",
      });
      for (let done = 0; done < length; done += STEP_BYTES) {
        const step = Math.min(STEP_BYTES, length - done);
        memory.charge(step);
        random(memory.bytes(at + done, step));
      }
    },
  };
}
