// Scopes: which results die when. A context keeps its scope-owned tensors in order of creation; a
// scope is the tail of that list from its mark on. Ending one drops the tail, but for the tensors
// that escape: they become the enclosing scope's.
#include "frontend/context/internal.h"

sn_scope sn_scope_begin(sn_context *context) {
  if (!context || context->destroyed) return (sn_scope){NULL, UINT32_MAX};
  sni_context_enter(context);
  // Without memory for the mark there is no scope: the results go to the one around it.
  if (context->n_marks == context->marks_capacity &&
      sni_vec_reserve(&context->family->allocator, NULL, (void **)&context->marks,
                      &context->marks_capacity, context->n_marks + 1, sizeof(*context->marks)))
    return (sn_scope){context, UINT32_MAX};
  context->marks[context->n_marks] = context->n_live;
  return (sn_scope){context, context->n_marks++};
}

void sn_scope_end(sn_scope scope) {
  sn_context *context = scope.context;
  if (!context || scope.mark >= context->n_marks) return;  // an outer scope has ended it already
  uint32_t kept = context->marks[scope.mark];
  context->n_marks = scope.mark;
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

sn_tensor *sn_escape(sn_tensor *t) {
  if (!t || t->live_index == UINT32_MAX) return t;
  sn_context *context = t->context;
  uint32_t innermost = context->n_marks ? context->marks[context->n_marks - 1] : 0;
  if (t->live_index >= innermost && t->escapes < context->n_marks) t->escapes++;
  return t;
}

sn_tensor *sni_scope_adopt(sn_context *context, sn_tensor *t) {
  if (context->n_live == context->live_capacity &&
      sni_vec_reserve(&context->family->allocator, &context->diag, (void **)&context->live,
                      &context->live_capacity, context->n_live + 1, sizeof(void *))) {
    sni_error_from(context, SN_ERR_MEMORY, NULL);
    sni_tensor_drop(t);
    return NULL;
  }
  t->live_index = context->n_live;
  context->live[context->n_live++] = t;
  return t;
}

void sni_scope_drop_newest(sn_context *context) {
  sn_tensor *t = context->live[--context->n_live];
  if (context->latest == t) context->latest = NULL;
  sni_tensor_drop(t);
}
