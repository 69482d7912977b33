// Branches and loops whose state is a struct: its tensors are the carries; all else of it is the same in each iteration.
//
// A branch's struct is not known before a body has made one: the first says what static values it has and which tensors, and the
// others must agree.
#include "frontend/composite/composite.h"
#include "frontend/control/bodies.h"
#include "frontend/function/static_value.h"

#include <sinter/gradient.h>
#include <sinter/vectorize.h>

#include <string.h>

#undef sn_cond
#undef sn_while_loop
#undef sn_fori_loop
#undef sn_map_fn

// What a body makes of a type: its first struct, and the types of that one's tensors.
typedef struct made_struct {
  sni_leaves leaves;
  char *first;      // NULL: no body has made one. Of it static values alone live on
  sni_type *types;  // per leaf; rank -1: no tensor
} made_struct;

typedef struct struct_bodies {
  sn_context *context;
  const char *name;
  sn_struct_callback bodies[2];  // of a branch; condition and step of a loop
  sn_scan_struct_body scan_body;
  sn_fori_struct_body fori_body;
  void *user;
  sni_leaves in, x;  // carries are `in`
  const void *like, *x_like;
  int n_in, n_x;  // tensors of them that there are
  bool any_size;  // tensors on both sides of a body may differ in size
  made_struct out;
} struct_bodies;

static sni_allocator *allocator_of(const struct_bodies *b) {
  return &b->context->family->allocator;
}

static size_t bytes_of(const sni_leaves *leaves) {
  return leaves->type ? leaves->type->size : 1;
}

// ---- what a body has made
static sn_status no_memory(const struct_bodies *b, size_t bytes) {
  return sni_fail_memory(&b->context->diag, bytes, "the struct of a body");
}

static sn_status note_first(struct_bodies *b, const void *made) {
  const sni_leaves *leaves = &b->out.leaves;
  b->out.first = sni_alloc_zeroed(allocator_of(b), bytes_of(leaves));
  b->out.types = sni_alloc_zeroed(allocator_of(b), (size_t)(leaves->n + 1) * sizeof(sni_type));
  if (!b->out.first || !b->out.types) return no_memory(b, bytes_of(leaves));
  sni_copy_struct(leaves, made, b->out.first);
  for (int i = 0; i < leaves->n; i++) {
    const sn_tensor *t = sni_leaf_tensor(leaves, i, made);
    b->out.types[i] = t ? t->type : (sni_type){.rank = -1};
  }
  return SN_OK;
}

static sn_status check_type(struct_bodies *b, const sni_leaves *leaves, int leaf,
                            const sni_type *was, const sn_tensor *t, const char *words) {
  char path[SNI_LEAF_PATH], first[SNI_TENSOR_NAME], now[SNI_TENSOR_NAME];
  if (sni_type_equal(sni_context_dims(b->context), was, &t->type)) return SN_OK;
  if (b->any_size && was->dtype == t->type.dtype && was->rank == t->type.rank) return SN_OK;
  sni_error(b->context, was->dtype == t->type.dtype ? SN_ERR_SHAPE : SN_ERR_DTYPE,
            "%s: field \"%s\" is %s, but %s %s", b->name, sni_leaf_path(leaves, leaf, path),
            sni_describe(t, now), words, sni_describe_type(b->context, was, first));
  if (t->location.file) sni_locate_error(b->context, t->location.file, t->location.line);
  return b->context->diag.status;
}

static sn_status check_later(struct_bodies *b, const void *made) {
  const sni_leaves *leaves = &b->out.leaves;
  b->context->frame.op = b->name;
  if (!sni_same_structure(b->context, leaves, b->out.first, b->out.types, made, "in another body",
                          "in a body"))
    return b->context->diag.status;
  for (int i = 0; i < leaves->n; i++) {
    const sn_tensor *t = sni_leaf_tensor(leaves, i, made);
    if (t) SNI_TRY(check_type(b, leaves, i, &b->out.types[i], t, "another body makes it"));
  }
  return SN_OK;
}

// A tensor for each leaf that is one.
static sn_status give_made(struct_bodies *b, const void *made, sn_tensor **out) {
  const sni_leaves *leaves = &b->out.leaves;
  b->context->frame.op = b->name;
  if (!sni_check_struct(b->context, leaves, made)) return b->context->diag.status;
  SNI_TRY(b->out.first ? check_later(b, made) : note_first(b, made));
  for (int i = 0; i < leaves->n; i++) {
    if (!sni_is_tensor_leaf(leaves, i)) continue;
    sn_tensor *t = sni_leaf_tensor(leaves, i, made);
    *out++ = t ? t : sni_absent(b->context);
  }
  return b->context->diag.status;
}

