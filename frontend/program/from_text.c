// Programs from textual graphs, and what a program's inputs and outputs are: for tools, and for
// hosts that bring no callback.
//
// What is wrong with a parameter begins with "line N: ", of the text.
//
// Each parameter of the text becomes what a trace would have given it: inputs a signature,
// variables new variables that start at zero, captures tensors of zeros. The program is then
// finished as after a trace.
#include "frontend/program/program.h"
#include "graph/control.h"
#include "runtime/float_modes.h"

#include <string.h>

static sn_status symbol_of(const sni_dim_table *dims, sni_dim dim, int32_t *out_symbol) {
  int n = sni_dim_symbol_count(dims);
  for (int i = 0; i < n; i++)
    if (sni_dim_equal(dims, dim, sni_dim_symbol(dims, i))) {
      *out_symbol = i;
      return SN_OK;
    }
  return SN_ERR_UNSUPPORTED;
}

static sn_status fill_key(sn_program *program, const sni_parameter *parameter, sni_diag *diag) {
  const sni_graph *graph = program->graph;
  const sni_node *node = sni_graph_node(graph, parameter->node);
  sni_input_key *key = &program->keys[parameter->index];
  *key = (sni_input_key){.kind = SNI_INPUT_TENSOR, .type = node->type};
  for (int d = 0; d < SN_MAX_RANK; d++) key->symbol[d] = -1;
  for (int d = 0; d < node->type.rank; d++) {
    int64_t value;
    if (sni_dim_is_constant(graph->dims, node->type.dims[d], &value))
      key->type.dims[d] = value;
    else if (sni_dim_is_made_late(graph->dims, node->type.dims[d]))
      return sni_fail(diag, SN_ERR_UNSUPPORTED,
                      "line %d: input %u: dim %d is the size of an extent", node->location.line,
                      parameter->index, d);
    else if (symbol_of(graph->dims, node->type.dims[d], &key->symbol[d]))
      return sni_fail(diag, SN_ERR_UNSUPPORTED,
                      "line %d: input %u: dim %d is neither a number nor a symbol",
                      node->location.line, parameter->index, d);
  }
  program->input_names[parameter->index] = node->name ? node->name : "";
  return SN_OK;
}

// Each symbol must be the dim of some input, or no call could give it a value.
static sn_status check_symbols(const sn_program *program, sni_diag *diag) {
  const sni_dim_table *dims = program->graph->dims;
  for (int s = 0; s < sni_dim_symbol_count(dims); s++) {
    bool found = sni_dim_is_late(dims, s);
    for (int i = 0; i < program->n_inputs && !found; i++)
      for (int d = 0; d < program->keys[i].type.rank && !found; d++)
        found = program->keys[i].symbol[d] == s ||
                (program->keys[i].symbol[d] >= 0 &&
                 sni_dim_equal(dims, program->keys[i].type.dims[d], sni_dim_symbol(dims, s)));
    if (!found) {
      char name[64];
      sni_dim_format(dims, sni_dim_symbol(dims, s), name, sizeof(name));
      return sni_fail(diag, SN_ERR_UNSUPPORTED, "no input has the dim %s", name);
    }
  }
  return SN_OK;
}

static int line_of(const sni_graph *graph, const sni_parameter *parameter) {
  return sni_graph_node(graph, parameter->node)->location.line;
}

typedef struct counts {
  uint32_t of_kind[3];  // parameters of each sni_parameter_kind
} counts;

// Parameters of each kind must be numbered 0, 1, ... (the verifier has seen that no number comes
// twice).
static sn_status count_parameters(const sni_graph *graph, sni_diag *diag, counts *out) {
  *out = (counts){{0}};
  for (uint32_t i = 0; i < graph->n_parameters; i++) out->of_kind[graph->parameters[i].kind]++;
  for (uint32_t i = 0; i < graph->n_parameters; i++)
    if (graph->parameters[i].index >= out->of_kind[graph->parameters[i].kind])
      return sni_fail(diag, SN_ERR_UNSUPPORTED,
                      "line %d: parameters of a kind must be numbered from 0 on, given %u",
                      line_of(graph, &graph->parameters[i]), graph->parameters[i].index);
  for (uint32_t i = 0; i < graph->n_results; i++)
    if (graph->results[i].variable >= (int32_t)out->of_kind[SNI_PARAMETER_VARIABLE])
      return sni_fail(diag, SN_ERR_UNSUPPORTED,
                      "a result is for variable %d, which is no parameter",
                      graph->results[i].variable);
  return SN_OK;
}

