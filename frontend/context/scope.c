// Scopes: which results die when. A context keeps its scope-owned tensors in order of creation; a
// scope is the tail of that list from its mark on. Ending one drops the tail, but for the tensors
// that escape: they become the enclosing scope's.
//
// Invariant: a handle ends its own scope or nothing, whenever it is used: its generation tells it
// from a later scope in the same place, its anchor that the context is gone.
#include "frontend/context/internal.h"

#include <stdatomic.h>

#undef sn_escape

// ---- anchors
sn_status sni_anchor_create(sn_context *context) {
  sni_allocator *allocator = &context->family->allocator;
  sni_anchor *anchor = sni_alloc_zeroed(allocator, sizeof(*anchor));
  if (!anchor) return SN_ERR_MEMORY;
  anchor->context = context;
  context->anchor = anchor;
  return SN_OK;
}

void sni_anchor_leave(sn_context *context) {
  sni_anchor *anchor = context->anchor;
  if (!anchor) return;
  anchor->context = NULL;
  anchor->open += context->n_marks + context->frame.n_open;
  const uint32_t lost = atomic_load_explicit(&anchor->lost, memory_order_relaxed);
  anchor->open -= lost < anchor->open ? lost : anchor->open;
  context->anchor = NULL;
  context->n_marks = context->frame.n_open = 0;
  if (anchor->open)
    anchor->host = sni_make_orphan(context, sizeof(*anchor));
  else
    sni_free(&context->family->allocator, anchor, sizeof(*anchor));
}

sn_allocator sni_make_orphan(sn_context *context, size_t bytes) {
  sni_allocator *allocator = &context->family->allocator;
  atomic_fetch_sub_explicit(&allocator->bytes, bytes, memory_order_relaxed);
  return allocator->host;
}

void sni_free_orphan(const sn_allocator *host, void *memory, size_t bytes) {
  const sn_allocator copy = *host;  // it may lie in that memory
  sni_allocator last;
  sni_allocator_init(&last, &copy, 0);
  atomic_store_explicit(&last.bytes, bytes, memory_order_relaxed);
  sni_free(&last, memory, bytes);
}

sn_context *sni_anchor_reach(sni_anchor *anchor) {
  if (!anchor) return NULL;
  if (anchor->context) return anchor->context;
  if (!--anchor->open) sni_free_orphan(&anchor->host, anchor, sizeof(*anchor));
  return NULL;
}

// ---- scopes
static inline sn_scope begin(sn_context *context, bool guarded) {
  const sn_scope none = {NULL, 0, 0};
  if (!context || context->destroyed) return none;
  SNI_ENTERED entered = sni_claim(context) ? context : NULL;
  // Without memory for the mark there is no scope: the results go to the one around it.
  if (!entered ||
      (context->n_marks == context->marks_capacity &&
       sni_vec_reserve(&context->family->allocator, NULL, (void **)&context->marks,
                       &context->marks_capacity, context->n_marks + 1, sizeof(*context->marks))))
    return none;
  const uint32_t generation = (context->generation += 2) + guarded;
  context->marks[context->n_marks] = (sni_mark){context->n_live, generation};
  return (sn_scope){context->anchor, context->n_marks++, generation};
}

sn_scope sn_scope_begin(sn_context *context) {
  return begin(context, false);
}

sn_scope sn_scope_guard(sn_context *context) {
  return begin(context, true);
}

static void drop_from(sn_context *context, uint32_t kept) {
  for (uint32_t i = kept; i < context->n_live; i++) {
    sn_tensor *t = context->live[i];
    if (t->escapes) {
      t->escapes--;
      t->live_index = kept;
      context->live[kept++] = t;
    } else {
      sni_tensor_drop(t);
    }
  }
  context->n_live = kept;
}

// The handles of scopes that end with one around them: those that are sure to come are waited for.
void sni_scopes_leave(sn_context *context, uint32_t n_left) {
  while (context->n_marks > n_left)
    context->anchor->open += context->marks[--context->n_marks].generation & 1;
}

void sn_scope_end(sn_scope scope) {
  sn_context *context = sni_anchor_reach(scope.anchor);
  if (!context) return;
  SNI_ENTERED entered = sni_claim(context) ? context : NULL;
  if (!entered) {
    atomic_fetch_add_explicit(&scope.anchor->lost, scope.generation & 1, memory_order_relaxed);
    return;
  }
  const sni_mark *mark = &context->marks[scope.mark];
  if (scope.mark >= context->n_marks || mark->generation != scope.generation) {
    // A scope around it has ended it already.
    context->anchor->open -= scope.generation & 1;
    return;
  }
  if (scope.mark < context->marks_floor) {
    sni_error(context, SN_ERR_STATE,
              "sn_scope_end: the scope was opened outside the callback that runs: its results may "
              "be in use there");
    return;
  }
  if (scope.mark + 1 < context->n_marks) sni_scopes_leave(context, scope.mark + 1);
  context->n_marks = scope.mark;
  drop_from(context, mark->n_live);
}

sn_tensor *sn_escape(sn_tensor *t) {
  if (!t || t->live_index == UINT32_MAX) return t;
  sn_context *context = t->context;
  uint32_t innermost = context->n_marks ? context->marks[context->n_marks - 1].n_live : 0;
  if (t->live_index >= innermost && t->escapes < context->n_marks) t->escapes++;
  return t;
}

sn_tensor *sni_scope_grow(sn_context *context, sn_tensor *t) {
  if (!sni_vec_reserve(&context->family->allocator, &context->diag, (void **)&context->live,
                       &context->live_capacity, context->n_live + 1, sizeof(void *)))
    return sni_scope_adopt(context, t);
  sni_error_from(context, SN_ERR_MEMORY, NULL);
  sni_tensor_drop(t);
  return NULL;
}

void sni_scope_drop_newest(sn_context *context) {
  sn_tensor *t = context->live[--context->n_live];
  if (context->frame.latest == t) context->frame.latest = NULL;
  sni_tensor_drop(t);
}
