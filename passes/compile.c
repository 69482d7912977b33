// From a graph to an executable.
//
//   copy the graph -> graph passes (scratch arena) -> keep the result
//     -> lower to a plan -> code for each kernel -> commands
//
// Kernels come from the family's cache or are expanded and handed to a backend: all that LLVM is to
// compile go to the plugin in one request; what it refuses runs on the interpreter, and the reason
// is kept for system_info. Raw graphs (single ops of eager mode) skip passes and cache: they are
// small, and eager.c caches their executables.
#include "codegen/kernel/contraction.h"
#include "graph/control.h"
#include "graph/late.h"
#include "passes/compile_job.h"
#include "passes/graph/passes.h"
#include "passes/graph/rewrite.h"
#include "passes/lower/argument_offsets.h"
#include "passes/lower/command_graph.h"
#include "passes/lower/library.h"
#include "passes/native_loops.h"
#include "passes/segments.h"
#include "runtime/control.h"
#include "runtime/float_modes.h"
#include "runtime/host_calls.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

typedef sni_compile_job job;
typedef sni_wanted_kernel wanted_kernel;

// ---- the graph
static sn_status optimize(job *j, const sni_graph *graph, bool optimised) {
  sni_graph source = *graph, *optimized = &source;
  source.arena = &j->scratch;
  source.diag = j->diag;
  source.dims = j->dims;
  if (!optimised) SNI_TRY(sni_optimize_graph(&source, &optimized));
  return sni_copy_graph(optimized, optimized->dims, &j->compiled->arena, j->diag,
                        &j->compiled->graph);
}

// Whether OpenBLAS takes a node: without one it need not be loaded.
static bool wants_blas(const sni_graph *graph) {
  for (uint32_t i = 0; i < graph->n_nodes; i++)
    if (sni_library_is_blas(sni_library_for(graph, &graph->nodes[i]))) return true;
  return false;
}

// The third-level cache is shared with others, how many is not known: what is several times as
// large as the second level is taken to reach memory before it is read.
enum { streamed_l2_caches = 8, default_l2_bytes = 1 << 20 };

static int64_t l2_bytes(const sni_cpu *cpu) {
  return cpu->cache_bytes[1] > 0 ? cpu->cache_bytes[1] : default_l2_bytes;
}

// ---- bodies
// One that is compiled already; NULL: there is none that is the same.
static const sni_executable *find_body(const job *j, const sni_graph *graph, uint64_t hash) {
  for (uint32_t i = 0; i < j->compiled->n_bodies; i++)
    if (j->compiled->bodies[i]->source_hash == hash &&
        sni_graphs_are_same(j->compiled->bodies[i]->source, graph))
      return &j->compiled->bodies[i]->executable;
  return NULL;
}

static sn_status compile_body(job *j, const sni_graph *graph, uint64_t hash, sn_backend backend,
                              const sni_executable **out_executable) {
  sni_compiled *compiled = j->compiled, *made;
  const sni_compile_options options = {
      .backend = backend, .body = true, .check_sizes = j->check_sizes, .watch = j->watch};
  SNI_TRY(sni_arena_grow(&compiled->arena, j->diag, (void **)&compiled->bodies,
                         &compiled->bodies_capacity, compiled->n_bodies + 1,
                         sizeof(*compiled->bodies)));
  SNI_TRY(sni_compile(j->compiler, graph, &options, j->diag, &made));
  made->source = graph;
  made->source_hash = hash;
  compiled->bodies[compiled->n_bodies++] = made;
  *out_executable = &made->executable;
  return SN_OK;
}

// What is compiled of a body. Kept operands are variables there: so it is the same as another that keeps the same ones.
static sn_status take_body(job *j, const sni_graph *body, const sni_kept_operands *kept,
                           const sni_graph **out_body) {
  *out_body = body;
  if (!kept->n) return SN_OK;
  sni_graph *copy = sni_arena_copy(&j->compiled->arena, body, sizeof(*body));
  if (!copy) return sni_fail_memory(j->diag, sizeof(*copy), "a branch");
  *out_body = copy;
  return sni_keep_operands(kept, &j->compiled->arena, j->diag, copy);
}

