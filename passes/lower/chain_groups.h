// A chain in the making: shared by chain_groups.c, which finds links and makes the chain, and
// chain_sums.c, which takes in products that sum over its strips.
#ifndef SNI_PASSES_CHAIN_GROUPS_H
#define SNI_PASSES_CHAIN_GROUPS_H

#include "passes/lower/group.h"

enum { SNI_CHAIN_NEAR_BYTES = 512 << 10 };  // what stays in a core's own cache

typedef enum sni_link_kind {
  SNI_LINK_MADE,  // by the product, for the rows
  SNI_LINK_LEFT,  // the rows are the product's left side
  SNI_LINK_SUM,   // the product sums over the rows
} sni_link_kind;

// A value that links a row group to a product, by the group.
typedef struct sni_link {
  sni_node_id value, product;
  sni_link_kind kind;
  uint32_t next;
} sni_link;

typedef struct sni_chainer {
  sni_lowering *l;
  uint32_t *stamps;
  uint32_t *whole_uses;  // per node: ops that read its buffer at places of their own
  bool *result;          // per node
  uint64_t steps;        // of searches: chains of very large graphs end where these are used up
  sni_link *links;
  uint32_t n_links, links_capacity;
  uint32_t *first_link;  // per group: number + 1
  uint32_t *count;       // per group: links
} sni_chainer;

// The axes that parts share, by the dims of a value: which axis of the part each is.
typedef struct sni_outer_axes {
  int n;
  int8_t axis[SNI_MAX_AXES];  // the rows last
} sni_outer_axes;

typedef struct sni_chain {
  sni_chainer *c;
  int32_t groups[SNI_MOST_PARTS];
  sni_outer_axes outer[SNI_MOST_PARTS];
  bool sums[SNI_MOST_PARTS];  // over the strips: the last parts. Their rows are no axis of theirs
  int n;
  int row;       // the part that is the row group
  int64_t rows;  // of a strip
} sni_chain;

// Scratch of a strip. What waits in it passes in order and once or twice, so it may take half as much
// again as the rows of a kernel.
static inline int64_t sni_strip_bytes(const sni_lowering *l) {
  return l->budget.row_bytes + l->budget.row_bytes / 2;
}

// ---- chain_groups.c
int sni_chain_part(const sni_chain *k, int32_t group);
// Of a symbolic dim what it was when the function was traced.
double sni_chain_number(const sni_lowering *l, sni_dim dim);
// Iterations of all shared axes but the rows.
double sni_chain_batches(const sni_chain *k);

// ---- chain_sums.c
// Takes the product in, behind all other parts, if it sums over the rows of the link's value and the
// strips may run in order.
sn_status sni_chain_add_sum(sni_chain *k, const sni_link *link);

#endif
