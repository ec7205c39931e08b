/**
 * The first text that a guest's process runs. It is small enough to stand in
 * the arguments; it reads the program from the standard input and runs it.
 *
 * @module
 */

/** Reads a length of 32 bits, then that many bytes of program, and runs them. */
export const BOOT = `const r=n=>{const b=new Uint8Array(n);for(let o=0;o<n;){` +
  `const c=Deno.stdin.readSync(b.subarray(o));if(c===null)Deno.exit(0);o+=c}` +
  `return b};const n=new DataView(r(4).buffer).getUint32(0,true);` +
  `(0,eval)("(async()=>{"+new TextDecoder().decode(r(n))+"\\n})()")`;
