// The search for the op that made a NaN: find_nonfinite.c walks graphs, find_in_bodies.c control ops. Private to these.
#ifndef SNI_FRONTEND_FINDER_H
#define SNI_FRONTEND_FINDER_H

#include "frontend/program/nonfinite.h"
#include "graph/control.h"

typedef struct sni_finding {
  bool found;
  sni_location location;
  char text[900];
} sni_finding;

// A loop that is walked, for messages.
typedef struct sni_finder_loop {
  const struct sni_finder_loop *outer;
  const char *name;
  int64_t iteration;
} sni_finder_loop;

typedef struct sni_finder {
  sn_context *context;
  sni_run *run;
  int64_t *
      symbols;  // of the run; those known late are found again on the way, in bodies in each iteration
  const sni_host_journal *journal;
  uint32_t next_call;  // of the journal
  const sni_finder_loop *loops;
  // The first op whose result holds what no operand holds; whose result holds NaN and no operand does.
  sni_finding first, first_nan;
} sni_finder;

// Rows that a while puts down: of each iteration the outputs of its step.
typedef struct sni_finder_rows {
  sni_value *values;
  uint32_t n, capacity, per_iteration;
} sni_finder_rows;

typedef struct sni_finder_node {
  sni_value value;
  sni_value *results;  // of a control op
  int n_results;
  sni_finder_rows rows;  // of a while
  uint32_t last_use;     // the last node that reads it
  bool needed, blamed;
  sni_finiteness finiteness;
} sni_finder_node;

// A graph that is walked. Inputs, variables and captures by their numbers; buffer NULL: there is none.
typedef struct sni_finder_walk {
  sni_finder *f;
  const sni_graph *graph;
  const sni_value *inputs, *variables, *captures;
  sni_finder_node *nodes;
  sni_arena arena;
} sni_finder_walk;

// ---- values
sn_status sni_finder_no_memory(const sni_finder *f, size_t bytes);
sni_value sni_finder_keep(const sni_value *value);  // one more reference
void sni_finder_let_go(sni_value *value);
// data NULL: contents undefined.
sn_status sni_finder_value(const sni_finder *f, const sni_type *type, const void *data,
                           sni_value *out);
// Of the sizes of the run.
sni_dim sni_finder_number(const sni_finder_walk *w, sni_dim dim);
sni_type sni_finder_type(const sni_finder_walk *w, const sni_type *type);

// A body, judged where it is blamed. results: one reference each.
sn_status sni_finder_walk_body(sni_finder *f, const sni_graph *graph, bool blamed,
                               const sni_value *inputs, const sni_value *variables,
                               sni_value *results);
// (find_in_bodies.c) Fills in the results of a control op.
sn_status sni_finder_run_control(sni_finder_walk *w, sni_node_id id);

#endif
