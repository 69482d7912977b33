// Branches and loops that are one native kernel: the memory that it works in. Its code is emitted from the bodies'
// executables (codegen/flow.h): what each command does is inside of it, or called where it is a library's.
//
// A step is a part of a command, numbered as they come: the control command first, then of each body each part of each
// command; one that is a control command is followed by the steps of its own bodies.
//
// Emitted code knows these structs, and sni_history, by their fields' places.
#ifndef SNI_RUNTIME_NATIVE_LOOP_H
#define SNI_RUNTIME_NATIVE_LOOP_H

#include "runtime/control.h"
#include "runtime/host_calls.h"

typedef struct sni_native_step {
  sni_kernel_function
      function;  // of a library call; of a while whose step has outputs: its history's
  const void *code;
  void **buffers;  // those that are the same in each iteration are there
  int64_t *params;
  int64_t units;
  sni_scratch_header *scratch;
  void **outputs;     // of a control command: where the row of its history lies that was added last
  int64_t iteration;  // of a loop with others in it: the one at hand
  // Not the code's:
  const struct sni_native_step *outer;  // of a loop: the loop around; NULL: none
  double iteration_ns;                  // of a loop: of its own commands, as estimated
  // Who says what a fault is; NULL: the control command itself.
  sni_run_state *state;
  const sni_command *command;
} sni_native_step;

enum { SNI_NATIVE_DONE = -1, SNI_NATIVE_STOPPED = -2 };
typedef struct sni_native_frame {
  sni_host_calls calls;  // first: kernels find them there
  sni_native_step *steps;
  // Read before each iteration. Not 0: `poll` is asked, of the loop's step and iteration; true: it ends as STOPPED.
  const _Atomic int64_t *word;
  int64_t (*poll)(struct sni_native_frame *frame, int64_t step, int64_t iteration);
  int64_t ended;  // the number of the step that has failed
  void *(*copy)(void *to, const void *from, size_t bytes);
  // not the code's:
  uint32_t n_steps;
  sni_watch *watch;
  sni_diag *diag;
  sn_status status;  // STOPPED: why
} sni_native_frame;

uint32_t sni_native_steps(const sni_control_call *call);
// Sets up a frame whose steps have room for those of the control's call.
void sni_native_frame_init(sni_native_frame *frame, sni_native_step *steps, sni_diag *diag);
// Fills in the steps, after the bodies have been bound. False: an iteration is so long that its commands had better be run
// one by one, on several threads where that pays.
bool sni_native_frame_bind(sni_native_frame *frame, sni_bound_control *control);
// watch: NULL for runs that nobody watches.
void sni_native_frame_watch(sni_native_frame *frame, sni_watch *watch);
sn_status sni_native_frame_run(sni_native_frame *frame, sni_bound_control *control,
                               void *const *buffers, const int64_t *params);

#endif
