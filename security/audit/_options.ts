/** Checks of options. */

/** Gives the value back if it is a whole number from 1 to `max`. */
export function wholeNumber(name: string, value: number, max: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new RangeError(
    `Cannot use ${name} ${value}: it must be a whole number from 1 to ${max}`,
  );
}
