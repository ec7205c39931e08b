/**
 * The capability extension point.
 *
 * @module
 */

/**
 * A permission, as plain data: it can be written to a file and sent to another
 * process. No runtime of this version knows a kind of capability, so every one
 * that grants something is refused when a guest is made.
 */
export interface Capability {
  /** Discriminant: which kind of capability it is. */
  readonly type: string;
}
