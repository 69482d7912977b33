// Packing, and the loops and bodies that do it.
#include "frontend/control/packed.h"

#include "frontend/control/host_calls.h"
#include "frontend/ops/compose.h"

#include <sinter/host.h>
#include <sinter/ops.h>

#include <string.h>

bool sni_sizes_differ(const sni_dim_table *dims, const sni_type *a, const sni_type *b,
                      uint32_t *io_axes) {
  if (a->dtype != b->dtype || a->rank != b->rank) return false;
  for (int i = 0; i < a->rank; i++)
    if (!sni_dim_equal(dims, a->dims[i], b->dims[i])) *io_axes |= 1u << i;
  return true;
}

// ---- strings: the dims, then the elements; of strings their lengths, then their bytes
static size_t size_of(const sn_view *view) {
  size_t n = 1;
  for (int i = 0; i < view->shape.rank; i++) n *= (size_t)view->shape.dims[i];
  return n;
}

static size_t bytes_of(const sn_view *view, size_t n) {
  if (view->dtype != SN_STRING) return n * sn_dtype_size(view->dtype);
  size_t bytes = n * sizeof(int64_t);
  for (size_t i = 0; i < n; i++) bytes += sn_view_string(view, (int64_t)i).length;
  return bytes;
}

static void write_strings(const sn_view *view, size_t n, char *to) {
  char *bytes = to + n * sizeof(int64_t);
  for (size_t i = 0; i < n; i++) {
    const sn_text text = sn_view_string(view, (int64_t)i);
    const int64_t length = (int64_t)text.length;
    memcpy(to + i * sizeof(length), &length, sizeof(length));
    if (text.length) memcpy(bytes, text.data, text.length);
    bytes += text.length;
  }
}

static sn_status pack(const sn_host_args *args) {
  const sn_view *x = args->in;
  const size_t n = size_of(x), dims = (size_t)x->shape.rank * sizeof(*x->shape.dims);
  const size_t bytes = bytes_of(x, n);
  char *to = sn_host_new_string(args, 0, 0, dims + bytes);
  if (!to) return SN_ERR_MEMORY;
  memcpy(to, x->shape.dims, dims);
  if (x->dtype == SN_STRING)
    write_strings(x, n, to + dims);
  else if (bytes)
    memcpy(to + dims, x->data, bytes);
  return SN_OK;
}

static sn_status read_dims(const sn_host_args *args) {
  const sn_text packed = sn_view_string(args->in, 0);
  const size_t bytes = size_of(args->out) * sizeof(int64_t);
  if (packed.length < bytes) return SN_ERR_INTERNAL;
  memcpy(args->out->data, packed.data, bytes);
  return SN_OK;
}

static sn_status read_strings(const sn_host_args *args, size_t n, const char *at, const char *end) {
  const char *bytes = at + n * sizeof(int64_t);
  for (size_t i = 0; i < n; i++) {
    int64_t length;
    memcpy(&length, at + i * sizeof(length), sizeof(length));
    if (length < 0 || length > end - bytes) return SN_ERR_INTERNAL;
    const sn_text text = {bytes, (size_t)length};
    const sn_status status = sn_host_share_string(args, 0, (int64_t)i, text);
    if (status) return status;
    bytes += length;
  }
  return SN_OK;
}

static sn_status unpack(const sn_host_args *args) {
  const sn_text packed = sn_view_string(args->in, 0);
  const sn_view *x = args->out;
  const size_t n = size_of(x), dims = (size_t)x->shape.rank * sizeof(*x->shape.dims);
  const size_t least = n * (x->dtype == SN_STRING ? sizeof(int64_t) : sn_dtype_size(x->dtype));
  if (packed.length < dims || memcmp(packed.data, x->shape.dims, dims) != 0 ||
      packed.length - dims < least)
    return SN_ERR_INTERNAL;
  if (x->dtype == SN_STRING)
    return read_strings(args, n, packed.data + dims, packed.data + packed.length);
  if (least) memcpy(x->data, packed.data + dims, least);
  return SN_OK;
}

// A pure call with one result. Without a line of its own: it has that of the frame.
static sn_tensor *call(sn_context *context, const char *name, sn_host_callback callback,
                       sn_tensor *in, const sn_spec *spec) {
  sn_tensor *out = NULL;
  const char *op = context->frame.op;
  context->frame.op = name;
  const sni_host_request r = {
      .context = context,
      .host = {.name = name, .callback = callback, .unpacks = callback == unpack},
      .specs = spec,
      .pure = true,
      .in = &in,
      .n_in = 1,
      .out = &out,
      .n_out = 1,
      .location = sni_control_location(context, NULL, 0)};
  sn_status status = context->diag.status;
  if (!status) status = sni_host_request_run(&r);
  if (!context->diag.status) context->diag.status = status;
  context->frame.op = op;
  return !status && out ? out : &context->error_tensor;
}

sn_tensor *sni_pack(sn_context *context, sn_tensor *x) {
  const sn_spec spec = {SN_STRING, {.rank = 0}};
  return call(context, "pack", pack, x, &spec);
}

