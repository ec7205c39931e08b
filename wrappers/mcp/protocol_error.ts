/** Errors as the protocol has them. */

import { quote } from "../../_text.ts";
import { BUSY_CODE, isBusy } from "./failures.ts";
import { Failed } from "./runner.ts";

const INVALID_PARAMS = -32602;
const INTERNAL_ERROR = -32603;
/** What the protocol calls a resource that is not there. */
const NOT_FOUND = -32002;

/** An error with a code, which the SDK passes on as it is. */
export class ProtocolError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The error of a request that asks for what there is not. */
export function invalid(message: string): ProtocolError {
  return new ProtocolError(INVALID_PARAMS, message);
}

/** The error of a URI that no resource has. */
export function notFound(uri: string): ProtocolError {
  return new ProtocolError(NOT_FOUND, `Resource not found: ${quote(uri)}`);
}

/** The error of a request that is too much. */
export function busy(message: string): ProtocolError {
  return new ProtocolError(BUSY_CODE, message);
}

/** An error as the protocol has it; what is none of the client's is short. */
export function toldOf(error: unknown): ProtocolError {
  if (error instanceof ProtocolError) return error;
  if (isBusy(error)) return busy("The server is busy: try again later");
  return new ProtocolError(
    INTERNAL_ERROR,
    error instanceof Failed ? error.message : "The server failed",
  );
}
