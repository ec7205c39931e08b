/**
 * The first text that a guest's process runs. It is small enough to stand in
 * the arguments; it reads the program from the standard input and runs it.
 *
 * @module
 */

/**
 * Reads a length of 32 bits, then that many bytes of program, and runs them.
 * They are a function in parentheses, which V8 reads once: it reads an arrow
 * function twice, to begin with and when it is called.
 */
export const BOOT = `const r=n=>{const b=new Uint8Array(n);for(let o=0;o<n;){` +
  `const c=Deno.stdin.readSync(b.subarray(o));if(c===null)Deno.exit(0);o+=c}` +
  `return b};const n=new DataView(r(4).buffer).getUint32(0,true);` +
  `(0,eval)("(async function(){"+new TextDecoder().decode(r(n))+"\\n})()")`;

/**
 * Makes of a program what {@linkcode BOOT} reads.
 *
 * @param text The program.
 * @returns Its length in four bytes, and its text.
 */
export function bootable(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(text);
  const program = new Uint8Array(4 + bytes.length);
  new DataView(program.buffer).setUint32(0, bytes.length, true);
  program.set(bytes, 4);
  return program;
}
