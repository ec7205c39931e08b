/**
 * The host's services, with a policy, as a sandbox makes them.
 *
 * @module
 */

import {
  HostServices,
  type HostServicesOptions,
} from "../../communication/host_services.ts";
import type { StandardSchemaV1 } from "../../communication/standard_schema.ts";
import type { CallServices, MaybePromise } from "../../communication/types.ts";
import type { SandboxError } from "../../errors.ts";
import { SecurityAuditor } from "../../security/auditor.ts";
import { resolveLimits, type ResourceLimits } from "../../security/limits.ts";
import { SecurityPolicy } from "../../security/policy.ts";
import type { AuditEvent, AuditSink } from "../../security/types.ts";
import { bytesOf, type Given } from "./_hand.ts";

/** Options of {@linkcode Host}. */
export interface HostOptions
  extends Partial<Omit<HostServicesOptions, "limits" | "auditor">> {
  /** Limits other than the default ones. */
  readonly limits?: ResourceLimits;
  /** What is granted. */
  readonly policy?: readonly object[];
  /** Takes the events; they are kept as a list, if left out. */
  readonly sink?: AuditSink;
}

/** The host's side of guests. */
export class Host {
  /** The services. */
  readonly services: HostServices;
  /** What the auditor recorded. */
  readonly events: AuditEvent[] = [];
  /** What the host was told of. */
  readonly errors: SandboxError<"host-function-failed">[] = [];

  /** Constructs it. */
  constructor(
    { limits = {}, policy = [], sink, ...options }: HostOptions = {},
  ) {
    this.services = new HostServices({
      functions: {},
      onHostFunctionError: (error) => void this.errors.push(error),
      ...options,
      limits: resolveLimits(limits),
      auditor: new SecurityAuditor(SecurityPolicy.from(policy), {
        sinks: [sink ?? { record: (event) => void this.events.push(event) }],
      }),
    });
  }

  /** Begins a call without streams. */
  begin(): CallServices {
    return this.services.begin({});
  }

  /** Calls a function in a call of its own; gives the answer as text. */
  async call(name: string, input: Given = "null"): Promise<string> {
    const services = this.begin();
    try {
      return text(await services.call(name, bytesOf(input)));
    } finally {
      await services.end();
    }
  }

  /** What was decided, in short. */
  get decisions(): readonly string[] {
    return this.events.map(({ decision, operation, resource }) =>
      `${decision} ${operation} ${resource}`
    );
  }
}

/** UTF-8 as text. */
export function text(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}

/** A schema that checks by a function. */
export function schema<T>(
  validate: (value: unknown) => MaybePromise<
    { value: T } | { issues: { message: string }[] }
  >,
): StandardSchemaV1<unknown, T> {
  return { "~standard": { version: 1, vendor: "test", validate } };
}
