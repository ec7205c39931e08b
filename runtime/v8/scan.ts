/**
 * Walks once over each function's code: refuses what the gate does not allow,
 * and plans where checks and charges go.
 *
 * @module
 */

import { HelperTable } from "./bulk.ts";
import { CodeReader } from "./code_reader.ts";
import { FEATURE_BITS as F } from "./features.ts";
import { StackHeight } from "./height.ts";
import {
  MAX_LOCALS,
  MAX_MERGED_LOCALS,
  MAX_NESTING,
  refused,
} from "./bounds.ts";
import type { Instrumentation, ModuleLayout } from "./layout.ts";
import { Meter } from "./meter.ts";
import {
  Act,
  ACT_MASK,
  COST_SHIFT,
  FEATURE_MASK,
  FEATURE_SHIFT,
  HEIGHT_SHIFT,
  INFO,
} from "./opcodes.ts";
import { Operations } from "./operations.ts";
import { Insert, Plan } from "./plan.ts";
import { ByteReader, malformed } from "./reader.ts";
import { workOf } from "./work.ts";

/** Kinds of blocks. */
const BLOCK = 0;
const LOOP = 1;
const IF = 2;
const TRY = 3;
const FUNCTION = 4;

/** Longest body that may do without a check at its entry, if it calls nobody. */
const BRIEF_BYTES = 128;
/** How many calls and exceptions may follow each other without a check. */
const CALLS_PER_CHECK = 1024;

/** Values that a call takes and gives without weight: the registers' share. */
const FEW_VALUES = 16;
/** What one more of them weighs: the engine takes a microsecond for each. */
const MOVE_WEIGHT = 32;

/**
 * Largest sum, over a function's calls and whatever else calls out of its code,
 * of its locals and what is on its stack: the engine takes half a nanosecond
 * for each.
 */
const MAX_WALKED = 200_000_000;
/** Proposals whose instructions handle references. */
const REFERRING = F.referenceTypes | F.functionReferences | F.gc;
/** How much longer it takes where there are references among them. */
const REFERENCE_WEIGHT = 100;

const TRY_TABLE = 0x1f;
const CATCH = 0x07;
const CALL = 0x10;
const RETURN_CALL = 0x12;

/** Scans function bodies one after the other. */
export class Scanner {
  /** What to insert, in order. */
  readonly plan: Plan = new Plan();
  /** The helpers that the code will call. */
  readonly helpers: HelperTable;
  /** Features that the code uses. */
  features = 0;
  /**
   * What all of the code takes an engine that optimizes it at once, as
   * `work.ts` measures it.
   */
  work = 0;

  readonly #layout: ModuleLayout;
  readonly #mode: Instrumentation;
  readonly #meter: Meter;
  // one item for each block that is open
  readonly #kinds = new Uint8Array(MAX_NESTING + 1);
  readonly #targeted = new Uint8Array(MAX_NESTING + 1);
  readonly #deadAtStart = new Uint8Array(MAX_NESTING + 1);
  readonly #checks = new Int32Array(MAX_NESTING + 1);
  #depth = 0;
  readonly #code: CodeReader;
  readonly #height = new StackHeight();
  readonly #operations: Operations;
  #locals = 0;
  #resultCount = 0;
  /** At how many places control flow parts or meets. */
  #merges = 0;
  /** Locals and what is on the stack, over all of these places. */
  #weight = 0;
  /** How many calls there are, helpers included. */
  #calls = 0;
  /** How many calls and exceptions there are that are reached. */
  #row = 0;
  /** What that was at the last check that every path here has passed. */
  #checked = 0;
  /** At each open block: what `#checked` was when it began. */
  readonly #checkedAtStart = new Int32Array(MAX_NESTING + 1);
  /** What the engine walks over at instructions that call out of the code. */
  #callWeight = 0;
  /** The most values on the stack where control flow parts or meets. */
  #tallest = 0;
  /** How many loops there are, and how many are open. */
  #loops = 0;
  #openLoops = 0;
  /** How many operations there are that may become loops. */
  #operationCount = 0;
  /** How deep each loop lies, all of them together. */
  #loopDepths = 0;
  /** Whether the code handles references, which take far longer to save. */
  #references = false;
  #catches = false;

