// Objects: structs of the host's, owned as tensors are. The owner of one is a tensor's struct, OBJECT, or the variable of a
// resource: so scopes, references, dead ones that say so, and what compiled functions hold are those of tensors.
//
// Invariant: the memory of a dead object is there as long as its owner says that it is dead.
#include "frontend/context/internal.h"
#include "frontend/ops/compose.h"

#include <stdatomic.h>
#include <string.h>

static sn_object *object_of(const void *object) {
  return (sn_object *)(uintptr_t)object;
}

// ---- memory (frontend/tensor/tensor.c calls both)
void sni_object_end(sn_tensor *owner) {
  sn_object *object = owner->object;
  if (object->type->destroy) object->type->destroy(object);
  for (int i = 0; i < object->type->n_tensors; i++) sni_let_go(sni_object_tensors(object)[i]);
}

void sni_object_free(sn_tensor *owner) {
  sni_free(&owner->family->allocator, owner->object, owner->object->type->object_size);
  owner->object = NULL;
}

// ---- error objects: a list of the context's, one of each class
struct sni_error_object {
  sni_error_object *next;
  size_t bytes;
  _Alignas(16) sn_object object;
};

void sni_error_objects_free(sn_context *context) {
  while (context->error_objects) {
    sni_error_object *first = context->error_objects;
    context->error_objects = first->next;
    sni_free(&context->family->allocator, first, first->bytes);
  }
}

static bool is_class(const sn_object_class *type) {
  if (!type || type->size < offsetof(sn_object_class, destroy) ||
      type->object_size < sizeof(sn_object) || type->n_tensors < 0 ||
      type->n_tensors > SN_HANDLE_TENSORS)
    return false;
  const size_t room = type->object_size - sizeof(sn_object);
  return !type->n_tensors || (type->tensors_offset >= sizeof(sn_object) &&
                              type->tensors_offset % sizeof(sn_tensor *) == 0 &&
                              type->tensors_offset - sizeof(sn_object) <= room &&
                              (size_t)type->n_tensors * sizeof(sn_tensor *) <=
                                  room - (type->tensors_offset - sizeof(sn_object)));
}

static void *error_of(sn_context *c, const sn_object_class *type) {
  sni_error_object *e = c->error_objects;
  while (e && e->object.type != type) e = e->next;
  if (e) return &e->object;
  const size_t bytes = offsetof(sni_error_object, object) + type->object_size;
  e = sni_alloc_zeroed(&c->family->allocator, bytes);
  if (!e) return NULL;
  e->bytes = bytes;
  e->object = (sn_object){type, &c->error_tensor};
  for (int i = 0; i < type->n_tensors; i++) sni_object_tensors(&e->object)[i] = &c->error_tensor;
  e->next = c->error_objects;
  c->error_objects = e;
  return &e->object;
}

void *sn_object_error(sn_context *context, const sn_object_class *type) {
  SNI_ENTERED c = context && !context->destroyed && sni_claim(context) ? context : NULL;
  return c && is_class(type) ? error_of(c, type) : NULL;
}

sn_tensor *sn_error_tensor(sn_context *context) {
  return context ? &context->error_tensor : NULL;
}

// ---- creation
static sn_tensor *new_owner(sn_context *c, const sn_object_class *type) {
  if (!type->is_resource) return sni_tensor_alloc(c, SNI_TENSOR_OBJECT);
  const sni_type scalar = sni_type_make(SN_I64, 0, NULL);
  const int64_t zero = 0;
  return sni_variable_new(c, &scalar, &zero, type->name, false);
}

static bool check_creation(sn_context *c, const sn_object_class *type, sn_tensor *const *tensors) {
  if (type->n_tensors && !tensors) {
    sni_error(c, SN_ERR_ARGUMENT, "sn_object_create: tensors is NULL");
    return false;
  }
  if (type->is_resource && c->trace) {
    sni_error(c, SN_ERR_STATE,
              "%s: it cannot be made inside a trace: it would be made once, not in each call. Make "
              "it before, and use it in the function",
              type->name);
    return false;
  }
  for (int i = 0; i < type->n_tensors; i++)
    if (tensors[i] && !sni_operand_ok(c, "sn_object_create", i, tensors[i])) return false;
  return !c->diag.status;
}

