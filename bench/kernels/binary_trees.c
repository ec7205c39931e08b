// Builds, walks and frees binary trees, their nodes from an allocator with a free list.
// Models programs that allocate much: pointer chasing and recursion.

#include "kernel.h"

#define MIN_DEPTH 4
#define MAX_DEPTH 15
#define NODES ((2 << MAX_DEPTH) * 2)

struct node {
  struct node *left, *right;
  uint32_t value;
};

static struct node pool[NODES];
static struct node *free_nodes;
static uint32_t fresh_nodes;

static struct node *allocate(void) {
  struct node *node = free_nodes;
  if (node) {
    free_nodes = node->left;
    return node;
  }
  check(fresh_nodes < NODES);
  return &pool[fresh_nodes++];
}

static void release(struct node *node) {
  node->left = free_nodes;
  free_nodes = node;
}

static NOINLINE struct node *build(int depth, uint32_t value) {
  struct node *node = allocate();
  node->value = value;
  node->left = depth > 0 ? build(depth - 1, 2 * value) : NULL;
  node->right = depth > 0 ? build(depth - 1, 2 * value + 1) : NULL;
  return node;
}

static NOINLINE uint32_t walk(const struct node *node) {
  return node ? mix(walk(node->left), node->value) ^ walk(node->right) : 0;
}

static NOINLINE void dispose(struct node *node) {
  if (!node) return;
  dispose(node->left);
  dispose(node->right);
  release(node);
}

EXPORT_RUN int32_t run(int32_t n) {
  uint32_t sum = 0;
  free_nodes = NULL;
  fresh_nodes = 0;
  for (int32_t round = 0; round < n; round++) {
    struct node *long_lived = build(MAX_DEPTH, (uint32_t)round + 1);
    for (int depth = MIN_DEPTH; depth <= MAX_DEPTH; depth += 3) {
      for (int i = 0; i < 3 << (MAX_DEPTH - depth); i++) {
        struct node *short_lived = build(depth, (uint32_t)i);
        sum = mix(sum, walk(short_lived));
        dispose(short_lived);
      }
    }
    sum = mix(sum, walk(long_lived));
    dispose(long_lived);
  }
  return (int32_t)sum;
}