// Zeros of a parameter's type, scope-owned; NULL and a pending error on failure.
static sn_tensor *zeros_of(sn_context *context, const sni_node *node) {
  const sni_type *type = &node->type;
  if (!sni_type_is_static(type)) {
    sni_error(context, SN_ERR_UNSUPPORTED,
              "line %d: a variable or captured tensor has a symbolic dim", node->location.line);
    return NULL;
  }
  sn_shape shape = {.rank = type->rank};
  for (int d = 0; d < type->rank; d++) shape.dims[d] = type->dims[d];
  sn_tensor *zeros = (sn_zeros)(context, type->dtype, shape);
  return context->diag.status ? NULL : zeros;
}

// Makes the variables and captures, as a trace would hold them: one reference each, released by
// release_captured.
static sn_status make_captured(sn_context *context, const sni_graph *graph, sni_trace *captured) {
  for (uint32_t i = 0; i < graph->n_parameters; i++) {
    const sni_parameter *p = &graph->parameters[i];
    const sni_node *node = sni_graph_node(graph, p->node);
    if (p->kind == SNI_PARAMETER_INPUT) continue;
    sn_tensor *zeros = zeros_of(context, node);
    if (!zeros) return context->diag.status;
    if (p->kind == SNI_PARAMETER_CAPTURE) {
      captured->known[p->index] =
          (sni_trace_known){(sn_keep)(zeros), p->node, (int32_t)p->index, 0};
      continue;
    }
    const sn_variable_options options = {.size = sizeof(options), .name = node->name};
    sn_tensor *variable = sn_variable_opts(zeros, &options);
    if (context->diag.status) return context->diag.status;
    captured->variables[p->index].variable = variable;
  }
  for (uint32_t i = 0; i < graph->n_results; i++)
    if (graph->results[i].variable >= 0)
      captured->variables[graph->results[i].variable].assigned = true;
  return SN_OK;
}

// Words are strings to compiled code alone: what a text gives as numbers must not be read as addresses.
static sn_status check_strings(const sni_graph *graph, sni_diag *diag) {
  for (uint32_t i = 0; i < graph->n_nodes; i++) {
    const sni_node *node = &graph->nodes[i];
    for (int b = 0; b < node->n_bodies; b++) SNI_TRY(check_strings(node->bodies[b], diag));
    const bool is_text = sni_op_infos[node->op].dtypes == SNI_DTYPES_TEXT;
    const bool is_host = sni_is_control(node) && sni_control_of(node).kind == SNI_CONTROL_HOST;
    for (int k = 0; k < node->n_operands; k++) {
      const sn_dtype dtype = sni_graph_type(graph, node->operands[k])->dtype;
      if (dtype == SN_U64 && (is_text || (is_host && node->attrs[1] >> k & 1)))
        return sni_fail(diag, SN_ERR_DTYPE, "line %d: %s takes strings, given u64",
                        node->location.line, sni_op_infos[node->op].name);
    }
  }
  return SN_OK;
}

// Gives calls of the host's functions what is defined here under their names.
// Depth: that of bodies in one another, which the parser bounds.
static sn_status link_ops(sn_context *context, const sni_graph *graph) {
  for (uint32_t i = 0; i < graph->n_nodes; i++) {
    sni_node *node = &graph->nodes[i];
    for (int b = 0; b < node->n_bodies; b++) SNI_TRY(link_ops(context, node->bodies[b]));
    if (!sni_is_control(node) || sni_control_of(node).kind != SNI_CONTROL_HOST) continue;
    SNI_TRY(sni_link_host(context, graph, node));
  }
  return SN_OK;
}

static void release_captured(const sni_trace *captured) {
  for (uint32_t i = 0; i < captured->n_variables; i++) sn_release(captured->variables[i].variable);
  for (uint32_t i = 0; i < captured->n_known; i++) sn_release(captured->known[i].tensor);
}

