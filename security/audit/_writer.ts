/** Appends lines to the files of an audit log: chain, signatures, rotation. */

import { Batch, type NextLine } from "./_batch.ts";
import { type ChainState, NO_HASH, parseLine, signedLine } from "./chain.ts";
import {
  type FileEnds,
  fileEnds,
  fileNumbers,
  fileSize,
  numberedPath,
  shiftFiles,
} from "./_files.ts";
import type { Fields } from "./_lines.ts";
import type { AuditSigner } from "./keys.ts";

/** What a {@linkcode LogWriter} is made with. */
export interface LogWriterOptions {
  readonly maxBytes: number;
  readonly maxFiles: number;
  readonly chain: boolean;
  readonly signer?: AuditSigner | undefined;
  readonly signEvery: number;
  readonly repair: boolean;
  /** Told why there is no signature where one should be. */
  readonly onSignError: (error: unknown) => void;
}

/** Where a chain stands, and which one it is. */
interface Chain extends ChainState {
  readonly id: string;
}

/** Version of the format. */
const FORMAT_VERSION = 1;

/** Writes; what fails is undone, so that the file stays whole. */
export class LogWriter {
  readonly #path: string;
  readonly #options: LogWriterOptions;
  /** Undefined between the end of one file and the start of the next. */
  #file: Deno.FsFile | undefined;
  /** Bytes that are known to be in the file. */
  #size = 0;
  /** Whether more than `#size` may be in the file, after a failure. */
  #torn = false;
  /** Whether the file has yet to be begun. */
  #isNew = false;
  /** What is known to be in the files. */
  #chain: Chain = { id: "", index: 0, hash: NO_HASH };
  #unsigned = 0;

  constructor(path: string, options: LogWriterOptions) {
    this.#path = path;
    this.#options = options;
  }

