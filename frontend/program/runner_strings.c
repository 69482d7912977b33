// Strings of a runner: the caller's memory holds texts (sn_text), a program elements (runtime/strings.h). Texts of inputs are copied; those of outputs lie in
// heaps that the runner holds until its next run.
#include "frontend/program/program.h"
#include "runtime/strings.h"

typedef struct operand {
  sni_string *elements;
  size_t capacity;
  sni_strings *held;  // what they point into
} operand;

struct sni_runner_strings {
  sn_program *program;
  operand *operands;  // inputs, then outputs
};

static size_t count_of(const sn_program *program) {
  return (size_t)program->n_inputs + (size_t)program->n_outputs;
}

static size_t size_of(const sn_view *view) {
  return sni_view_bytes(view) / sizeof(sn_text);
}

sn_status sni_runner_strings_create(sn_program *program, sni_diag *diag, sni_runner_strings **out) {
  sni_allocator *allocator = &program->family->allocator;
  const size_t bytes = (count_of(program) + 1) * sizeof(operand);
  sni_runner_strings *s = sni_alloc_zeroed(allocator, sizeof(*s));
  *out = NULL;
  if (s) s->operands = sni_alloc_zeroed(allocator, bytes);
  if (!s || !s->operands) {
    sni_free(allocator, s, sizeof(*s));
    return sni_fail_memory(diag, bytes, "strings of a runner");
  }
  s->program = program;
  *out = s;
  return SN_OK;
}

void sni_runner_strings_destroy(sni_runner_strings *s) {
  if (!s) return;
  sni_allocator *allocator = &s->program->family->allocator;
  const size_t n = count_of(s->program);
  for (size_t i = 0; i < n; i++) {
    sni_strings_release(s->operands[i].held);
    sni_free(allocator, s->operands[i].elements, s->operands[i].capacity * sizeof(sni_string));
  }
  sni_free(allocator, s->operands, (n + 1) * sizeof(operand));
  sni_free(allocator, s, sizeof(*s));
}

// Room for so many elements.
static bool reserve(const sni_runner_strings *s, operand *o, size_t n) {
  sni_allocator *allocator = &s->program->family->allocator;
  if (n <= o->capacity && o->elements) return true;
  sni_string *elements = sni_alloc(allocator, (n + 1) * sizeof(*elements));
  if (!elements) return false;
  sni_free(allocator, o->elements, o->capacity * sizeof(*elements));
  o->elements = elements;
  o->capacity = n + 1;
  return true;
}

// ---- inputs
static sn_status copy_texts(sni_run *run, operand *o, int input, const sn_view *view,
                            sni_string_heap *heap) {
  const sn_text *texts = view->data;
  sni_string_writer writer = {.heap = heap};
  sn_status status = SN_OK;
  for (size_t i = 0, n = size_of(view); i < n && !status; i++) {
    if (texts[i].length && !texts[i].data)
      status = sni_fail(&run->diag, SN_ERR_ARGUMENT, "text %zu of input %d is NULL", i, input);
    else if (!sni_string_copy(&writer, texts[i], &o->elements[i]))
      status = sni_fail_memory(&run->diag, texts[i].length, "strings");
  }
  sni_string_writer_end(&writer);
  return status;
}

sn_status sni_runner_strings_take(sni_runner_strings *s, sni_run *run, const sn_view *in) {
  sni_allocator *allocator = &s->program->family->allocator;
  for (int i = 0; i < s->program->n_inputs; i++) {
    operand *o = &s->operands[i];
    if (in[i].dtype != SN_STRING) continue;
    const size_t n = size_of(&in[i]);
    sni_string_heap *heap = reserve(s, o, n) ? sni_string_heap_create(allocator) : NULL;
    if (!heap) return sni_fail_memory(&run->diag, n * sizeof(sni_string), "strings");
    sni_strings_release(o->held);
    o->held = NULL;
    sn_status status = copy_texts(run, o, i, &in[i], heap);
    if (!status)
      status = sni_strings_settle(allocator, o->elements, n, NULL, 0, heap, &o->held, &run->diag);
    sni_string_heap_release(heap);
    SNI_TRY(status);
    run->inputs[i] = o->elements;
  }
  return SN_OK;
}

// ---- outputs
void *sni_runner_strings_place(sni_runner_strings *s, int output, const sn_view *view) {
  operand *o = &s->operands[s->program->n_inputs + output];
  return reserve(s, o, size_of(view)) ? o->elements : NULL;
}

static sn_status settle_outputs(sni_runner_strings *s, sni_run *run, const sn_view *out,
                                sni_strings *const *sources, size_t n) {
  for (int i = 0; i < s->program->n_outputs; i++) {
    operand *o = &s->operands[s->program->n_inputs + i];
    if (out[i].dtype != SN_STRING) continue;
    const size_t size = size_of(&out[i]);
    SNI_TRY(sni_run_settle(run, &o->held, o->elements, size, sources, n));
    sn_text *texts = out[i].data;
    for (size_t k = 0; k < size; k++) texts[k] = sni_string_text(o->elements[k]);
  }
  return sni_run_settle_variables(run, sources, n);
}

sn_status sni_runner_strings_give(sni_runner_strings *s, sni_run *run, const sn_view *out) {
  sni_allocator *allocator = &s->program->family->allocator;
  const size_t bytes = sni_run_most_sources(run) * sizeof(sni_strings *);
  sni_strings **sources = sni_alloc(allocator, bytes);
  if (!sources) return sni_fail_memory(&run->diag, bytes, "strings");
  size_t n = 0;
  for (int i = 0; i < s->program->n_inputs; i++)
    if (s->operands[i].held) sources[n++] = s->operands[i].held;
  sni_run_add_sources(run, sources, &n);
  const sn_status status = settle_outputs(s, run, out, sources, n);
  sni_free(allocator, sources, bytes);
  return status;
}
