/**
 * Methods that the other side of an rpc conversation may call.
 *
 * @module
 */

import { quote } from "../_text.ts";
import { RPC_ERRORS } from "./json_rpc.ts";
import { RpcFault } from "./rpc_fault.ts";
import {
  checkSchema,
  describeIssues,
  type StandardSchemaV1,
  validate,
} from "./standard_schema.ts";
import type { MaybePromise } from "./types.ts";

/** What a handler is told besides the parameters. */
export interface RpcContext {
  /** Name of the method. */
  readonly method: string;
  /** Aborted when nobody wants the answer any more. */
  readonly signal: AbortSignal;
}

/**
 * Does what a method does. The parameters are the other side's: an array, an
 * object or undefined, and nothing of them is checked.
 *
 * It throws {@linkcode RpcFault} or {@linkcode GuestFault} for the other side
 * to be told why; of anything else it is told no more than that it failed.
 *
 * @param params The parameters.
 * @param context Method and cancellation.
 * @returns What JSON can hold; undefined is null.
 */
export type RpcHandler = (
  params: unknown,
  context: RpcContext,
) => MaybePromise<unknown>;

/**
 * A method whose parameters are checked before its handler sees them; what
 * does not fit is answered with -32602.
 *
 * @typeParam P What the schema gives.
 */
export interface RpcMethod<P = unknown> {
  /** Schema of the parameters. */
  readonly params: StandardSchemaV1<unknown, P>;
  /**
   * Does what the method does.
   *
   * @param params The parameters, as the schema gives them.
   * @param context Method and cancellation.
   * @returns What JSON can hold; undefined is null.
   */
  handler(params: P, context: RpcContext): MaybePromise<unknown>;
}

/**
 * What runs a method.
 *
 * @param name Name of the method, for messages.
 * @param method A handler, with a schema of its parameters or without.
 * @returns The handler, which checks its parameters if it has a schema.
 * @throws {TypeError} If it is none.
 */
export function handlerOf(
  name: string,
  method: RpcHandler | RpcMethod,
): RpcHandler {
  if (typeof method === "function") return method;
  if (typeof method?.handler !== "function") {
    throw new TypeError(
      `Cannot handle the method ${quote(name)}: its handler is no function`,
    );
  }
  const { params: schema } = method;
  checkSchema(schema);
  return async (params, context) => {
    const result = await validate(schema, params);
    if (result.issues === undefined) {
      return await method.handler(result.value, context);
    }
    const problem = `invalid params: ${describeIssues(result.issues)}`;
    throw new RpcFault(RPC_ERRORS.invalidParams, problem);
  };
}
