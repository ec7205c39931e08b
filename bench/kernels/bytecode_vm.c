// A stack machine that interprets a program: it counts primes by trial division.
// Models language runtimes: a switch in a loop (br_table) and operators that are called
// through a table of function pointers (call_indirect).

#include "kernel.h"

#define LIMIT 20000
#define PRIMES_BELOW_LIMIT 2262
#define STACK_WORDS 16

enum opcode { PUSH, LOAD, STORE, APPLY, JUMP, JUMP_IF_ZERO, HALT };
enum operator { ADD, MULTIPLY, REMAINDER, LESS, HASH };
enum variable { SEED, CANDIDATE, DIVISOR, PRIMES, SUM, VARIABLES };

struct instruction {
  enum opcode opcode;
  uint32_t operand;
};

static uint32_t add(uint32_t a, uint32_t b) { return a + b; }
static uint32_t multiply(uint32_t a, uint32_t b) { return a * b; }
static uint32_t remainder(uint32_t a, uint32_t b) { return a % b; }
static uint32_t less(uint32_t a, uint32_t b) { return a < b; }

static uint32_t (*const operators[])(uint32_t a, uint32_t b) = {
  [ADD] = add, [MULTIPLY] = multiply, [REMAINDER] = remainder, [LESS] = less, [HASH] = mix,
};

// The addresses that the program jumps to.
enum label { NEXT_CANDIDATE = 4, TRY_DIVISOR = 10, DIVIDE = 17, IS_PRIME = 26, NOT_PRIME = 30, DONE = 39 };

static const struct instruction program[] = {
  {LOAD, SEED}, {STORE, SUM}, {PUSH, 2}, {STORE, CANDIDATE},

  [NEXT_CANDIDATE] = {LOAD, CANDIDATE}, {PUSH, LIMIT}, {APPLY, LESS}, {JUMP_IF_ZERO, DONE},
  {PUSH, 2}, {STORE, DIVISOR},

  [TRY_DIVISOR] = {LOAD, CANDIDATE}, {LOAD, DIVISOR}, {LOAD, DIVISOR}, {APPLY, MULTIPLY},
  {APPLY, LESS}, {JUMP_IF_ZERO, DIVIDE}, {JUMP, IS_PRIME},

  [DIVIDE] = {LOAD, CANDIDATE}, {LOAD, DIVISOR}, {APPLY, REMAINDER}, {JUMP_IF_ZERO, NOT_PRIME},
  {LOAD, DIVISOR}, {PUSH, 1}, {APPLY, ADD}, {STORE, DIVISOR}, {JUMP, TRY_DIVISOR},

  [IS_PRIME] = {LOAD, PRIMES}, {PUSH, 1}, {APPLY, ADD}, {STORE, PRIMES},

  [NOT_PRIME] = {LOAD, SUM}, {LOAD, DIVISOR}, {APPLY, HASH}, {STORE, SUM},
  {LOAD, CANDIDATE}, {PUSH, 1}, {APPLY, ADD}, {STORE, CANDIDATE}, {JUMP, NEXT_CANDIDATE},

  [DONE] = {HALT, 0},
};

static NOINLINE void interpret(const struct instruction *code, uint32_t *variables) {
  uint32_t stack[STACK_WORDS], *top = stack;
  for (uint32_t at = 0;;) {
    struct instruction now = code[at++];
    switch (now.opcode) {
      case PUSH: *top++ = now.operand; break;
      case LOAD: *top++ = variables[now.operand]; break;
      case STORE: variables[now.operand] = *--top; break;
      case APPLY:
        top--;
        top[-1] = operators[now.operand](top[-1], top[0]);
        break;
      case JUMP: at = now.operand; break;
      case JUMP_IF_ZERO:
        if (*--top == 0) at = now.operand;
        break;
      case HALT: return;
    }
  }
}

EXPORT_RUN int32_t run(int32_t n) {
  uint32_t sum = 0;
  for (int32_t round = 0; round < n; round++) {
    uint32_t variables[VARIABLES] = {[SEED] = seed_of(round)};
    interpret(program, variables);
    check(variables[PRIMES] == PRIMES_BELOW_LIMIT);
    sum = mix(sum, variables[SUM]);
  }
  return (int32_t)sum;
}
