// Quicksort of 32-bit integers: median of three, insertion sort for short ranges.
// Models comparison sorting: recursion and branches that depend on the data.

#include "kernel.h"

#define LENGTH 200000
#define SHORT_RANGE 12

static int32_t numbers[LENGTH];

static inline void swap(int32_t *a, int32_t *b) {
  int32_t held = *a;
  *a = *b;
  *b = held;
}

static void insertion_sort(int32_t *first, int32_t *last) {
  for (int32_t *at = first + 1; at <= last; at++) {
    int32_t value = *at, *hole = at;
    for (; hole > first && hole[-1] > value; hole--) *hole = hole[-1];
    *hole = value;
  }
}

static int32_t median_of_three(int32_t *first, int32_t *last) {
  int32_t *middle = first + (last - first) / 2;
  if (*middle < *first) swap(middle, first);
  if (*last < *first) swap(last, first);
  if (*last < *middle) swap(last, middle);
  return *middle;
}

static NOINLINE void sort(int32_t *first, int32_t *last) {
  while (last - first >= SHORT_RANGE) {
    int32_t pivot = median_of_three(first, last), *low = first, *high = last;
    while (low <= high) {
      while (*low < pivot) low++;
      while (*high > pivot) high--;
      if (low <= high) swap(low++, high--);
    }
    // The shorter side recurses, which bounds the depth by log2(LENGTH).
    if (high - first < last - low) {
      sort(first, high);
      first = low;
    } else {
      sort(low, last);
      last = high;
    }
  }
  insertion_sort(first, last);
}

EXPORT_RUN int32_t run(int32_t n) {
  uint32_t sum = 0;
  for (int32_t round = 0; round < n; round++) {
    uint32_t seed = seed_of(round);
    for (int i = 0; i < LENGTH; i++) numbers[i] = (int32_t)next_random(&seed);
    sort(numbers, numbers + LENGTH - 1);
    for (int i = 1; i < LENGTH; i++) check(numbers[i - 1] <= numbers[i]);
    for (int i = 0; i < LENGTH; i += 97) sum = mix(sum, (uint32_t)numbers[i]);
  }
  return (int32_t)sum;
}
