// Conway's Game of Life on a torus, one byte per cell.
// Models grid simulation: eight neighbour loads and one store per cell.

#include "kernel.h"

#define SIDE 256
#define GENERATIONS 48

static uint8_t grids[2][SIDE][SIDE];

static void seed_grid(uint8_t grid[SIDE][SIDE], uint32_t seed) {
  for (int row = 0; row < SIDE; row++) {
    for (int column = 0; column < SIDE; column++) grid[row][column] = next_random(&seed) % 3 == 0;
  }
}

static NOINLINE void step(const uint8_t from[SIDE][SIDE], uint8_t to[SIDE][SIDE]) {
  for (int row = 0; row < SIDE; row++) {
    const uint8_t *above = from[(row + SIDE - 1) % SIDE];
    const uint8_t *here = from[row];
    const uint8_t *below = from[(row + 1) % SIDE];
    for (int column = 0; column < SIDE; column++) {
      int left = (column + SIDE - 1) % SIDE, right = (column + 1) % SIDE;
      int neighbours = above[left] + above[column] + above[right] + here[left] + here[right] +
                       below[left] + below[column] + below[right];
      to[row][column] = neighbours == 3 || (neighbours == 2 && here[column]);
    }
  }
}

static void check_block_stands_still(void) {
  __builtin_memset(grids, 0, sizeof grids);
  grids[0][0][0] = grids[0][0][1] = grids[0][1][0] = grids[0][1][1] = 1;
  step(grids[0], grids[1]);
  check(grids[1][0][0] && grids[1][0][1] && grids[1][1][0] && grids[1][1][1] && !grids[1][2][0]);
}

EXPORT_RUN int32_t run(int32_t n) {
  uint32_t sum = 0;
  check_block_stands_still();
  for (int32_t round = 0; round < n; round++) {
    seed_grid(grids[0], seed_of(round));
    for (int generation = 0; generation < GENERATIONS; generation++) {
      step(grids[generation % 2], grids[(generation + 1) % 2]);
    }
    for (int row = 0; row < SIDE; row++) {
      for (int column = 0; column < SIDE; column++) {
        sum = mix(sum, (uint32_t)row << 16 | (uint32_t)column << 1 | grids[0][row][column]);
      }
    }
  }
  return (int32_t)sum;
}
