// Makes one drawn call of a public function, in eager mode, under a tape or in a trace that is then compiled and run, and checks
// what every call promises: a failure has a message with the function's name and, of what takes one, the caller's line; what did
// not fail left no error; whatever came out can be read; in the end no byte of the library's is held.
#ifndef SINTER_TESTS_API_RUN_H
#define SINTER_TESTS_API_RUN_H

#include "api_draw.h"

static _Noreturn void fault(const draw *d, const char *what, const char *message) {
  (void)fprintf(stderr, "%s: %s: \"%s\"\n", d->name, what, message);
  abort();
}

// The context whose error is pending; else the one whose message is the last, of an error that was returned.
static sn_context *failed_context(const draw *d) {
  sn_context *const all[] = {d->context, d->sibling, d->foreign};
  for (int k = 0; k < 3; k++)
    if (sn_pending_error(all[k])) return all[k];
  for (int k = 1; k < 3; k++)
    if (*sn_error_message(all[k])) return all[k];
  return d->context;
}
static const char *message_of(const draw *d) {
  return sn_error_message(failed_context(d));
}
static sn_status pending(const draw *d) {
  return sn_pending_error(failed_context(d));
}
// The name that a caller writes: that of the macro, where there is one.
static bool names_function(const draw *d, const char *message) {
  char base[128];
  (void)snprintf(base, sizeof(base), "%s", d->name);
  for (;;) {
    if (strstr(message, base)) return true;
    char *end = strrchr(base, '_');
    if (!end || (strcmp(end, "_opts") != 0 && strcmp(end, "_at") != 0 && strcmp(end, "_in") != 0 &&
                 strcmp(end, "_struct") != 0))
      return false;
    *end = 0;
  }
}
// An error in a callback (those of api_draw.h) is named by the op in it, and ops may have names of the caller's.
static bool has_own_name(const draw *d, const char *message) {
  // sn_check_gradients: its gradients are those of sn_gradients.
  return strstr(message, "api_draw.h:") || strstr(d->name, "check_gradients") ||
         strstr(d->name, "object_keep") || strstr(d->name, "host_call") ||
         strstr(d->name, "op_call") || strstr(d->name, "sn_fail");
}
static void check_message(draw *d, bool has_line) {
  const char *message = message_of(d);
  if (pending(d) >= 0 && pending(d) < 32) d->failures |= 1u << pending(d);  // sn_fail takes any
  if (!*message) fault(d, "failed without a message", "");
  if (!has_own_name(d, message) && !names_function(d, message)) fault(d, "is not named", message);
  if (has_line && !strstr(message, "/api_")) fault(d, "has no line", message);
}

static void got_tensor(draw *d, sn_tensor *t) {
  if (sn_failed(t)) {
    if (pending(d))
      check_message(d, true);
    else if (!d->lacks_context)
      fault(d, "failed without an error", message_of(d));
    return;
  }
  if (pending(d)) fault(d, "gave a tensor and an error", message_of(d));
  d->result = t;
}
static void got_owned(draw *d, sn_tensor *t) {
  got_tensor(d, t);
  d->result = NULL;
  sn_release(t);
}
static void got_status(draw *d, sn_status status, bool has_line) {
  if (status && !strstr(d->name, "sn_fail") && !d->lacks_context) check_message(d, has_line);
}
static void got_run(const draw *d, sn_runner *r, sn_status status) {
  if (status && r && !*sn_runner_error(r)) fault(d, "failed without a message", "");
}
static void got_nothing(draw *d, bool has_line) {
  if (pending(d)) check_message(d, has_line);
}
static void got_function(draw *d, sn_function *f) {
  if (!f && !d->lacks_context) check_message(d, strstr(d->name, "_at") != NULL);
  sn_function_destroy(f);
}
static void got_tape(draw *d, sn_tape *t) {
  if (!t && !d->lacks_context) check_message(d, false);
  sn_tape_end(t);
}
static void got_text(draw *d, const char *t) {
  if (t && strlen(t) > buffer_bytes) fault(d, "gave a text without an end", "");
}

// Exported and imported again: a refused one is still the caller's (drop_made).
static void import(draw *d) {
  if (!chance(d, 8) && sn_to_dlpack(tensor(d), &d->made.managed) != SN_OK)
    (void)!sn_check(d->context);
  sn_context *c = context(d);
  sn_tensor *t = SN_AT((sn_from_dlpack)(c, d->made.managed));
  if (!sn_failed(t)) d->made.managed = NULL;
  got_tensor(d, t);
}
static void import_versioned(draw *d) {
  if (!chance(d, 8) && sn_to_dlpack_versioned(tensor(d), &d->made.versioned) != SN_OK)
    (void)!sn_check(d->context);
  sn_context *c = context(d);
  sn_tensor *t = SN_AT((sn_from_dlpack_versioned)(c, d->made.versioned));
  if (!sn_failed(t)) d->made.versioned = NULL;
  got_tensor(d, t);
}

#include "api_calls.h"

enum { n_api_calls = sizeof(api_calls) / sizeof(*api_calls) };

