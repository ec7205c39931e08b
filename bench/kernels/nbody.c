// The planets of the outer solar system under gravity, one small step at a time.
// Models physics: f64 arithmetic with square roots and divisions on a few records.

#include "kernel.h"

#define STEPS 150000
#define STEP_DAYS 0.01
#define PI 3.141592653589793
#define SOLAR_MASS (4 * PI * PI)
#define DAYS_PER_YEAR 365.24

struct body {
  double position[3], velocity[3], mass;
};

// In astronomical units, units per day and solar masses.
static const struct body solar_system[] = {
  {{0, 0, 0}, {0, 0, 0}, 1},
  {{4.84143144246472090, -1.16032004402742839, -0.103622044471123109},
   {0.00166007664274403694, 0.00769901118419740425, -0.0000690460016972063023},
   0.000954791938424326609},
  {{8.34336671824457987, 4.12479856412430479, -0.403523417114321381},
   {-0.00276742510726411542, 0.00499852801234917238, 0.0000230417297573763929},
   0.000285885980666130812},
  {{12.8943695621391310, -15.1111514016986312, -0.223307578892655734},
   {0.00296460137564761618, 0.00237847173959480950, -0.0000296589568540237556},
   0.0000436624404335156298},
  {{15.3796971148509165, -25.9193146099879641, 0.179258772950371181},
   {0.00268067772490389322, 0.00162824170038242295, -0.0000951592254519715870},
   0.0000515138902046611451},
};

#define BODIES COUNT_OF(solar_system)

static struct body bodies[BODIES];

static void reset(void) {
  for (size_t i = 0; i < BODIES; i++) {
    bodies[i] = solar_system[i];
    bodies[i].mass *= SOLAR_MASS;
    for (int axis = 0; axis < 3; axis++) bodies[i].velocity[axis] *= DAYS_PER_YEAR;
  }
}

static void attract(struct body *one, struct body *other) {
  double delta[3], squared = 0;
  for (int axis = 0; axis < 3; axis++) {
    delta[axis] = one->position[axis] - other->position[axis];
    squared += delta[axis] * delta[axis];
  }
  double magnitude = STEP_DAYS / (squared * __builtin_sqrt(squared));
  for (int axis = 0; axis < 3; axis++) {
    one->velocity[axis] -= delta[axis] * other->mass * magnitude;
    other->velocity[axis] += delta[axis] * one->mass * magnitude;
  }
}

static NOINLINE void advance(void) {
  for (size_t i = 0; i < BODIES; i++) {
    for (size_t j = i + 1; j < BODIES; j++) attract(&bodies[i], &bodies[j]);
  }
  for (size_t i = 0; i < BODIES; i++) {
    for (int axis = 0; axis < 3; axis++) {
      bodies[i].position[axis] += STEP_DAYS * bodies[i].velocity[axis];
    }
  }
}

EXPORT_RUN int32_t run(int32_t n) {
  uint32_t sum = 0;
  reset();
  for (int32_t round = 0; round < n; round++) {
    for (int step = 0; step < STEPS; step++) advance();
    for (size_t i = 0; i < BODIES; i++) sum = mix_f64(sum, bodies[i].position[0]);
  }
  return (int32_t)sum;
}