static sn_status finish(sn_context *context, sn_program *program, const counts *n) {
  sni_arena *arena = &program->arena;
  sni_trace captured = {.context = context, .graph = program->graph};
  captured.n_variables = n->of_kind[SNI_PARAMETER_VARIABLE];
  captured.n_known = captured.n_captures = n->of_kind[SNI_PARAMETER_CAPTURE];
  captured.variables = SNI_ARENA_ARRAY(arena, sni_trace_variable, captured.n_variables);
  captured.known = SNI_ARENA_ARRAY(arena, sni_trace_known, captured.n_known);
  if (!captured.variables || !captured.known)
    return sni_fail_memory(&context->diag, sizeof(captured), "a program");
  sn_scope scope = sn_scope_begin(context);
  sn_status status = make_captured(context, program->graph, &captured);
  if (!status)
    status =
        sni_program_finish(program, &captured, context->family->options.backend, &context->diag);
  release_captured(&captured);
  sn_scope_end(scope);
  return status;
}

static sn_status build(sn_context *context, const char *text, size_t length, sn_program *program) {
  sni_diag *diag = &context->diag;
  sni_arena *arena = &program->arena;
  counts n;
  SNI_TRY(sni_graph_parse(arena, diag, text, length, &program->graph));
  SNI_TRY(sni_graph_verify(program->graph));
  SNI_TRY(count_parameters(program->graph, diag, &n));
  SNI_TRY(check_strings(program->graph, diag));
  SNI_TRY(link_ops(context, program->graph));
  program->n_inputs = (int)n.of_kind[SNI_PARAMETER_INPUT];
  program->n_outputs = 0;
  for (uint32_t i = 0; i < program->graph->n_results; i++)
    program->n_outputs += program->graph->results[i].variable < 0;
  program->keys = SNI_ARENA_ARRAY(arena, sni_input_key, program->n_inputs);
  program->input_names = SNI_ARENA_ARRAY(arena, const char *, program->n_inputs);
  if (!program->keys || !program->input_names)
    return sni_fail_memory(diag, sizeof(sni_input_key), "a program");
  if (program->graph->name) program->name = program->graph->name;
  for (uint32_t i = 0; i < program->graph->n_parameters; i++)
    if (program->graph->parameters[i].kind == SNI_PARAMETER_INPUT)
      SNI_TRY(fill_key(program, &program->graph->parameters[i], diag));
  SNI_TRY(check_symbols(program, diag));
  program->from_specs = program->from_text = true;
  program->debug_nonfinite = context->debug_nonfinite;
  return finish(context, program, &n);
}

// *out_program is NULL after a failure, which is described in the context's diag.
static sn_status make(sn_context *context, const char *text, size_t length,
                      sn_program **out_program) {
  sni_diag *diag = &context->diag;
  sn_program *program = NULL;
  if (context->trace) return sni_fail(diag, SN_ERR_STATE, "no program can be made inside a trace");
  SNI_TRY(sni_program_create(context->family, "text", 0, 0, diag, &program));
  sn_status status = build(context, text, length, program);
  if (status) {
    sn_program_release(program);
    return status;
  }
  *out_program = program;
  return SN_OK;
}

sn_status(sn_program_from_text)(sn_context *context, const char *text, size_t length,
                                sn_program **out_program) {
  if (out_program) *out_program = NULL;
  SNI_ENTER(context, "sn_program_from_text", context_refused);
  if (context->diag.status) return sni_finish(context);
  const sni_text_modes modes = sni_enter_text_modes();
  sn_status status = text && out_program
                         ? make(context, text, length, out_program)
                         : sni_fail(&context->diag, SN_ERR_ARGUMENT, "text or out_program is NULL");
  sni_leave_text_modes(modes);
  if (status) sni_error_from(context, status, NULL);
  return sni_finish(context);
}

// ---- questions
static sn_status answer(sn_context *context, sn_status status) {
  if (status) sni_error_from(context, status, NULL);
  return sni_finish(context);
}

sn_status(sn_program_input_spec)(sn_context *context, const sn_program *program, int i,
                                 sn_spec *out_spec) {
  SNI_ENTER(context, "sn_program_input_spec", context_refused);
  if (!program || !out_spec || i < 0 || i >= program->n_inputs)
    return answer(context, sni_fail(&context->diag, SN_ERR_ARGUMENT, "there is no input %d", i));
  const sni_input_key *key = &program->keys[i];
  *out_spec = (sn_spec){key->type.dtype, {.rank = key->type.rank}};
  for (int d = 0; d < key->type.rank; d++)
    out_spec->shape.dims[d] = key->symbol[d] < 0 ? key->type.dims[d] : SN_UNKNOWN;
  return sni_finish(context);
}