// ---- the surroundings of a call
static void *counted(void *user, void *ptr, size_t old_size, size_t new_size, size_t align) {
  size_t *held = user;
  (void)align;
  if (new_size == 0) {
    free(ptr);
    *held -= old_size;
    return NULL;
  }
  void *made = aligned_alloc(64, (new_size + 63) / 64 * 64);
  if (!made) return NULL;
  if (ptr) memcpy(made, ptr, old_size < new_size ? old_size : new_size);
  free(ptr);
  *held += new_size - old_size;
  return made;
}

static void make(draw *d, size_t *held) {
  enum { limit = 16 << 20 };
  const sn_allocator allocator = {counted, held};
  if (sn_context_create(&d->context, .threads = 1, .allocator = allocator, .memory_limit = limit,
                        .backend = SN_BACKEND_INTERPRETER) ||
      sn_context_create(&d->sibling, .share = d->context) ||
      sn_context_create(&d->foreign, .threads = 1, .allocator = allocator, .memory_limit = limit,
                        .backend = SN_BACKEND_INTERPRETER))
    fault(d, "no context", "");
  sn_set_deadline(d->context, 1);
  d->dtype = chance(d, 2) ? SN_F32 : any_dtype(d);
  d->shape = theme_shape(d);
  d->variable = sn_variable(made_of(d, d->context, d->dtype, d->shape), .name = "v");
  make_program(d);
  (void)!sn_check(d->context);
}

static void drop_made(draw *d) {
  if (d->made.managed) d->made.managed->deleter(d->made.managed);
  if (d->made.versioned) d->made.versioned->deleter(d->made.versioned);
  sn_text_free(d->context, d->made.text);
  sn_runner_destroy(d->made.runner);
  sn_program_release(d->made.program);
  sn_context_destroy(d->made.context);
}

static void drop(draw *d) {
  drop_made(d);
  sn_tape_end(d->tape);
  sn_release(d->variable);
  sn_runner_destroy(d->runner);
  sn_program_release(d->program);
  sn_function_destroy(d->function);
  sn_context_destroy(d->sibling);
  sn_context_destroy(d->context);
  sn_context_destroy(d->foreign);
}

// Reads what came out; faults of elements (an index out of range) are found here.
static void look(draw *d) {
  char buffer[512];
  const sn_tensor *t = d->result;
  (void)sn_format(t, buffer, sizeof(buffer));
  const int64_t bytes =
      t && !sn_is_traced(t) ? sn_size(t) * (int64_t)sn_dtype_size(sn_dtype_of(t)) : -1;
  if (bytes >= 0 && bytes < buffer_bytes / 2 &&
      (sn_read)(t, d->bytes, (size_t)bytes) == SN_ERR_INDEX) {
    d->failures |= 1u << SN_ERR_INDEX;
    check_message(d, false);
  }
  sn_context *const all[] = {d->context, d->sibling, d->foreign};
  for (int k = 0; k < 3; k++) {
    const sn_status status = sn_check(all[k]);
    if (status) check_message(d, false);
    d->failures |= 1u << status;
  }
}

static void call_once(draw *d, int function) {
  d->least = INT_MAX;
  d->lacks_context = false;
  memset(d->outputs, 0, sizeof(d->outputs));
  api_calls[function].call(d);
  if (pending(d)) check_message(d, false);
}

typedef struct traced {
  draw *d;
  int function;
} traced;
static sn_status trace(sn_context *context, sn_tensor *const *in, sn_tensor **out, void *user) {
  const traced *t = user;
  t->d->in = in;
  t->d->result = NULL;
  call_once(t->d, t->function);
  sn_tensor *result = t->d->result;
  (void)!sn_check(context);
  out[0] = result && sn_is_traced(result) && sn_context_of(result) == context ? result : in[0];
  t->d->in = NULL;
  t->d->result = NULL;
  return SN_OK;
}
static void call_in_trace(draw *d, int function) {
  traced t = {d, function};
  sn_tensor *in[] = {made_of(d, d->context, d->dtype, d->shape),
                     made_of(d, d->context, d->dtype, related_shape(d))};
  if (d->shape.rank && chance(d, 2)) in[0] = sn_mark_dim(in[0], 0);
  sn_function *f = sn_function_create(d->context, trace, .user = &t, .inputs = 2, .outputs = 1);
  sn_tensor *y = NULL;
  if (sn_call(f, in, 2, &y, 1) == SN_OK) d->result = y;
  (void)!sn_check(d->context);
  look(d);
  sn_function_destroy(f);
}

// mode 0: eager; 1: under a tape; 2: in a trace; 3: eager, of sound handles. Returns which statuses its errors had, bit 1u << status for each.
static uint32_t run_api(int function, uint32_t mode, uint64_t seed, const uint8_t *data,
                        size_t size) {
  static draw d;
  size_t held = 0;
  memset(&d, 0, sizeof(d));
  d.state = seed * 2 + 1;
  d.data = data;
  d.left = size;
  d.name = api_calls[function].name;
  for (int k = 0; k < 4; k++) (void)word(&d);
  make(&d, &held);
  d.sound = mode == 3;
  {
    SN_SCOPE(d.context);
    SN_SCOPE(d.context);
    if (mode == 1 && tape(&d)) sn_tape_watch(d.tape, d.variable);
    if (mode == 2)
      call_in_trace(&d, function);
    else
      call_once(&d, function), look(&d);
  }
  drop(&d);
  if (held) fault(&d, "leaks", "");
  return d.failures;
}

#endif