  /** Opens the file, repairs its end, and finds where its chain stands. */
  async open(): Promise<void> {
    await fileSize(this.#path);
    const file = await this.#openFile();
    try {
      const { chain, lost } = await this.#continue();
      this.#size = (await file.stat()).size;
      this.#chain = chain ?? { ...this.#chain, id: crypto.randomUUID() };
      const before = chain === undefined ? "created" : "reopened";
      await this.#begin(lost > 0 ? "repaired" : before, lost);
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  /**
   * Appends lines.
   *
   * @param lines Their fields, in order.
   * @param written Told how many of them are in the file, as they come to be.
   */
  async write(
    lines: readonly Fields[],
    written: (count: number) => void,
  ): Promise<void> {
    const { maxBytes, signer, signEvery } = this.#options;
    let at = 0;
    while (at < lines.length) {
      await this.#ensureOpen();
      const batch = new Batch(this.#chain, this.#options.chain);
      for (const fields of lines.slice(at)) {
        const line = batch.next(fields);
        const size = this.#size + batch.length + line.length;
        const isFirst = batch.count === 0 && this.#size === 0;
        if (size > maxBytes && !isFirst) break;
        batch.add(line);
        if (signer && this.#unsigned + batch.count >= signEvery) break;
      }
      if (batch.count === 0) {
        await this.#rotate();
        continue;
      }
      await this.#append(batch);
      at += batch.count;
      written(batch.count);
      if (signer && this.#unsigned >= signEvery) await this.#sign("signature");
    }
  }

  /** Brings all that was written to the disk. */
  async sync(): Promise<void> {
    await this.#file?.syncData();
  }

  /** Ends the log with a line that says so, and closes the file. */
  async close(): Promise<void> {
    try {
      await this.#ensureOpen();
      if (this.#options.chain) await this.#sign("close");
      await this.sync();
    } finally {
      this.abandon();
    }
  }

  /** Closes the file as it is. */
  abandon(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  /** Goes on in a new file, if there is none open; also after a failure. */
  async #ensureOpen(): Promise<void> {
    if (this.#file === undefined) {
      if ((await fileSize(this.#path) ?? 0) > 0) {
        await shiftFiles(this.#path, this.#options.maxFiles);
      }
      const file = await this.#openFile();
      this.#isNew = true;
      this.#size = 0;
      this.#torn = (await file.stat()).size > 0;
    }
    if (this.#isNew) await this.#begin("rotated", 0);
    this.#isNew = false;
  }

  async #openFile(): Promise<Deno.FsFile> {
    const file = await Deno.open(this.#path, {
      read: true,
      append: true,
      create: true,
      mode: 0o600,
    });
    // two writers would make two chains of one
    if (!await file.tryLock(true)) {
      file.close();
      throw new TypeError("something else is writing to it");
    }
    this.#file = file;
    return file;
  }

  /** Finds the newest line, and cuts off a part of one that follows it. */
  async #continue(): Promise<{ chain?: Chain; lost: number }> {
    let lost = 0;
    for (const number of await fileNumbers(this.#path)) {
      const path = numberedPath(this.#path, number);
      const ends = await fileEnds(path);
      const chain = this.#chainAt(ends);
      if (ends.rest !== undefined) {
        if (!this.#options.repair) {
          throw new TypeError("its last line is incomplete");
        }
        await Deno.truncate(path, ends.wholeBytes);
        lost += ends.size - ends.wholeBytes;
      }
      if (ends.last !== undefined) {
        return chain === undefined ? { lost } : { chain, lost };
      }
    }
    return { lost };
  }

  /** Where a file's chain stands; throws if these are no lines of a log. */
  #chainAt({ first, last, rest }: FileEnds): Chain | undefined {
    const { chain } = this.#options;
    const start = chain ? '{"index":' : '{"type":';
    for (const line of [last, rest]) {
      if (line !== undefined && !line.startsWith(start)) {
        throw new TypeError(
          `it holds something else than lines of an audit log ${
            chain ? "with" : "without"
          } a chain`,
        );
      }
    }
    if (!chain || last === undefined) return undefined;
    const begin = parseLine(first ?? "");
    const end = parseLine(last);
    const id = begin?.fields.chain;
    if (
      end === undefined || end.hash !== end.actual ||
      begin?.type !== "begin" || begin.hash !== begin.actual ||
      typeof id !== "string"
    ) throw new TypeError("its first or its last line was changed");
    return { id, index: end.index, hash: end.hash };
  }

  async #begin(reason: string, lost: number): Promise<void> {
    if (!this.#options.chain) return;
    await this.#appendOne({
      type: "begin",
      version: FORMAT_VERSION,
      chain: this.#chain.id,
      time: new Date().toISOString(),
      reason,
      ...(lost > 0 ? { lostBytes: lost } : {}),
    });
  }

  async #rotate(): Promise<void> {
    if (this.#unsigned > 0 && this.#options.signer !== undefined) {
      await this.#sign("signature");
    }
    if (this.#torn && this.#file !== undefined) await this.#undo(this.#file);
    this.abandon();
  }

  /** Signs what is there; lines are not lost for want of a signature. */
  async #sign(type: "signature" | "close"): Promise<void> {
    const fields = { type, time: new Date().toISOString() };
    // a signer that fails is asked again after as many lines
    this.#unsigned = 0;
    const signed = await this.#signed(fields);
    if (signed === undefined) {
      if (type === "close") await this.#appendOne(fields);
      return;
    }
    const batch = new Batch(this.#chain, true);
    batch.add(signed);
    await this.#append(batch);
    this.#unsigned = 0;
  }

  async #signed(fields: Fields): Promise<NextLine | undefined> {
    const { signer, onSignError } = this.#options;
    if (signer === undefined) return undefined;
    try {
      return await signedLine(this.#chain, fields, signer);
    } catch (error) {
      onSignError(error);
      return undefined;
    }
  }

  async #appendOne(fields: Fields): Promise<void> {
    const batch = new Batch(this.#chain, true);
    batch.add(batch.next(fields));
    await this.#append(batch);
  }

  async #append(batch: Batch): Promise<void> {
    const file = this.#file;
    if (file === undefined) throw new TypeError("the file is closed");
    if (this.#torn) await this.#undo(file);
    const bytes = new TextEncoder().encode(batch.text);
    try {
      let written = 0;
      while (written < bytes.length) {
        written += await file.write(bytes.subarray(written));
      }
    } catch (error) {
      this.#torn = true;
      await this.#undo(file).catch(() => {});
      throw error;
    }
    this.#size += bytes.length;
    this.#chain = { id: this.#chain.id, ...batch.state };
    this.#unsigned += batch.count;
  }

  async #undo(file: Deno.FsFile): Promise<void> {
    await file.truncate(this.#size);
    this.#torn = false;
  }
}
