// Heapsort of a million 32-bit integers that lie in pre-sorted runs.
// Models memory-bound work: jumps across four mebibytes with little arithmetic.

#include "kernel.h"

#define LENGTH (1 << 20)
#define TOP 70000

static uint32_t heap[LENGTH];

static void sift_down(uint32_t root, uint32_t length) {
  uint32_t value = heap[root];
  for (;;) {
    uint32_t child = 2 * root + 1;
    if (child >= length) break;
    if (child + 1 < length && heap[child + 1] > heap[child]) child++;
    if (heap[child] <= value) break;
    heap[root] = heap[child];
    root = child;
  }
  heap[root] = value;
}

/** Moves the `count` largest numbers to the end of the array, in ascending order. */
static NOINLINE void sort_largest(uint32_t count) {
  for (uint32_t i = LENGTH / 2; i-- > 0;) sift_down(i, LENGTH);
  for (uint32_t end = LENGTH - 1; end >= LENGTH - count; end--) {
    uint32_t largest = heap[0];
    heap[0] = heap[end];
    heap[end] = largest;
    sift_down(0, end);
  }
}

EXPORT_RUN int32_t run(int32_t n) {
  uint32_t sum = 0;
  for (int32_t round = 0; round < n; round++) {
    uint32_t seed = seed_of(round), value = 0;
    for (int i = 0; i < LENGTH; i++) {
      value = i % 64 == 0 ? next_random(&seed) >> 1 : value + (seed >> (i % 24));
      heap[i] = value;
    }
    sort_largest(TOP);
    for (int i = LENGTH - TOP + 1; i < LENGTH; i++) check(heap[i - 1] <= heap[i]);
    for (int i = LENGTH - TOP; i < LENGTH; i += 61) sum = mix(sum, heap[i]);
  }
  return (int32_t)sum;
}