// Compiles those of one node. A body's results lie in rows of larger tensors, at any address.
static sn_status compile_bodies(job *j, const sni_graph *graph, const sni_node *node,
                                sn_backend backend, const sni_executable ***out_executables) {
  const sni_executable **executables =
      SNI_ARENA_ARRAY(&j->compiled->arena, const sni_executable *, node->n_bodies);
  if (!executables) return sni_fail_memory(j->diag, node->n_bodies * sizeof(void *), "bodies");
  sni_kept_operands kept;
  SNI_TRY(sni_find_kept_operands(graph, node, &j->scratch, j->diag, &kept));
  for (int i = 0; i < node->n_bodies; i++) {
    const sni_graph *body;
    SNI_TRY(take_body(j, node->bodies[i], &kept, &body));
    const uint64_t hash = sni_graph_hash(body);
    executables[i] = find_body(j, body, hash);
    if (!executables[i]) SNI_TRY(compile_body(j, body, hash, backend, &executables[i]));
  }
  *out_executables = executables;
  return SN_OK;
}

// Fills in j->bodies, of all control nodes.
static sn_status compile_all_bodies(job *j, const sni_graph *graph, sn_backend backend) {
  for (uint32_t id = 0; id < graph->n_nodes; id++) {
    const sni_node *node = sni_graph_node(graph, id);
    if (!node->n_bodies || sni_control_of(node).kind == SNI_CONTROL_HOST) continue;
    if (!j->bodies)
      j->bodies = SNI_ARENA_ARRAY(&j->scratch, const sni_executable *const *, graph->n_nodes);
    if (!j->bodies) return sni_fail_memory(j->diag, graph->n_nodes * sizeof(void *), "bodies");
    const sni_executable **executables = NULL;
    SNI_TRY(compile_bodies(j, graph, node, backend, &executables));
    j->bodies[id] = executables;
  }
  return SN_OK;
}

// The constants of a control command's bodies.
static const void *finish_control(job *j, const sni_control_call *planned,
                                  const sni_kernel_code *code) {
  sni_control_call *call = sni_arena_copy(&j->compiled->arena, planned, sizeof(*planned));
  const void *const **constants =
      SNI_ARENA_ARRAY(&j->compiled->arena, const void *const *, planned->n_bodies);
  if (!call || !constants) return NULL;
  for (uint32_t i = 0; i < planned->n_bodies; i++) {
    const sni_compiled *body = sni_body_of(j->compiled, planned->bodies[i]);
    constants[i] = body->constants;
    call->native_only |= body->in_loop;
  }
  call->constants = constants;
  call->native = code ? code->function : NULL;
  return call;
}

static sn_status lower(job *j, const sni_graph *graph, bool alone) {
  sni_blas *blas = wants_blas(graph) ? sni_compiler_blas(j->compiler) : NULL;
  sni_lower_options options = {
      .budget = j->compiler->setup.budget,
      .blas = blas && sni_blas_usable(blas),
      .vector_bits = j->compiler->setup.cpu->vector_bits,
      .body = j->is_body,
      .alone = alone,
      .bodies = j->bodies,
      .streamed_bytes = streamed_l2_caches * l2_bytes(j->compiler->setup.cpu)};
  return sni_lower_graph(graph, &options, &j->compiled->arena, j->diag, &j->compiled->plan);
}

// ---- code for kernels
static sni_kernel_code *keep_code(sni_kernel_code *code) {
  atomic_fetch_add_explicit(&code->references, 1, memory_order_relaxed);
  return code;
}

// Commands with a tree in common have its number: it is looked at once.
typedef struct seen_tree {
  const sni_tree *tree;  // NULL: free
  uint32_t number;
} seen_tree;

static seen_tree *find_seen(seen_tree *seen, uint32_t n_slots, const sni_tree *tree) {
  uint32_t at = (uint32_t)sni_hash_mix(0, (uintptr_t)tree) & (n_slots - 1);
  while (seen[at].tree && seen[at].tree != tree) at = (at + 1) & (n_slots - 1);
  return &seen[at];
}

