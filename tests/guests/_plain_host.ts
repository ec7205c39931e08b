/**
 * A host that was written from docs/guest-abi.md alone, and shares nothing with
 * the package: it checks the guest libraries against the text. It trusts the
 * guest, and answers with what it was told to.
 *
 * @module
 */

/** What the host says: bytes, or why not. */
export interface PlainAnswer {
  /** 0, or the number of a fault. */
  readonly status: number;
  /** The answer, or the fault's document. */
  readonly bytes: string | Uint8Array;
}

/** What the host does for the guest. */
export interface PlainServices {
  /** Answers a call of a function. */
  call?(name: string, input: Uint8Array): PlainAnswer;
  /** Gives the next message. */
  receive?(timeoutMs: number): PlainAnswer;
  /** Gets a message. */
  send?(message: string): PlainAnswer;
  /** Gives the next bytes; none at the end. */
  read?(length: number): PlainAnswer;
  /** Gets the next bytes. */
  write?(bytes: Uint8Array): PlainAnswer;
}

type Call = (request: number, length: number) => bigint;

/** A guest, and its host. */
export class PlainHost {
  /** Lines of the log, with their levels. */
  readonly lines: (readonly [level: number, line: string])[] = [];
  /** Lengths that the guest has asked `take` for. */
  readonly takes: number[] = [];
  readonly #services: PlainServices;
  readonly #exports: WebAssembly.Exports;
  #waiting: Uint8Array | undefined;
  #reason: string | undefined;

  /**
   * Constructs it.
   *
   * @param module The guest; it imports nothing but `wasm_sandbox`.
   * @param services What it can ask for.
   */
  constructor(module: WebAssembly.Module, services: PlainServices = {}) {
    this.#services = services;
    const { exports } = new WebAssembly.Instance(module, {
      wasm_sandbox: this.#functions(),
    });
    this.#exports = exports;
  }

  /**
   * Calls an export.
   *
   * @param name Its name.
   * @param request What it is given.
   * @returns Its reply.
   * @throws {Error} With the reason, if it says that it failed.
   */
  call(name: string, request: string | Uint8Array): Uint8Array {
    const bytes = bytesOf(request);
    const { wasm_sandbox_alloc, wasm_sandbox_free } = this.#exports;
    const alloc = wasm_sandbox_alloc as (size: number) => number;
    const free = wasm_sandbox_free as (at: number, size: number) => void;
    this.#reason = this.#waiting = undefined;
    const place = alloc(bytes.length) >>> 0;
    this.#view(place, bytes.length).set(bytes);
    const result = BigInt.asUintN(
      64,
      (this.#exports[name] as Call)(place, bytes.length),
    );
    const at = Number(result >> 32n);
    const length = Number(result & 0xffffffffn);
    const reply = this.#view(at, length).slice();
    free(place, bytes.length);
    free(at, length);
    if (this.#reason !== undefined) throw new Error(this.#reason);
    return reply;
  }

  /** As `call`, with JSON. */
  json(name: string, input: unknown): unknown {
    const reply = this.call(name, JSON.stringify(input));
    return JSON.parse(new TextDecoder().decode(reply));
  }

  /** Pages of the guest's memory. */
  get pages(): number {
    const { buffer } = this.#exports.memory as WebAssembly.Memory;
    return buffer.byteLength / 65_536;
  }

  #view(at: number, length: number): Uint8Array {
    const { buffer } = this.#exports.memory as WebAssembly.Memory;
    return new Uint8Array(buffer, at >>> 0, length);
  }

  #text(at: number, length: number): string {
    const view = this.#view(at, length);
    return new TextDecoder("utf-8", { fatal: true }).decode(view);
  }

  #functions(): Record<string, CallableFunction> {
    const { call, receive, send, read, write } = this.#services;
    return {
      version: () => 1,
      call: (name: number, nameLength: number, at: number, length: number) =>
        this.#long(
          call?.(
            this.#text(name, nameLength),
            this.#view(at, length).slice(),
          ),
        ),
      receive: (timeoutMs: number) => this.#long(receive?.(timeoutMs)),
      take: (at: number, length: number) => {
        this.takes.push(length);
        const taken = this.#waiting?.subarray(0, length) ?? new Uint8Array();
        this.#waiting = undefined;
        this.#view(at, taken.length).set(taken);
        return taken.length;
      },
      send: (at: number, length: number) =>
        this.#short(send?.(this.#text(at, length)), 0),
      read: (at: number, length: number) => {
        const answer = read?.(length);
        if (answer?.status !== 0) return this.#short(answer, 0);
        const bytes = bytesOf(answer.bytes);
        this.#view(at, length).set(bytes);
        return bytes.length;
      },
      write: (at: number, length: number) =>
        this.#short(write?.(this.#view(at, length).slice()), length),
      log: (level: number, at: number, length: number) => {
        this.lines.push([level, this.#text(at, length)]);
      },
      fail: (at: number, length: number) => {
        this.#reason ??= this.#text(at, length);
      },
    };
  }

  #long({ status, bytes }: PlainAnswer = UNKNOWN): bigint {
    this.#waiting = bytesOf(bytes);
    return BigInt(status) << 32n | BigInt(this.#waiting.length);
  }

  #short(answer: PlainAnswer | undefined, result: number): number {
    const { status, bytes } = answer ?? UNKNOWN;
    if (status === 0) return result;
    this.#waiting = bytesOf(bytes);
    return -status;
  }
}

const UNKNOWN: PlainAnswer = {
  status: 2,
  bytes: '{"code":"unknown","message":"there is no such thing"}',
};

function bytesOf(bytes: string | Uint8Array): Uint8Array {
  return typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
}
