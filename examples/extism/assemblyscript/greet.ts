// A plug-in in AssemblyScript, with Extism's own PDK (@extism/as-pdk).
import { Config, Host, LogLevel, Memory, Var } from "@extism/as-pdk";

// a function of the host's: takes and gives a block
@external("extism:host/user", "shout")
declare function shout(handle: u64): u64;

@external("extism:host/env", "length")
declare function length(handle: u64): u64;

// A failed assertion ends the plug-in.
export function onAbort(
  _message: string | null,
  _file: string | null,
  _line: u32,
  _column: u32,
): void {
  unreachable();
}

// Greets the input, as the configuration says.
export function greet(): i32 {
  const greeting = Config.get("greeting");
  const name = Host.inputString();
  Host.outputString((greeting === null ? "Hello" : greeting) + ", " + name + "!");
  return 0;
}

// Gives the input before this one, and keeps this one.
export function remember(): i32 {
  const before = Var.getString("last");
  Var.set("last", Host.input());
  Host.outputString(before === null ? "nothing" : before);
  return 0;
}

// Gives what the host's function makes of the input.
export function loud(): i32 {
  const handle = shout(Memory.allocateString(Host.inputString()).offset);
  Host.outputMemory(new Memory(handle, length(handle)));
  return 0;
}

// Logs the input, and fails.
export function complain(): i32 {
  Host.log(LogLevel.Warn, Host.inputString());
  return 7;
}
