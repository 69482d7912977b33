// Runs a prepared program: resolves its sizes, then walks units, blocks and inner indices, and
// executes the lists of steps. The last part of the interpreter's pipeline; nothing here allocates,
// and the code is only read.
//
// Invariant: f->address[i] is where access i points for f->index, the vector axis at 0; a step adds
// the position along the vector axis itself. Loops over inner axes move the addresses along and
// bring them back.
#include "codegen/interp/program.h"

#include <string.h>

static const size_t element_size[SN_DTYPE_COUNT] = {
#define SNI_X(name, text, bytes, ctype) [SN_##name] = bytes,
    SN_DTYPE_LIST(SNI_X)
#undef SNI_X
};

// ---- steps

static int64_t stride_of(const sni_frame *f, uint32_t access, int axis) {
  return f->sizes[f->code->accesses[access].sizes + 1 + (uint32_t)axis];
}

static char *address_of(const sni_frame *f, const sni_step *s, ptrdiff_t *out_stride) {
  const ptrdiff_t stride = stride_of(f, s->number, f->code->vector_axis);
  if (out_stride) *out_stride = stride;
  return f->address[s->number] + f->position * stride;
}

static int64_t one_index(const sni_frame *f, const sni_step *s) {
  return *(const int64_t *)f->slots[s->b] * (int64_t)element_size[s->dtype];
}

static char *scratch_of(const sni_frame *f, const sni_step *s) {
  const sni_nest_code *code = f->code;
  const int64_t element =
      code->vector_inner ? f->inner + f->position
                         : f->inner * code->grain[code->vector_axis] + f->position - f->unit_start;
  return f->scratch + code->row_slots[s->number] + element * (int64_t)element_size[s->dtype];
}

// Registers are the interpreter's own memory: what a slot that a step writes to points at.
static void *target(const sni_frame *f, uint32_t slot) {
  return (void *)(uintptr_t)f->slots[slot];
}

static void step_load(sni_frame *f, const sni_step *s, size_t n) {
  ptrdiff_t stride;
  const char *from = address_of(f, s, &stride);
  const bool indexed = s->b != SNI_NO_VALUE;
  if (indexed && s->one_index) from += one_index(f, s);
  if (s->may_point && stride == (ptrdiff_t)element_size[s->dtype]) {
    f->slots[s->dst] = from;
    return;
  }
  const int64_t *index = indexed && !s->one_index ? f->slots[s->b] : NULL;
  f->code->blocks->move->load[s->dtype](target(f, s->dst), from, stride, index, n);
}

static void step_store(sni_frame *f, const sni_step *s, size_t n) {
  ptrdiff_t stride;
  char *to = address_of(f, s, &stride);
  const void *from = f->slots[s->a];
  const bool indexed = s->b != SNI_NO_VALUE;
  if (indexed && s->one_index) to += one_index(f, s);
  const int64_t *index = indexed && !s->one_index ? f->slots[s->b] : NULL;
  if (s->kind == SNI_STEP_STORE_ADD)
    f->code->blocks->move->store_add[s->dtype](to, stride, index, from, n);
  else if (index || (n > 1 && stride != (ptrdiff_t)element_size[s->dtype]))
    f->code->blocks->move->store[s->dtype](to, stride, index, from, n);
  else
    memmove(to, from, n * element_size[s->dtype]);
}

static void step_index(const sni_frame *f, const sni_step *s, size_t n) {
  const int axis = (int)s->number;
  const bool along = axis == f->code->vector_axis;
  f->code->blocks->move->iota[s->dtype](target(f, s->dst), along ? f->position : f->index[axis],
                                        along ? n : 1);
}

static void step_check(const sni_frame *f, const sni_step *s, size_t n) {
  if (!f->code->blocks->move->check_index(target(f, s->dst), f->slots[s->a], f->sizes[s->number],
                                          n))
    ((sni_scratch_header *)(void *)f->scratch)->fault = 1;
}