  /**
   * Constructs a scanner.
   *
   * @param layout The module.
   * @param mode Which limits the code is to carry.
   */
  constructor(layout: ModuleLayout, mode: Instrumentation) {
    this.#layout = layout;
    this.#mode = mode;
    this.#meter = new Meter(this.plan, mode.fuel);
    this.helpers = new HelperTable(layout, mode);
    this.#code = new CodeReader(layout);
    this.#operations = new Operations({
      layout,
      mode,
      code: this.#code,
      height: this.#height,
      meter: this.#meter,
      plan: this.plan,
      helpers: this.helpers,
    });
  }

  /**
   * Scans one function.
   *
   * @param index Its number among the defined functions.
   */
  scan(index: number): void {
    const {
      bodies,
      functionTypes,
      importedFunctions,
      paramCounts,
      resultCounts,
      referring,
    } = this.#layout;
    const start = bodies[2 * index] ?? 0;
    const end = bodies[2 * index + 1] ?? 0;
    const type = functionTypes[importedFunctions + index] ?? 0;
    const reader = new ByteReader(this.#layout.bytes, start, end);
    this.#references = referring.has(type);
    const locals = this.#readLocals(reader) + (paramCounts[type] ?? 0);
    if (locals > MAX_LOCALS) {
      throw refused(
        `function ${index} has ${locals} locals, more than ${MAX_LOCALS}`,
        { reason: "too many locals", offset: start },
      );
    }
    const before = this.plan.length;
    this.#code.end = end;
    this.#resultCount = resultCounts[type] ?? 0;
    this.#catches = false;
    this.#function(reader.pos, locals, false);
    this.work += workOf({
      bytes: end - start,
      values: locals + this.#tallest,
      merges: this.#merges,
      weight: this.#weight,
      loops: this.#loops + this.#operationCount,
      loopDepths: this.#loopDepths,
    });
    if (this.#catches && this.#mode.fuel) {
      this.plan.truncate(before);
      this.#function(reader.pos, locals, true);
    }
    const each = this.#references ? REFERENCE_WEIGHT : 1;
    if (this.#callWeight * each > MAX_WALKED) {
      throw refused(
        `function ${index} calls so often, with ${locals} locals and what is ` +
          "on its stack, that it would take the engine too long to compile",
        { reason: "function too complex", offset: start },
      );
    }
    // where exceptions are caught, each call may lead to a handler
    const edges = this.#catches ? this.#calls : 0;
    if (this.#weight + edges * (locals + 1) > MAX_MERGED_LOCALS) {
      throw refused(
        `function ${index} has ${this.#merges + edges} branches, ${locals} ` +
          "locals, and values on its stack and in its calls, which would " +
          "take the engine more memory and time than is safe to compile",
        { reason: "function too complex", offset: start },
      );
    }
  }

  #readLocals(reader: ByteReader): number {
    let locals = 0;
    const groups = reader.count(2);
    for (let group = 0; group < groups; group++) {
      locals += reader.u32();
      const type = reader.u8();
      if (type === 0x63 || type === 0x64) reader.skipLeb(5);
      if (type < 0x7c) this.features |= LOCAL_FEATURES[type] ?? F.gc;
      if (type < 0x7b) this.#references = true;
    }
    return locals;
  }

  /** Scans the code of a function, with fuel in the global if `global`. */
  #function(start: number, locals: number, global: boolean): void {
    const { deadline, fuel } = this.#mode;
    this.#code.pos = start;
    this.#depth = 0;
    this.#merges = 0;
    this.#weight = 0;
    this.#locals = locals;
    this.#height.now = 0;
    this.#calls = 0;
    this.#row = 0;
    this.#checked = 0;
    this.#callWeight = 0;
    this.#tallest = 0;
    this.#loops = 0;
    this.#openLoops = 0;
    this.#operationCount = 0;
    this.#loopDepths = 0;
    this.#kinds[0] = FUNCTION;
    this.#targeted[0] = 0;
    this.#deadAtStart[0] = 0;
    this.#meter.begin(1 + (locals >>> 3), global);
    const entry = deadline || fuel ? this.plan.add(start, Insert.entry) : -1;
    this.#walk(global ? Insert.loopGlobal : Insert.loop);
    if (this.#code.pos !== this.#code.end || this.#depth !== -1) {
      throw malformed(
        this.#layout.bytes.length,
        "a function's code does not end",
        start,
      );
    }
    const isBrief = this.#calls === 0 && this.#code.end - start <= BRIEF_BYTES;
    if (entry >= 0 && isBrief) this.plan.change(entry, Insert.none);
  }

  /**
   * The hot loop: passes over what needs no thought. Reading past the end of
   * the bytes gives undefined, which ends every loop here, and what is read
   * past the end of the function is found out behind it.
   */
  #walk(loopCheck: number): void {
    const code = this.#code;
    const { bytes, end } = code;
    const operations = this.#operations;
    const meter = this.#meter;
    const { plain, leb, memarg, i32Const, f32Const, f64Const } = Act;
    const { block, tryTable } = Act;
    let { pos } = code;
    let seen = 0;
    let cost = 0;
    let constant = 0;
    let height = 0;
    while (pos < end) {
      const opcode = bytes[pos++] as number;
      const info = INFO[opcode] as number;
      seen |= info;
      cost += (info >>> COST_SHIFT) & 1;
      height += info >> HEIGHT_SHIFT;
      const kind = info & ACT_MASK;
      if (kind === plain) continue;
      if (kind === leb) {
        while ((bytes[pos++] as number) > 0x7f);
        continue;
      }
      if (kind === memarg && (bytes[pos] as number) < 0x40) {
        pos++;
        while ((bytes[pos++] as number) > 0x7f);
        continue;
      }
      if (kind === i32Const) {
        constant = pos;
        while ((bytes[pos++] as number) > 0x7f);
        continue;
      }
      if (kind === f64Const || kind === f32Const) {
        pos += kind === f64Const ? 8 : 4;
        continue;
      }
      code.pos = pos;
      meter.cost += cost;
      cost = 0;
      operations.constant = constant;
      this.#height.now = height;
      if (kind < block || kind > tryTable) this.#other(opcode, kind);
      else this.#control(opcode, kind, loopCheck);
      pos = code.pos;
      height = this.#height.now;
      if (this.#depth < 0) break;
    }
    code.pos = pos;
    if (((seen >>> FEATURE_SHIFT) & REFERRING) !== 0) this.#references = true;
    this.features |= ((seen >>> FEATURE_SHIFT) & FEATURE_MASK) |
      operations.features;
  }

  /** Instructions that make, end or leave blocks, and calls. */
  #control(opcode: number, kind: number, loopCheck: number): void {
    const at = this.#code.pos - 1;
    const meter = this.#meter;
    switch (kind) {
      case Act.block:
        this.#code.blockType();
        return this.#push(BLOCK);
      case Act.loop:
        meter.settle(at);
        this.#code.blockType();
        this.#push(LOOP);
        this.#checks[this.#depth] = meter.dead || !this.#limited
          ? -1
          : this.plan.add(this.#code.pos, loopCheck);
        return;
      case Act.if:
        meter.settle(at);
        this.#code.blockType();
        return this.#push(IF);
      case Act.else:
      case Act.catch:
      case Act.catchAll:
        if (opcode === CATCH) this.#code.leb();
        this.#checked = this.#checkedAtStart[this.#depth] ?? 0;
        if (kind === Act.else) this.#height.other(this.#depth);
        else this.#height.handler(this.#depth);
        meter.settle(at);
        return meter.meet(this.#deadAtStart[this.#depth] === 1);
      case Act.end:
        return this.#blockEnd(at);
      case Act.delegate:
        this.#code.leb();
        this.#checked = this.#checkedAtStart[this.#depth] ?? 0;
        meter.settle(at);
        meter.meet(this.#deadAtStart[this.#depth] === 1);
        this.#height.close(this.#depth--);
        return;
      case Act.br:
        if (this.#branch()) meter.exit(at);
        else meter.settle(at);
        meter.dead = true;
        return;
      case Act.brIf:
        return this.#split(at, this.#branch());
      case Act.brTable:
        this.#split(at, this.#branches());
        meter.dead = true;
        return;
      case Act.throw:
      case Act.throwRef:
      case Act.return:
      case Act.unreachable:
        if (kind === Act.throw) this.#code.leb();
        meter.exit(at);
        if (kind === Act.unreachable) this.#settled(at);
        else if (kind !== Act.return) {
          this.#walked();
          this.#costly(at);
        }
        meter.dead = true;
        return;
      case Act.call:
      case Act.callIndirect:
      case Act.returnCall:
      case Act.returnCallIndirect:
        this.#callee(opcode, this.#code.leb());
        if (kind === Act.callIndirect || kind === Act.returnCallIndirect) {
          this.#code.leb();
        }
        this.#calls++;
        this.#walked();
        if (kind < Act.returnCall) {
          meter.call(at);
          return this.#costly(at);
        }
        meter.exit(at);
        meter.dead = true;
        return;
      case Act.try:
      case Act.tryTable:
        this.#catches = true;
        meter.settle(at);
        this.#code.blockType();
        if (opcode !== TRY_TABLE) return this.#push(TRY);
        this.#catchClauses();
        return this.#push(BLOCK);
    }
  }

  /** Everything else. */
  #other(opcode: number, kind: number): void {
    const at = this.#code.pos - 1;
    const effect = this.#operations.scan(opcode, kind);
    if (effect === "call") this.#calls++;
    if (effect === "runtime" || effect === "call") this.#operationCount++;
    if (effect !== "none") this.#walked();
    if (effect !== "branch") return;
    this.#split(at, this.#branch());
    this.#operations.finishBranch();
  }

  get #limited(): boolean {
    return this.#mode.deadline || this.#mode.fuel;
  }

  /** The guest traps on purpose: the host may trust what the fuel says. */
  #settled(at: number): void {
    if (this.#mode.fuel && !this.#meter.dead) {
      this.plan.add(at, Insert.settled);
    }
  }

  /**
   * A call of what may have no check of its own, or an exception, with all
   * fuel in the global: a long row of them gets a check now and then.
   */
  #costly(at: number): void {
    if (this.#meter.dead) return;
    if (++this.#row - this.#checked < CALLS_PER_CHECK) return;
    this.#checked = this.#row;
    if (this.#limited) this.plan.add(at, Insert.entry);
  }

  /** At each of these the engine saves or walks over all that lives. */
  #walked(): void {
    this.#callWeight += this.#locals + 1 + Math.max(0, this.#height.now);
  }

  /** Paths part, and some of them may leave the function. */
  #split(at: number, leaves: boolean): void {
    this.#meter.settle(at);
    if (leaves) this.#meter.leave(at);
  }

  #push(kind: number): void {
    const depth = ++this.#depth;
    if (depth > MAX_NESTING) {
      throw refused(`its code nests more than ${MAX_NESTING} blocks`, {
        reason: "nesting too deep",
        offset: this.#code.pos,
      });
    }
    this.#height.open(depth, this.#code.params, this.#code.results);
    this.#move(this.#code.params + this.#code.results);
    this.#merge();
    this.#kinds[depth] = kind;
    if (kind === LOOP) {
      this.#loops++;
      this.#loopDepths += ++this.#openLoops;
    }
    this.#targeted[depth] = 0;
    this.#deadAtStart[depth] = this.#meter.dead ? 1 : 0;
    this.#checkedAtStart[depth] = this.#checked;
  }

  #blockEnd(at: number): void {
    const depth = this.#depth--;
    const kind = this.#kinds[depth];
    const targeted = this.#targeted[depth] === 1;
    if (kind === FUNCTION) {
      this.#balance(at);
      return this.#meter.exit(at);
    }
    this.#height.close(depth);
    // a branch may have gone past the checks within
    this.#checked = this.#checkedAtStart[depth] ?? 0;
    if (kind === LOOP) {
      this.#openLoops--;
      const check = this.#checks[depth] ?? -1;
      // a loop to which nothing goes back runs once
      if (check >= 0 && !targeted) this.plan.change(check, Insert.none);
      return;
    }
    if (kind === BLOCK && !targeted) return;
    this.#meter.settle(at);
    this.#meter.meet(this.#deadAtStart[depth] === 1);
  }

  /** Reads a label, and tells whether it leaves the function. */
  #branch(): boolean {
    const label = this.#code.leb();
    const depth = this.#depth;
    if (label > depth) {
      throw malformed(
        this.#layout.bytes.length,
        "a branch leads nowhere",
        this.#code.pos,
      );
    }
    this.#targeted[depth - label] = 1;
    this.#merge();
    return label === depth;
  }

  /** Control flow parts or meets, with so many values to keep for it. */
  #merge(): void {
    const height = Math.max(0, this.#height.now);
    this.#merges++;
    this.#weight += this.#locals + 1 + height;
    this.#tallest = Math.max(this.#tallest, height);
  }

  /** Valid code leaves its results: else a change of height is not known. */
  #balance(at: number): void {
    if (!this.#meter.dead && this.#height.now !== this.#resultCount) {
      throw malformed(
        this.#layout.bytes.length,
        "a function leaves another number of values than its type says",
        at,
      );
    }
  }

  /** Takes the parameters of a function and leaves its results. */
  #callee(opcode: number, index: number): void {
    const { functionTypes, paramCounts, referring, resultCounts } =
      this.#layout;
    const byFunction = opcode === CALL || opcode === RETURN_CALL;
    const type = byFunction ? functionTypes[index] ?? 0 : index;
    const params = paramCounts[type] ?? 0;
    const results = resultCounts[type] ?? 0;
    this.#height.now += results - params;
    if (referring.has(type)) this.#references = true;
    this.#move(params + results);
  }

  /** So many values go into a call or a block and out of it. */
  #move(values: number): void {
    this.#weight += Math.max(0, values - FEW_VALUES) * MOVE_WEIGHT;
  }

  #branches(): boolean {
    const count = this.#code.leb();
    let leaves = false;
    for (
      let index = 0;
      index <= count && this.#code.pos < this.#code.end;
      index++
    ) {
      if (this.#branch()) leaves = true;
    }
    return leaves;
  }

  /** Labels of a try_table, which count from outside of it. */
  #catchClauses(): void {
    const count = this.#code.leb();
    for (
      let index = 0;
      index < count && this.#code.pos < this.#code.end;
      index++
    ) {
      const kind = this.#layout.bytes[this.#code.pos++] ?? 0;
      if (kind < 2) this.#code.leb();
      this.#branch();
    }
  }
}

/** Features of the types that locals may have, by their byte. */
const LOCAL_FEATURES: Readonly<Record<number, number>> = Object.freeze({
  0x7b: F.simd,
  0x70: F.referenceTypes,
  0x6f: F.referenceTypes,
  0x69: F.exceptions,
  0x74: F.exceptions,
  0x63: F.functionReferences,
  0x64: F.functionReferences,
});
