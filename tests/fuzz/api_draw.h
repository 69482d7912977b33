// Draws arguments for calls of the public API: mostly what fits together, and of each kind what does not: NULL, other dtypes and
// shapes, bad axes and counts, dead tensors, tensors of other contexts. What a caller must promise holds: lists are as long as
// their counts, memory is as large as shapes say, handles are open, ended or NULL.
#ifndef SINTER_TESTS_API_DRAW_H
#define SINTER_TESTS_API_DRAW_H

#include <sinter/sinter.h>

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { most_items = 40, most_outputs = most_items * most_items, buffer_bytes = 1 << 16 };

typedef struct pair {
  sn_tensor *a, *b;
  int k;
} pair;
typedef struct nest {
  pair pairs[2];
  double x;
} nest;
SN_COMPOSITE(pair_type, pair, SN_FIELD(pair, a), SN_FIELD(pair, b), SN_FIELD(pair, k));
SN_COMPOSITE(nest_type, nest, SN_NESTED(nest, pairs, pair_type), SN_FIELD(nest, x));
static const sn_composite no_struct = {.name = "nothing", .size = sizeof(nest), .n_fields = 1};

struct DLManagedTensor {  // DLPack's, as far as what ends it
  char tensor[48];
  void *manager;
  void (*deleter)(struct DLManagedTensor *self);
};
struct DLManagedTensorVersioned {
  uint32_t major, minor;
  void *manager;
  void (*deleter)(struct DLManagedTensorVersioned *self);
};

typedef struct draw {
  const uint8_t *data;  // what is drawn first, then pseudo-random numbers
  size_t left;
  uint64_t state;
  const char *name;  // of the function
  sn_context *context, *sibling, *foreign;
  sn_tensor *const *in;  // inputs of the trace that the call is made in; NULL: none
  sn_dtype dtype;        // those of most operands
  sn_shape shape;
  bool lacks_context;  // an argument that would have one was given as NULL
  uint32_t failures;   // statuses of errors
  bool sound;          // tensors, lists, contexts are never NULL, dead or another context's
  int least;           // of the counts drawn for this call: so many tensors callbacks may use
  int n_lists, n_outputs, n_structures, n_texts;
  sn_tensor *lists[8][most_items], *outputs[3][most_outputs], *variable, *result;
  nest structures[8];
  nest *structure;  // drawn last
  const sn_composite *composite;
  char texts[8][8192], bytes[buffer_bytes];
  sn_view views[2][most_items];
  char view_memory[2][most_items][2048];
  sn_spec specs[most_items];
  int n_views, smalls[most_items], axes[most_items];
  int64_t integers[4][most_items];
  int n_integers;
  sn_range_spec ranges[most_items];
  sn_callback callbacks[most_items];
  const char *names[most_items];
  sn_tape *tape, *old_tape;
  sn_function *function;
  sn_program *program;
  sn_runner *runner;
  sn_op *op;
  struct {
    sn_context *context;
    sn_program *program;
    sn_runner *runner;
    sn_op *op;
    char *text;
    struct DLManagedTensor *managed;
    struct DLManagedTensorVersioned *versioned;
    size_t length;
    sn_spec spec;
    const void *data;
    double value;
  } made;
} draw;

static uint64_t word(draw *d) {
  d->state ^= d->state >> 12;
  d->state ^= d->state << 25;
  d->state ^= d->state >> 27;
  return d->state * 0x2545F4914F6CDD1Dull;
}
static uint32_t below(draw *d, uint32_t n) {
  if (!d->left) return (uint32_t)(word(d) >> 33) % n;
  d->left--;
  return *d->data++ % n;
}
static bool chance(draw *d, uint32_t n) {  // one in n
  return below(d, n) == 0;
}

