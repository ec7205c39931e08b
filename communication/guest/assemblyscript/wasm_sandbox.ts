// The guest's side of the guest ABI, version 1 (docs/guest-abi.md), for AssemblyScript.
//
// Put this file beside your entry file, which must export the ABI's own functions, and build
// with `--use abort=`, so that nothing else is imported:
//
//   import { Answer, call, failWith, json, Reply } from "./wasm_sandbox";
//   export { wasm_sandbox_abi_1, wasm_sandbox_alloc, wasm_sandbox_free } from "./wasm_sandbox";
//
//   export function lookup(pointer: usize, length: i32): u64 {
//     return json(pointer, length, (key) => {
//       const answer = call("kv.get", String.UTF8.encode(key));
//       return answer.ok ? answer.text : failWith(answer);
//     });
//   }
//
// Memory. A handler gets a copy of the request, which the host frees. The reply is copied out of
// the collector's reach, and the host frees that. Answers are objects like any other. What the
// host refuses is an answer that is not `ok`: nothing here throws, because nothing could be
// caught. Only the runtime itself aborts, when there is no memory left.

// @ts-ignore: decorator
@external("wasm_sandbox", "version")
declare function hostVersion(): u32;
// @ts-ignore: decorator
@external("wasm_sandbox", "call")
declare function hostCall(name: usize, nameLength: i32, input: usize, inputLength: i32): u64;
// @ts-ignore: decorator
@external("wasm_sandbox", "receive")
declare function hostReceive(timeoutMs: i32): u64;
// @ts-ignore: decorator
@external("wasm_sandbox", "take")
declare function hostTake(buffer: usize, length: i32): i32;
// @ts-ignore: decorator
@external("wasm_sandbox", "send")
declare function hostSend(message: usize, length: i32): i32;
// @ts-ignore: decorator
@external("wasm_sandbox", "read")
declare function hostRead(buffer: usize, length: i32): i32;
// @ts-ignore: decorator
@external("wasm_sandbox", "write")
declare function hostWrite(bytes: usize, length: i32): i32;
// @ts-ignore: decorator
@external("wasm_sandbox", "log")
declare function hostLog(level: u32, line: usize, length: i32): void;
// @ts-ignore: decorator
@external("wasm_sandbox", "fail")
declare function hostFail(reason: usize, length: i32): void;

/** The version of the guest ABI that this file speaks. */
export const ABI: u32 = 1;

/** Longest document that `send`, `read` and `write` leave behind. */
const FAULT_BYTES = 4096;

/** Timeout of `receive`: as long as the call may take. */
export const FOREVER: i32 = -1;

/** Why the host did not do what it was asked for. */
export namespace Status {
  export const OK: u32 = 0;
  export const DENIED: u32 = 1;
  export const UNKNOWN: u32 = 2;
  export const INVALID: u32 = 3;
  export const FAILED: u32 = 4;
  export const TOO_LARGE: u32 = 5;
  export const CLOSED: u32 = 6;
  export const TIMED_OUT: u32 = 7;
}

/** How much a line of the log matters. */
export namespace Level {
  export const TRACE: u32 = 0;
  export const DEBUG: u32 = 1;
  export const INFO: u32 = 2;
  export const WARN: u32 = 3;
  export const ERROR: u32 = 4;
}

/** What the host answered. */
export class Answer {
  constructor(
    /** Why it did not do what it was asked for; 0 if it did. */
    readonly status: u32,
    /** The answer, or the fault's document. */
    readonly bytes: ArrayBuffer,
  ) {}

  /** Whether the host did what it was asked for. */
  get ok(): bool {
    return this.status == Status.OK;
  }

  /** The answer as text, or the fault's document, JSON: {"code":…,"message":…,"data":…}. */
  get text(): string {
    return String.UTF8.decode(this.bytes);
  }

  /** A fault's word for programs, such as "not-found". */
  get code(): string {
    return this.member('"code":"');
  }

  /** A fault's sentence. */
  get message(): string {
    return this.member('"message":"');
  }

  /** A quote within a string is escaped, so that `start` stands nowhere else before the member. */
  private member(start: string): string {
    const json = this.text;
    const found = json.indexOf(start);
    if (found < 0) return "";
    const parts: string[] = [];
    let at = found + start.length;
    let plain = at;
    while (at < json.length && json.charCodeAt(at) != 0x22) {
      if (json.charCodeAt(at) != 0x5c || at + 1 >= json.length) {
        at++;
        continue;
      }
      parts.push(json.substring(plain, at));
      const escaped = json.charCodeAt(at + 1);
      at += 2;
      if (escaped == 0x75) {
        // the host escapes control characters only
        const unit = <i32> parseInt("0x" + json.substr(at, 4));
        parts.push(String.fromCharCode(unit));
        at += 4;
      } else {
        parts.push(String.fromCharCode(unescaped(escaped)));
      }
      plain = at;
    }
    parts.push(json.substring(plain, min(at, json.length)));
    return parts.join("");
  }
}

/** What came of a request by HTTP. */
export class HttpAnswer {
  constructor(
    /** The host's answer, or its fault. */
    readonly answer: Answer,
    /** JSON: {"status":200,"headers":[["name","value"],…],"url":"…"}. */
    readonly header: string,
    /** The body. */
    readonly body: ArrayBuffer,
  ) {}

  /** Whether the host did what it was asked for. */
  get ok(): bool {
    return this.answer.ok;
  }
}

/** The version of the ABI that the host speaks. */
export function version(): u32 {
  return hostVersion();
}

/** Calls a function of the host; what it takes and gives is JSON or bytes, as it says. */
export function call(name: string, input: ArrayBuffer): Answer {
  const utf8 = String.UTF8.encode(name);
  return answered(
    hostCall(changetype<usize>(utf8), utf8.byteLength, changetype<usize>(input), input.byteLength),
  );
}