static sn_status bind_symbols(const sn_program *program, const sn_spec *inputs, int64_t *symbols,
                              sni_diag *diag) {
  for (int i = 0; i < program->n_inputs; i++) {
    const sni_input_key *key = &program->keys[i];
    const sn_shape *shape = &inputs[i].shape;
    if (inputs[i].dtype != key->type.dtype)
      return sni_fail(diag, SN_ERR_DTYPE, "input %d is %s, expected %s", i,
                      sn_dtype_name(inputs[i].dtype), sn_dtype_name(key->type.dtype));
    if (shape->rank != key->type.rank)
      return sni_fail(diag, SN_ERR_SHAPE, "input %d has rank %d, expected %d", i, shape->rank,
                      key->type.rank);
    if (!sni_program_bind_dims(key, shape->dims, symbols)) {
      const sni_type given = sni_type_make(inputs[i].dtype, shape->rank, shape->dims);
      char is[SNI_TENSOR_NAME], must[SNI_TENSOR_NAME];
      sni_type_format(NULL, &given, is, sizeof(is));
      sni_type_format(program->graph->dims, &key->type, must, sizeof(must));
      return sni_fail(diag, SN_ERR_SHAPE, "input %d is %s, expected %s", i, is, must);
    }
  }
  if (!sni_program_guards_hold(program, symbols))
    return sni_fail(diag, SN_ERR_SHAPE, "dims of the inputs that must be equal differ");
  return SN_OK;
}

static sn_status find_output(const sn_program *program, const sn_spec *inputs, int i,
                             int64_t *symbols, sni_diag *diag, sn_spec *out_spec) {
  SNI_TRY(bind_symbols(program, inputs, symbols, diag));
  if (program->from_text)
    SNI_TRY(sni_graph_check_sizes(program->graph, symbols, &program->family->allocator, diag));
  const sni_type *type = &program->outputs[i];
  *out_spec = (sn_spec){type->dtype, {.rank = type->rank}};
  for (int d = 0; d < type->rank; d++)
    out_spec->shape.dims[d] = sni_dim_is_made_late(program->graph->dims, type->dims[d])
                                  ? SN_UNKNOWN
                                  : sni_dim_evaluate(program->graph->dims, type->dims[d], symbols);
  return SN_OK;
}

sn_status(sn_program_output_spec)(sn_context *context, const sn_program *program,
                                  const sn_spec *inputs, int n_inputs, int i, sn_spec *out_spec) {
  SNI_ENTER(context, "sn_program_output_spec", context_refused);
  sni_diag *diag = &context->diag;
  if (!program || !out_spec || i < 0 || i >= program->n_outputs)
    return answer(context, sni_fail(diag, SN_ERR_ARGUMENT, "there is no output %d", i));
  if (n_inputs != program->n_inputs || (n_inputs > 0 && !inputs))
    return answer(context, sni_fail(diag, SN_ERR_ARGUMENT, "%d inputs given, expected %d", n_inputs,
                                    program->n_inputs));
  sni_allocator *allocator = &context->family->allocator;
  size_t bytes = sizeof(int64_t) * (program->n_symbols + 1);
  int64_t *symbols = sni_alloc(allocator, bytes);
  if (!symbols) return answer(context, sni_fail_memory(diag, bytes, "symbol values"));
  for (uint32_t s = 0; s <= program->n_symbols; s++) symbols[s] = -1;
  sn_status status = find_output(program, inputs, i, symbols, diag, out_spec);
  sni_free(allocator, symbols, bytes);
  return answer(context, status);
}

// ---- the caller's line
sn_status sn_program_from_text_at(sn_context *context, const char *text, size_t length,
                                  sn_program **out_program, const char *file, int line) {
  return sni_located(context, (sn_program_from_text)(context, text, length, out_program), file,
                     line);
}

sn_status sn_program_input_spec_at(sn_context *context, const sn_program *program, int i,
                                   sn_spec *out_spec, const char *file, int line) {
  return sni_located(context, (sn_program_input_spec)(context, program, i, out_spec), file, line);
}

sn_status sn_program_output_spec_at(sn_context *context, const sn_program *program,
                                    const sn_spec *inputs, int n_inputs, int i, sn_spec *out_spec,
                                    const char *file, int line) {
  return sni_located(context,
                     (sn_program_output_spec)(context, program, inputs, n_inputs, i, out_spec),
                     file, line);
}