// ---- numbers
static int choice(draw *d) {  // of an enum
  return chance(d, 8) ? (int)below(d, 12) - 2 : (int)below(d, 3);
}
static int small(draw *d) {
  static const int odd[] = {INT_MAX, INT_MIN, 63, 64, 8, 9, -9, 1000, SN_UNBATCHED};
  return chance(d, 8) ? odd[below(d, 9)] : (int)below(d, 6) - 2;
}
static int count(draw *d) {
  const int n = chance(d, 8) ? (int)below(d, most_items + 2) - 2 : (int)below(d, 4);
  if (n < d->least) d->least = n < 0 ? 0 : n;
  return n;
}
static int64_t integer(draw *d) {
  static const int64_t odd[] = {INT64_MAX, INT64_MIN,    INT64_MIN + 1, INT32_MAX, INT32_MIN,
                                1LL << 40, -(1LL << 40), 100,           -100,      1LL << 62};
  return chance(d, 8) ? odd[below(d, 10)] : (int64_t)below(d, 7) - 2;
}
static double number(draw *d) {
  static const double odd[] = {
      (double)NAN, (double)INFINITY, -(double)INFINITY, 1e300, -1e300, 5e-324, 0x1p63, -0.0, 1e-9,
      1e9};
  return chance(d, 6) ? odd[below(d, 10)] : (double)below(d, 17) * 0.25 - 1;
}
static size_t length(draw *d) {
  return chance(d, 3) ? below(d, 256) : (size_t)below(d, 20) * 4;
}
static size_t size_of_struct(draw *d, size_t size) {
  if (!chance(d, 6))
    return size;  // else that of an older or a newer header, which ends between two fields
  return chance(d, 2) ? size + 8 * below(d, 8) : 8 * below(d, (uint32_t)size / 8 + 1);
}
static sn_dtype dtype(draw *d) {
  if (!chance(d, 4)) return d->dtype;
  return (sn_dtype)((int)below(d, SN_DTYPE_COUNT + 3) - 1);
}
static sn_dtype any_dtype(draw *d) {
  return (sn_dtype)below(d, SN_DTYPE_COUNT);
}

// ---- shapes and lists of numbers
static sn_shape theme_shape(draw *d) {
  static const sn_shape shapes[] = {
      {1, {3}},       {2, {2, 3}},       {2, {3, 3}},    {0, {0}},
      {1, {0}},       {1, {1}},          {2, {1, 1}},    {3, {2, 3, 4}},
      {3, {2, 0, 3}}, {4, {1, 4, 4, 2}}, {2, {4, 4}},    {8, {1, 1, 1, 1, 1, 1, 1, 2}},
      {1, {17}},      {2, {2, 2}},       {3, {2, 2, 2}}, {4, {2, 2, 1, 1}}};
  return shapes[below(d, 16)];
}
// One that may fit to the others: the same, with dims of 1, without the first or the last one, transposed, a scalar.
static sn_shape related_shape(draw *d) {
  sn_shape s = d->shape;
  switch (below(d, 7)) {
    case 0:
      for (int k = 0; k < s.rank; k++)
        if (chance(d, 2)) s.dims[k] = 1;
      break;
    case 1:
      if (s.rank > 0) s.rank--;
      break;
    case 2:
      if (s.rank > 0) memmove(s.dims, s.dims + 1, (size_t)--s.rank * sizeof(*s.dims));
      break;
    case 3:
      if (s.rank > 1) {
        const int64_t last = s.dims[s.rank - 1];
        s.dims[s.rank - 1] = s.dims[s.rank - 2];
        s.dims[s.rank - 2] = last;
      }
      break;
    case 4:
      s.rank = 0;
      break;
    case 5:
      return theme_shape(d);
    default:
      break;
  }
  return s;
}
static sn_shape small_shape(draw *d) {
  sn_shape s = related_shape(d);
  if (chance(d, 12)) s.rank = small(d);
  if (chance(d, 12)) s.dims[below(d, 4)] = -1;
  return s;
}
static sn_shape shape(draw *d) {
  sn_shape s = small_shape(d);
  if (chance(d, 6)) s.dims[below(d, 3)] = integer(d);
  return s;
}
static sn_axes axes(draw *d) {
  sn_axes a = {.count = chance(d, 8) ? small(d) : (int)below(d, 3)};
  for (int k = 0; k < SN_MAX_RANK; k++) a.axis[k] = chance(d, 4) ? small(d) : k;
  return a;
}
static const int *small_list(draw *d) {
  for (int k = 0; k < most_items; k++) d->smalls[k] = chance(d, 4) ? small(d) : k;
  return chance(d, 8) && !d->sound ? NULL : d->smalls;
}
static const int64_t *list(draw *d) {
  int64_t *a = d->integers[d->n_integers++ % 4];
  for (int k = 0; k < most_items; k++) a[k] = integer(d);
  return chance(d, 8) && !d->sound ? NULL : a;
}
static const int64_t *strides(draw *d) {
  int64_t *a = d->integers[d->n_integers++ % 4];
  for (int k = 0; k < most_items; k++) a[k] = (int64_t)below(d, 129) - 64;
  return chance(d, 8) && !d->sound ? NULL : a;
}
static const sn_range_spec *ranges(draw *d) {
  for (int k = 0; k < most_items; k++)
    d->ranges[k] = chance(d, 2) ? SN_ALL : (sn_range_spec){integer(d), integer(d), integer(d)};
  return chance(d, 8) && !d->sound ? NULL : d->ranges;
}

