/**
 * `poll_oneoff`: waiting for a clock, or for a descriptor. Descriptors are
 * always ready, for every read and write waits by itself.
 *
 * @module
 */

import type { WasiFunctions } from "./abi.ts";
import { type ClockName, clockName } from "./clocks.ts";
import { demandRight, type WasiContext } from "./context.ts";
import type { Descriptor } from "./descriptors.ts";
import { ERRNO, WasiError } from "./errno.ts";

/** Most subscriptions of one call. */
const MAX_SUBSCRIPTIONS = 1024;

const EVENT_BYTES = 32;

/** Fuel for a subscription, as if it were so many bytes. */
const SUBSCRIPTION_COST_BYTES = 80;

const TYPE = Object.freeze({ CLOCK: 0, READ: 1, WRITE: 2 });

/** The file has come to its end. */
const HANGUP = 1;

/** What a guest waits for. */
interface Subscription {
  /** The guest's own mark. */
  readonly userdata: bigint;
  /** Number of what it is for. */
  readonly type: number;
  /** A descriptor's number. */
  readonly fd: number;
  /** A clock's number. */
  readonly clock: number;
  /** When, or how long. */
  readonly timeout: bigint;
  /** 1 if it is when, and not how long. */
  readonly flags: number;
}

/** What has happened. */
interface Event {
  readonly of: Subscription;
  readonly errno: number;
  readonly bytes: bigint;
  readonly flags: number;
}

/** A clock that is waited for. */
interface Alarm {
  readonly of: Subscription;
  readonly ns: bigint;
}

/** `poll_oneoff`. */
export function pollFunctions(
  context: WasiContext,
): WasiFunctions<"poll_oneoff"> {
  const { memory, abi } = context;
  return {
    poll_oneoff(at, into, count, result) {
      if (count === 0 || count > MAX_SUBSCRIPTIONS) {
        throw new WasiError("INVAL");
      }
      memory.check(result, 4);
      memory.check(into, count * EVENT_BYTES);
      memory.check(at, count * abi.subscription.bytes);
      memory.charge(count * SUBSCRIPTION_COST_BYTES);
      // all are read before any is written: the two may overlap
      const subscriptions = Array.from(
        { length: count },
        (_, index) => parse(context, at + index * abi.subscription.bytes),
      );
      const events = wait(context, subscriptions);
      events.forEach((event, index) =>
        write(context, into + index * EVENT_BYTES, event)
      );
      memory.setU32(result, events.length);
    },
  };
}

function parse({ abi, memory }: WasiContext, at: number): Subscription {
  const { bytes, fd, clockId, timeout, flags } = abi.subscription;
  const view = memory.view(at, bytes);
  return {
    userdata: view.getBigUint64(0, true),
    type: view.getUint8(8),
    fd: view.getUint32(fd, true),
    clock: view.getUint32(clockId, true),
    timeout: view.getBigUint64(timeout, true),
    flags: view.getUint16(flags, true),
  };
}

function write({ memory }: WasiContext, at: number, event: Event): void {
  memory.bytes(at, EVENT_BYTES).fill(0);
  const view = memory.view(at, EVENT_BYTES);
  view.setBigUint64(0, event.of.userdata, true);
  view.setUint16(8, event.errno, true);
  view.setUint8(10, event.of.type);
  view.setBigUint64(16, event.bytes, true);
  view.setUint16(24, event.flags, true);
}

function wait(
  context: WasiContext,
  subscriptions: readonly Subscription[],
): readonly Event[] {
  const events: Event[] = [];
  const alarms: Alarm[] = [];
  for (const of of subscriptions) {
    try {
      if (of.type === TYPE.CLOCK) {
        alarms.push({ of, ns: remaining(context, of) });
      } else events.push({ of, errno: 0, ...ready(context, of) });
    } catch (error) {
      if (!(error instanceof WasiError)) throw error;
      events.push({ of, errno: ERRNO[error.errno], bytes: 0n, flags: 0 });
    }
  }
  const first = alarms.reduce<bigint | undefined>(
    (least, { ns }) => least === undefined || ns < least ? ns : least,
    undefined,
  );
  // what is ready already is not waited for
  const slept = first === undefined || events.length > 0 ? 0n : first;
  if (slept > 0n) sleep(context, slept);
  for (const { of, ns } of alarms) {
    if (ns <= slept) events.push({ of, errno: 0, bytes: 0n, flags: 0 });
  }
  return events;
}

/** How long a clock is to be waited for. */
function remaining(
  { clock, decisions }: WasiContext,
  { clock: id, timeout, flags }: Subscription,
): bigint {
  const resource: ClockName = clockName(id);
  if (flags > 1) throw new WasiError("INVAL");
  decisions.demand({
    capability: "clock",
    action: "sleep",
    resource,
    via: "poll_oneoff",
  });
  const now = clock.peek(resource);
  if (flags === 0) return timeout;
  return timeout > now ? timeout - now : 0n;
}

function sleep({ clock, guest }: WasiContext, ns: bigint): void {
  if (clock.isVirtual) return clock.advance(ns);
  guest.sleep(Number(clock.sleepNs(ns)) / 1e6);
}

/** What is ready of a descriptor. */
function ready(
  context: WasiContext,
  { type, fd }: Subscription,
): { readonly bytes: bigint; readonly flags: number } {
  if (type !== TYPE.READ && type !== TYPE.WRITE) throw new WasiError("INVAL");
  const descriptor = context.descriptors.get(fd);
  if (descriptor.kind === "directory") throw new WasiError("BADF");
  checkDirection(descriptor, type === TYPE.READ);
  const via = "poll_oneoff";
  const right = type === TYPE.READ ? "FD_READ" : "FD_WRITE";
  demandRight(context, descriptor, { right, via });
  demandRight(context, descriptor, { right: "POLL_FD_READWRITE", via });
  if (descriptor.kind === "stream") {
    descriptor.stream.demand(via);
    return { bytes: 1n, flags: 0 };
  }
  if (type === TYPE.WRITE) return { bytes: 1n, flags: 0 };
  const { size } = descriptor.file.stat();
  const left = BigInt(Math.max(0, size - descriptor.position));
  return { bytes: left, flags: left === 0n ? HANGUP : 0 };
}

function checkDirection(descriptor: Descriptor, reads: boolean): void {
  if (descriptor.kind !== "stream") return;
  if ((descriptor.stream.name === "stdin") !== reads) {
    throw new WasiError("BADF");
  }
}
