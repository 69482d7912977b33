// Functions of structs: the function underneath has an input and an output for each leaf; its callback makes structs of them for the
// user's.
//
// Invariant: the struct that a callback is given has the static values that the signature says, so a call that hits is that trace.
#include "frontend/function/function.h"
#include "frontend/composite/composite.h"
#include "frontend/function/static_value.h"

#include <stdio.h>
#include <string.h>

struct sni_struct_code {
  sni_allocator *allocator;
  sn_struct_callback callback;
  void *user;
  sni_leaves in, out;
};

void sni_struct_code_destroy(sni_struct_code *code) {
  if (!code) return;
  sni_allocator *allocator = code->allocator;
  sni_leaves_deinit(&code->in, allocator);
  sni_leaves_deinit(&code->out, allocator);
  sni_free(allocator, code, sizeof(*code));
}

// ---- the callback
static size_t struct_bytes(const sni_leaves *leaves) {
  return leaves->type ? leaves->type->size : 1;
}

static sn_status run_struct_code(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                 void *user) {
  const sni_struct_code *code = user;
  const size_t in_bytes = struct_bytes(&code->in), out_bytes = struct_bytes(&code->out);
  char *given = sni_alloc_zeroed(code->allocator, in_bytes);
  char *made = sni_alloc_zeroed(code->allocator, out_bytes);
  sn_status status = given && made ? SN_OK : SN_ERR_MEMORY;
  if (!status) {
    sni_unflatten_all(context, &code->in, in, given);
    status = context->diag.status;
  }
  if (!status) {
    status = code->callback(context, code->in.type ? given : NULL, code->out.type ? made : NULL,
                            code->user);
  }
  if (!status && !context->diag.status) {
    context->frame.op = "the callback's output";
    (void)sni_flatten_all(context, &code->out, made, out);
  }
  sni_free(code->allocator, given, in_bytes);
  sni_free(code->allocator, made, out_bytes);
  return status;
}

// ---- creation
static sn_status make_code(sn_context *context, sn_struct_callback callback,
                           const sn_composite *in_type, const sn_composite *out_type,
                           sni_struct_code **out_code) {
  sni_allocator *allocator = &context->family->allocator;
  sni_diag *diag = &context->diag;
  sni_struct_code *code = *out_code = sni_alloc_zeroed(allocator, sizeof(*code));
  if (!code) return sni_fail_memory(diag, sizeof(*code), "a function");
  code->allocator = allocator;
  code->callback = callback;
  SNI_TRY(sni_leaves_init(&code->in, in_type, allocator, diag));
  return sni_leaves_init(&code->out, out_type, allocator, diag);
}

static sn_status check_options(sn_struct_callback callback, const sn_function_options *o,
                               sni_diag *diag) {
  if (!callback) return sni_fail(diag, SN_ERR_ARGUMENT, "sn_struct_function: callback is NULL");
  if (!o->inputs && !o->outputs && !o->specs && !o->input_names) return SN_OK;
  return sni_fail(diag, SN_ERR_ARGUMENT,
                  "sn_struct_function: inputs, outputs, specs and input_names are those of the "
                  "types: leave them out");
}

static void free_names(sni_allocator *allocator, char **names, int n) {
  for (int i = 0; names && i < n; i++)
    if (names[i]) sni_free(allocator, names[i], strlen(names[i]) + 1);
  sni_free(allocator, names, (size_t)n * sizeof(*names));
}

static sn_status make_names(const sni_leaves *leaves, sni_allocator *allocator, sni_diag *diag,
                            char ***out_names) {
  const size_t bytes = (size_t)leaves->n * sizeof(char *);
  char path[SNI_LEAF_PATH], **names = leaves->n ? sni_alloc_zeroed(allocator, bytes) : NULL;
  *out_names = names;
  if (!leaves->n) return SN_OK;
  for (int i = 0; names && i < leaves->n; i++) {
    names[i] = sni_strdup(allocator, sni_leaf_path(leaves, i, path));
    if (!names[i]) return sni_fail_memory(diag, SNI_LEAF_PATH, "the name of a field");
  }
  return names ? SN_OK : sni_fail_memory(diag, bytes, "the names of fields");
}