static void *make(sn_context *c, const sn_object_class *type, sn_tensor *const *tensors) {
  sn_object *object = sni_alloc_zeroed(&c->family->allocator, type->object_size);
  sn_tensor *owner = object ? new_owner(c, type) : NULL;
  if (!owner) {
    sni_free(&c->family->allocator, object, type->object_size);
    sni_error_from(c, sni_fail_memory(&c->diag, type->object_size, type->name), NULL);
    return NULL;
  }
  *object = (sn_object){type, owner};
  owner->object = object;
  if (!type->is_resource) owner->type = sni_type_make(SN_BOOL, 0, NULL);  // for messages
  for (int i = 0; i < type->n_tensors; i++) sni_object_tensors(object)[i] = sni_hold(tensors[i]);
  c->frame.latest = owner;
  return sni_scope_adopt(c, owner) ? object : NULL;
}

void *sn_object_create(sn_context *context, const sn_object_class *type,
                       sn_tensor *const *tensors) {
  SNI_ENTER(context, "sn_object_create", sn_object_error(context, type));
  if (!is_class(type)) {
    sni_error(context, SN_ERR_ARGUMENT, "sn_object_create: type describes no object");
    return NULL;
  }
  void *object = check_creation(context, type, tensors) ? make(context, type, tensors) : NULL;
  return object ? object : error_of(context, type);
}

// ---- questions
bool sn_object_check(sn_context *context, const void *object, const sn_object_class *type,
                     const char *name) {
  SNI_ENTER(context, NULL, false);
  const sn_object *o = object_of(object);
  if (!name) name = "an object";
  if (!o || !type)
    sni_error(context, SN_ERR_ARGUMENT, "%s is NULL", o ? "type" : name);
  else if (o->owner->kind == SNI_TENSOR_ENDED)
    sni_error(context, SN_ERR_STATE,
              o->owner->is_released
                  ? "%s has been released: nobody holds it any more"
                  : "%s: its scope has ended: sn_escape moves it to the scope around",
              name);
  else if (o->type != type)
    sni_error(context, SN_ERR_ARGUMENT, "%s is a %s, expected a %s", name, o->type->name,
              type->name);
  else if (o->owner->kind == SNI_TENSOR_ERROR && !context->diag.status)
    sni_error(context, SN_ERR_ARGUMENT,
              "%s is the error object: the call that should have made it failed", name);
  else if (o->owner->family != context->family)
    sni_error(context, SN_ERR_ARGUMENT,
              "%s belongs to another context, which is not a sibling of this one", name);
  return !context->diag.status;
}

sn_context *sn_object_context(const void *object) {
  return object ? object_of(object)->owner->context : NULL;
}

bool sn_object_failed(const void *object) {
  return !object || object_of(object)->owner->kind == SNI_TENSOR_ERROR;
}

sn_tensor *sn_object_variable(const void *object) {
  if (!object) return NULL;
  sn_tensor *owner = object_of(object)->owner;
  return owner->kind == SNI_TENSOR_VARIABLE || owner->kind == SNI_TENSOR_ERROR ? owner : NULL;
}

int sn_object_references(const void *object) {
  if (sn_object_failed(object)) return 0;
  const sn_tensor *owner = object_of(object)->owner;
  return owner->kind == SNI_TENSOR_ENDED
             ? 0
             : (int)(uint32_t)atomic_load_explicit(&owner->references, memory_order_acquire);
}

int sn_object_users(const void *object) {
  if (sn_object_failed(object)) return 0;
  const sni_family *family = object_of(object)->owner->family;
  return atomic_load_explicit(&family->n_contexts, memory_order_relaxed) +
         atomic_load_explicit(&family->n_runners, memory_order_relaxed);
}

// ---- references
static bool has_traced(const sn_object *object) {
  for (int i = 0; i < object->type->n_tensors; i++)
    if (sn_is_traced(sni_object_tensors(object)[i])) return true;
  return false;
}

void *sn_object_keep_at(void *object, const char *file, int line) {
  if (sn_object_failed(object)) return object;
  const sn_object *o = object;
  const bool alive = o->owner->kind != SNI_TENSOR_ENDED;
  if (alive && !has_traced(o)) return (sn_keep)(o->owner), object;
  sn_context *context = o->owner->context;
  SNI_ENTER(context, "sn_keep", sn_object_error(context, o->type));
  sni_error(context, SN_ERR_STATE,
            alive ? "sn_keep: a %s of traced tensors cannot outlive their trace: make it an output "
                    "of the function"
                  : "sn_keep: the %s is dead: its scope has ended, or it has been released",
            o->type->name);
  sni_locate_error(context, file, line);
  return error_of(context, o->type);
}

void sn_object_release(void *object) {
  if (object) (sn_release)(object_of(object)->owner);
}

void *sn_object_escape(void *object) {
  if (object) (void)(sn_escape)(object_of(object)->owner);
  return object;
}

void *sn_object_locate(void *object, const char *file, int line) {
  if (object) (void)sn_locate(object_of(object)->owner, file, line);
  return object;
}
