// Functions of structs, called as programs and op by op.
#ifndef SINTER_TESTS_STRUCT_MODES_H
#define SINTER_TESTS_STRUCT_MODES_H

#include "frontend_fixture.h"

typedef sn_status (*call_mode)(sn_function *f, const sn_composite *in_type, const void *in,
                               const sn_composite *out_type, void *out, const char *file, int line);
static UNUSED const call_mode modes[2] = {sn_call_struct_at, sn_call_struct_eager_at};

static UNUSED uint64_t traces_of(const sn_function *f) {
  sn_function_statistics stats = {.size = sizeof(stats)};
  sn_function_stats(f, &stats);
  return stats.traces;
}

#endif
