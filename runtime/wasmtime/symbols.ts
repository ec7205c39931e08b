/**
 * The functions of Wasmtime's C API that are used, as Deno opens them.
 *
 * https://docs.wasmtime.dev/c-api/
 *
 * @module
 */

/** Switches of an engine, each a function of a configuration and a boolean. */
const SWITCHES = Object.freeze(
  {
    wasmtime_config_consume_fuel_set: {
      parameters: ["pointer", "bool"],
      result: "void",
    },
    wasmtime_config_epoch_interruption_set: {
      parameters: ["pointer", "bool"],
      result: "void",
    },
    wasmtime_config_memory_may_move_set: {
      parameters: ["pointer", "bool"],
      result: "void",
    },
    wasmtime_config_signals_based_traps_set: {
      parameters: ["pointer", "bool"],
      result: "void",
    },
    wasmtime_config_wasm_bulk_memory_set: {
      parameters: ["pointer", "bool"],
      result: "void",
    },
    wasmtime_config_wasm_exceptions_set: {
      parameters: ["pointer", "bool"],
      result: "void",
    },
    wasmtime_config_wasm_function_references_set: {
      parameters: ["pointer", "bool"],
      result: "void",
    },
    wasmtime_config_wasm_gc_set: {
      parameters: ["pointer", "bool"],
      result: "void",
    },
    wasmtime_config_wasm_memory64_set: {
      parameters: ["pointer", "bool"],
      result: "void",
    },
    wasmtime_config_wasm_multi_memory_set: {
      parameters: ["pointer", "bool"],
      result: "void",
    },
    wasmtime_config_wasm_multi_value_set: {
      parameters: ["pointer", "bool"],
      result: "void",
    },
    wasmtime_config_wasm_reference_types_set: {
      parameters: ["pointer", "bool"],
      result: "void",
    },
    wasmtime_config_wasm_relaxed_simd_set: {
      parameters: ["pointer", "bool"],
      result: "void",
    },
    wasmtime_config_wasm_simd_set: {
      parameters: ["pointer", "bool"],
      result: "void",
    },
    wasmtime_config_wasm_tail_call_set: {
      parameters: ["pointer", "bool"],
      result: "void",
    },
    wasmtime_config_wasm_threads_set: {
      parameters: ["pointer", "bool"],
      result: "void",
    },
  } as const,
);

/** All functions. A library that lacks one of them is refused. */
export const SYMBOLS = Object.freeze(
  {
    ...SWITCHES,
    wasm_config_new: { parameters: [], result: "pointer" },
    wasmtime_config_max_wasm_stack_set: {
      parameters: ["pointer", "usize"],
      result: "void",
    },
    wasm_engine_new_with_config: {
      parameters: ["pointer"],
      result: "pointer",
    },
    wasmtime_module_new: {
      parameters: ["pointer", "buffer", "usize", "buffer"],
      result: "pointer",
    },
    compileElsewhere: {
      name: "wasmtime_module_new",
      parameters: ["pointer", "buffer", "usize", "buffer"],
      result: "pointer",
      nonblocking: true,
    },
    wasmtime_module_delete: { parameters: ["pointer"], result: "void" },
    wasmtime_module_serialize: {
      parameters: ["pointer", "buffer"],
      result: "pointer",
    },
    wasmtime_module_deserialize: {
      parameters: ["pointer", "buffer", "usize", "buffer"],
      result: "pointer",
    },
    wasmtime_store_new: {
      parameters: ["pointer", "pointer", "pointer"],
      result: "pointer",
    },
    wasmtime_store_context: { parameters: ["pointer"], result: "pointer" },
    wasmtime_store_limiter: {
      parameters: ["pointer", "i64", "i64", "i64", "i64", "i64"],
      result: "void",
    },
    wasmtime_store_delete: { parameters: ["pointer"], result: "void" },
    wasmtime_context_set_fuel: {
      parameters: ["pointer", "u64"],
      result: "pointer",
    },
    wasmtime_context_get_fuel: {
      parameters: ["pointer", "buffer"],
      result: "pointer",
    },
    wasmtime_context_set_epoch_deadline: {
      parameters: ["pointer", "u64"],
      result: "void",
    },
    wasmtime_context_has_exception: {
      parameters: ["pointer"],
      result: "bool",
    },
    wasm_functype_new: {
      parameters: ["buffer", "buffer"],
      result: "pointer",
    },
    wasm_functype_delete: { parameters: ["pointer"], result: "void" },
    wasmtime_func_new_unchecked: {
      parameters: [
        "pointer",
        "pointer",
        "function",
        "usize",
        "pointer",
        "buffer",
      ],
      result: "void",
    },
    wasmtime_func_call_unchecked: {
      parameters: ["pointer", "buffer", "buffer", "usize", "buffer"],
      result: "pointer",
    },
    callElsewhere: {
      name: "wasmtime_func_call_unchecked",
      parameters: ["pointer", "buffer", "buffer", "usize", "buffer"],
      result: "pointer",
      nonblocking: true,
    },
    wasmtime_instance_new: {
      parameters: ["pointer", "pointer", "buffer", "usize", "buffer", "buffer"],
      result: "pointer",
    },
    wasmtime_instance_export_get: {
      parameters: ["pointer", "buffer", "buffer", "usize", "buffer"],
      result: "bool",
    },
    wasmtime_memory_data: {
      parameters: ["pointer", "buffer"],
      result: "pointer",
    },
    wasmtime_memory_data_size: {
      parameters: ["pointer", "buffer"],
      result: "usize",
    },
    wasmtime_table_size: { parameters: ["pointer", "buffer"], result: "u64" },
    wasmtime_trap_code: { parameters: ["pointer", "buffer"], result: "bool" },
    wasm_trap_message: { parameters: ["pointer", "buffer"], result: "void" },
    wasm_trap_delete: { parameters: ["pointer"], result: "void" },
    wasmtime_error_message: {
      parameters: ["pointer", "buffer"],
      result: "void",
    },
    wasmtime_error_delete: { parameters: ["pointer"], result: "void" },
    wasm_byte_vec_delete: { parameters: ["buffer"], result: "void" },
    // the linker's own, found through what the library needs; not on Windows
    dlopen: {
      parameters: ["buffer", "i32"],
      result: "pointer",
      optional: true,
    },
  } as const,
);

/** The ticker's one function. */
export const TICK = "wasmtime_engine_increment_epoch";

/** The opened functions. */
export type Symbols = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];
/** A name of one of the switches. */
export type Switch = keyof typeof SWITCHES;