// Lists the plan's different kernels; of_command[i] is the number of command i's.
static sn_status list_kernels(job *j, wanted_kernel *wanted, uint32_t *of_command,
                              uint32_t *out_count) {
  const sni_plan *plan = j->compiled->plan;
  uint32_t n_slots = 16, count = 0;
  while (n_slots < 2 * plan->n_commands) n_slots *= 2;
  uint32_t *slots = SNI_ARENA_ARRAY(&j->scratch, uint32_t, n_slots);  // number + 1; 0: free
  seen_tree *seen = SNI_ARENA_ARRAY(&j->scratch, seen_tree, n_slots);
  if (!slots || !seen) return sni_fail_memory(j->diag, n_slots * sizeof(*seen), "kernels");
  for (uint32_t i = 0; i < plan->n_commands; i++) {
    const sni_tree *kernel = plan->commands[i].kernel;
    if (!kernel) continue;
    seen_tree *before = find_seen(seen, n_slots, kernel);
    of_command[i] = before->number;
    if (before->tree) continue;
    const uint64_t hash = sni_kernel_cache_hash(kernel, j->api != NULL);
    uint32_t at = (uint32_t)hash & (n_slots - 1);
    for (; slots[at]; at = (at + 1) & (n_slots - 1)) {
      const wanted_kernel *w = &wanted[slots[at] - 1];
      if (w->hash == hash && sni_tree_equal(w->kernel, kernel, true)) break;
    }
    if (!slots[at]) {
      wanted[count++] = (wanted_kernel){.kernel = kernel, .hash = hash};
      slots[at] = count;
    }
    of_command[i] = slots[at] - 1;
    *before = (seen_tree){kernel, of_command[i]};
  }
  *out_count = count;
  return SN_OK;
}

// Gives each kernel its code, from the cache or made now and entered there.
static sn_status find_or_make(job *j, wanted_kernel *wanted, uint32_t count) {
  sni_kernel_cache *cache = &j->compiler->cache;
  const bool llvm = j->api != NULL;
  wanted_kernel **missing = SNI_ARENA_ARRAY(&j->scratch, wanted_kernel *, count);
  uint32_t n_missing = 0;
  if (!missing) return sni_fail_memory(j->diag, count * sizeof(*missing), "kernels");
  for (uint32_t m = 0; m < count; m++) {
    wanted_kernel *w = &wanted[m];
    w->code = sni_kernel_cache_find(cache, w->kernel, w->hash, llvm);
    if (!w->code) missing[n_missing++] = w;
  }
  if (!n_missing) return SN_OK;
  SNI_TRY(sni_make_codes(j, missing, n_missing));
  for (uint32_t m = 0; m < n_missing; m++)
    sni_kernel_cache_add(cache, missing[m]->kernel, missing[m]->hash, llvm, &missing[m]->code);
  return SN_OK;
}

// Fills compiled->codes. Equal kernels share their code, which counts once.
static sn_status find_codes(job *j) {
  const sni_plan *plan = j->compiled->plan;
  sni_kernel_code **codes = j->compiled->codes;
  wanted_kernel *wanted = SNI_ARENA_ARRAY(&j->scratch, wanted_kernel, plan->n_commands);
  uint32_t *of_command = SNI_ARENA_ARRAY(&j->scratch, uint32_t, plan->n_commands), count = 0;
  if (!wanted || !of_command)
    return sni_fail_memory(j->diag, plan->n_commands * sizeof(*wanted), "kernels");
  SNI_TRY(list_kernels(j, wanted, of_command, &count));
  sn_status status = find_or_make(j, wanted, count);
  for (uint32_t i = 0; i < plan->n_commands && !status; i++)
    if (plan->commands[i].kernel) codes[i] = keep_code(wanted[of_command[i]].code);
  for (uint32_t m = 0; m < count; m++) {
    if (wanted[m].code) j->compiled->code_bytes += wanted[m].code->code_bytes;
    sni_kernel_code_release(wanted[m].code);
  }
  return status;
}

static sn_status interpret_raw(job *j) {
  const sni_plan *plan = j->compiled->plan;
  for (uint32_t i = 0; i < plan->n_commands; i++) {
    sni_tree *expanded;
    if (!plan->commands[i].kernel) continue;
    SNI_TRY(sni_tree_expand_but(plan->commands[i].kernel, sni_interp_keeps, &j->compiled->arena,
                                j->diag, &expanded));
    SNI_TRY(sni_kernel_code_interpret(j->allocator, j->diag, expanded, &j->compiled->codes[i]));
  }
  return SN_OK;
}

// ---- what is told of it
// Commands of bodies count for those that run them; a native loop's kernels are native.
static void count_commands(sni_compiled *compiled) {
  compiled->n_native = compiled->n_interpreted = compiled->n_blas = 0;
  for (uint32_t b = 0; b < compiled->n_bodies; b++) sni_count_in(compiled, compiled->bodies[b]);
  for (uint32_t i = 0; i < compiled->plan->n_commands; i++) {
    const sni_plan_command *p = &compiled->plan->commands[i];
    const sni_kernel_code *code = compiled->codes[i];
    if (p->kernel && (compiled->in_loop || code->kind == SNI_COMMAND_NATIVE))
      compiled->n_native++;
    else if (p->kernel)
      compiled->n_interpreted++;
    else
      compiled->n_blas += !p->control && sni_library_is_blas(p->library);
  }
}

