/**
 * A host whose guest makes one request; run by tests with permissions and an
 * environment of their own.
 *
 * ```sh
 * deno run tests/http/host.ts inline http://127.0.0.1:8080/ 127.0.0.1:8080
 * ```
 *
 * @module
 */

import { GuestHttp } from "../../communication/http/mod.ts";
import { resolveLimits } from "../../security/limits.ts";
import {
  Capabilities,
  SecurityAuditor,
  SecurityPolicy,
} from "../../security/mod.ts";

const [isolation, url = "", ...hosts] = Deno.args;
const policy = SecurityPolicy.strict()
  .allowCapability(Capabilities.networkAccess(hosts));
await using http = new GuestHttp({
  auditor: new SecurityAuditor(policy),
  limits: resolveLimits({}),
  isolation: isolation === "process" ? "process" : "inline",
});
let said: string;
try {
  const { body } = await http.request({
    url,
    method: "GET",
    headers: [],
    body: new Uint8Array(),
  });
  said = new TextDecoder().decode(body);
} catch (error) {
  said = String(error);
}
await Deno.stdout.write(new TextEncoder().encode(said));
