// Spectral norm of an implicit matrix by the power method.
// Models numeric code whose matrix is computed and not stored: divisions, dot products.

#include "kernel.h"

#define SIZE 440
#define ITERATIONS 10

static double u[SIZE], v[SIZE], scratch[SIZE];

static inline double element(int row, int column) {
  return 1.0 / ((row + column) * (row + column + 1) / 2 + row + 1);
}

static NOINLINE void multiply(double *out, const double *in) {
  for (int row = 0; row < SIZE; row++) {
    double dot = 0;
    for (int column = 0; column < SIZE; column++) dot += element(row, column) * in[column];
    out[row] = dot;
  }
}

static NOINLINE void multiply_transposed(double *out, const double *in) {
  for (int row = 0; row < SIZE; row++) {
    double dot = 0;
    for (int column = 0; column < SIZE; column++) dot += element(column, row) * in[column];
    out[row] = dot;
  }
}

static double norm(double first) {
  for (int i = 0; i < SIZE; i++) u[i] = first + (double)(i % 3);
  for (int iteration = 0; iteration < ITERATIONS; iteration++) {
    multiply(scratch, u);
    multiply_transposed(v, scratch);
    multiply(scratch, v);
    multiply_transposed(u, scratch);
  }
  double uv = 0, vv = 0;
  for (int i = 0; i < SIZE; i++) {
    uv += u[i] * v[i];
    vv += v[i] * v[i];
  }
  return __builtin_sqrt(uv / vv);
}

EXPORT_RUN int32_t run(int32_t n) {
  uint32_t sum = 0;
  for (int32_t round = 0; round < n; round++) {
    double result = norm(1.0 + round);
    check(result > 1.274 && result < 1.275);
    sum = mix_f64(sum, result);
  }
  return (int32_t)sum;
}