static sn_function *create(sn_context *context, sni_struct_code *code, sn_function_options *o) {
  sni_allocator *allocator = code->allocator;
  char **names = NULL, **output_names = NULL;
  sn_function *function = NULL;
  sn_status status = make_names(&code->in, allocator, &context->diag, &names);
  if (!status) status = make_names(&code->out, allocator, &context->diag, &output_names);
  if (status) {
    sni_error_from(context, status, NULL);
  } else {
    code->user = o->user;
    o->user = code;
    o->inputs = code->in.n;
    o->outputs = code->out.n;
    o->input_names = (const char *const *)names;
    function = (sn_function_create_opts)(context, run_struct_code, o);
  }
  free_names(allocator, names, code->in.n);
  if (!function) {
    free_names(allocator, output_names, code->out.n);
    sni_struct_code_destroy(code);
    return NULL;
  }
  function->code = code;
  function->output_names = output_names;
  return function;
}

sn_function *sn_struct_function_at(sn_context *context, sn_struct_callback callback,
                                   const sn_composite *in_type, const sn_composite *out_type,
                                   const sn_function_options *options, const char *file, int line) {
  SNI_ENTER(context, "sn_struct_function", NULL);
  sn_function_options o = {0};
  sni_struct_code *code = NULL;
  sn_function *function = NULL;
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  o.size = sizeof(o);
  sn_status status = check_options(callback, &o, &context->diag);
  if (!status) status = make_code(context, callback, in_type, out_type, &code);
  if (!status) {
    function = create(context, code, &o);
  } else {
    sni_struct_code_destroy(code);
    sni_error_from(context, status, NULL);
  }
  if (!function) sni_locate_error(context, file, line);
  return function;
}

// ---- calls
typedef sn_status (*flat_call)(sn_context *context, sn_function *function, sn_tensor *const *inputs,
                               int n_inputs, sn_tensor **outputs, int n_outputs, const char *file,
                               int line);

typedef struct struct_call {
  const char *name;
  const sn_composite *in_type, *out_type;
  const void *in;
  void *out;
  const char *file;
  int line;
} struct_call;

static bool type_fits(sn_context *context, const sni_leaves *leaves, const sn_composite *type,
                      const void *pointer, const char *which) {
  if (type == leaves->type && (!type || pointer)) return true;
  sni_error(context, SN_ERR_ARGUMENT, "%s: the function's %s is \"%s\", given \"%s\"%s",
            context->frame.op, which, leaves->type ? leaves->type->name : "nothing",
            type && type->name ? type->name : "nothing", pointer ? "" : " at NULL");
  return false;
}

static bool check_function(sn_context *context, const sn_function *function) {
  if (context->diag.status) return false;
  if (!function->code)
    sni_error(context, SN_ERR_ARGUMENT, "function \"%s\" is none of structs: call it by sn_call",
              function->name);
  else if (function->family != context->family)
    sni_error(context, SN_ERR_ARGUMENT,
              "function \"%s\" belongs to another context, which is not a sibling of this one",
              function->name);
  return !context->diag.status;
}

static sn_status flatten_and_call(sn_context *context, sn_function *function,
                                  const struct_call *call, flat_call target) {
  const sni_struct_code *code = function->code;
  sni_allocator *allocator = &context->family->allocator;
  const int n_in = code->in.n, n_out = code->out.n;
  const size_t bytes = (size_t)(n_in + n_out) * sizeof(sn_tensor *);
  sn_tensor *few[32], **all = bytes <= sizeof(few) ? few : sni_alloc(allocator, bytes);
  sn_status status = SN_OK;
  if (!all)
    sni_error_from(context, sni_fail_memory(&context->diag, bytes, "the fields of a struct"), NULL);
  if (!all || !sni_flatten_all(context, &code->in, call->in, all)) {
    status = sni_finish(context);
  } else {
    sni_function_begin_use(function);  // the callback may destroy it, and the leaves with it
    status = target(context, function, all, n_in, all + n_in, n_out, NULL, 0);
    if (!status) sni_unflatten_all(context, &code->out, all + n_in, call->out);
    if (!status) status = sni_finish(context);  // making a handle may fail
    sni_function_end_use(function);
  }
  if (all && all != few) sni_free(allocator, all, bytes);
  return status;
}

