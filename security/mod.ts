/**
 * Security: what a guest may use, and what it may do.
 *
 * @module
 */

export type * from "./types.ts";
export * from "./limits.ts";
