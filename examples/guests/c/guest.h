// The guest's half of the guest ABI: memory that the host may ask for and give back.
//
// A call export has the type (i32 pointer, i32 length) -> i64. The host places the request
// with `wasm_sandbox_alloc`, calls, reads the reply at `pointer << 32 | length`, and frees
// request and reply with `wasm_sandbox_free`. A guest frees neither.

#ifndef GUEST_H
#define GUEST_H

#include <stddef.h>
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(name)))

#define PAGE_BYTES 65536u
#define SMALLEST_CLASS 4u
#define LARGEST_CLASS 31u

// The allocator keeps one list of free blocks for each power of two. A block never changes
// its size, so that what is freed is used again, at the price of up to half of a block.
struct block {
  uint32_t size_class;
  struct block *next;
};

_Static_assert(sizeof(struct block) == 8, "a header must keep payloads aligned to 8 bytes");

extern uint8_t __heap_base;

static struct block *free_blocks[LARGEST_CLASS + 1];
static uintptr_t fresh_memory;

/** Carves a block from memory that was never used, growing it as needed; null if it cannot. */
static inline struct block *carve_block(uint32_t size_class) {
  if (!fresh_memory) fresh_memory = ((uintptr_t)&__heap_base + 7) & ~(uintptr_t)7;
  uint64_t end = (uint64_t)fresh_memory + sizeof(struct block) + (1ull << size_class);
  uint64_t have = (uint64_t)__builtin_wasm_memory_size(0) * PAGE_BYTES;
  if (end > have) {
    size_t pages = (size_t)((end - have + PAGE_BYTES - 1) / PAGE_BYTES);
    if (__builtin_wasm_memory_grow(0, pages) == (size_t)-1) return NULL;
  }
  struct block *block = (struct block *)fresh_memory;
  fresh_memory = (uintptr_t)end;
  block->size_class = size_class;
  return block;
}

/** `size` bytes aligned to 8, or null if there is no memory. Zero bytes are a valid request. */
EXPORT("wasm_sandbox_alloc") void *guest_alloc(uint32_t size) {
  uint32_t size_class = SMALLEST_CLASS;
  while (size_class < LARGEST_CLASS && size > 1u << size_class) size_class++;
  if (size > 1u << size_class) return NULL;
  struct block *block = free_blocks[size_class];
  if (block) {
    free_blocks[size_class] = block->next;
  } else if (!(block = carve_block(size_class))) {
    return NULL;
  }
  return block + 1;
}

/** Takes back what `guest_alloc` gave. The block knows its size; null is ignored. */
EXPORT("wasm_sandbox_free") void guest_free(void *pointer, uint32_t length) {
  (void)length;
  if (!pointer) return;
  struct block *block = (struct block *)pointer - 1;
  block->next = free_blocks[block->size_class];
  free_blocks[block->size_class] = block;
}

/** Memory that the guest cannot go on without: traps if there is none. */
static inline uint8_t *guest_need(size_t size) {
  uint8_t *bytes = guest_alloc((uint32_t)size);
  if (!bytes) __builtin_trap();
  return bytes;
}

/** What a call export returns: the reply must come from `guest_alloc`. */
static inline uint64_t guest_reply(const void *bytes, size_t length) {
  return (uint64_t)(uintptr_t)bytes << 32 | (uint32_t)length;
}

#endif
