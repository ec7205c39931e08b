/**
 * A trap that the host can raise: no handler of a guest catches it.
 *
 * @module
 */

// (module (func (export "t") unreachable))
const MODULE = [
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00],
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x07, 0x05, 0x01, 0x01, 0x74, 0x00, 0x00],
  ...[0x0a, 0x05, 0x01, 0x03, 0x00, 0x00, 0x0b],
];

/**
 * Makes the function that traps.
 *
 * @returns Traps in the guest that called the host function that calls it.
 */
export function makeTrap(): () => never {
  const { exports } = new WebAssembly.Instance(
    new WebAssembly.Module(Uint8Array.from(MODULE)),
  );
  return exports.t as () => never;
}