// ---- native loops
static sn_status make_code(job *j);
static sn_status make_commands(job *j, sni_command *commands);

// A body that was to be part of a native loop is run command by command after all.
static sn_status leave_loop(const job *outer, sni_compiled *body) {
  if (!body->in_loop) return SN_OK;
  job j = *outer;
  j.compiled = body;
  sni_arena_init(&j.scratch, j.allocator);
  body->in_loop = false;
  sn_status status = make_code(&j);
  if (!status) status = make_commands(&j, (sni_command *)(uintptr_t)body->executable.commands);
  if (!status) count_commands(body);
  sni_arena_deinit(&j.scratch);
  return status;
}

static sn_status make_loop(job *j, sni_plan_command *c, sni_kernel_code **out_code) {
  const sni_control_call *call = c->call;
  const sni_body_size size = sni_control_size_of(j->compiled, call);
  if (j->api && size != SNI_BODY_LONG) {
    sni_flow *flow;
    SNI_TRY(sni_flow_create(j->compiled, c, &j->scratch, j->diag, &flow));
    SNI_TRY(sni_make_loop_code(j, flow, out_code));
    if (*out_code) j->compiled->code_bytes += (*out_code)->code_bytes;
    c->n_inside = *out_code ? sni_flow_kernels(flow) : 0;
    if (*out_code && size == SNI_BODY_SHORT) return SN_OK;
  }
  for (uint32_t b = 0; b < call->n_bodies; b++)
    SNI_TRY(leave_loop(j, sni_body_of(j->compiled, call->bodies[b])));
  return SN_OK;
}

static sn_status make_loops(job *j) {
  const sni_plan *plan = j->compiled->plan;
  for (uint32_t i = 0; i < plan->n_commands; i++)
    if (sni_runs_bodies(&plan->commands[i]))
      SNI_TRY(
          make_loop(j, (sni_plan_command *)(uintptr_t)&plan->commands[i], &j->compiled->codes[i]));
  return SN_OK;
}

static sn_status make_code(job *j) {
  SNI_TRY(find_codes(j));
  return make_loops(j);
}

// Of a kernel that is part of a native loop.
static sn_status measure_scratch(job *j, const sni_tree *kernel, size_t *out_bytes) {
  sni_tree *expanded;
  SNI_TRY(sni_tree_expand(kernel, &j->scratch, j->diag, &expanded));
  *out_bytes = sizeof(sni_scratch_header) +
               sni_tree_scratch_bytes(expanded, j->compiler->setup.cpu->vector_bits);
  return SN_OK;
}

// ---- the executable
static sn_status make_commands(job *j, sni_command *commands) {
  sni_compiled *compiled = j->compiled;
  const sni_plan *plan = compiled->plan;
  for (uint32_t i = 0; i < plan->n_commands; i++) {
    const sni_plan_command *p = &plan->commands[i];
    sni_command *c = &commands[i];
    *c = (sni_command){.n_buffers = p->n_slots,
                       .n_params = p->n_params,
                       .n_extents = p->n_extents,
                       .slots = p->slots,
                       .offsets = p->offsets,
                       .params = p->params,
                       .extents = p->extents,
                       .grains = p->grains,
                       .n_parts = p->n_parts,
                       .ns_per_unit = p->ns_per_unit,
                       .copies = p->copies,
                       .file = p->location.file,
                       .line = p->location.line,
                       .fault = p->fault,
                       .fault_sizes = p->fault_sizes,
                       .fault_status = p->fault_status};
    const sni_kernel_code *code = compiled->codes[i];
    if (p->kernel && compiled->in_loop) {
      c->kind = SNI_COMMAND_NATIVE;
      c->faults = sni_command_faults(p);
      c->name = sni_tree_name(p->kernel);
      SNI_TRY(measure_scratch(j, p->kernel, &c->scratch_bytes));
    } else if (p->kernel) {
      c->function = code->function;
      c->code =
          code->kind == SNI_COMMAND_NATIVE ? (const void *)&sni_host_calls_here : code->interp;
      c->kind = code->kind;
      c->faults = sni_command_faults(p);
      c->shares = sni_tree_has_segments(p->kernel);
      c->scratch_bytes = code->scratch_bytes;
      c->name = sni_tree_name(p->kernel);
    } else if (p->control) {
      c->function = sni_run_control;
      c->code = finish_control(j, p->call, code);
      if (!c->code) return sni_fail_memory(j->diag, 0, "a loop");
      c->faults = true;
      c->kind = SNI_COMMAND_CONTROL;
      c->scratch_bytes = sizeof(sni_scratch_header);
      c->name = p->library->symbol;
    } else {
      c->function = p->library->run;
      c->code = p->call;
      if (sni_library_is_blas(p->library))
        c->code = p->library->code(p->call, sni_compiler_blas(j->compiler), &compiled->arena);
      if (!c->code) return sni_fail_memory(j->diag, 0, "a library call");
      c->faults = sni_command_faults(p);
      c->kind = SNI_COMMAND_LIBRARY;
      c->scratch_bytes = sizeof(sni_scratch_header) + p->scratch_bytes;
      c->name = p->library->symbol;
    }
    sni_executable *e = &compiled->executable;
    if (c->scratch_bytes > e->scratch_bytes) e->scratch_bytes = c->scratch_bytes;
    e->faults |= c->faults;
  }
  return SN_OK;
}

