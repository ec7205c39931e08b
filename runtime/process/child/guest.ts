/**
 * The guest of this process.
 *
 * @module
 */
import { resolveLimits } from "../../../security/limits.ts";
import type { HostFunction, Instance, Module, WasmValue } from "../../types.ts";
import { V8Runtime } from "../../v8/runtime.ts";
import type { Open, SentImport } from "../messages.ts";
import { decodeNumber, encodeNumber } from "../numbers.ts";
import { EventSink } from "./events.ts";
import type { Pipe } from "./pipe.ts";

export interface ChildRun { args: readonly string[]; env: Readonly<Record<string,string>>; files: Readonly<Record<string, Uint8Array>> }

export class ChildInstance {
  constructor(readonly instance: Instance) {}
  get failure() { return this.instance.failure }
  callSync: Instance["callSync"] = (...a) => this.instance.callSync(...a);
  exchangeSync: Instance["exchangeSync"] = (...a) => this.instance.exchangeSync(...a);
  setFuel(f: number): void { this.instance.setFuel(f) }
  usage() { return this.instance.usage() }
  files(): ReadonlyMap<string, Uint8Array> { return new Map() }
  execute(_run: ChildRun): Promise<number> { throw new Error("later") }
  dispose(): Promise<void> { return this.instance[Symbol.asyncDispose]() }
}

export class ChildGuest {
  constructor(readonly events: EventSink, readonly module: Module, readonly runtime: V8Runtime, readonly imports: any) {}
  static async open(open: Open, module: Uint8Array<ArrayBuffer>, pipe: Pipe): Promise<ChildGuest> {
    const runtime = new V8Runtime({ keepsDeadlines: false });
    const m = await runtime.compile(module, { limits: resolveLimits(open.limits), features: open.features });
    return new ChildGuest(new EventSink(pipe), m, runtime, importsOf(open.imports, pipe));
  }
  async instantiate(fuel: number | undefined): Promise<ChildInstance> {
    return new ChildInstance(await this.runtime.instantiate(this.module, { imports: this.imports, ...(fuel === undefined ? {} : { limits: { fuel } }) }));
  }
}

function importsOf(sent: readonly SentImport[], pipe: Pipe): Record<string, Record<string, HostFunction | WasmValue>> {
  const imports: Record<string, Record<string, HostFunction | WasmValue>> = Object.create(null);
  sent.forEach(({ module, name, value }, index) => {
    (imports[module] ??= Object.create(null) as Record<string, HostFunction | WasmValue>)[name] = value === undefined ? asked(pipe, index) : decodeNumber(value) ?? 0;
  });
  return imports;
}

function asked(pipe: Pipe, index: number): HostFunction {
  return (...args) => {
    const { answer } = pipe.ask({ what: "call", index, args: args.map(encodeNumber) });
    if (answer.problem !== undefined) throw new Error(answer.problem);
    const values = (answer.values ?? []).map((t) => decodeNumber(t) ?? 0);
    return values.length > 1 ? values : values[0];
  };
}
