// A separable blur of an RGBA image in f32, four channels to a vector.
// Models image and signal processing with SIMD: the only kernel with v128 instructions.

#include "kernel.h"

#define SIDE 256
#define PASSES 18
#define SIMD __attribute__((target("simd128")))

typedef float pixel __attribute__((vector_size(16)));

static pixel image[SIDE][SIDE], scratch[SIDE][SIDE];

static const float weights[5] = {0.0625f, 0.25f, 0.375f, 0.25f, 0.0625f};

static SIMD void fill(uint32_t seed) {
  for (int row = 0; row < SIDE; row++) {
    for (int column = 0; column < SIDE; column++) {
      uint32_t random = next_random(&seed);
      image[row][column] = (pixel){
        (float)(random & 255), (float)(random >> 8 & 255), (float)(random >> 16 & 255), 255.0f,
      };
    }
  }
}

static inline int clamped(int at) {
  return at < 0 ? 0 : at >= SIDE ? SIDE - 1 : at;
}

/** Blurs the rows of `from` into the columns of `to`, so that two calls blur both ways. */
static SIMD NOINLINE void blur_rows(pixel from[SIDE][SIDE], pixel to[SIDE][SIDE]) {
  for (int row = 0; row < SIDE; row++) {
    for (int column = 0; column < SIDE; column++) {
      pixel total = {0, 0, 0, 0};
      for (int tap = -2; tap <= 2; tap++) total += weights[tap + 2] * from[row][clamped(column + tap)];
      to[column][row] = total;
    }
  }
}

static SIMD uint32_t sum_of_image(uint32_t sum) {
  for (int row = 0; row < SIDE; row += 3) {
    for (int column = 0; column < SIDE; column += 3) {
      pixel pixel = image[row][column];
      check(pixel[3] == 255.0f);
      sum = mix_f64(mix_f64(mix_f64(sum, (double)pixel[0]), (double)pixel[1]), (double)pixel[2]);
    }
  }
  return sum;
}

EXPORT_RUN int32_t run(int32_t n) {
  uint32_t sum = 0;
  for (int32_t round = 0; round < n; round++) {
    fill(seed_of(round));
    for (int pass = 0; pass < PASSES; pass++) {
      blur_rows(image, scratch);
      blur_rows(scratch, image);
    }
    sum = sum_of_image(sum);
  }
  return (int32_t)sum;
}