static sn_status assemble(job *j, bool raw) {
  sni_compiled *compiled = j->compiled;
  const sni_plan *plan = compiled->plan;
  sni_command *commands = SNI_ARENA_ARRAY(&compiled->arena, sni_command, plan->n_commands);
  const void **constants = SNI_ARENA_ARRAY(&compiled->arena, const void *, plan->n_constants);
  if (!commands || !constants)
    return sni_fail_memory(j->diag, plan->n_commands * sizeof(*commands), "commands");
  for (uint32_t i = plan->n_captures; i < plan->n_constants; i++) {
    const sni_plan_constant *literal = &plan->constants[i];
    constants[i] =
        raw ? sni_copy_data(&compiled->arena, literal->data, literal->bytes) : literal->data;
    if (!constants[i]) return sni_fail_memory(j->diag, literal->bytes, "a constant");
  }
  compiled->constants = constants;
  compiled->executable = (sni_executable){.n_symbols = plan->n_symbols,
                                          .n_sizes = plan->n_sizes,
                                          .n_slots = plan->n_slots,
                                          .n_commands = plan->n_commands,
                                          .n_inputs = plan->n_inputs,
                                          .n_outputs = plan->n_outputs,
                                          .n_variables = plan->n_variables,
                                          .n_constants = plan->n_constants,
                                          .sizes = plan->sizes,
                                          .slots = plan->slots,
                                          .commands = commands,
                                          .n_tasks = plan->n_tasks,
                                          .n_phases = plan->n_phases,
                                          .order = plan->order,
                                          .tasks = plan->tasks,
                                          .phases = plan->phases,
                                          .checks_first = plan->checks_first,
                                          .first_in_place = plan->first_in_place,
                                          .in_place = plan->in_place};
  return make_commands(j, commands);
}

static bool has_class(const sni_graph *graph, sni_op_class op_class) {
  for (uint32_t i = 0; i < graph->n_nodes; i++)
    if (sni_op_infos[graph->nodes[i].op].op_class == op_class) return true;
  return false;
}

// Integers need no order: the interpreter has tiles for them.
static bool has_float_product(const sni_graph *graph) {
  const sni_node *last = &graph->nodes[graph->n_nodes - 1];
  return sni_is_inexact(last->type.dtype) && has_class(graph, SNI_CLASS_CONTRACT);
}

// It may become several nodes.
static bool is_convolution(const sni_graph *graph) {
  sni_convolution ignored;
  return sni_convolution_of(graph, &graph->nodes[graph->n_nodes - 1], &ignored);
}

