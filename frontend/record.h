// The record of eager ops and the tapes over it. Private to record.c and tape.c; call.c asks whether anything is being recorded.
#ifndef SNI_FRONTEND_RECORD_H
#define SNI_FRONTEND_RECORD_H

#include "frontend/internal.h"

enum { sni_most_tapes = 64 };  // open at a time in one context

struct sn_tape {
  sn_context *context;
  sni_record *record;
  uint64_t bit;
  bool persistent, used;
};

// A variable's value that was read while the record was open: one leaf per value.
typedef struct sni_variable_leaf {
  sn_tensor *variable;  // one reference
  sni_node_id node;     // its value in the record is the buffer that it had
  uint64_t watched;     // tapes that watch the variable by request
} sni_variable_leaf;

typedef struct sni_record_mask {
  uint64_t watched;  // tapes that the value counts for
  uint64_t flows;    // tapes that recorded the op: gradients flow to its operands
} sni_record_mask;

struct sni_record {
  uint64_t id;          // never 0
  sn_context *context;
  sni_arena arena;
  sni_diag diag;        // of graph
  sni_graph *graph;
  sni_value *values;    // per node; buffer NULL: not evaluated (yet)
  sni_record_mask *masks;  // per node
  uint32_t values_capacity, masks_capacity;
  sni_variable_leaf *leaves;
  uint32_t n_leaves, leaves_capacity;
  sn_tape *tapes[sni_most_tapes];  // in order of opening
  int n_tapes;
  uint64_t open, recording, watch_all, watch_variables;
};

bool sni_record_is_recording(const sni_record *record);
// Opens a tape, and the record with the first one. Errors: SN_ERR_MEMORY, SN_ERR_STATE (too many tapes), in context->diag.
sn_status sni_record_open(sn_context *context, bool persistent, bool variables, bool all, sn_tape **out_tape);
void sni_record_close(sn_tape *tape);
// Node of t in the record, or SNI_NO_NODE. Does not add any.
sni_node_id sni_record_find(const sni_record *record, const sn_tensor *t);
// Node of t, a leaf if need be, with the masks that recording tapes give it.
sn_status sni_record_node(sni_record *record, sn_tensor *t, sni_node_id *out_node);
// Makes room for values and masks of all nodes of the graph; new ones are empty.
sn_status sni_record_extend(sni_record *record, uint32_t old_nodes);
// Makes sure that these nodes have values. Values of nodes from first_new on that nobody else needs are let go again.
sn_status sni_record_evaluate(sni_record *record, const sni_node_id *nodes, int n, uint32_t first_new);
// d y / d xs by the tape, for sn_gradients and sn_tape_gradient.
void sni_tape_gradients(sn_tape *tape, sn_tensor *y, sn_tensor *const *xs, int n, sn_tensor **out,
                        const sn_gradients_options *options);

#endif
