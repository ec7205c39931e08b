// Escape times of the Mandelbrot set on a square image.
// Models per-pixel computation: f64 arithmetic in a loop of unpredictable length.

#include "kernel.h"

#define SIZE 320
#define MAX_STEPS 200

static uint8_t image[SIZE][SIZE];

static int escape_time(double re, double im) {
  double x = 0, y = 0;
  for (int step = 0; step < MAX_STEPS; step++) {
    double xx = x * x, yy = y * y;
    if (xx + yy > 4) return step;
    y = 2 * x * y + im;
    x = xx - yy + re;
  }
  return MAX_STEPS;
}

static NOINLINE void draw(double left, double top, double scale) {
  for (int row = 0; row < SIZE; row++) {
    for (int column = 0; column < SIZE; column++) {
      image[row][column] = (uint8_t)escape_time(left + column * scale, top + row * scale);
    }
  }
}

EXPORT_RUN int32_t run(int32_t n) {
  uint32_t sum = 0;
  for (int32_t round = 0; round < n; round++) {
    double zoom = 1.0 + (round % 16) * 0.125;
    draw(-0.5 - 1.5 / zoom, -1.5 / zoom, 3.0 / zoom / SIZE);
    for (int row = 0; row < SIZE; row++) {
      for (int column = 0; column < SIZE; column++) sum = mix(sum, image[row][column]);
    }
  }
  return (int32_t)sum;
}
