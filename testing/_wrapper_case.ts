/** What the cases of the suite for wrappers are, and what they work on. */

import type { OperationOptions } from "../runtime/types.ts";
import type { WrapperFactory } from "../wrappers/mod.ts";
import type { Wrapper, WrapperKind } from "../wrappers/types.ts";
import { children, sockets } from "./_wrapper_host.ts";
import {
  type GuestFaults,
  guestOf,
  type GuestShape,
} from "./_wrapper_guest.ts";
import { eventually } from "./_wrapper_check.ts";

/** A guest that the wrapper under test is to run. */
export interface WrapperSuiteGuest {
  /** The module. */
  readonly module: Uint8Array<ArrayBuffer>;
  /** Most requests that the wrapper may answer at a time. */
  readonly maxConcurrent: number;
  /** The deadline of a request, and of the start of the guest. */
  readonly limits: { readonly timeoutMs: number };
  /** Where the guest runs. */
  readonly isolation: "inline" | "process";
}

/** What may differ from the guest that a case is given. */
export interface GuestSetting
  extends Partial<Omit<WrapperSuiteGuest, "limits">> {
  readonly timeoutMs?: number;
}

/** A kind of wrappers, and how its wrappers are used. */
export interface WrapperParts {
  readonly kind: WrapperKind<object>;
  readonly wrappers: WrapperFactory;
  readonly shape: GuestShape;
  readonly optionsOf: (guest: WrapperSuiteGuest) => object;
  readonly request: (wrapper: Wrapper, text: string) => Promise<unknown>;
  readonly isDisposed: (error: unknown) => boolean;
}

/** A kind of wrappers under test. */
export class WrapperSubject {
  readonly kind: WrapperKind<object>;
  readonly wrappers: WrapperFactory;
  readonly #parts: WrapperParts;
  #isWarm = false;

  constructor(parts: WrapperParts) {
    this.kind = parts.kind;
    this.wrappers = parts.wrappers;
    this.#parts = parts;
  }

  /** What the platform opens once, and keeps, is there from now on. */
  async warm(): Promise<void> {
    if (this.#isWarm) return;
    this.#isWarm = true;
    try {
      await using wrapper = await this.open();
      await this.request(wrapper);
    } catch {
      // why is for the cases to tell
    }
  }

  /** Assembles a guest; a good one, if nothing is said. */
  guest(faults: GuestFaults = {}): Uint8Array<ArrayBuffer> {
    return guestOf(this.#parts.shape, faults);
  }

  /** Options of a wrapper around a guest. */
  options(
    { timeoutMs = 5_000, ...others }: GuestSetting = {},
  ): Record<string, unknown> {
    const guest = {
      module: others.module ?? this.guest(),
      maxConcurrent: 2,
      isolation: "inline" as const,
      ...others,
      limits: { timeoutMs },
    };
    return { ...this.#parts.optionsOf(guest) };
  }

  /** Makes a wrapper. */
  open(setting?: GuestSetting, operation?: OperationOptions): Promise<Wrapper> {
    return this.create(this.options(setting), operation);
  }

  /** Makes a wrapper of any options. */
  async create(
    options: unknown,
    operation?: OperationOptions,
  ): Promise<Wrapper> {
    return await this.kind.create(options as object, operation);
  }

  /** Whether a request failed because the wrapper is disposed. */
  isDisposed(error: unknown): boolean {
    return this.#parts.isDisposed(error);
  }

  /** Makes a request. */
  async request(wrapper: Wrapper, text = ""): Promise<unknown> {
    return await this.#parts.request(wrapper, text);
  }
}

/** Something that every wrapper does. */
export interface WrapperCase {
  readonly name: string;
  /** Fails if it does not hold. */
  run(subject: WrapperSubject): Promise<void>;
}

/** Runs a case, and fails if it leaves a process or a socket behind. */
export async function runClean(
  subject: WrapperSubject,
  run: WrapperCase["run"],
): Promise<void> {
  await subject.warm();
  const before = { children: children().length, sockets: sockets() };
  await run(subject);
  await eventually(
    () => children().length <= before.children,
    "a process is left behind",
  );
  await eventually(
    () => sockets() <= before.sockets,
    "a socket is left open",
  );
}
