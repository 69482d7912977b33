// Lists: commands of several parts, which one kernel runs over several sets of arguments. To those
// that run commands a list is a command like others, whose kernel function is sni_run_list.
//
// Invariant: parts touch nothing that another part writes (passes/lower proves it), so units of
// several parts may run in any order and on any thread.
#include "runtime/run_state.h"

int64_t sni_bind_list(sni_run_state *state, uint32_t number) {
  const sni_command *command = &state->executable->commands[number];
  sni_bound_list *list = state->lists[number];
  const uint32_t n_extents = command->n_extents / list->n_parts;
  for (uint32_t p = 0; p < list->n_parts; p++) {
    const int64_t units = sni_count_units(state, command, p * n_extents, n_extents);
    if (__builtin_add_overflow(list->first_unit[p], units, &list->first_unit[p + 1]))
      list->first_unit[p + 1] = INT64_MAX;
  }
  return list->first_unit[list->n_parts];
}

// The last part that begins at the unit or before: those of no units come before it.
static uint32_t part_of(const sni_bound_list *list, int64_t unit) {
  uint32_t low = 0, high = list->n_parts;
  while (high - low > 1) {
    const uint32_t middle = low + (high - low) / 2;
    if (list->first_unit[middle] <= unit)
      low = middle;
    else
      high = middle;
  }
  return low;
}

void sni_run_list(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                  int64_t end, void *scratch) {
  const sni_bound_list *list = code;
  for (uint32_t p = begin ? part_of(list, begin) : 0; begin < end; p++) {
    const int64_t first = list->first_unit[p], next = list->first_unit[p + 1];
    const int64_t stop = next < end ? next : end;
    void *const *own = buffers + (size_t)p * list->n_buffers;
    const bool done = begin == stop || (list->copies && own[0] == own[1]);
    if (!done)
      list->function(list->code, own, params + (size_t)p * list->n_params, begin - first,
                     stop - first, scratch);
    begin = stop;
  }
}