/** Calls a function of the host with JSON. */
export function callJson(name: string, input: string): Answer {
  return call(name, String.UTF8.encode(input));
}

/**
 * Takes the next message of the channel. Status CLOSED: there will be none; TIMED_OUT: there was
 * none in time.
 */
export function receive(timeoutMs: i32 = FOREVER): Answer {
  return answered(hostReceive(timeoutMs));
}

/** Sends a message to the channel; waits for room. */
export function send(message: ArrayBuffer): Answer {
  return told(hostSend(changetype<usize>(message), message.byteLength));
}

/**
 * Reads some bytes of the call's source into a buffer: how many, 0 at the end, or a status
 * negated, whose `fault` waits.
 */
export function read(buffer: ArrayBuffer): i32 {
  return hostRead(changetype<usize>(buffer), buffer.byteLength);
}

/** The fault that `read` has just told of. */
export function fault(result: i32): Answer {
  return told(result);
}

/** Writes the first `length` bytes of a buffer to the call's sink; waits for room. */
export function write(buffer: ArrayBuffer, length: i32 = -1): Answer {
  const all = buffer.byteLength;
  const size = length < 0 || length > all ? all : length;
  return told(hostWrite(changetype<usize>(buffer), size));
}

/** Writes a line of the log. */
export function log(level: u32, line: string): void {
  const utf8 = String.UTF8.encode(line);
  hostLog(level, changetype<usize>(utf8), utf8.byteLength);
}

/**
 * Says why the export that runs has failed; the host throws its reply away. The first reason
 * counts.
 *
 * @returns An empty reply.
 */
export function fail(reason: string): string {
  const utf8 = String.UTF8.encode(reason);
  hostFail(changetype<usize>(utf8), utf8.byteLength);
  return "";
}

/** Passes a fault on: the export that runs has failed with its message. */
export function failWith(fault: Answer): string {
  return fail(fault.message);
}

/**
 * Asks the host for a resource by HTTP. The header is JSON:
 * {"url":"…","method":"GET","headers":[["name","value"],…]}.
 */
export function http(header: string, body: ArrayBuffer): HttpAnswer {
  const utf8 = String.UTF8.encode(header);
  const request = new ArrayBuffer(4 + utf8.byteLength + body.byteLength);
  const at = changetype<usize>(request);
  store<u32>(at, utf8.byteLength);
  memory.copy(at + 4, changetype<usize>(utf8), utf8.byteLength);
  memory.copy(at + 4 + utf8.byteLength, changetype<usize>(body), body.byteLength);
  const answer = call("http.request", request);
  const bytes = answer.bytes;
  const size = bytes.byteLength;
  if (!answer.ok) return new HttpAnswer(answer, "", new ArrayBuffer(0));
  const length = size < 4 ? u32.MAX_VALUE : load<u32>(changetype<usize>(bytes));
  if (size < 4 || length > <u32> (size - 4)) {
    const wrong = new Answer(Status.INVALID, new ArrayBuffer(0));
    return new HttpAnswer(wrong, "", new ArrayBuffer(0));
  }
  const end = 4 + <i32> length;
  return new HttpAnswer(answer, String.UTF8.decode(bytes.slice(4, end)), bytes.slice(end));
}

/** Answers a request of JSON with JSON. */
export function json(pointer: usize, length: i32, handler: (request: string) => string): u64 {
  const reply = handler(String.UTF8.decodeUnsafe(pointer, length));
  const size = String.UTF8.byteLength(reply);
  const place = heap.alloc(size);
  String.UTF8.encodeUnsafe(changetype<usize>(reply), reply.length, place);
  return <u64> place << 32 | <u64> <u32> size;
}

/** Answers a request of bytes with bytes. */
export function bytes(
  pointer: usize,
  length: i32,
  handler: (request: ArrayBuffer) => ArrayBuffer,
): u64 {
  const request = new ArrayBuffer(length);
  memory.copy(changetype<usize>(request), pointer, length);
  const reply = handler(request);
  const place = heap.alloc(reply.byteLength);
  memory.copy(place, changetype<usize>(reply), reply.byteLength);
  return <u64> place << 32 | <u64> <u32> reply.byteLength;
}

/** Memory for a request. */
export function wasm_sandbox_alloc(size: i32): usize {
  return heap.alloc(size);
}

/** Takes back a request or a reply. */
export function wasm_sandbox_free(pointer: usize, _length: i32): void {
  if (pointer) heap.free(pointer);
}

/** Tells the host which version of the ABI this module is made for; it is never called. */
export function wasm_sandbox_abi_1(): void {}

/** Takes the answer that waits. */
function answered(result: u64): Answer {
  const length = <i32> <u32> result;
  const bytes = new ArrayBuffer(length);
  const taken = length > 0 ? hostTake(changetype<usize>(bytes), length) : 0;
  return new Answer(<u32> (result >> 32), taken < length ? bytes.slice(0, taken) : bytes);
}

/** What an i32 says; its fault's document is no longer than FAULT_BYTES. */
function told(result: i32): Answer {
  if (result >= 0) return new Answer(Status.OK, new ArrayBuffer(0));
  const document = new ArrayBuffer(FAULT_BYTES);
  const taken = hostTake(changetype<usize>(document), FAULT_BYTES);
  return new Answer(<u32> -result, document.slice(0, taken));
}

function unescaped(letter: i32): i32 {
  if (letter == 0x62) return 0x08;
  if (letter == 0x66) return 0x0c;
  if (letter == 0x6e) return 0x0a;
  if (letter == 0x72) return 0x0d;
  return letter == 0x74 ? 0x09 : letter;
}
