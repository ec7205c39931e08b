/**
 * Walks once over each function's code: refuses what the gate does not allow,
 * and plans where checks and charges go.
 *
 * @module
 */

import { HelperTable } from "./bulk.ts";
import { CodeReader } from "./code_reader.ts";
import { Complexity } from "./complexity.ts";
import { FEATURE_BITS as F } from "./features.ts";
import { StackHeight } from "./height.ts";
import { MAX_LOCALS, MAX_NESTING, refused } from "./bounds.ts";
import type { Instrumentation, ModuleLayout } from "./layout.ts";
import { readLocals } from "./locals.ts";
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

/** Proposals whose instructions handle references. */
const REFERRING = F.referenceTypes | F.functionReferences | F.gc;

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
  readonly #handlers = new Int32Array(MAX_NESTING + 1);
  #depth = 0;
  readonly #code: CodeReader;
  readonly #height = new StackHeight();
  readonly #operations: Operations;
  #resultCount = 0;
  /** What the function takes to compile. */
  readonly #complexity = new Complexity();
  /** How many calls and exceptions there are that are reached. */
  #row = 0;
  /** What that was at the last check that every path here has passed. */
  #checked = 0;
  /** At each open block: what `#checked` was when it began. */
  readonly #checkedAtStart = new Int32Array(MAX_NESTING + 1);

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
    const complexity = this.#complexity;
    const own = readLocals(reader);
    this.features |= own.features;
    complexity.references = own.references || referring.has(type);
    const locals = own.count + (paramCounts[type] ?? 0);
    if (locals > MAX_LOCALS) {
      throw refused(
        `function ${index} has ${locals} locals, more than ${MAX_LOCALS}`,
        { reason: "too many locals", offset: start },
      );
    }
    const before = this.plan.length;
    this.#code.end = end;
    this.#resultCount = resultCounts[type] ?? 0;
    this.#function(reader.pos, locals, false);
    const passed = (paramCounts[type] ?? 0) + this.#resultCount;
    this.work += complexity.work(end - start, passed);
    if (complexity.catches && this.#mode.fuel) {
      this.plan.truncate(before);
      this.#function(reader.pos, locals, true);
    }
    complexity.check(index, start);
  }

  /** Scans the code of a function, with fuel in the global if `global`. */
  #function(start: number, locals: number, global: boolean): void {
    const { deadline, fuel } = this.#mode;
    this.#code.pos = start;
    this.#depth = 0;
    this.#complexity.begin(locals);
    this.#height.now = 0;
    this.#row = 0;
    this.#checked = 0;
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
    const isBrief = this.#complexity.calls === 0 &&
      this.#code.end - start <= BRIEF_BYTES;
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
    if (((seen >>> FEATURE_SHIFT) & REFERRING) !== 0) {
      this.#complexity.references = true;
    }
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
          this.#complexity.mayThrow();
          this.#complexity.walked(this.#height.now);
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
          this.#complexity.lookup();
        }
        this.#complexity.calls++;
        this.#complexity.mayThrow();
        this.#complexity.walked(this.#height.now);
        if (kind < Act.returnCall) {
          meter.call(at);
          return this.#costly(at);
        }
        meter.exit(at);
        meter.dead = true;
        return;
      case Act.try:
      case Act.tryTable:
        this.#complexity.catches = true;
        meter.settle(at);
        this.#code.blockType();
        if (opcode !== TRY_TABLE) return this.#push(TRY);
        return this.#pushHandlers(this.#catchClauses());
    }
  }

  /** Everything else. */
  #other(opcode: number, kind: number): void {
    const at = this.#code.pos - 1;
    const effect = this.#operations.scan(opcode, kind);
    this.#complexity.operation(effect, this.#height.now);
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
    this.#complexity.moved(this.#code.params + this.#code.results);
    this.#complexity.merged(this.#height.now);
    this.#kinds[depth] = kind;
    if (kind === LOOP) this.#complexity.openLoop();
    this.#targeted[depth] = 0;
    this.#handlers[depth] = 0;
    this.#deadAtStart[depth] = this.#meter.dead ? 1 : 0;
    this.#checkedAtStart[depth] = this.#checked;
  }

  /** The block of a `try_table`. */
  #pushHandlers(count: number): void {
    this.#push(BLOCK);
    this.#handlers[this.#depth] = count;
    this.#complexity.handlers(count);
  }

  #blockEnd(at: number): void {
    const depth = this.#depth--;
    this.#complexity.handlers(-(this.#handlers[depth] ?? 0));
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
      this.#complexity.closeLoop();
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
    this.#complexity.merged(this.#height.now);
    return label === depth;
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
    if (referring.has(type)) this.#complexity.references = true;
    this.#complexity.moved(params + results);
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

  /**
   * Labels of a try_table, which count from outside of it.
   *
   * @returns How many there are.
   */
  #catchClauses(): number {
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
    return count;
  }
}
