/** swap SECONDS A B PAUSE_US: as swap.c, for machines without a C compiler. */

const [seconds = "", a = "", b = "", pause = "0"] = Deno.args;
const end = Date.now() + Number(seconds) * 1000;
let swaps = 0;
while (Date.now() < end) {
  Deno.renameSync(a, `${a}.aside`);
  Deno.renameSync(b, a);
  Deno.renameSync(`${a}.aside`, b);
  swaps++;
  if (pause !== "0") {
    await new Promise((done) => setTimeout(done, Number(pause) / 1000));
  }
}
await Deno.stdout.write(new TextEncoder().encode(`${swaps}\n`));
