import { hostEnd, MemoryChannel, RpcPeer } from "../../communication/mod.ts";
import type { RpcPeerOptions } from "../../communication/mod.ts";

/** A peer at the host's end, and somebody at the guest's who says anything. */
export class Talk implements AsyncDisposable {
  readonly channel: MemoryChannel;
  readonly peer: RpcPeer;
  /** What the host was told. */
  readonly errors: unknown[] = [];

  constructor(options: RpcPeerOptions = {}, capacity = 64) {
    this.channel = new MemoryChannel({ capacity });
    this.peer = new RpcPeer(hostEnd(this.channel), {
      onError: (error) => this.errors.push(error),
      ...options,
    });
  }

  /** Says something as the guest. */
  async say(message: unknown): Promise<void> {
    await this.channel.sendResult(message);
  }

  /** Says something as the guest, and gives the next message of the host. */
  async ask(message: unknown): Promise<unknown> {
    await this.say(message);
    return await this.channel.receive();
  }

  /** Calls a method as the guest. */
  call(method: string, params?: unknown, id: unknown = 1): Promise<unknown> {
    return this.ask({ jsonrpc: "2.0", id, method, params });
  }

  /** Waits until the peer has nothing to do. */
  async rest(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.peer[Symbol.asyncDispose]();
  }
}

/** An error reply. */
export function failure(id: unknown, code: number, message: string): unknown {
  return { jsonrpc: "2.0", id, error: { code, message } };
}

/** A result. */
export function result(id: unknown, value: unknown): unknown {
  return { jsonrpc: "2.0", id, result: value };
}