// ---- texts
static const char *text(draw *d, const char *const *from, uint32_t n) {
  char *t = d->texts[d->n_texts++ % 8];
  memset(t, 0, sizeof(d->texts[0]));
  if (chance(d, 8) && !d->sound) return NULL;
  (void)snprintf(t, sizeof(d->texts[0]), "%s", from[below(d, n)]);
  const size_t long_enough = strlen(t);
  if (long_enough && chance(d, 6)) t[below(d, (uint32_t)long_enough)] = (char)(1 + below(d, 255));
  return t;
}
#define TEXT(d, ...)                          \
  text(d, (const char *const[]){__VA_ARGS__}, \
       (uint32_t)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)))
static const char *name(draw *d) {
  return TEXT(d, "x", "", "add", "sn_add", "my.op",
              "a name that is rather long, with spaces and %s");
}
static const char *const *names(draw *d) {
  for (int k = 0; k < most_items; k++) d->names[k] = chance(d, 4) ? NULL : "x";
  return chance(d, 3) ? d->names : NULL;
}
static const char *equation(draw *d) {
  return TEXT(d, "ij,jk->ik", "ii->i", "...i,...i", "i,j", "ij->ji", "a,,b->", "->", "ij,jk,kl->il",
              "i...j->...");
}
static const char *places(draw *d) {  // behind "%s", so never NULL
  const char *t = TEXT(d, "0", "...", ":, 0", "1:, ::2", "None, ...", "-1", "::-1, 0:2", "5", "0:0",
                       "1, 2, 3, 4, 5, 6, 7, 8, 9", "99999999999999999999", "::0", ", ,");
  return t && *t ? t : "0";
}
static const char *path(draw *d) {
  static const char *const paths[] = {NULL, "", ".", "/dev/null", "/nowhere/x.npy"};
  return paths[below(d, 5)];  // never changed: it is written to
}

// ---- tensors
static double element(draw *d, uint32_t kind) {
  return kind == 0 ? number(d) : kind == 1 ? (double)below(d, 3) : (double)below(d, 33) / 16 - 1;
}
static sn_tensor *made_of(draw *d, sn_context *context, sn_dtype of, sn_shape as) {
  double x[64];
  const uint32_t kind = below(d, 6);
  for (int k = 0; k < 64; k++) x[k] = element(d, kind < 3 ? kind : 1 + kind % 2);
  sn_tensor *t = sn_cast(sn_constant(context, SN_F64, as, x), of);
  (void)!sn_check(context);
  return t;
}
static sn_tensor *dead(draw *d) {
  SN_SCOPE(d->context);
  return made_of(d, d->context, d->dtype, d->shape);
}
static sn_tensor *odd_tensor(draw *d) {
  sn_tensor *failed;
  switch (below(d, 9)) {
    case 0:
      failed = sn_reshape(made_of(d, d->context, SN_F32, SN_SHAPE(3)), SN_SHAPE(2));
      (void)!sn_check(d->context);
      return failed;
    case 1:
      return dead(d);
    case 2:
      return d->variable;
    case 3:
      return sn_static(d->context, integer(d));
    case 4:
      return made_of(d, d->sibling, d->dtype, d->shape);
    case 5:
      return made_of(d, d->foreign, d->dtype, d->shape);
    default:
      return NULL;
  }
}
static sn_tensor *tensor(draw *d) {
  sn_tensor *t;
  const uint32_t kind = below(d, 16);
  if (kind == 0 && !d->sound)
    t = odd_tensor(d);
  else if (d->in && kind < 8)
    t = d->in[kind % 2];
  else if (kind < 11)
    t = made_of(d, d->context, d->dtype, d->shape);
  else if (kind < 14)
    t = made_of(d, d->context, d->dtype, related_shape(d));
  else
    t = made_of(d, d->context, kind == 14 ? any_dtype(d) : SN_I32, related_shape(d));
  d->lacks_context = d->lacks_context || !sn_context_of(t);
  return t;
}
static sn_tensor **tensors(draw *d) {
  sn_tensor **all = d->lists[d->n_lists++ % 8];
  for (int k = 0; k < 5; k++) all[k] = tensor(d);
  for (int k = 5; k < most_items; k++) all[k] = all[k % 5];
  d->lacks_context = true;  // of a list without elements
  return chance(d, 16) && !d->sound ? NULL : all;
}
static sn_tensor **outputs(draw *d) {
  return chance(d, 16) && !d->sound ? NULL : d->outputs[d->n_outputs++ % 3];
}
// What sn_release may be given: anything but what somebody else owns.
static sn_tensor *released(draw *d) {
  sn_tensor *t = tensor(d);
  if (sn_is_variable(t)) return NULL;
  if (chance(d, 2) && !sn_is_traced(t) && sn_failed(sn_keep(t))) (void)!sn_check(d->context);
  return t;
}

