// What every walker of K needs to know beforehand, worked out once: where each value is defined,
// along which loops it varies, which loop runs in lanes. facts.c uses no symbol of another file but
// the table of operations (kops.c): the LLVM plugin carries a copy of both.
#ifndef SNI_CODEGEN_FACTS_H
#define SNI_CODEGEN_FACTS_H

#include "codegen/kernel/tree.h"

#define SNI_TREE_ROOM 256  // most lanes that scratch has room for

typedef struct sni_inst_facts {
  uint32_t item;  // the BLOCK or CONTRACT that holds it
  // Bit per depth: along which of the loops around its definition the value really varies (REDUCE,
  // YIELD: the loops around the loop they name). Of a constant extent of 1: never. A CONTRACT: along
  // m and n always. A load of memory that the kernel writes: along the loops that hold both.
  uint32_t varies;
  // Greatest number of an instruction that uses it (its own number: none). A condition: at least the
  // first instruction behind the IF.
  uint32_t last_use;
  bool lanes;  // one value per lane where it is used: it varies along the lanes loop
  // The instruction itself works on a vector: lanes, or a store or check inside the lanes loop, or a
  // reduction over it.
  bool vector;
} sni_inst_facts;

typedef struct sni_item_facts {
  uint32_t lanes;  // the LOOP with lanes that it is or stands in; SNI_NO_ITEM
  uint32_t root;   // top-level LOOP that it is or stands in; SNI_NO_ITEM
  bool grid;       // a grid loop
  bool effects;    // stores (anywhere inside), checks, reductions
} sni_item_facts;

// insts: n_insts, items: n_items, of the caller's memory.
void sni_tree_find_facts(const sni_tree *tree, sni_inst_facts *insts, sni_item_facts *items);

// The loop at `depth` around item (which may be that loop itself).
uint32_t sni_tree_loop_at(const sni_tree *tree, uint32_t item, int depth);

// Lanes that a ROW or LOCAL buffer has room for: 1 where its scope is outside the loop with lanes;
// else walkers go through that loop in groups of at most so many. How elements and lanes lie in that
// room is theirs to choose.
int64_t sni_tree_buffer_lanes(const sni_tree *tree, uint32_t buffer);

#endif
