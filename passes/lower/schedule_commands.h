// Which commands of a plan run side by side.
#ifndef SNI_PASSES_SCHEDULE_COMMANDS_H
#define SNI_PASSES_SCHEDULE_COMMANDS_H

#include "passes/lower/command_graph.h"

// Sets ns_per_unit of all commands. sizes: the plan's, as far as they are known (else <= 0).
sn_status sni_estimate_costs(const sni_plan *plan, sni_plan_command *commands, const int64_t *sizes,
                             int vector_bits, sni_arena *arena, sni_diag *diag);
// Sets order, tasks and phases of the plan, or leaves them 0 where program order is as good. Reads
// the commands' costs. What lasts lives in arena.
sn_status sni_schedule_commands(sni_plan *plan, const int64_t *sizes, sni_arena *arena,
                                sni_diag *diag);
// ---- verify_schedule.c
// Proves that every command is run once, that whoever waits runs later (or behind, in the same
// task), and that tasks run their commands in program order. Errors: SN_ERR_INTERNAL.
sn_status sni_verify_schedule(const sni_plan *plan, sni_arena *arena, sni_diag *diag);
// Proves that no part of a list touches what another part of it writes, and that lists find no
// faults. Errors: SN_ERR_INTERNAL.
sn_status sni_verify_lists(const sni_plan *plan, sni_arena *arena, sni_diag *diag);

#endif
