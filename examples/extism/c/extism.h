// What a plug-in imports from its host, after the documentation of Extism's ABI.
// Everything is a block in the host's memory, named by its handle.
#ifndef EXTISM_H
#define EXTISM_H

typedef unsigned long long handle;
typedef unsigned char byte;

#define HOST(name) \
  __attribute__((import_module("extism:host/env"), import_name(#name))) extern
#define EXPORT(name) __attribute__((export_name(#name)))

HOST(alloc) handle extism_alloc(unsigned long long length);
HOST(free) void extism_free(handle block);
HOST(length) unsigned long long extism_length(handle block);
HOST(load_u8) byte extism_load_u8(handle at);
HOST(store_u8) void extism_store_u8(handle at, byte value);
HOST(load_u64) unsigned long long extism_load_u64(handle at);
HOST(store_u64) void extism_store_u64(handle at, unsigned long long value);
HOST(input_offset) handle extism_input_offset(void);
HOST(input_length) unsigned long long extism_input_length(void);
HOST(input_load_u8) byte extism_input_load_u8(unsigned long long at);
HOST(output_set) void extism_output_set(handle at, unsigned long long length);
HOST(error_set) void extism_error_set(handle block);
HOST(config_get) handle extism_config_get(handle key);
HOST(var_get) handle extism_var_get(handle key);
HOST(var_set) void extism_var_set(handle key, handle value);
HOST(http_request) handle extism_http_request(handle request, handle body);
HOST(http_status_code) int extism_http_status_code(void);
HOST(http_headers) handle extism_http_headers(void);
HOST(log_info) void extism_log_info(handle line);
HOST(log_error) void extism_log_error(handle line);

// Makes a block of a text that ends in NUL.
static inline handle extism_text(const char *text) {
  unsigned long long length = 0;
  while (text[length] != 0) length++;
  handle block = extism_alloc(length);
  for (unsigned long long i = 0; i < length; i++) {
    extism_store_u8(block + i, (byte)text[i]);
  }
  return block;
}

static inline void extism_output(handle block) {
  extism_output_set(block, extism_length(block));
}

#endif