static void step_reduce(const sni_frame *f, const sni_step *s, size_t n) {
  const sni_reduction *r = &f->code->reductions[s->number];
  f->code->blocks->reduce->accumulate[r->combiner][r->dtype](target(f, r->slot), f->slots[s->a], n);
}

void sni_interp_steps(sni_frame *f, sni_range list, size_t block) {
  const void **slots = f->slots;
  const sni_step *s = f->code->steps + list.first;
  for (const sni_step *end = s + list.count; s < end; s++) {
    const size_t n = s->one ? 1 : block;
    switch ((sni_step_kind)s->kind) {
      case SNI_STEP_CALL:
        s->function(target(f, s->dst), slots[s->a], slots[s->b], slots[s->c], block);
        break;
      case SNI_STEP_CALL_ONE:
        s->function(target(f, s->dst), slots[s->a], slots[s->b], slots[s->c], 1);
        break;
      case SNI_STEP_POINT:
        slots[s->dst] = address_of(f, s, NULL);
        break;
      case SNI_STEP_POINT_INDEXED:
        slots[s->dst] = address_of(f, s, NULL) + one_index(f, s);
        break;
      case SNI_STEP_LOAD:
        step_load(f, s, n);
        break;
      case SNI_STEP_STORE:
      case SNI_STEP_STORE_ADD:
        step_store(f, s, n);
        break;
      case SNI_STEP_STREAM:
        f->code->blocks->move->stream(address_of(f, s, NULL), slots[s->a],
                                      n * element_size[s->dtype]);
        break;
      case SNI_STEP_SCRATCH_POINT:
        slots[s->dst] = scratch_of(f, s);
        break;
      case SNI_STEP_SCRATCH_STORE:
        memmove(scratch_of(f, s), slots[s->a], n * element_size[s->dtype]);
        break;
      case SNI_STEP_COPY:
        memmove(target(f, s->dst), slots[s->a], n * element_size[s->dtype]);
        break;
      case SNI_STEP_SPLAT:
        f->code->blocks->move->splat[s->dtype](target(f, s->dst), slots[s->a], n);
        break;
      case SNI_STEP_INDEX:
        step_index(f, s, n);
        break;
      case SNI_STEP_CHECK:
        step_check(f, s, n);
        break;
      case SNI_STEP_REDUCE:
        step_reduce(f, s, n);
        break;
    }
  }
}

// ---- reductions

static void begin_reductions(const sni_frame *f, const sni_stage_program *stage, size_t n) {
  const sni_nest_code *code = f->code;
  for (uint32_t i = 0; i < stage->reductions.count; i++) {
    const sni_reduction *r = &code->reductions[stage->reductions.first + i];
    const size_t count = code->vector_inner ? f->lanes : r->one ? 1 : n;
    code->blocks->move->splat[r->dtype](target(f, r->slot), f->slots[r->identity], count);
  }
}

static void end_reductions(const sni_frame *f, const sni_stage_program *stage, size_t n) {
  const sni_nest_code *code = f->code;
  for (uint32_t i = 0; i < stage->reductions.count; i++) {
    const sni_reduction *r = &code->reductions[stage->reductions.first + i];
    void *at = target(f, r->slot);
    if (code->vector_inner)
      code->blocks->reduce->combine[r->combiner][r->dtype](at, f->lanes);
    else if (r->finish)
      r->finish(at, at, f->slots[r->zero], at, r->one ? 1 : n);
  }
}

// ---- loops over inner axes

static void move_addresses(sni_frame *f, const sni_stage_program *stage, int axis, int64_t steps) {
  const uint32_t *order = f->code->access_order + stage->accesses.first;
  for (uint32_t i = 0; i < stage->accesses.count; i++)
    f->address[order[i]] += steps * stride_of(f, order[i], axis);
}

// The next index of the axes [first, end), the last one fastest; back at 0 after the last.
static void next_inner(sni_frame *f, const sni_stage_program *stage, int first, int end) {
  for (int axis = end - 1; axis >= first; axis--) {
    if (++f->index[axis] < f->sizes[axis]) {
      move_addresses(f, stage, axis, 1);
      return;
    }
    move_addresses(f, stage, axis, 1 - f->sizes[axis]);
    f->index[axis] = 0;
  }
}

