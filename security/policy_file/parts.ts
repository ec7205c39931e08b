/**
 * The parts that a policy file is read by, for files that hold policies among
 * other things.
 *
 * @module
 */

export { readCapabilities } from "./_capabilities.ts";
export { checkText, decode, type FileName } from "./_text_of.ts";
export { formatOf } from "./document.ts";
export { readBytes, readLimits, readRoot } from "./parse.ts";
