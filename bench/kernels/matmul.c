// Dense matrix product in f64: a tight numeric loop over three arrays.
// Models numeric code (linear algebra, small neural networks).

#include "kernel.h"

#define SIZE 288

static double a[SIZE][SIZE], b[SIZE][SIZE], product[SIZE][SIZE];

static void fill(double matrix[SIZE][SIZE], uint32_t seed) {
  for (int row = 0; row < SIZE; row++) {
    for (int column = 0; column < SIZE; column++) {
      matrix[row][column] = (double)(next_random(&seed) % 2000) / 1000.0 - 1.0;
    }
  }
}

static NOINLINE void multiply(void) {
  for (int row = 0; row < SIZE; row++) {
    for (int column = 0; column < SIZE; column++) product[row][column] = 0;
    for (int k = 0; k < SIZE; k++) {
      double factor = a[row][k];
      for (int column = 0; column < SIZE; column++) {
        product[row][column] += factor * b[k][column];
      }
    }
  }
}

EXPORT_RUN int32_t run(int32_t n) {
  uint32_t sum = 0;
  for (int32_t round = 0; round < n; round++) {
    fill(a, seed_of(round));
    fill(b, seed_of(~round));
    multiply();
    for (int i = 0; i < SIZE; i++) sum = mix_f64(sum, product[i][(i * 7) % SIZE]);
  }
  return (int32_t)sum;
}
