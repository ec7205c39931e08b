/**
 * Questions to somebody at a terminal.
 *
 * @module
 */

import { ValidationError } from "@cliffy/command";
import { printable } from "../_text.ts";
import type { CliHost } from "./host.ts";
import { styleOf } from "./style.ts";
import { wrap } from "./text_width.ts";

/** A question. */
export interface Question<T> {
  /** What is asked for, in a word or two. */
  readonly label: string;
  /** What that is, in a sentence. */
  readonly about?: string | undefined;
  /** The answer, if a line is empty. */
  readonly standard?: string | undefined;
  /**
   * Reads an answer.
   *
   * @param text What was typed.
   * @returns The value.
   * @throws {ValidationError} That says what is wrong; it is asked again then.
   */
  readonly read: (text: string) => T;
}

/**
 * Whether there is somebody to ask: never in a pipe.
 *
 * @param host The world around.
 * @returns Whether what is asked is seen, and what is typed is read.
 */
export function canAsk(host: CliHost): boolean {
  return host.isTerminal("stdin") && host.isTerminal("stderr");
}

/**
 * Asks until the answer will do. The question goes to the standard error, so
 * that the output stays what the command prints.
 *
 * @typeParam T The answer.
 * @param host Whom to ask.
 * @param question What to ask.
 * @returns The answer.
 * @throws {ValidationError} If the input ends.
 */
export async function ask<T>(
  host: CliHost,
  { label, about, standard, read }: Question<T>,
): Promise<T> {
  const style = styleOf(host, "stderr");
  const hint = standard === undefined
    ? ""
    : style.faint(` [${printable(standard)}]`);
  for (const each of lines(host, about ?? "")) {
    if (each !== "") await host.stderr(`${style.faint(each)}\n`);
  }
  while (true) {
    await host.stderr(`${style.title(printable(label))}${hint}: `);
    const line = await host.readLine();
    if (line === undefined) {
      await host.stderr("\n");
      throw new ValidationError(`Nothing was answered to "${label}"`);
    }
    const text = line.trim();
    try {
      return read(text === "" && standard !== undefined ? standard : text);
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error;
      await host.stderr(
        `${lines(host, error.message).map(style.bad).join("\n")}\n`,
      );
    }
  }
}

/** A text on as many lines of the terminal as it takes. */
function lines(host: CliHost, text: string): readonly string[] {
  return wrap(printable(text), host.columns() ?? Infinity);
}
