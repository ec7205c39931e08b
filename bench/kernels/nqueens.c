// All ways to place eleven queens on a board so that none attacks another.
// Models backtracking search: recursion, short loops, early exits.

#include "kernel.h"

#define QUEENS 11
#define SOLUTIONS 2680

static int8_t column_of[QUEENS];
static uint32_t sum_of_solutions;

static int is_safe(int row, int column) {
  for (int above = 0; above < row; above++) {
    int distance = column - column_of[above];
    if (distance == 0 || distance == row - above || distance == above - row) return 0;
  }
  return 1;
}

static void record_solution(int first_row) {
  for (int i = 0; i < QUEENS; i++) {
    sum_of_solutions = mix(sum_of_solutions, (uint32_t)column_of[(first_row + i) % QUEENS]);
  }
}

static NOINLINE uint32_t place(int row, int first_row) {
  if (row == QUEENS) {
    record_solution(first_row);
    return 1;
  }
  uint32_t solutions = 0;
  for (int column = 0; column < QUEENS; column++) {
    if (!is_safe(row, column)) continue;
    column_of[row] = (int8_t)column;
    solutions += place(row + 1, first_row);
  }
  return solutions;
}

EXPORT_RUN int32_t run(int32_t n) {
  sum_of_solutions = 0;
  for (int32_t round = 0; round < n; round++) check(place(0, round % QUEENS) == SOLUTIONS);
  return (int32_t)sum_of_solutions;
}