sn_tensor *sni_unpack(sn_context *context, sn_tensor *packed, const sni_type *type, uint32_t axes) {
  const sn_spec of_dims = {SN_I64, {.rank = 1, .dims = {type->rank}}};
  sn_tensor *dims = call(context, "packed_dims", read_dims, packed, &of_dims);
  sn_spec spec = {type->dtype, {.rank = type->rank}};
  for (int i = 0; i < type->rank; i++) {
    int64_t known;
    if (axes >> i & 1)
      spec.shape.dims[i] = sn_late_dim((sn_index)(dims, 0, i));
    else if (sni_dim_is_constant(sni_context_dims(context), type->dims[i], &known))
      spec.shape.dims[i] = known;
    else
      spec.shape.dims[i] = sni_dim_token(context, type->dims[i]);
  }
  if (context->diag.status) return &context->error_tensor;
  return call(context, "unpack", unpack, packed, &spec);
}

// ---- branches
sn_status sni_packed_body(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  const sni_packed_outputs *p = user;
  const sn_status status = p->body(context, in, out, p->user);
  if (status || context->diag.status) return status;
  for (int i = 0; i < p->n; i++)
    if (p->axes[i] && !sn_failed(out[i])) out[i] = sni_pack(context, out[i]);
  return SN_OK;
}

// ---- loops
typedef struct packing {
  const sni_loop *loop;
  sni_type *types;  // of the carries as they begin
  uint32_t *axes;   // per carry: those along which its size changes
  bool again;       // there are more of them than it was traced for
} packing;

// What the user's code is given: in, with the carries unpacked. NULL: no memory.
static sn_tensor **given(const packing *p, sn_context *context, sn_tensor *const *in, int first,
                         int n) {
  sni_arena *arena = sni_trace_graph(context->trace)->arena;
  sn_tensor **all = SNI_ARENA_ARRAY(arena, sn_tensor *, n + 1);
  if (!all) {
    (void)sni_fail_memory(&context->diag, (size_t)n * sizeof(*all), "a loop");
    return NULL;
  }
  for (int i = 0; i < n; i++) all[i] = in[i];
  for (int i = 0; i < p->loop->n_carries; i++)
    if (p->axes[i]) all[first + i] = sni_unpack(context, in[first + i], &p->types[i], p->axes[i]);
  return all;
}

static sn_status packed_condition(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                                  void *user) {
  const packing *p = user;
  sn_tensor **carries = given(p, context, in, 0, p->loop->n_carries);
  if (context->diag.status) return context->diag.status;
  return p->loop->condition(context, carries, out, p->loop->user);
}

static sn_status packed_step(sn_context *context, sn_tensor *const *in, sn_tensor **out,
                             void *user) {
  packing *p = user;
  const sni_loop *l = p->loop;
  sn_tensor **all = given(p, context, in, l->counts, l->counts + l->n_carries + l->n_xs);
  if (context->diag.status) return context->diag.status;
  const sn_status status = l->body(context, all, out, l->user);
  if (status || context->diag.status) return status;
  for (int i = 0; i < l->n_carries; i++) {
    if (sn_failed(out[i])) continue;
    const uint32_t before = p->axes[i];
    uint32_t axes = before;
    if (sni_sizes_differ(sni_context_dims(context), &p->types[i], &out[i]->type, &axes))
      p->again |= axes != before;
    p->axes[i] = axes;
    if (axes) out[i] = sni_pack(context, out[i]);
  }
  return SN_OK;
}

static sn_status trace_packed(packing *p) {
  const sni_loop *r = p->loop;
  sni_arena *arena = sni_trace_graph(r->context->trace)->arena;
  sn_tensor **init = SNI_ARENA_ARRAY(arena, sn_tensor *, r->n_carries + 1);
  if (!init) return sni_fail_memory(&r->context->diag, sizeof(*init), "a loop");
  for (int i = 0; i < r->n_carries; i++)
    init[i] = p->axes[i] ? sni_pack(r->context, r->init[i]) : r->init[i];
  uint32_t *axes = SNI_ARENA_ARRAY(arena, uint32_t, r->n_carries + 1);
  if (!axes) return sni_fail_memory(&r->context->diag, sizeof(*axes), "a loop");
  memcpy(axes, p->axes, (size_t)r->n_carries * sizeof(*axes));
  sni_loop packed = *r;
  packed.sizes_change = false;
  packed.again = &p->again;
  packed.condition = r->condition ? packed_condition : NULL;
  packed.body = packed_step;
  packed.user = p;
  packed.init = init;
  p->again = false;
  SNI_TRY(sni_loop_in_trace(&packed));
  for (int i = 0; i < r->n_carries && !p->again; i++)
    if (axes[i]) r->out[i] = sni_unpack(r->context, r->out[i], &p->types[i], axes[i]);
  return r->context->diag.status;
}

sn_status sni_loop_of_sizes(const sni_loop *r) {
  sni_arena *arena = sni_trace_graph(r->context->trace)->arena;
  packing p = {.loop = r,
               .types = SNI_ARENA_ARRAY(arena, sni_type, r->n_carries + 1),
               .axes = SNI_ARENA_ARRAY(arena, uint32_t, r->n_carries + 1)};
  if (!p.types || !p.axes) return sni_fail_memory(&r->context->diag, sizeof(*p.types), "a loop");
  for (int i = 0; i < r->n_carries; i++) {
    p.types[i] = r->init[i]->type;
    p.axes[i] = 0;
  }
  sn_status status;
  do status = trace_packed(&p);
  while (!status && p.again);
  return status;
}
