/**
 * What an engine says when a guest does not return, as V8 says it: then one
 * program sees the same on both.
 *
 * @module
 */

/** Codes of `wasmtime/trap.h` that are told apart. */
export const TRAP = Object.freeze({
  STACK_OVERFLOW: 0,
  UNREACHABLE: 9,
  INTERRUPT: 10,
  OUT_OF_FUEL: 11,
});

const MESSAGES: Readonly<Record<number, string>> = Object.freeze({
  0: "call stack exhausted",
  1: "memory access out of bounds",
  2: "operation does not support unaligned accesses",
  3: "table index is out of bounds",
  4: "null function",
  5: "function signature mismatch",
  6: "divide result unrepresentable",
  7: "divide by zero",
  8: "float unrepresentable in integer range",
  9: "unreachable",
  10: "interrupted",
  11: "all fuel consumed",
  12: "Atomics.wait cannot be called in this context",
  13: "dereferencing a null pointer",
  15: "requested new array is too large",
});

/** How a guest stopped that did not return. */
export class GuestStop {
  /** The code, if it was a trap that has one. */
  readonly code: number | undefined;
  /** The error, as V8 throws it: a trap, or an exception nobody caught. */
  readonly error: unknown;

  /**
   * Constructs it.
   *
   * @param code The code.
   * @param error The error.
   */
  constructor(code: number | undefined, error: unknown) {
    this.code = code;
    this.error = error;
  }
}

/**
 * A trap.
 *
 * @param code Its code, if it has one.
 * @param message What the engine says.
 * @returns How the guest stopped.
 */
export function trapped(code: number | undefined, message: string): GuestStop {
  const text = code === undefined
    ? message
    : MESSAGES[code] ?? `the engine says ${code}`;
  return new GuestStop(code, new WebAssembly.RuntimeError(text));
}

/** The types of TypeScript do not know exceptions of WebAssembly yet. */
const { Exception, Tag } = WebAssembly as unknown as {
  readonly Exception: new (tag: object, values: readonly never[]) => object;
  readonly Tag: new (
    type: { readonly parameters: readonly string[] },
  ) => object;
};

/** An exception that the guest did not catch; what it holds is not told. */
export function uncaught(): GuestStop {
  return new GuestStop(
    undefined,
    new Exception(new Tag({ parameters: [] }), []),
  );
}
