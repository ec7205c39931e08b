/**
 * Sizes, times and counts as people write them.
 *
 * @module
 */

export * from "../security/units.ts";
