/**
 * What a user who stops the command line gets to read.
 *
 * @module
 */

/** The user asked to stop, as by Ctrl-C, before the work was done. */
export class Interruption extends Error {
  /** Its name, for who prints it. */
  override readonly name = "Interruption";
}
