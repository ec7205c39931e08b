/**
 * Loads and stores, whose addresses have been checked.
 *
 * @module
 */

import type { Slots } from "./slots.ts";

/**
 * Loads a number.
 *
 * @param op The opcode, from 0x28 to 0x35.
 * @param view The memory.
 * @param address Where it is.
 * @param i32 The stack.
 * @param at Where it goes.
 */
export function load(
  op: number,
  view: DataView,
  address: number,
  i32: Int32Array,
  at: number,
): void {
  switch (op) {
    case 0x28:
    case 0x2a:
      i32[at] = view.getInt32(address, true);
      return;
    case 0x29:
    case 0x2b:
      i32[at] = view.getInt32(address, true);
      i32[at + 1] = view.getInt32(address + 4, true);
      return;
    case 0x2c:
      i32[at] = view.getInt8(address);
      return;
    case 0x2d:
      i32[at] = view.getUint8(address);
      return;
    case 0x2e:
      i32[at] = view.getInt16(address, true);
      return;
    case 0x2f:
      i32[at] = view.getUint16(address, true);
      return;
  }
  // of 64 bits, from fewer: the upper half follows from the sign
  const isSigned = op % 2 === 0;
  if (op < 0x32) {
    i32[at] = isSigned ? view.getInt8(address) : view.getUint8(address);
  } else if (op < 0x34) {
    i32[at] = isSigned
      ? view.getInt16(address, true)
      : view.getUint16(address, true);
  } else i32[at] = view.getInt32(address, true);
  i32[at + 1] = isSigned ? (i32[at] as number) >> 31 : 0;
}

/**
 * Stores a number.
 *
 * @param op The opcode, from 0x36 to 0x3e.
 * @param view The memory.
 * @param address Where it goes.
 * @param stack The stack.
 * @param at Where it is.
 */
export function store(
  op: number,
  view: DataView,
  address: number,
  { i32 }: Slots,
  at: number,
): void {
  const low = i32[at] as number;
  switch (op) {
    case 0x37:
    case 0x39:
      view.setInt32(address, low, true);
      view.setInt32(address + 4, i32[at + 1] as number, true);
      return;
    case 0x3a:
    case 0x3c:
      view.setInt8(address, low);
      return;
    case 0x3b:
    case 0x3d:
      view.setInt16(address, low, true);
      return;
    default:
      view.setInt32(address, low, true);
  }
}
