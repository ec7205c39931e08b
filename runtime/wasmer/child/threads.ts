/**
 * What goes on in the threads of the engine, which it does not tell: whether a
 * guest's instance was made at all, what it ended with, and that a thread has
 * failed. Without that a guest that was never run ends with the exit code 0, and
 * of other exit codes there are eight bits.
 *
 * @module
 */

/** What a thread tells; the engine does not see it. */
type Told =
  | { readonly told: "instance" }
  | { readonly told: "exit"; readonly exitCode: number }
  | { readonly told: "failure"; readonly reason: string }
  | { readonly told: "idle"; readonly memoryBytes: number };

const ASK = "wasm_sandbox:idle";

/**
 * Stands before the engine's own text in each of its threads. A thread takes no
 * message while it runs a guest, and so says that it is idle when that is over.
 */
export const IN_THREAD = `{
const tell=(message)=>postMessage(message);
for(const name of["log","info","debug","warn"])console[name]=console.error;
let memory;
const Instance=WebAssembly.Instance;
WebAssembly.Instance=class extends Instance{
static[Symbol.hasInstance](value){return value instanceof Instance}
constructor(module,imports){
const all={...imports};
for(const name in all)for(const key of["proc_exit","proc_exit2"]){
const exit=all[name][key];
if(typeof exit!=="function")continue;
all[name]={...all[name],[key]:(code)=>{
tell({told:"exit",exitCode:code>>>0});return exit(code)}}}
super(module,all);
memory=Object.values(this.exports).find((each)=>each instanceof WebAssembly.Memory)??imports?.env?.memory;
tell({told:"instance"});
}};
globalThis.reportError=(error)=>tell({told:"failure",reason:String(error?.message??error)});
addEventListener("message",(event)=>{
if(event.data!==${JSON.stringify(ASK)})return;
event.stopImmediatePropagation();
tell({told:"idle",memoryBytes:memory?.buffer.byteLength??0});
});
}
`;

/** A thread of the engine has failed, and says why. */
export class ThreadFailure extends Error {
  override readonly name = "ThreadFailure";
}

/** How a program ended. */
export interface Ended {
  /** What it gave to `proc_exit`, if it did. */
  readonly exitCode: number | undefined;
  /** Size of its memory at the end. */
  readonly memoryBytes: number;
}

/** The threads of the engine, and what they tell. */
export class Threads {
  /** The thread that made the first instance of this run. */
  #first: Worker | undefined;
  #exitCode: number | undefined;
  #failure: string | undefined;
  #memoryBytes: number | undefined;
  #changed = Promise.withResolvers<void>();

  /** Listens to every thread that is started from now on. */
  watch(): void {
    const listen = (worker: Worker) =>
      worker.addEventListener("message", (event) => this.#take(worker, event));
    globalThis.Worker = class extends Worker {
      constructor(url: string | URL, options?: WorkerOptions) {
        super(url, options);
        listen(this);
      }
    };
  }

  /** Forgets what the program before has told. */
  begin(): void {
    this.#first = undefined;
    this.#exitCode = undefined;
    this.#memoryBytes = undefined;
  }

  /**
   * Waits until the thread that has run the program has told everything.
   *
   * @returns How it ended.
   * @throws {ThreadFailure} If the program was not run, or a thread failed.
   */
  async end(): Promise<Ended> {
    while (this.#first === undefined) await this.#next();
    this.#first.postMessage(ASK);
    while (this.#memoryBytes === undefined) await this.#next();
    return { exitCode: this.#exitCode, memoryBytes: this.#memoryBytes };
  }

  #next(): Promise<void> {
    if (this.#failure === undefined) return this.#changed.promise;
    return Promise.reject(new ThreadFailure(this.#failure));
  }

  #take(worker: Worker, event: MessageEvent): void {
    const { data }: { data: Told | undefined } = event;
    switch (data?.told) {
      case undefined:
        return;
      case "instance":
        this.#first ??= worker;
        break;
      case "exit":
        this.#exitCode ??= data.exitCode;
        break;
      case "failure":
        this.#failure = data.reason;
        break;
      case "idle":
        this.#memoryBytes = data.memoryBytes;
    }
    event.stopImmediatePropagation();
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
