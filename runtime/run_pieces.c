// Where a run may end before its time: between commands, and between pieces of those that take long (runtime/watch.h).
#include "runtime/run_state.h"

// What takes longer is run in pieces of the other length, between which a run may end.
static const double long_ns = 4e6, piece_ns = 1e6;
static const double interpreter_factor = 20;  // by which it is slower than estimates

static double unit_ns(const sni_command *command) {
  return command->ns_per_unit * (command->kind == SNI_COMMAND_INTERPRETED ? interpreter_factor : 1);
}

bool sni_is_long(const sni_command *command, int64_t units) {
  return units > 1 && unit_ns(command) * (double)units > long_ns;
}

void sni_run_units(const sni_run_state *state, const sni_bound_command *bound, int64_t begin,
                   int64_t end, void *scratch) {
  int64_t piece = end - begin;
  if (bound->is_long && state->watch) {
    const double units = piece_ns / unit_ns(bound->command);
    piece = units < 1 ? 1 : units < (double)piece ? (int64_t)units : piece;
  }
  for (int64_t at = begin; at < end; at += piece) {
    if (piece < end - begin && sni_watch_breaks(state->watch)) return;
    if (piece > end - at) piece = end - at;
    bound->function(bound->code, bound->buffers, bound->params, at, at + piece, scratch);
  }
}

static double ns_of(const sni_bound_command *bound) {
  return bound->command->ns_per_unit * (double)bound->units;
}

// Whether the run ends before this command; the one before it may have been broken off.
bool sni_ends_before(sni_run_state *state, const sni_bound_command *bound) {
  if (bound >= state->commands + state->n_ends) return false;
  state->ended = sni_watch_look(state->watch, ns_of(bound), state->diag);
  if (state->ended && state->diag && !state->diag->file) {
    state->diag->file = bound->command->file;
    state->diag->line = bound->command->line;
  }
  return state->ended != SN_OK;
}

bool sni_is_broken_off(sni_run_state *state) {
  if (!state->watch) return false;
  state->ended = sni_watch_take_break(state->watch, state->diag);
  return state->ended != SN_OK;
}