static void take_made(const struct_bodies *b, sn_tensor *const *given, void *out) {
  const sni_leaves *leaves = &b->out.leaves;
  if (!leaves->type) return;
  sni_struct_writer writer = {.context = b->context, .leaves = leaves, .to = out};
  sni_copy_struct(leaves, b->out.first, out);
  for (int i = 0; i < leaves->n; i++) {
    if (!sni_is_tensor_leaf(leaves, i)) continue;
    sni_write_tensor(&writer, i, sni_is_absent(*given) ? NULL : *given);
    given++;
  }
}

// The next carries, of the structure and the types of those before.
static sn_status give_next(struct_bodies *b, sn_tensor *const *carries, const void *next,
                           sn_tensor **out) {
  b->context->frame.op = b->name;
  if (!sni_check_struct(b->context, &b->in, next) ||
      !sni_same_structure(b->context, &b->in, b->like, NULL, next, "in init", "behind the body"))
    return b->context->diag.status;
  for (int i = 0, k = 0; i < b->in.n; i++) {
    const sn_tensor *t = sni_leaf_tensor(&b->in, i, next);
    if (t) SNI_TRY(check_type(b, &b->in, i, &carries[k++]->type, t, "the body was given"));
  }
  sni_flatten_present(&b->in, next, out);
  return SN_OK;
}

// ---- callbacks underneath
// Memory for the structs of one call of a body.
typedef struct body_structs {
  char *in, *x, *next, *made;
} body_structs;

static sn_status open_structs(const struct_bodies *b, body_structs *s) {
  sni_allocator *allocator = allocator_of(b);
  s->in = sni_alloc_zeroed(allocator, bytes_of(&b->in));
  s->x = sni_alloc_zeroed(allocator, bytes_of(&b->x));
  s->next = sni_alloc_zeroed(allocator, bytes_of(&b->in));
  s->made = sni_alloc_zeroed(allocator, bytes_of(&b->out.leaves));
  return s->in && s->x && s->next && s->made ? SN_OK : no_memory(b, bytes_of(&b->in));
}

static void close_structs(const struct_bodies *b, body_structs *s) {
  sni_allocator *allocator = allocator_of(b);
  sni_free(allocator, s->in, bytes_of(&b->in));
  sni_free(allocator, s->x, bytes_of(&b->x));
  sni_free(allocator, s->next, bytes_of(&b->in));
  sni_free(allocator, s->made, bytes_of(&b->out.leaves));
}

static sn_status status_of(const struct_bodies *b, sn_status status) {
  return status ? status : b->context->diag.status;
}

static sn_status run_branch(struct_bodies *b, int body, sn_tensor *const *in, sn_tensor **out) {
  body_structs s;
  sn_status status = open_structs(b, &s);
  if (!status) {
    if (b->in.type) sni_unflatten_present(b->context, &b->in, b->like, in, s.in);
    status = b->bodies[body](b->context, b->in.type ? s.in : NULL,
                             b->out.leaves.type ? s.made : NULL, b->user);
    status = status_of(b, status);
    if (!status) status = give_made(b, s.made, out);
  }
  close_structs(b, &s);
  return status;
}

static sn_status run_then(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  return run_branch(user, 0, in, out);
}

static sn_status run_else(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  (void)context;
  return run_branch(user, 1, in, out);
}

static sn_status run_condition(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                               void *user) {
  struct_bodies *b = user;
  body_structs s;
  sn_status status = open_structs(b, &s);
  if (!status) {
    sni_unflatten_present(b->context, &b->in, b->like, in, s.in);
    status = b->bodies[0](context, s.in, out, b->user);
  }
  close_structs(b, &s);
  return status;
}

static sn_status run_step(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  struct_bodies *b = user;
  body_structs s;
  sn_status status = open_structs(b, &s);
  if (!status) {
    sni_unflatten_present(b->context, &b->in, b->like, in, s.in);
    status = status_of(b, b->bodies[1](context, s.in, s.next, b->user));
    if (!status) status = give_next(b, in, s.next, out);
  }
  close_structs(b, &s);
  return status;
}

static sn_status run_numbered_step(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                   void *user) {
  struct_bodies *b = user;
  body_structs s;
  sn_status status = open_structs(b, &s);
  if (!status) {
    sni_unflatten_present(b->context, &b->in, b->like, in + 1, s.in);
    status = status_of(b, b->fori_body(context, in[0], s.in, s.next, b->user));
    if (!status) status = give_next(b, in + 1, s.next, out);
  }
  close_structs(b, &s);
  return status;
}

