/**
 * What stands around every function of WASI.
 *
 * @module
 */

import type { HostFunction } from "../types.ts";
import { functionNames, SIGNATURES, type WasiFunctions } from "./abi.ts";
import type { WasiContext } from "./context.ts";
import { ERRNO, WasiError } from "./errno.ts";

/** Fuel for a call, whatever it does. */
const CALL_FUEL = 10;

/**
 * Puts the same prologue before every function: it takes fuel for the call, and
 * hands on unsigned numbers of the types that the function has. What is a
 * `WasiError` the guest is told as a number. All else ends the guest.
 *
 * @param functions The functions.
 * @param context What they work on.
 * @returns The functions, as a guest imports them.
 */
export function guarded(
  functions: WasiFunctions,
  { abi, guest }: WasiContext,
): Readonly<Record<string, HostFunction>> {
  const imports: Record<string, HostFunction> = Object.create(null);
  for (const name of functionNames(abi)) {
    const signature = SIGNATURES[name];
    const call = functions[name] as (...args: (number | bigint)[]) => void;
    imports[name] = (...args: unknown[]) => {
      guest.charge(CALL_FUEL);
      try {
        call(...unsigned(name, signature, args));
        return ERRNO.SUCCESS;
      } catch (error) {
        if (error instanceof WasiError) return ERRNO[error.errno];
        throw error;
      }
    };
  }
  return Object.freeze(imports);
}

/** Numbers as they are meant. That their types fit is the runtime's to check. */
function unsigned(
  name: string,
  signature: string,
  args: readonly unknown[],
): (number | bigint)[] {
  if (args.length !== signature.length) throw wrongTypes(name);
  return args.map((value, index) => {
    const type = signature[index];
    if (type === "i" && typeof value === "number") return value >>> 0;
    if (type === "I" && typeof value === "bigint") {
      return BigInt.asUintN(64, value);
    }
    throw wrongTypes(name);
  });
}

function wrongTypes(name: string): TypeError {
  return new TypeError(`Cannot call ${name}: its arguments are of other types`);
}