// ---- objects
typedef struct couple {
  sn_object object;
  sn_tensor *parts[2];
} couple;
static const sn_object_class couple_class = {.size = sizeof(sn_object_class),
                                             .name = "couple",
                                             .object_size = sizeof(couple),
                                             .n_tensors = 2,
                                             .tensors_offset = offsetof(couple, parts)};
static const sn_object_class flag_class = {.size = sizeof(sn_object_class),
                                           .name = "flag",
                                           .object_size = sizeof(sn_object),
                                           .is_resource = true};
static const sn_object_class no_class = {.size = sizeof(sn_object_class), .name = "none"};
static const sn_object_class *object_class(draw *d) {
  const uint32_t kind = below(d, 8);
  if (kind < 2 && !d->sound) return kind ? &no_class : NULL;
  return kind == 3 ? &flag_class : &couple_class;
}
static void *object(draw *d) {
  const uint32_t kind = below(d, 8);
  if (kind == 0 && !d->sound) return NULL;
  if (kind == 1 && !d->sound) return sn_object_error(d->context, &couple_class);
  void *made = kind == 2 && !d->in ? sn_object_create(d->context, &flag_class, NULL)
                                   : sn_object_create(d->context, &couple_class,
                                                      (sn_tensor *const[]){tensor(d), NULL});
  if (sn_object_failed(made)) (void)!sn_check(d->context);
  return made;
}