static sn_status run_scan_step(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                               void *user) {
  struct_bodies *b = user;
  body_structs s;
  sn_status status = open_structs(b, &s);
  if (!status) {
    sni_unflatten_present(b->context, &b->in, b->like, in, s.in);
    if (b->x.type) sni_unflatten_present(b->context, &b->x, b->x_like, in + b->n_in, s.x);
    status = b->scan_body(context, s.in, b->x.type ? s.x : NULL, s.next,
                          b->out.leaves.type ? s.made : NULL, b->user);
    status = status_of(b, status);
    if (!status) status = give_next(b, in, s.next, out);
    if (!status) status = give_made(b, s.made, out + b->n_in);
  }
  close_structs(b, &s);
  return status;
}

// ---- the calls
static bool open_leaves(struct_bodies *b, sni_leaves *leaves, const sn_composite *type) {
  sn_status status = sni_leaves_init(leaves, type, allocator_of(b), &b->context->diag);
  if (status) sni_error_from(b->context, status, NULL);
  return !status;
}

static bool open_given(struct_bodies *b, sni_leaves *leaves, const sn_composite *type,
                       const void *from, const char *what) {
  if (type && !from) {
    sni_error(b->context, SN_ERR_ARGUMENT, "%s: %s is NULL", b->name, what);
    return false;
  }
  return open_leaves(b, leaves, type) && sni_check_struct(b->context, leaves, from);
}

static sn_tensor **open_tensors(struct_bodies *b, int n) {
  const size_t bytes = (size_t)(n + 1) * sizeof(sn_tensor *);
  sn_tensor **tensors = sni_alloc_zeroed(allocator_of(b), bytes);
  if (!tensors) sni_error_from(b->context, no_memory(b, bytes), NULL);
  return tensors;
}

static void close_tensors(struct_bodies *b, sn_tensor **tensors, int n) {
  sni_free(allocator_of(b), tensors, (size_t)(n + 1) * sizeof(sn_tensor *));
}

static sn_status close_bodies(struct_bodies *b, const char *file, int line) {
  sni_allocator *allocator = allocator_of(b);
  sni_free(allocator, b->out.first, b->out.first ? bytes_of(&b->out.leaves) : 0);
  sni_free(allocator, b->out.types,
           b->out.types ? (size_t)(b->out.leaves.n + 1) * sizeof(sni_type) : 0);
  sni_leaves_deinit(&b->in, allocator);
  sni_leaves_deinit(&b->x, allocator);
  sni_leaves_deinit(&b->out.leaves, allocator);
  if (b->context->diag.status) sni_locate_error(b->context, file, line);
  return b->context->diag.status;
}

static sn_status failed(sn_context *context, const sn_composite *type, void *out) {
  sni_fail_struct(context, type, out);
  return context->diag.status;
}

// ---- from a struct to another one
// The tensors of one, and those that are to be made of them.
typedef struct flat {
  sn_tensor **in, **out;
  int n_in, n_out;
  const char *file;
  int line;
} flat;
typedef sn_status (*flat_call)(struct_bodies *b, const flat *f, const void *options);

typedef struct struct_types {
  const sn_composite *in_type;
  const void *in;
  const sn_composite *out_type;
  void *out;
} struct_types;

static bool open_both(struct_bodies *b, const struct_types *t) {
  if (!open_given(b, &b->in, t->in_type, t->in, "in") ||
      !open_leaves(b, &b->out.leaves, t->out_type))
    return false;
  if (b->bodies[0] && b->bodies[1] && (!t->out_type || t->out)) return true;
  sni_error(b->context, SN_ERR_ARGUMENT, "%s: a body or out is NULL", b->name);
  return false;
}

static sn_status call_flat(struct_bodies *b, const struct_types *t, flat_call call,
                           const void *options, const char *file, int line) {
  if (b->context->diag.status) return failed(b->context, t->out_type, t->out);
  b->like = t->in;
  const bool ok = open_both(b, t);
  const int n_in = ok && t->in_type ? sni_flatten_present(&b->in, t->in, NULL) : 0;
  const int n_out = b->out.leaves.n_tensors;
  sn_tensor **tensors = ok ? open_tensors(b, n_in + n_out) : NULL;
  if (tensors) {
    const flat f = {tensors, tensors + n_in, n_in, n_out, file, line};
    if (t->in_type) sni_flatten_present(&b->in, t->in, tensors);
    if (!call(b, &f, options)) take_made(b, f.out, t->out);
    close_tensors(b, tensors, n_in + n_out);
  }
  return close_bodies(b, file, line) ? failed(b->context, t->out_type, t->out) : SN_OK;
}

