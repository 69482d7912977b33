// The record of eager ops and the tapes over it. Private to record.c and tape.c; call.c asks
// whether anything is being recorded.
#ifndef SNI_FRONTEND_RECORD_H
#define SNI_FRONTEND_RECORD_H

#include "frontend/context/internal.h"

enum { sni_most_tapes = 64 };  // open at a time in one context

struct sn_tape {
  sn_context *context;  // NULL: ended before the tape
  sni_record *record;   // NULL: the tape has ended
  uint64_t bit;
  bool persistent, used;
  sn_tape *next;      // in context->ended_tapes
  sn_allocator host;  // frees the tape when its context has ended before
};

// A variable's value that was read while the record was open: one leaf per value.
typedef struct sni_variable_leaf {
  sn_tensor *variable;  // one reference
  sni_node_id node;     // its value in the record is the buffer that it had
  uint64_t watched;     // tapes that watch the variable by request
} sni_variable_leaf;

// A variable's value before a function call that runs op by op assigned it.
typedef struct sni_journal_entry {
  sn_tensor *variable;  // one reference
  sni_buffer *buffer;   // one reference
  char *data;
} sni_journal_entry;

struct sni_record {
  uint64_t id;  // never 0
  sn_context *context;
  sni_arena arena;
  sni_diag diag;  // of graph
  sni_graph *graph;
  sni_value *values;  // per node; buffer NULL: not evaluated (yet)
  uint64_t *watched;  // per node: tapes that the value counts for
  uint64_t *flows;  // per node: tapes that recorded the op, so that gradients flow to its operands
  uint32_t values_capacity, watched_capacity, flows_capacity;
  sni_variable_leaf *leaves;
  uint32_t n_leaves, leaves_capacity;
  sni_journal_entry *journal;  // of the calls that are running, the outermost first
  uint32_t n_journal, journal_capacity;
  uint32_t journal_begin;          // of the innermost running call; UINT32_MAX: none
  sn_tape *tapes[sni_most_tapes];  // in order of opening
  int n_tapes;
  uint64_t open, recording, watch_all, watch_variables;
};

static inline sni_allocator *sni_record_allocator(const sni_record *record) {
  return &record->context->family->allocator;
}
bool sni_record_is_recording(const sni_record *record);
// Opens a tape, and the record with the first one. Errors: SN_ERR_MEMORY, SN_ERR_STATE (too many
// tapes), in context->diag.
sn_status sni_record_open(sn_context *context, bool persistent, bool variables, bool all,
                          sn_tape **out_tape);
// Ends the tape, whose struct stays. The record goes with its last tape.
void sni_record_close(sn_tape *tape);
// Ends a tape that only the caller knows, and frees it.
void sni_tape_close(sn_tape *tape);
// Around a call that runs op by op. begin returns what end needs. keep false: every variable is
// what it was at begin.
uint32_t sni_record_begin_call(sni_record *record);
void sni_record_end_call(sni_record *record, uint32_t outer_begin, bool keep);
// Nodes of tensors with the values that they have now. Failures become the context's error.
sn_status sni_record_nodes(sn_context *context, sn_tensor *const *tensors, int n,
                           sni_node_id *nodes);
// Opens a trace whose graph lies in the record, with its dims: so it may become part of that.
sn_status sni_record_trace(sni_record *record, sn_context *context, const char *name,
                           sni_trace *trace);
// Notes a control op of one body: operands, of which the first n_watched are what it is recorded for, and whose results are new
// tensors. Failures become the context's error.
sn_status sni_record_control(sn_context *context, sni_op op, const sni_node_id *operands, int n,
                             int n_watched, const sni_dim *attrs, int n_attrs, sni_graph *body,
                             sn_tensor *const *results, int n_results);
// Node of t in the record, or SNI_NO_NODE. Does not add any.
sni_node_id sni_record_find(const sni_record *record, const sn_tensor *t);
// Node of t, a leaf if need be, with the masks that recording tapes give it.
sn_status sni_record_node(sni_record *record, sn_tensor *t, sni_node_id *out_node);
// Makes room for values and masks of all nodes of the graph; new ones are empty.
sn_status sni_record_extend(sni_record *record, uint32_t old_nodes);
// Makes sure that these nodes have values. Values of nodes from first_new on that nobody else needs
// are let go again.
sn_status sni_record_evaluate(sni_record *record, const sni_node_id *nodes, int n,
                              uint32_t first_new);
// (record_control.c) What is read where a node is computed: its operands, but of a rescan those of its loop come in the
// place of the history.
int sni_record_reads(const sni_graph *graph, const sni_node *node);
sni_node_id sni_record_read(const sni_graph *graph, const sni_node *node, int k);
// Computes these results of a control node; what it reads is there.
sn_status sni_record_run_control(sni_record *record, sni_node_id id, const sni_node_id *results,
                                 int n);
// Nodes from first_new on, which were appended to the graph, count for those tapes that some operand counts for.
void sni_record_spread(sni_record *record, uint32_t first_new, uint64_t tapes);
// A tensor of the node's value; NULL: an error is pending.
sn_tensor *sni_record_tensor(sni_record *record, sni_node_id node);
// Watches the variable's later values as well (its present one has a leaf).
void sni_record_watch_variable(sni_record *record, const sn_tensor *variable, uint64_t bit);
void sni_record_drop(sn_context *context);  // the context ends: so do its tapes

#endif
