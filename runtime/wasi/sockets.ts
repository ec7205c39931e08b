/**
 * Sockets, of which a guest has none: nothing that it can have open is one, and
 * no capability grants any.
 *
 * @module
 */

import type { WasiFunctionName, WasiFunctions } from "./abi.ts";
import type { WasiContext } from "./context.ts";
import { WasiError } from "./errno.ts";

/** Functions of this file. */
type Names = "sock_accept" | "sock_recv" | "sock_send" | "sock_shutdown";

/** Functions for sockets: each is refused, and recorded. */
export function socketFunctions(
  { decisions, descriptors }: WasiContext,
): WasiFunctions<Names> {
  const refuse = (via: WasiFunctionName) => (fd: number): never => {
    decisions.permits({
      capability: "network",
      action: "socket",
      resource: "",
      via,
    });
    descriptors.get(fd);
    throw new WasiError("NOTSOCK");
  };
  return {
    sock_accept: refuse("sock_accept"),
    sock_recv: refuse("sock_recv"),
    sock_send: refuse("sock_send"),
    sock_shutdown: refuse("sock_shutdown"),
  };
}