static sn_status flat_cond(struct_bodies *b, const flat *f, const void *options) {
  return sn_cond_at(b->context, *(sn_tensor *const *)options, run_then, run_else, b, f->in, f->n_in,
                    f->out, f->n_out, f->file, f->line);
}

sn_status sn_cond_struct_at(sn_context *context, sn_tensor *pred, sn_struct_callback then_body,
                            sn_struct_callback else_body, void *user, const sn_composite *in_type,
                            const void *in, const sn_composite *out_type, void *out,
                            const char *file, int line) {
  SNI_ENTER(context, "sn_cond_struct", context_refused);
  struct_bodies b = {.context = context,
                     .name = "sn_cond_struct",
                     .bodies = {then_body, else_body},
                     .user = user,
                     .any_size = true};
  const struct_types types = {in_type, in, out_type, out};
  return call_flat(&b, &types, flat_cond, &pred, file, line);
}

static sn_status flat_map(struct_bodies *b, const flat *f, const void *options) {
  (void)options;
  return sn_map_fn_at(b->context, run_then, b, f->in, f->n_in, f->out, f->n_out, f->file, f->line);
}

sn_status sn_map_struct_at(sn_context *context, sn_struct_callback body, void *user,
                           const sn_composite *in_type, const void *in,
                           const sn_composite *out_type, void *out, const char *file, int line) {
  SNI_ENTER(context, "sn_map_struct", context_refused);
  struct_bodies b = {
      .context = context, .name = "sn_map_struct", .bodies = {body, body}, .user = user};
  const struct_types types = {in_type, in, out_type, out};
  return call_flat(&b, &types, flat_map, NULL, file, line);
}

static sn_status flat_vectorized_map(struct_bodies *b, const flat *f, const void *options) {
  return sn_vectorized_map_at(b->context, run_then, b, f->in, f->n_in, f->out, f->n_out, options,
                              f->file, f->line);
}

sn_status sn_vectorized_map_struct_at(sn_context *context, sn_struct_callback body, void *user,
                                      const sn_composite *in_type, const void *in,
                                      const sn_composite *out_type, void *out, const int *in_axes,
                                      const char *file, int line) {
  SNI_ENTER(context, "sn_vectorized_map_struct", context_refused);
  struct_bodies b = {
      .context = context, .name = "sn_vectorized_map_struct", .bodies = {body, body}, .user = user};
  const struct_types types = {in_type, in, out_type, out};
  const sn_vectorized_map_options options = {.size = sizeof(options), .in_axes = in_axes};
  return call_flat(&b, &types, flat_vectorized_map, &options, file, line);
}

static sn_status flat_checkpoint(struct_bodies *b, const flat *f, const void *options) {
  (void)options;
  return sn_checkpoint_at(b->context, run_then, b, f->in, f->n_in, f->out, f->n_out, f->file,
                          f->line);
}

sn_status sn_checkpoint_struct_at(sn_context *context, sn_struct_callback forward, void *user,
                                  const sn_composite *in_type, const void *in,
                                  const sn_composite *out_type, void *out, const char *file,
                                  int line) {
  SNI_ENTER(context, "sn_checkpoint_struct", context_refused);
  struct_bodies b = {.context = context,
                     .name = "sn_checkpoint_struct",
                     .bodies = {forward, forward},
                     .user = user};
  const struct_types types = {in_type, in, out_type, out};
  return call_flat(&b, &types, flat_checkpoint, NULL, file, line);
}

// ---- loops
typedef struct loop_call {
  bool is_numbered;
  int64_t first, end;
  const sn_composite *type;
  const void *init;
  void *last;
  bool sizes_change;
} loop_call;

static sn_status loop_flat(struct_bodies *b, const loop_call *l, sn_tensor **tensors,
                           const char *file, int line) {
  const int n = b->n_in;
  if (l->is_numbered)
    return sn_fori_loop_at(b->context, l->first, l->end, run_numbered_step, b, tensors, n,
                           tensors + n, n, l->sizes_change, file, line);
  return sn_while_loop_at(b->context, run_condition, run_step, b, tensors, n, tensors + n, n,
                          l->sizes_change, file, line);
}