static void run_rows(sni_frame *f, const sni_stage_program *stage) {
  const sni_nest_code *code = f->code;
  const int64_t length = f->sizes[code->vector_axis];
  for (f->inner = 0; f->inner < f->inner_count; f->inner += length) {
    f->position = 0;
    sni_interp_steps(f, stage->lists[SNI_LIST_BLOCK], 1);
    while (f->position < length) {
      const int64_t rest = length - f->position;
      const size_t n = rest < code->block ? (size_t)rest : code->block;
      sni_interp_steps(f, stage->lists[SNI_LIST_LOOP], n);
      f->position += (int64_t)n;
    }
    next_inner(f, stage, code->n_outer, code->vector_axis);
  }
  f->position = 0;
}

void sni_interp_block(sni_frame *f, size_t n) {
  const sni_nest_code *code = f->code;
  for (uint32_t i = 0; i < code->n_stages; i++) {
    const sni_stage_program *stage = &code->stages[i];
    if (!stage->inner || f->inner_count > 0) sni_interp_steps(f, stage->lists[SNI_LIST_BLOCK], n);
    if (!stage->inner) continue;
    begin_reductions(f, stage, n);
    for (f->inner = 0; f->inner < f->inner_count; f->inner++) {
      sni_interp_steps(f, stage->lists[SNI_LIST_LOOP], n);
      next_inner(f, stage, code->n_outer, code->n_axes);
    }
    end_reductions(f, stage, n);
  }
}

// ---- units

void sni_interp_lists(sni_frame *f, int list) {
  for (uint32_t i = 0; i < f->code->n_stages; i++) {
    const sni_stage_program *stage = &f->code->stages[i];
    if (!stage->inner || f->inner_count > 0) sni_interp_steps(f, stage->lists[list], 1);
  }
}

void sni_interp_addresses(sni_frame *f) {
  const sni_nest_code *code = f->code;
  for (uint32_t i = 0; i < code->n_accesses; i++) {
    const int64_t *sizes = f->sizes + code->accesses[i].sizes;
    int64_t bytes = sizes[0];
    for (int axis = 0; axis < code->n_outer; axis++) bytes += f->index[axis] * sizes[axis + 1];
    f->address[i] = (char *)f->buffers[code->accesses[i].buffer] + bytes;
  }
}

// A row of the inner domain per unit.
static void run_inner_units(sni_frame *f, int64_t begin, int64_t end) {
  const sni_nest_code *code = f->code;
  for (int64_t unit = begin; unit < end; unit++) {
    if (unit > begin) {
      for (int axis = code->n_outer - 1; axis >= 0; axis--) {
        if (++f->index[axis] < f->sizes[axis]) break;
        f->index[axis] = 0;
      }
      sni_interp_addresses(f);
    }
    for (uint32_t i = 0; i < code->n_stages; i++) {
      const sni_stage_program *stage = &code->stages[i];
      if (stage->inner) begin_reductions(f, stage, 1);
      if (!stage->inner || f->inner_count > 0) sni_interp_steps(f, stage->lists[SNI_LIST_UNIT], 1);
      if (!stage->inner) continue;
      run_rows(f, stage);
      end_reductions(f, stage, 1);
    }
  }
}

// A piece of the last outer axis per unit.
static void run_outer_units(sni_frame *f, int64_t begin, int64_t end) {
  const sni_nest_code *code = f->code;
  const int vector = code->vector_axis;
  const int64_t extent = f->sizes[vector], grain = code->grain[vector];
  bool moved = true;
  for (int64_t unit = begin; unit < end; unit++) {
    if (moved) {
      if (unit > begin) sni_interp_addresses(f);
      sni_interp_lists(f, SNI_LIST_UNIT);
    }
    const int64_t rest = extent - f->unit_start, length = rest < grain ? rest : grain;
    for (int64_t done = 0; done < length; done += code->block) {
      f->position = f->unit_start + done;
      sni_interp_block(f, length - done < code->block ? (size_t)(length - done) : code->block);
    }
    f->unit_start += grain;
    moved = f->unit_start >= extent;
    if (!moved) continue;
    f->unit_start = 0;
    for (int axis = vector - 1; axis >= 0; axis--) {
      if (++f->index[axis] < f->sizes[axis]) break;
      f->index[axis] = 0;
    }
  }
}

