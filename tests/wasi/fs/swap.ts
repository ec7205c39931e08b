/** swap SECONDS A B: as swap.c, for machines without a C compiler. */

const [seconds = "", a = "", b = ""] = Deno.args;
const end = Date.now() + Number(seconds) * 1000;
let swaps = 0;
while (Date.now() < end) {
  Deno.renameSync(a, `${a}.aside`);
  Deno.renameSync(b, a);
  Deno.renameSync(`${a}.aside`, b);
  swaps++;
}
await Deno.stdout.write(new TextEncoder().encode(`${swaps}\n`));