// ---- callbacks: user is the draw, if it is given; they use as many tensors as the least count of the call
static int least(const draw *d) {
  return d && d->least < INT_MAX ? d->least : 0;
}
static sn_status identity(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  for (int k = 0; k < least(user); k++) out[k] = in[k];
  return (void)context, SN_OK;
}
static sn_status exponential(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                             void *user) {
  for (int k = 0; k < least(user); k++) out[k] = sn_exp(in[k]);
  return sn_pending_error(context);
}
static sn_status truth(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  if (least(user) > 0) out[0] = sn_scalar_bool(context, false);
  return (void)in, SN_OK;
}
static sn_status unset(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  return (void)context, (void)in, (void)out, (void)user, SN_OK;
}
static sn_status failing(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  return (void)in, (void)out, (void)user, sn_fail(context, SN_ERR_CALLBACK, "it fails");
}
static sn_status failing_silently(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                  void *user) {
  return (void)context, (void)in, (void)out, (void)user, SN_ERR_SHAPE;
}
static sn_callback callback(draw *d) {
  static const sn_callback all[] = {identity, identity, exponential, exponential,     truth,
                                    unset,    failing,  NULL,        failing_silently};
  return all[below(d, 9)];
}
static sn_callback condition(draw *d) {  // of one output
  static const sn_callback all[] = {truth, truth, truth, unset, failing, NULL};
  return all[below(d, 6)];
}
static const sn_callback *callbacks(draw *d) {
  for (int k = 0; k < most_items; k++) d->callbacks[k] = callback(d);
  return chance(d, 16) ? NULL : d->callbacks;
}
static sn_status copy_structure(sn_context *context, const void *in, void *out, void *user) {
  (void)context, (void)user;
  if (in && out) memcpy(out, in, sizeof(pair));
  return SN_OK;
}
static sn_status fail_structure(sn_context *context, const void *in, void *out, void *user) {
  return (void)in, (void)out, (void)user, sn_fail(context, SN_ERR_CALLBACK, "it fails");
}
static sn_struct_callback struct_callback(draw *d) {
  static const sn_struct_callback all[] = {copy_structure, copy_structure, fail_structure, NULL};
  return all[below(d, 4)];
}
static sn_status structure_truth(sn_context *context, const void *in, void *out, void *user) {
  *(sn_tensor **)out = sn_scalar_bool(context, false);
  return (void)in, (void)user, SN_OK;
}
static sn_struct_callback struct_condition(draw *d) {
  return chance(d, 8) ? NULL : chance(d, 4) ? fail_structure : structure_truth;
}
static sn_status scan_structure(sn_context *context, const void *carry, const void *x, void *next,
                                void *y, void *user) {
  (void)context, (void)user, (void)x, (void)y;
  if (carry && next) memcpy(next, carry, sizeof(pair));
  return SN_OK;
}
static sn_scan_struct_body struct_body(draw *d) {
  return chance(d, 8) ? NULL : scan_structure;
}
static sn_status zeros(const sn_host_args *args) {
  for (int k = 0; k < args->n_out; k++) {
    size_t bytes = sn_dtype_size(args->out[k].dtype);
    for (int i = 0; i < args->out[k].shape.rank; i++) bytes *= (size_t)args->out[k].shape.dims[i];
    if (bytes) memset(args->out[k].data, 0, bytes);
  }
  return SN_OK;
}
static sn_status refusing(const sn_host_args *args) {
  (void)snprintf(args->message, args->message_size, "it refuses");
  return SN_ERR_ARGUMENT;
}
static sn_host_callback host_callback(draw *d) {
  return chance(d, 6) ? NULL : chance(d, 4) ? refusing : zeros;
}
static sn_status infer_scalars(const sn_infer_args *args) {
  for (int k = 0; k < args->n_out; k++) args->out[k] = (sn_spec){SN_F32, SN_SCALAR};
  return SN_OK;
}
static sn_status infer_nonsense(const sn_infer_args *args) {
  for (int k = 0; k < args->n_out; k++) args->out[k] = (sn_spec){(sn_dtype)77, {-3, {0}}};
  return SN_OK;
}
static sn_infer_callback infer_callback(draw *d) {
  return chance(d, 3) ? NULL : chance(d, 3) ? infer_nonsense : infer_scalars;
}
static bool go_on(void *user, const sn_progress *progress) {
  return (void)user, (void)progress, true;
}
static sn_progress_callback progress_callback(draw *d) {
  return chance(d, 2) ? NULL : go_on;
}

