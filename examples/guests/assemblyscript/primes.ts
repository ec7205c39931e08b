// A guest in AssemblyScript, without imports.
//
//   countPrimes  how many primes there are below `limit`
//   fib          the n-th Fibonacci number, modulo 2^64 and signed
//   histogram    JSON in, JSON out: [int, ...] -> {"int": count, ...} in ascending order
//                or {"error": string} if the request is not an array of 32-bit integers

export function wasm_sandbox_alloc(size: i32): usize {
  return heap.alloc(size);
}

export function wasm_sandbox_free(pointer: usize, _length: i32): void {
  if (pointer) heap.free(pointer);
}

export function countPrimes(limit: i32): i32 {
  if (limit <= 2) return 0;
  const composite = heap.alloc(limit);
  memory.fill(composite, 0, limit);
  let count = 0;
  for (let i = 2; i < limit; i++) {
    if (load<u8>(composite + i)) continue;
    count++;
    for (let multiple: i64 = <i64> i * i; multiple < limit; multiple += i) {
      store<u8>(composite + <usize> multiple, 1);
    }
  }
  heap.free(composite);
  return count;
}

export function fib(n: i32): i64 {
  let current: i64 = 0, next: i64 = 1;
  for (let i = 0; i < n; i++) {
    const sum = current + next;
    current = next;
    next = sum;
  }
  return current;
}

export function histogram(pointer: usize, length: i32): i64 {
  const counts = new Map<i32, i32>();
  if (!new Reader(pointer, pointer + length).countAll(counts)) {
    return reply('{"error":"expected an array of 32-bit integers"}');
  }
  const members: string[] = [];
  const numbers = counts.keys().sort((a, b) => i32(a > b) - i32(a < b));
  for (let i = 0; i < numbers.length; i++) {
    members.push(
      '"' + numbers[i].toString() + '":' + counts.get(numbers[i]).toString(),
    );
  }
  return reply("{" + members.join(",") + "}");
}

/** Copies text into memory of its own, which the host frees: `pointer << 32 | length`. */
function reply(text: string): i64 {
  const length = String.UTF8.byteLength(text);
  const pointer = heap.alloc(length);
  String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, pointer);
  return <i64> pointer << 32 | length;
}

/** Reads a JSON array of integers straight from memory. */
class Reader {
  constructor(private at: usize, private end: usize) {}

  /** Counts every number of the array; false if the JSON is not as expected. */
  countAll(counts: Map<i32, i32>): bool {
    if (!this.token(0x5b)) return false;
    if (this.token(0x5d)) return this.at == this.end;
    do {
      const number = this.integer();
      if (number == i64.MIN_VALUE) return false;
      const key = <i32> number;
      counts.set(key, counts.has(key) ? counts.get(key) + 1 : 1);
    } while (this.token(0x2c));
    return this.token(0x5d) && this.at == this.end;
  }

  private peek(): i32 {
    return this.at < this.end ? load<u8>(this.at) : -1;
  }

  private skipSpace(): void {
    let c = this.peek();
    while (c == 0x20 || c == 0x0a || c == 0x0d || c == 0x09) {
      this.at++;
      c = this.peek();
    }
  }

  /** Takes one character with the space around it. */
  private token(character: i32): bool {
    this.skipSpace();
    if (this.peek() != character) return false;
    this.at++;
    this.skipSpace();
    return true;
  }

  /** An integer of 32 bits without leading zeros, or i64.MIN_VALUE. */
  private integer(): i64 {
    const negative = this.peek() == 0x2d;
    if (negative) this.at++;
    const start = this.at;
    let value: i64 = 0;
    while (this.peek() >= 0x30 && this.peek() <= 0x39) {
      value = value * 10 + (this.peek() - 0x30);
      this.at++;
      if (this.at - start > 10) return i64.MIN_VALUE;
    }
    if (this.at == start || (this.at - start > 1 && load<u8>(start) == 0x30)) {
      return i64.MIN_VALUE;
    }
    if (negative) value = -value;
    return value < i32.MIN_VALUE || value > i32.MAX_VALUE
      ? i64.MIN_VALUE
      : value;
  }
}
