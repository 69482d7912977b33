// Branches and loops whose bodies are short become one native kernel each (docs/adr/020-native-loops.md). Private to
// compile.c and dump.c.
#ifndef SNI_PASSES_NATIVE_LOOPS_H
#define SNI_PASSES_NATIVE_LOOPS_H

#include "codegen/flow.h"
#include "passes/code_source.h"

// Whether a command is a branch or loop.
bool sni_runs_bodies(const sni_plan_command *command);

// What the commands of one iteration are, as estimated: short enough for a native loop, known by a run alone, or so long
// that commands had better be run one by one, on several threads where that pays.
typedef enum sni_body_size { SNI_BODY_SHORT, SNI_BODY_UNKNOWN, SNI_BODY_LONG } sni_body_size;
sni_body_size sni_body_size_of(const sni_compiled *body);
// The longest of a control command's bodies.
sni_body_size sni_control_size_of(const sni_compiled *compiled, const sni_control_call *call);

// The compilation of a control command's body.
sni_compiled *sni_body_of(const sni_compiled *compiled, const sni_executable *executable);
// What the plugin needs to make one kernel of a control command, in arena, but for the kernels' expansion.
sn_status sni_flow_create(const sni_compiled *compiled, const sni_plan_command *command,
                          sni_arena *arena, sni_diag *diag, sni_flow **out_flow);
sn_status sni_flow_expand(sni_flow *flow, sni_arena *arena, sni_diag *diag);
uint32_t sni_flow_kernels(const sni_flow *flow);
// All that its code depends on, as a block that has the header of a tree, for the cache of kernels. Before expansion.
sn_status sni_flow_key(const sni_flow *flow, sni_arena *arena, sni_diag *diag, sni_tree **out_key);

#endif