// ---- contexts and handles
static sn_context *context(draw *d) {
  sn_context *c = d->sound        ? d->context
                  : chance(d, 16) ? NULL
                  : chance(d, 8)  ? d->sibling
                                  : d->context;
  d->lacks_context = d->lacks_context || !c;
  return c;
}
static sn_context *other_context(draw *d) {
  sn_context *c = NULL;
  return chance(d, 4) || sn_context_create(&c, .share = d->context) ? NULL : c;
}
static sn_status cube(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)user;
  out[0] = sn_mul(in[0], sn_square(in[0]));
  return sn_pending_error(context);
}
static sn_function *other_function(draw *d) {
  sn_function *f =
      chance(d, 4) ? NULL : sn_function_create(d->context, cube, .inputs = 1, .outputs = 1);
  (void)!sn_check(d->context);
  return f;
}
static sn_function *function(draw *d) {
  sn_function *f = chance(d, 16) ? NULL : d->function;
  d->lacks_context = d->lacks_context || !f;
  return f;
}
// Made before any trace begins: programs of the pool are compiled in eager mode.
static void make_program(draw *d) {
  d->function = sn_function_create(d->context, cube, .inputs = 1, .outputs = 1);
  const sn_spec spec = {SN_F32, {2, {SN_UNKNOWN, 3}}};
  if (sn_function_compile(d->function, &spec, 1, &d->program) == SN_OK)
    (void)!sn_runner_create(d->context, d->program, 1, &d->runner);
  (void)!sn_check(d->context);
}
static sn_program *program(draw *d) {
  return chance(d, 12) ? NULL : d->program;
}
static sn_runner *runner(draw *d) {
  return chance(d, 12) ? NULL : d->runner;
}
static sn_runner *other_runner(draw *d) {
  sn_runner *made = NULL;
  return chance(d, 4) || sn_runner_create(d->context, d->program, 1, &made) ? NULL : made;
}
static const sn_graph *graph(draw *d) {
  return sn_program_graph(program(d));
}
static char *dumped(draw *d) {
  char *t = NULL;
  if (sn_program_dump(d->context, d->program, (sn_stage)below(d, 4), &t)) return NULL;
  return t;
}
static const char *program_text(draw *d) {
  char *dump = chance(d, 4) ? NULL : dumped(d);
  const char *t = dump ? TEXT(d, dump) : TEXT(d, "", "graph", "%0 = add(%1, %2)");
  sn_text_free(d->context, dump);
  (void)!sn_check(d->context);
  return t;
}
static sn_op *defined_op(draw *d) {
  if (!d->op && sn_op_define(d->context, &d->op, .name = "drawn", .n_in = 1, .n_out = 1,
                             .host = zeros, .pure = true))
    return NULL;
  return chance(d, 16) ? NULL : d->op;
}
static sn_tape *tape(draw *d) {
  if (!d->tape && !d->in) {
    d->old_tape = sn_tape_begin(d->context);
    sn_tape_end(d->old_tape);
    d->tape = sn_tape_begin(d->context, .persistent = chance(d, 2));
  }
  sn_tape *t = chance(d, 12) ? NULL : chance(d, 12) ? d->old_tape : d->tape;
  d->lacks_context = d->lacks_context || !t;
  return t;
}
static sn_tape *ended_tape(draw *d) {
  sn_tape *t = chance(d, 4) ? NULL : sn_tape_begin(d->context);
  (void)!sn_check(d->context);
  if (chance(d, 3)) sn_tape_end(t);
  return t;
}
static sn_scope scope(draw *d) {
  return chance(d, 3) ? (sn_scope){0} : sn_scope_begin(d->context);
}
static sn_frame frame(draw *d) {
  return chance(d, 3) ? (sn_frame){0} : sn_frame_begin(d->context, "frame", __FILE__, __LINE__);
}

// ---- memory, specs, structs
static void *memory(draw *d) {
  return chance(d, 12) ? NULL : d->bytes + buffer_bytes / 2 + (chance(d, 8) ? below(d, 8) : 0);
}
// As many as any shape that is drawn has elements.
enum { all_strings = 1 << 14 };
static sn_text read_texts[all_strings];
static const char *const *all_names(void) {
  static const char *names[all_strings];
  for (int i = 0; i < all_strings; i++) names[i] = i == 1000 ? NULL : i % 3 ? "name" : "";
  return names;
}
static const sn_text *all_texts(void) {
  static sn_text texts[all_strings];
  for (int i = 0; i < all_strings; i++) texts[i] = (sn_text){i % 3 ? "text" : NULL, i % 3 ? 4 : 0};
  return texts;
}
static const int64_t *all_offsets(void) {
  static int64_t offsets[all_strings];
  for (int i = 0; i < all_strings; i++) offsets[i] = i < 64 ? i : 64;
  return offsets;
}
static sn_spec spec(draw *d) {
  return (sn_spec){dtype(d), shape(d)};
}
static const sn_spec *specs(draw *d) {
  for (int k = 0; k < most_items; k++)
    d->specs[k] = chance(d, 2) ? (sn_spec){SN_F32, SN_SHAPE(2, 3)} : spec(d);
  return chance(d, 4) ? NULL : d->specs;
}
static const sn_view *views(draw *d) {
  const int n = d->n_views++ % 2;
  for (int k = 0; k < most_items; k++)
    d->views[n][k] =
        (sn_view){chance(d, 12) ? NULL : d->view_memory[n][k] + chance(d, 16),
                  chance(d, 6) ? dtype(d) : SN_F32, chance(d, 6) ? small_shape(d) : SN_SHAPE(2, 3)};
  return chance(d, 12) ? NULL : d->views[n];
}
static const sn_composite *composite(draw *d) {
  const sn_composite *all[] = {&pair_type, &pair_type, &nest_type, &no_struct, NULL};
  return d->composite = all[below(d, 5)];
}
static void *structure(draw *d) {
  nest *s = d->structure = &d->structures[d->n_structures++ % 8];
  for (int k = 0; k < 2; k++) s->pairs[k] = (pair){tensor(d), chance(d, 3) ? NULL : tensor(d), k};
  s->x = number(d);
  return chance(d, 16) ? NULL : s;
}

#endif
