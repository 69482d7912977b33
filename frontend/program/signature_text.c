// The signature of a program in words: step(x: f32[?,3], n: static 2) -> (loss: f32[]); uses w: variable f32[3].
#include "frontend/function/function.h"
#include "frontend/function/static_value.h"
#include "graph/text.h"

#include <string.h>

static void add_type(sni_text *text, const sni_dim_table *dims, const sni_type *type) {
  int64_t value;
  sni_text_add(text, "%s[", sn_dtype_name(type->dtype));
  for (int d = 0; d < type->rank; d++) {
    if (sni_dim_is_constant(dims, type->dims[d], &value))
      sni_text_add(text, "%s%lld", d ? "," : "", (long long)value);
    else
      sni_text_add(text, "%s?", d ? "," : "");
  }
  sni_text_add(text, "]");
}

static void add_name(sni_text *text, const char *name, int i) {
  sni_text_add(text, "%s%s%s", i ? ", " : "", name, name[0] ? ": " : "");
}

static void add_input(sni_text *text, const sn_program *program, int i) {
  const sni_input_key *key = &program->keys[i];
  add_name(text, program->input_names[i], i);
  if (key->kind == SNI_INPUT_STATIC) {
    char value[96];
    const bool absent = sni_is_absent_value(key->type.dtype, key->value);
    sni_describe_static(key->type.dtype, key->value, value, sizeof(value));
    sni_text_add(text, absent ? "absent" : "static %s", value);
    return;
  }
  if (key->kind == SNI_INPUT_VARIABLE) sni_text_add(text, "variable ");
  add_type(text, program->graph->dims, &key->type);
}

static void add_output(sni_text *text, const sn_program *program, int i) {
  add_name(text, program->output_names ? program->output_names[i] : "", i);
  if (sni_is_absent_type(&program->outputs[i]))
    sni_text_add(text, "absent");
  else
    add_type(text, program->graph->dims, &program->outputs[i]);
}

static bool is_input(const sn_program *program, const sn_tensor *variable) {
  for (int i = 0; i < program->n_inputs; i++)
    if (program->keys[i].kind == SNI_INPUT_VARIABLE && program->keys[i].variable == variable)
      return true;
  return false;
}

static void add_captured(sni_text *text, const sn_program *program) {
  int n = 0;
  for (uint32_t i = 0; i < program->n_variables; i++) {
    const sn_tensor *v = program->variables[i];
    if (is_input(program, v)) continue;
    sni_text_add(text, "%s", n++ ? ", " : "; uses ");
    add_name(text,
             v->of_context == sni_random_state ? "random state"
             : v->of_context                   ? "order of host calls"
             : v->name                         ? v->name
                                               : "",
             0);
    sni_text_add(text, "variable ");
    add_type(text, NULL, &v->type);
  }
  for (uint32_t i = 0; i < program->n_captures; i++) {
    sni_text_add(text, "%s", n++ ? ", " : "; uses ");
    add_type(text, NULL, &program->captures[i]->type);
  }
}

sn_status sni_program_sign(sn_program *program, sni_diag *diag) {
  sni_text text;
  char *made;
  sni_text_init(&text, program->arena.allocator);
  sni_text_add(&text, "%s(", program->name);
  for (int i = 0; i < program->n_inputs; i++) add_input(&text, program, i);
  sni_text_add(&text, ") -> (");
  for (int i = 0; i < program->n_outputs; i++) add_output(&text, program, i);
  sni_text_add(&text, ")");
  add_captured(&text, program);
  SNI_TRY(sni_text_take(&text, diag, &made));
  program->signature = sni_arena_strdup(&program->arena, made);
  const size_t bytes = strlen(made) + 1;
  sni_free(program->arena.allocator, made, bytes);
  return program->signature ? SN_OK : sni_fail_memory(diag, bytes, "a signature");
}
