// A branch or loop that becomes one native kernel: its bodies' commands, one after the other, inside of it. What the plugin
// needs beside the executables of the bodies, which say where each buffer lies, are the kernels' trees.
//
// Emitted code gets a sni_native_frame (runtime/native_loop.h) as its code, then buffers and params of the control
// command as sni_run_control does.
#ifndef SNI_CODEGEN_FLOW_H
#define SNI_CODEGEN_FLOW_H

#include "codegen/kernel/tree.h"
#include "runtime/native_loop.h"

struct sni_flow;
typedef struct sni_flow_body {
  const sni_executable *executable;
  const sni_tree *const *kernels;          // per command: expanded; NULL: none
  const struct sni_flow *const *controls;  // per command: of a control command; NULL: none
} sni_flow_body;

typedef struct sni_flow {
  const sni_control_call *call;
  const sni_size_ref *params;   // of the command
  const sni_flow_body *bodies;  // call->n_bodies
  uint32_t n_steps;             // sni_native_steps of the call
} sni_flow;

#endif