static sn_status run_loop(struct_bodies *b, const loop_call *l, const char *file, int line) {
  sn_context *context = b->context;
  if (context->diag.status) return failed(context, l->type, l->last);
  b->like = l->init;
  b->any_size = l->sizes_change;
  if ((l->is_numbered ? !b->fori_body : !b->bodies[0] || !b->bodies[1]) || !l->type || !l->last)
    sni_error(context, SN_ERR_ARGUMENT, "%s: a callback, type or last is NULL", b->name);
  const bool ok = !context->diag.status && open_given(b, &b->in, l->type, l->init, "init");
  const int n = b->n_in = ok ? sni_flatten_present(&b->in, l->init, NULL) : 0;
  sn_tensor **tensors = ok ? open_tensors(b, 2 * n) : NULL;
  if (tensors) {
    sni_flatten_present(&b->in, l->init, tensors);
    if (!loop_flat(b, l, tensors, file, line))
      sni_unflatten_present(context, &b->in, l->init, tensors + n, l->last);
    close_tensors(b, tensors, 2 * n);
  }
  return close_bodies(b, file, line) ? failed(context, l->type, l->last) : SN_OK;
}

sn_status sn_while_struct_at(sn_context *context, sn_struct_callback condition,
                             sn_struct_callback body, void *user, const sn_composite *type,
                             const void *init, void *last, bool sizes_change, const char *file,
                             int line) {
  SNI_ENTER(context, "sn_while_struct", context_refused);
  struct_bodies b = {
      .context = context, .name = "sn_while_struct", .bodies = {condition, body}, .user = user};
  const loop_call loop = {.type = type, .init = init, .last = last, .sizes_change = sizes_change};
  return run_loop(&b, &loop, file, line);
}

sn_status sn_fori_struct_at(sn_context *context, int64_t first, int64_t end,
                            sn_fori_struct_body body, void *user, const sn_composite *type,
                            const void *init, void *last, bool sizes_change, const char *file,
                            int line) {
  SNI_ENTER(context, "sn_fori_struct", context_refused);
  struct_bodies b = {.context = context, .name = "sn_fori_struct", .fori_body = body, .user = user};
  const loop_call loop = {true, first, end, type, init, last, sizes_change};
  return run_loop(&b, &loop, file, line);
}

static void run_scan(struct_bodies *b, const void *init, const void *xs, void *last, void *ys,
                     const sn_scan_options *options, const char *file, int line) {
  b->any_size = options && options->size >= sizeof(*options) && options->sizes_change;
  b->n_in = sni_flatten_present(&b->in, init, NULL);
  b->n_x = b->x.type ? sni_flatten_present(&b->x, xs, NULL) : 0;
  const int n_in = b->n_in + b->n_x, n_out = b->n_in + b->out.leaves.n_tensors;
  sn_tensor **tensors = open_tensors(b, n_in + n_out), **out = tensors + n_in;
  if (!tensors) return;
  sni_flatten_present(&b->in, init, tensors);
  if (b->x.type) sni_flatten_present(&b->x, xs, tensors + b->n_in);
  if (!sn_scan_at(b->context, run_scan_step, b, tensors, b->n_in, tensors + b->n_in, b->n_x, out,
                  n_out, options, file, line)) {
    sni_unflatten_present(b->context, &b->in, init, out, last);
    take_made(b, out + b->n_in, ys);
  }
  close_tensors(b, tensors, n_in + n_out);
}

sn_status sn_scan_struct_at(sn_context *context, sn_scan_struct_body body, void *user,
                            const sn_composite *type, const void *init, const sn_composite *x_type,
                            const void *xs, const sn_composite *y_type, void *last, void *ys,
                            const sn_scan_options *options, const char *file, int line) {
  SNI_ENTER(context, "sn_scan_struct", context_refused);
  if (context->diag.status) {
    (void)failed(context, type, last);
    return failed(context, y_type, ys);
  }
  struct_bodies b = {.context = context,
                     .name = "sn_scan_struct",
                     .scan_body = body,
                     .user = user,
                     .like = init,
                     .x_like = xs};
  if (!body || !type || !last || (y_type && !ys))
    sni_error(context, SN_ERR_ARGUMENT, "sn_scan_struct: the body, type, last or ys is NULL");
  else if (open_given(&b, &b.in, type, init, "init") && open_given(&b, &b.x, x_type, xs, "xs") &&
           open_leaves(&b, &b.out.leaves, y_type))
    run_scan(&b, init, xs, last, ys, options, file, line);
  if (!close_bodies(&b, file, line)) return SN_OK;
  (void)failed(context, type, last);
  return failed(context, y_type, ys);
}