// Of the graph passes single ops need those alone that say in which order sums run, in eager mode
// too; and large reductions have their threads.
static sn_status compile_raw(job *j, const sni_graph *graph) {
  sni_graph source = *graph, *defined = &source;
  source.arena = &j->scratch;
  source.diag = j->diag;
  source.dims = j->dims;
  if (is_convolution(graph)) {
    SNI_TRY(sni_optimize_graph(defined, &defined));
  } else {
    SNI_TRY(sni_split_complex(defined, &defined));
    SNI_TRY(sni_settle_strings(defined, &defined));
    SNI_TRY(sni_widen_storage(defined, &defined));
    if (has_float_product(graph)) SNI_TRY(sni_rewrite_matmuls(defined, &defined));
    if (has_class(defined, SNI_CLASS_REDUCE)) SNI_TRY(sni_split_reductions(defined, &defined));
    SNI_TRY(sni_narrow_products(defined, &defined));
  }
  SNI_TRY(lower(j, defined, true));
  j->compiled->codes =
      SNI_ARENA_ARRAY(&j->compiled->arena, sni_kernel_code *, j->compiled->plan->n_commands);
  if (!j->compiled->codes) return sni_fail_memory(j->diag, sizeof(void *), "kernels");
  j->compiled->n_codes = j->compiled->plan->n_commands;
  SNI_TRY(interpret_raw(j));
  return assemble(j, true);
}

// Between passes: the clock costs nothing there.
static sn_status poll(const job *j) {
  return sni_watch_poll(j->watch, HUGE_VAL, j->diag);
}

static sn_status compile_whole(job *j, const sni_graph *graph, const sni_compile_options *options) {
  sn_backend backend = options->backend;
  j->is_body = options->body;
  if (backend == SN_BACKEND_AUTO) backend = j->compiler->setup.backend;
  if (backend != SN_BACKEND_INTERPRETER) j->api = sni_plugin_load(&j->compiler->plugin);
  if (backend == SN_BACKEND_AUTO && !j->api) sni_compiler_note_no_plugin(j->compiler);
  if (backend == SN_BACKEND_LLVM && !j->api)
    return sni_fail(j->diag, SN_ERR_UNSUPPORTED, "the LLVM backend is not available: %s",
                    j->compiler->plugin.status);
  SNI_TRY(poll(j));
  SNI_TRY(optimize(j, graph, options->optimised));
  SNI_TRY(poll(j));
  if (sni_has_late_dims(j->compiled->graph))
    return sni_compile_segments(j->compiled, graph, options, j->diag);
  SNI_TRY(compile_all_bodies(j, j->compiled->graph, backend));
  SNI_TRY(lower(j, j->compiled->graph, false));
  SNI_TRY(poll(j));
  SNI_TRY(sni_move_offsets(j->compiled->plan, &j->compiled->arena, j->diag));
  j->compiled->codes =
      SNI_ARENA_ARRAY(&j->compiled->arena, sni_kernel_code *, j->compiled->plan->n_commands);
  if (!j->compiled->codes) return sni_fail_memory(j->diag, sizeof(void *), "kernels");
  j->compiled->n_codes = j->compiled->plan->n_commands;
  j->compiled->in_loop = j->is_body && j->api && sni_body_size_of(j->compiled) == SNI_BODY_SHORT;
  if (!j->compiled->in_loop) SNI_TRY(make_code(j));
  return assemble(j, false);
}

sn_status sni_compile(sni_compiler *compiler, const sni_graph *graph,
                      const sni_compile_options *options, sni_diag *diag,
                      sni_compiled **out_compiled) {
  *out_compiled = NULL;
  double start = options->raw ? 0 : sni_now_ms();
  sni_allocator *allocator = compiler->setup.allocator;
  sni_compiled *compiled = sni_alloc_zeroed(allocator, sizeof(*compiled));
  if (!compiled) return sni_fail_memory(diag, sizeof(*compiled), "an executable");
  compiled->compiler = compiler;
  compiler->setup.keep(compiler->setup.owner);
  sni_arena_init(&compiled->arena, allocator);
  job j = {.compiler = compiler,
           .allocator = allocator,
           .diag = diag,
           .check_sizes = options->check_sizes,
           .compiled = compiled,
           .watch = options->watch};
  sni_arena_init(&j.scratch, allocator);
  const unsigned modes = sni_enter_float_modes();  // constants are computed here
  sn_status status = sni_dim_table_overlay(graph->dims, &compiled->arena, diag, &j.dims);
  if (!status) status = options->raw ? compile_raw(&j, graph) : compile_whole(&j, graph, options);
  sni_leave_float_modes(modes);
  sni_arena_deinit(&j.scratch);
  // The caller's diag and the scratch arena may be gone when the graph is dumped.
  if (compiled->graph) compiled->graph->diag = NULL;
  if (status) {
    sni_compiled_destroy(compiled);
    return status;
  }
  if (!compiled->n_segments) count_commands(compiled);
  if (!options->raw) compiled->compile_ms = sni_now_ms() - start;
  *out_compiled = compiled;
  return SN_OK;
}
