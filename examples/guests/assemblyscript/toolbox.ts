// A guest in AssemblyScript that uses all of communication/guest/assemblyscript/wasm_sandbox.ts.
// What its exports do is said in ../c/toolbox.c.

import {
  bytes,
  call,
  callJson,
  fail,
  failWith,
  fault,
  http,
  json,
  Level,
  log,
  read,
  receive,
  send,
  Status,
  version,
  write,
} from "../../../communication/guest/assemblyscript/wasm_sandbox";

export {
  wasm_sandbox_abi_1,
  wasm_sandbox_alloc,
  wasm_sandbox_free,
} from "../../../communication/guest/assemblyscript/wasm_sandbox";

export function greet(pointer: usize, length: i32): u64 {
  return json(pointer, length, (request) => {
    if (!isString(request)) return fail("expected a JSON string");
    return '{"greeting":"Hello, ' + request.substring(1, request.length - 1) + '!"}';
  });
}

export function echo(pointer: usize, length: i32): u64 {
  return bytes(pointer, length, (request) => request);
}

export function reverse(pointer: usize, length: i32): u64 {
  return bytes(pointer, length, (request) => Uint8Array.wrap(request).reverse().buffer);
}

export function lookup(pointer: usize, length: i32): u64 {
  return json(pointer, length, (key) => {
    const answer = callJson("kv.get", key);
    return answer.ok ? answer.text : failWith(answer);
  });
}

export function relay(pointer: usize, length: i32): u64 {
  return bytes(pointer, length, (request) => {
    const answer = call("blob.turn", request);
    if (!answer.ok) failWith(answer);
    return answer.bytes;
  });
}

export function store_error(pointer: usize, length: i32): u64 {
  return json(pointer, length, (key) => {
    const answer = callJson("kv.get", key);
    const text = answer.text.length > 0 ? answer.text : "null";
    return '{"status":' + answer.status.toString() +
      (answer.ok ? ',"answer":' : ',"fault":') + text + "}";
  });
}

export function converse(pointer: usize, length: i32): u64 {
  return json(pointer, length, (request) => {
    const timeout = <i32> parseInt(request);
    let messages = 0;
    let message = receive(timeout);
    for (; message.ok; message = receive(timeout)) {
      const sent = send(String.UTF8.encode('{"echo":' + message.text + "}"));
      if (!sent.ok) return failWith(sent);
      messages++;
    }
    const timedOut = message.status == Status.TIMED_OUT;
    if (!timedOut && message.status != Status.CLOSED) return failWith(message);
    return '{"messages":' + messages.toString() + ',"timedOut":' + timedOut.toString() + "}";
  });
}

export function upper(pointer: usize, length: i32): u64 {
  return json(pointer, length, (_request) => {
    const piece = new ArrayBuffer(64 * 1024);
    const place = changetype<usize>(piece);
    let total: u64 = 0;
    let size = read(piece);
    for (; size > 0; size = read(piece)) {
      for (let i = 0; i < size; i++) {
        const letter = load<u8>(place + i);
        if (letter >= 0x61 && letter <= 0x7a) store<u8>(place + i, letter ^ 0x20);
      }
      const written = write(piece, size);
      if (!written.ok) return failWith(written);
      total += size;
    }
    return size < 0 ? failWith(fault(size)) : '{"bytes":' + total.toString() + "}";
  });
}

export function sip(pointer: usize, length: i32): u64 {
  return json(pointer, length, (request) => {
    const most = <i32> parseInt(request);
    if (most < 0 || most > 64) return fail("expected a number up to 64");
    const empty = write(new ArrayBuffer(0));
    if (!empty.ok) return failWith(empty);
    const piece = new ArrayBuffer(most);
    let reads = 0;
    let total = 0;
    let size = read(piece);
    for (; size > 0; size = read(piece)) {
      const written = write(piece, size);
      if (!written.ok) return failWith(written);
      reads++;
      total += size;
    }
    return size < 0
      ? failWith(fault(size))
      : '{"reads":' + reads.toString() + ',"bytes":' + total.toString() + "}";
  });
}

export function chatter(pointer: usize, length: i32): u64 {
  return json(pointer, length, (request) => {
    for (let level = Level.TRACE; level <= Level.ERROR; level++) log(level, request);
    return '{"lines":5}';
  });
}

export function refuse(pointer: usize, length: i32): u64 {
  return json(pointer, length, (request) => {
    fail("refused: " + request);
    return '"this is dropped"';
  });
}

export function fetch(pointer: usize, length: i32): u64 {
  return json(pointer, length, (url) => {
    if (!isString(url)) return fail("expected a JSON string");
    const header = '{"method":"POST","headers":[["content-type","text/plain"]],"url":' + url + "}";
    const got = http(header, String.UTF8.encode("ping"));
    if (!got.ok) return failWith(got.answer);
    return '{"header":' + got.header + ',"bytes":' + got.body.byteLength.toString() + "}";
  });
}

export function host_version(): u32 {
  return version();
}

/** What the host writes has no space around it: a string begins and ends with a quote. */
function isString(text: string): bool {
  return text.length > 1 && text.startsWith('"') && text.endsWith('"');
}
