// Shortest paths from the corner of a grid with random costs (Dijkstra, binary heap).
// Models graph search and schedulers: a priority queue and scattered updates.

#include "kernel.h"

#define SIDE 320
#define CELLS (SIDE * SIDE)
#define HEAP_SLOTS (CELLS * 4)
#define UNREACHED 0xffffffffu
#define SOURCES 2

struct item {
  uint32_t distance, cell;
};

static uint8_t cost[CELLS];
static uint32_t distance[CELLS];
static struct item heap[HEAP_SLOTS];
static uint32_t length;

static void push(struct item item) {
  check(length < HEAP_SLOTS);
  uint32_t at = length++;
  while (at > 0) {
    uint32_t parent = (at - 1) / 2;
    if (heap[parent].distance <= item.distance) break;
    heap[at] = heap[parent];
    at = parent;
  }
  heap[at] = item;
}

static struct item pop(void) {
  struct item least = heap[0], last = heap[--length];
  uint32_t at = 0;
  for (;;) {
    uint32_t child = 2 * at + 1;
    if (child >= length) break;
    if (child + 1 < length && heap[child + 1].distance < heap[child].distance) child++;
    if (heap[child].distance >= last.distance) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = last;
  return least;
}

static void relax(uint32_t cell, uint32_t from) {
  uint32_t through = from + cost[cell];
  if (through >= distance[cell]) return;
  distance[cell] = through;
  push((struct item){through, cell});
}

static NOINLINE void search(uint32_t source) {
  __builtin_memset(distance, 0xff, sizeof distance);
  length = 0;
  distance[source] = 0;
  push((struct item){0, source});
  while (length > 0) {
    struct item item = pop();
    if (item.distance > distance[item.cell]) continue;
    uint32_t column = item.cell % SIDE;
    if (column > 0) relax(item.cell - 1, item.distance);
    if (column < SIDE - 1) relax(item.cell + 1, item.distance);
    if (item.cell >= SIDE) relax(item.cell - SIDE, item.distance);
    if (item.cell < CELLS - SIDE) relax(item.cell + SIDE, item.distance);
  }
}

EXPORT_RUN int32_t run(int32_t n) {
  uint32_t sum = 0;
  for (int32_t round = 0; round < n; round++) {
    uint32_t seed = seed_of(round);
    for (int i = 0; i < CELLS; i++) cost[i] = (uint8_t)(1 + next_random(&seed) % 200);
    for (int source = 0; source < SOURCES; source++) {
      search((uint32_t)source * (CELLS - 1));
      for (int i = 0; i < CELLS; i++) sum = mix(sum, distance[i]);
    }
  }
  return (int32_t)sum;
}