static sn_status call_struct(sn_context *context, sn_function *function, const struct_call *call,
                             flat_call target) {
  if (!function) return SN_ERR_ARGUMENT;
  SNI_ENTER(context, call->name, context_refused);
  if (!check_function(context, function) ||
      !type_fits(context, &function->code->in, call->in_type, call->in, "input") ||
      !type_fits(context, &function->code->out, call->out_type, call->out, "output"))
    return sni_located(context, sni_finish(context), call->file, call->line);
  return sni_located(context, flatten_and_call(context, function, call, target), call->file,
                     call->line);
}

sn_status sn_call_struct_in_at(sn_context *context, sn_function *function,
                               const sn_composite *in_type, const void *in,
                               const sn_composite *out_type, void *out, const char *file,
                               int line) {
  return call_struct(context, function,
                     &(struct_call){"sn_call_struct_in", in_type, out_type, in, out, file, line},
                     sn_call_in_at);
}

sn_status sn_call_struct_at(sn_function *function, const sn_composite *in_type, const void *in,
                            const sn_composite *out_type, void *out, const char *file, int line) {
  return call_struct(function ? function->context : NULL, function,
                     &(struct_call){"sn_call_struct", in_type, out_type, in, out, file, line},
                     sn_call_in_at);
}

sn_status sn_call_struct_eager_in_at(sn_context *context, sn_function *function,
                                     const sn_composite *in_type, const void *in,
                                     const sn_composite *out_type, void *out, const char *file,
                                     int line) {
  return call_struct(
      context, function,
      &(struct_call){"sn_call_struct_eager_in", in_type, out_type, in, out, file, line},
      sn_call_eager_in_at);
}

sn_status sn_call_struct_eager_at(sn_function *function, const sn_composite *in_type,
                                  const void *in, const sn_composite *out_type, void *out,
                                  const char *file, int line) {
  return call_struct(function ? function->context : NULL, function,
                     &(struct_call){"sn_call_struct_eager", in_type, out_type, in, out, file, line},
                     sn_call_eager_in_at);
}

// ---- explicit compilation
static bool specialise_for(sn_context *context, sn_function *function, const void *in,
                           sn_program **out_program) {
  const sni_leaves *leaves = &function->code->in;
  sni_allocator *allocator = &context->family->allocator;
  const size_t bytes = (size_t)(leaves->n + 1) * sizeof(sn_tensor *);
  sn_tensor **all = sni_alloc(allocator, bytes);
  bool ok = all && sni_flatten_all(context, leaves, in, all);
  if (!all)
    sni_error_from(context, sni_fail_memory(&context->diag, bytes, "the fields of a struct"), NULL);
  sni_function_begin_use(function);
  if (ok) ok = !sni_specialise(function, context, all, true, out_program);
  sni_function_end_use(function);
  sni_free(allocator, all, all ? bytes : 0);
  return ok;
}

sn_status sn_function_compile_struct_at(sn_function *function, const sn_composite *in_type,
                                        const void *in, sn_program **out_program, const char *file,
                                        int line) {
  sn_context *context = function ? function->context : NULL;
  if (out_program) *out_program = NULL;
  if (!function) return SN_ERR_ARGUMENT;
  SNI_ENTER(context, "sn_function_compile_struct", context_refused);
  if (context->trace)
    sni_error(context, SN_ERR_STATE, "not possible while a function is being traced");
  else if (!out_program)
    sni_error(context, SN_ERR_ARGUMENT, "out_program is NULL");
  else if (check_function(context, function) &&
           type_fits(context, &function->code->in, in_type, in, "input"))
    (void)specialise_for(context, function, in, out_program);
  return sni_located(context, sni_finish(context), file, line);
}
