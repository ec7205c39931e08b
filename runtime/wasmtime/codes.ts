/**
 * Gathers the code of modules that are to be linked, and of what stands between
 * them and the host.
 *
 * @module
 */

import type { Code } from "./code_cache.ts";
import {
  writeAdapter,
  writeConstants,
  writeFiller,
  writeLater,
} from "./glue.ts";
import type { Later, UnitPlan } from "./plan.ts";
import type { LaterCode, UnitCode } from "./live.ts";

/** What is to be compiled. */
export interface CodeToTake {
  /** Names it, for as long as the process lives. */
  readonly key: string;
  /** The module. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How much work it is, see `v8/work.ts`; little for what is the host's. */
  readonly work?: number;
}

/** Code of modules, until it is given back. */
export class Codes implements Disposable {
  readonly #take: (source: CodeToTake) => Promise<Code>;
  readonly #giveBack: (code: Code) => void;
  readonly #taken: Code[] = [];

  /**
   * Constructs it, with no code yet.
   *
   * @param take Compiles, if need be.
   * @param giveBack Takes code back.
   */
  constructor(
    take: (source: CodeToTake) => Promise<Code>,
    giveBack: (code: Code) => void,
  ) {
    this.#take = take;
    this.#giveBack = giveBack;
  }

  /**
   * Gathers code.
   *
   * @param plans How modules are linked.
   * @returns The code of each.
   */
  async of(
    plans: readonly UnitPlan[],
  ): Promise<ReadonlyMap<UnitPlan, UnitCode>> {
    const codes = new Map<UnitPlan, UnitCode>();
    for (const plan of plans) codes.set(plan, await this.#unit(plan));
    return codes;
  }

  /** Gives all of it back. */
  [Symbol.dispose](): void {
    for (const code of this.#taken.splice(0)) this.#giveBack(code);
  }

  async #unit(plan: UnitPlan): Promise<UnitCode> {
    const { key, written, work } = plan.unit.module.prepared;
    return {
      main: await this.#code(key, () => written, work),
      adapter: await this.#adapter(plan),
      constants: await this.#constants(plan),
      later: await this.#later(plan),
    };
  }

  async #adapter({ functions }: UnitPlan): Promise<Code | undefined> {
    if (functions.length === 0) return undefined;
    const signatures = functions.map(({ signature }) => signature);
    const names = signatures.map(({ params, results }) =>
      `${params}:${results}`
    );
    return await this.#code(
      `adapter ${names.join(" ")}`,
      () => writeAdapter(signatures),
    );
  }

  async #constants({ constants }: UnitPlan): Promise<Code | undefined> {
    if (constants.length === 0) return undefined;
    const bytes = writeConstants(constants);
    return await this.#code(`constants ${bytes.toHex()}`, () => bytes);
  }

  async #later(
    { bindings }: UnitPlan,
  ): Promise<ReadonlyMap<Later, LaterCode>> {
    const codes = new Map<Later, LaterCode>();
    for (const binding of bindings) {
      if (binding.from !== "later") continue;
      const { signature } = binding;
      const name = `${signature.params}:${signature.results}`;
      codes.set(binding, {
        caller: await this.#code(`later ${name}`, () => writeLater(signature)),
        filler: await this.#code(
          `filler ${name}`,
          () => writeFiller(signature),
        ),
      });
    }
    return codes;
  }

  async #code(
    key: string,
    bytes: () => Uint8Array<ArrayBuffer>,
    work = 0,
  ): Promise<Code> {
    const code = await this.#take({ key, bytes: bytes(), work });
    this.#taken.push(code);
    return code;
  }
}