// ---- the call

static const int64_t *resolve_sizes(const sni_nest_code *code, const int64_t *params,
                                    char *scratch) {
  if (!code->dynamic) return code->sizes;
  int64_t *sizes = (int64_t *)(void *)(scratch + code->size_table);
  for (uint32_t i = 0; i < code->n_sizes; i++) {
    const sni_size_source *source = &code->size_sources[i];
    sizes[i] =
        source->param < 0 ? source->value : sni_wrap_mul(params[source->param], source->value);
  }
  return sizes;
}

static void place_slots(sni_frame *f) {
  const sni_nest_code *code = f->code;
  for (const sni_place *p = code->places, *end = p + code->n_places; p < end; p++)
    f->slots[p->slot] = p->kind == SNI_PLACE_SCRATCH ? (const void *)(f->scratch + p->offset)
                        : p->kind == SNI_PLACE_CONSTANT
                            ? (const void *)(code->constants + p->offset)
                            : (const void *)(f->sizes + p->offset);
}

// An index into nothing: there is no element to clamp to, so nothing may be loaded. True: give up.
static bool checks_fail(const sni_frame *f) {
  const sni_nest_code *code = f->code;
  for (uint32_t i = 0; i < code->n_checks; i++) {
    const sni_check_program *check = &code->checks[i];
    if (f->sizes[check->size] > 0 || (check->inner && f->inner_count == 0)) continue;
    ((sni_scratch_header *)(void *)f->scratch)->fault = 1;
    return true;
  }
  return false;
}

static void begin_index(sni_frame *f, int64_t unit) {
  const sni_nest_code *code = f->code;
  int axis = code->n_outer - 1;
  if (!code->vector_inner) {
    const int64_t grain = code->grain[axis], extent = f->sizes[axis];
    const int64_t pieces = extent / grain + (extent % grain != 0);
    f->unit_start = pieces > 1 ? unit % pieces * grain : 0;
    if (pieces > 1) unit /= pieces;
    axis--;
  }
  for (; axis >= 0 && unit > 0; axis--) {
    f->index[axis] = unit % f->sizes[axis];
    unit /= f->sizes[axis];
  }
}

void sni_interp_run(const void *opaque, void *const *buffers, const int64_t *params, int64_t begin,
                    int64_t end, void *scratch) {
  if (begin >= end) return;
  const sni_nest_code *code = opaque;
  sni_frame f = {.code = code, .scratch = scratch, .buffers = buffers, .inner_count = 1};
  f.sizes = resolve_sizes(code, params, scratch);
  f.slots = (const void **)(void *)(f.scratch + code->slot_table);
  f.address = (char **)(void *)(f.scratch + code->address_table);
  for (int axis = code->n_outer; axis < code->n_axes; axis++) f.inner_count *= f.sizes[axis];
  const int64_t extent = f.sizes[code->vector_axis];
  for (f.lanes = 1; f.lanes < SNI_REDUCE_LANES && (int64_t)f.lanes < extent;) f.lanes *= 2;
  if (checks_fail(&f)) return;
  place_slots(&f);
  if (code->contraction.present) {
    sni_interp_contraction(&f, begin, end);
  } else {
    begin_index(&f, begin);
    sni_interp_addresses(&f);
    sni_interp_lists(&f, SNI_LIST_RUN);
    if (code->vector_inner)
      run_inner_units(&f, begin, end);
    else
      run_outer_units(&f, begin, end);
  }
#if defined(__x86_64__)
  if (code->streams) __builtin_ia32_sfence();
#endif
}
