// Short rows in a loop whose lanes run over them: x[r i + c] for c below r. A turn reads the rows of
// its group as they lie in memory, and turns them into a vector for each column; it stores the other
// way round, behind its body. What a row keeps for itself is such vectors from the beginning.
//
// Invariant: nothing outside the rows of the group is touched: rows are read in pieces of 16 bytes,
// which overlap where a row is no multiple of that; shorter ones, which must follow each other
// directly, in whole vectors; rows behind the end of the loop not at all. Place: plan_kernel.c
// chooses, emit_lanes.c surrounds each turn, emit_access.c and emit_store.c look a column up here.
#include "codegen/llvm/emit_access.h"

enum {
  longest_row = 16,
  // instructions of all turns of a loop that is written out, with a sum in lanes
  longest_sum = 256,
  longest_loop = 128  // and of another
};

// ---- planning
static bool only_blocks(const sni_emitter *e, uint32_t item) {
  for (uint32_t i = item + 1; i < sni_item_at(e, item)->end; i++)
    if (sni_item_at(e, i)->kind != SNI_ITEM_BLOCK) return false;
  return true;
}

// The loop over the columns that an access stands in, directly inside a loop with lanes.
static bool walks_columns(const sni_emitter *e, uint32_t loop) {
  if (sni_item_at(e, loop)->kind != SNI_ITEM_LOOP || sni_item_at(e, loop)->parent == SNI_NO_ITEM)
    return false;
  const sni_loop_item *of = &sni_item_at(e, loop)->as.loop;
  const uint32_t rows = sni_item_at(e, loop)->parent;
  const bool in_pieces = of->chunk && of->extent.value > (int64_t)of->chunk;
  return of->kind != SNI_LOOP_SEQUENTIAL && of->strip == SNI_NO_ITEM && of->extent.param < 0 &&
         of->extent.value >= 2 && of->extent.value <= longest_row && !in_pieces &&
         only_blocks(e, loop) && sni_item_at(e, rows)->kind == SNI_ITEM_LOOP &&
         sni_tree_schedule(e->tree)[rows].lanes && !e->product[rows];
}

static bool is_only_access(const sni_emitter *e, uint32_t number) {
  const sni_tree_access *accesses = sni_tree_accesses(e->tree);
  for (uint32_t i = 0; i < e->tree->n_accesses; i++)
    if (i != number && accesses[i].buffer == accesses[number].buffer) return false;
  return true;
}

static bool is_short(const sni_emitter *e, uint32_t loop) {
  const sni_loop_item *of = &sni_item_at(e, loop)->as.loop;
  const int64_t insts = sni_end_inst(e, loop) - sni_first_inst(e, loop);
  const bool in_lanes = of->kind == SNI_LOOP_REDUCE && of->order == SNI_ORDER_LANES;
  return of->extent.value * insts <= (in_lanes ? longest_sum : longest_loop);
}

static bool feeds_contract(const sni_emitter *e, uint32_t buffer) {
  uint32_t accesses[3];
  for (uint32_t i = 0; i < e->tree->n_items; i++) {
    if (sni_item_at(e, i)->kind != SNI_ITEM_CONTRACT) continue;
    for (int k = sni_contract_accesses(&sni_item_at(e, i)->as.contract, accesses); k-- > 0;)
      if (sni_tree_accesses(e->tree)[accesses[k]].buffer == buffer) return true;
  }
  return false;
}

// A buffer of each row's own whose accesses all reach the column that their loop is at: it needs no
// place in the scratch.
static bool is_own_row(const sni_emitter *e, uint32_t number) {
  const sni_tree_buffer *buffers = sni_tree_buffers(e->tree);
  const uint32_t of = sni_tree_accesses(e->tree)[sni_inst_at(e, number)->access].buffer;
  uint32_t rows = SNI_NO_ITEM;
  int64_t columns = 0;
  for (uint32_t i = 0; i < e->tree->n_insts; i++) {
    const sni_tree_inst *inst = sni_inst_at(e, i);
    if (!sni_kop_has_access((sni_kop)inst->op)) continue;
    const sni_tree_access *access = &sni_tree_accesses(e->tree)[inst->access];
    if (access->buffer != of) continue;
    const uint32_t loop = sni_item_at(e, e->inst_facts[i].item)->parent;
    if (inst->op == SNI_KOP_UPDATE || loop == SNI_NO_ITEM || !walks_columns(e, loop) ||
        !e->is_vector[inst->op == SNI_KOP_LOAD ? i : inst->operands[0]])
      return false;
    const int depth = sni_item_at(e, loop)->depth;
    if (!columns) columns = sni_item_at(e, loop)->as.loop.extent.value;
    if (rows == SNI_NO_ITEM) rows = sni_item_at(e, loop)->parent;
    if (sni_item_at(e, loop)->parent != rows || buffers[of].scope != rows ||
        sni_item_at(e, loop)->as.loop.extent.value != columns || access->index != SNI_NO_VALUE ||
        access->n_ranges || !sni_extent_is(access->offset, 0) ||
        !sni_extent_is(access->stride[depth], 1) || !is_short(e, loop))
      return false;
    for (int d = 0; d < depth; d++)
      if (sni_extent_varies(access->stride[d])) return false;
  }
  return columns > 0 && !feeds_contract(e, of);
}

static bool fits(const sni_emitter *e, uint32_t number) {
  const sni_tree_inst *inst = sni_inst_at(e, number);
  if (inst->op != SNI_KOP_LOAD && inst->op != SNI_KOP_STORE) return false;
  const uint32_t loop = sni_item_at(e, e->inst_facts[number].item)->parent;
  if (loop == SNI_NO_ITEM || !walks_columns(e, loop)) return false;
  const uint32_t rows = sni_item_at(e, loop)->parent;
  const sni_tree_access *access = &sni_tree_accesses(e->tree)[inst->access];
  const sni_tree_buffer *buffer = &sni_tree_buffers(e->tree)[access->buffer];
  const int64_t columns = sni_item_at(e, loop)->as.loop.extent.value;
  const int64_t bytes = (int64_t)sni_dtype_bytes((sn_dtype)buffer->dtype);
  const sni_extent stride = access->stride[sni_item_at(e, rows)->depth];
  if (buffer->space == SNI_SPACE_ROW && bytes >= 4) return is_own_row(e, number);
  if (buffer->space != SNI_SPACE_GLOBAL || access->index != SNI_NO_VALUE || access->n_ranges ||
      bytes < 4 || e->item_lanes[rows] < 16 / bytes || stride.param >= 0 ||
      !sni_extent_is(access->stride[sni_item_at(e, loop)->depth], 1))
    return false;
  if (columns * bytes < 16 ? stride.value != columns : stride.value < columns) return false;
  return inst->op == SNI_KOP_LOAD ? !buffer->written && e->is_vector[number]
                                  : !buffer->read && is_only_access(e, inst->access);
}

static bool is_same_block(const sni_emitter *e, const sni_row_block *block, uint32_t number,
                          int columns) {
  const sni_tree_access *a = &sni_tree_accesses(e->tree)[block->access],
                        *b = &sni_tree_accesses(e->tree)[sni_inst_at(e, number)->access];
  const int depth = sni_item_at(e, block->rows)->depth;
  if (block->own && a->buffer == b->buffer) return true;
  if (block->stored || sni_inst_at(e, number)->op != SNI_KOP_LOAD || a->buffer != b->buffer ||
      block->columns != columns || !sni_extent_equal(a->offset, b->offset))
    return false;
  for (int d = 0; d <= depth; d++)
    if (!sni_extent_equal(a->stride[d], b->stride[d])) return false;
  return true;
}

static void add_access(sni_emitter *e, uint32_t number) {
  const uint32_t loop = sni_item_at(e, e->inst_facts[number].item)->parent;
  const uint32_t rows = sni_item_at(e, loop)->parent, access = sni_inst_at(e, number)->access;
  const int columns = (int)sni_item_at(e, loop)->as.loop.extent.value;
  const uint32_t buffer = sni_tree_accesses(e->tree)[access].buffer;
  const bool own = sni_tree_buffers(e->tree)[buffer].space == SNI_SPACE_ROW;
  uint32_t b = 0;
  while (b < e->n_row_blocks &&
         (e->row_blocks[b].rows != rows || !is_same_block(e, &e->row_blocks[b], number, columns)))
    b++;
  if (b == e->n_row_blocks)
    e->row_blocks[e->n_row_blocks++] =
        (sni_row_block){.access = access,
                        .rows = rows,
                        .columns = columns,
                        .own = own,
                        .stored = !own && sni_inst_at(e, number)->op == SNI_KOP_STORE,
                        .written_out = true};
  e->row_block[access] = b + 1;
  e->written_out[loop] = is_short(e, loop);
  e->row_blocks[b].written_out = e->row_blocks[b].written_out && e->written_out[loop];
}

void sni_plan_rows(sni_emitter *e) {
  e->n_row_blocks = 0;
  for (uint32_t i = 0; i < e->tree->n_insts; i++)
    if (fits(e, i)) add_access(e, i);
}

bool sni_rows_fill_turn(const sni_emitter *e, uint32_t item) {
  int inside = 0, outside = sni_count_operations(e, item);
  for (uint32_t i = item + 1; i < sni_item_at(e, item)->end; i++) {
    if (!e->written_out[i] || sni_item_at(e, i)->as.loop.extent.value < 4) continue;
    const int operations = sni_count_operations(e, i);
    inside += operations * (int)sni_item_at(e, i)->as.loop.extent.value;
    outside -= operations;
  }
  return inside > 0 && 2 * inside >= outside;
}

// ---- transposition of the vectors of one group vector: all 16-byte pieces at once
static int piece_lanes(const sni_place *p) {
  return 16 / (int)sni_dtype_bytes(p->dtype);
}

// of a and b, in each piece: halves (first or second) of their elements, `run` at a time by turns
static LLVMValueRef zip(sni_emitter *e, LLVMValueRef a, LLVMValueRef b, int piece, int run,
                        bool second) {
  int lanes[sni_max_group];
  for (int i = 0; i < e->lanes; i++) {
    const int base = i / piece * piece, at = i % piece;
    const int from = at / (2 * run) * run + at % run + (second ? piece / 2 : 0);
    lanes[i] = base + from + (at / run % 2 ? e->lanes : 0);
  }
  return sni_ir_shuffle(e, a, b, lanes, (unsigned)e->lanes);
}

// `piece` vectors: what is in element c of vector j goes to element j of vector c. Its own inverse.
static void transpose(sni_emitter *e, LLVMValueRef *v, int piece) {
  LLVMValueRef t[4];
  if (piece == 2) {
    t[0] = zip(e, v[0], v[1], 2, 1, false);
    t[1] = zip(e, v[0], v[1], 2, 1, true);
  } else {
    LLVMValueRef low[2], high[2];
    for (int i = 0; i < 2; i++) {
      low[i] = zip(e, v[2 * i], v[2 * i + 1], 4, 1, false);
      high[i] = zip(e, v[2 * i], v[2 * i + 1], 4, 1, true);
    }
    t[0] = zip(e, low[0], low[1], 4, 2, false);
    t[1] = zip(e, low[0], low[1], 4, 2, true);
    t[2] = zip(e, high[0], high[1], 4, 2, false);
    t[3] = zip(e, high[0], high[1], 4, 2, true);
  }
  for (int i = 0; i < piece; i++) v[i] = t[i];
}

// Where the rows of vector u begin. Behind the end of the loop it is the last row that is there.
static void find_rows(sni_emitter *e, const sni_place *p, const sni_group *group, int u,
                      LLVMValueRef *rows) {
  LLVMValueRef first = sni_vector_address(e, p, u), last = NULL;
  if (group->mask[u]) last = sni_ir_add(e, group->active[u], sni_ir_i64(e, -1));
  for (int i = 0; i < e->lanes; i++) {
    LLVMValueRef row = sni_ir_i64(e, i);
    if (last) row = sni_ir_min(e, row, last);
    row = sni_ir_mul(e, row, sni_ir_i64(e, p->stride.value));
    rows[i] = sni_ir_element_address(e, p->element, first, row);
  }
}

// The pieces of rows j, j + piece, j + 2 piece, ... at a column as one vector.
static LLVMValueRef load_pieces(sni_emitter *e, const sni_place *p, LLVMValueRef *rows, int count,
                                int column) {
  const int piece = piece_lanes(p);
  if (count > 1) {
    LLVMValueRef low = load_pieces(e, p, rows, count / 2, column);
    return sni_ir_concat(e, low, load_pieces(e, p, rows + count / 2 * piece, count / 2, column));
  }
  return sni_emit_vector_load(e, LLVMVectorType(p->element, (unsigned)piece),
                              sni_ir_element_address(e, p->element, rows[0], sni_ir_i64(e, column)),
                              NULL);
}

static void read_by_pieces(sni_emitter *e, const sni_place *p, LLVMValueRef *rows, int columns,
                           LLVMValueRef *out) {
  const int piece = piece_lanes(p);
  for (int c = 0; c < columns; c += piece) {
    const int from = c + piece <= columns ? c : columns - piece;
    LLVMValueRef v[4];
    for (int j = 0; j < piece; j++) v[j] = load_pieces(e, p, rows + j, e->lanes / piece, from);
    transpose(e, v, piece);
    for (int j = 0; j < piece; j++) out[from + j] = v[j];
  }
}

// Of rows [0, count).
static void write_by_pieces(sni_emitter *e, const sni_place *p, LLVMValueRef *rows, int64_t count,
                            int columns, LLVMValueRef *columns_of) {
  const int piece = piece_lanes(p);
  for (int c = 0; c < columns; c += piece) {
    const int from = c + piece <= columns ? c : columns - piece;
    LLVMValueRef v[4];
    for (int j = 0; j < piece; j++) v[j] = columns_of[from + j];
    transpose(e, v, piece);
    for (int row = 0; row < count; row++) {
      LLVMValueRef part =
          sni_ir_slice(e, v[row % piece], (unsigned)(row / piece * piece), (unsigned)piece);
      sni_emit_vector_store(
          e, part, sni_ir_element_address(e, p->element, rows[row], sni_ir_i64(e, from)), NULL);
    }
  }
}

// ---- rows shorter than a piece, one directly behind the other: element l of column c is element
// l columns + c of the vectors together. For three columns, two sources each have their own places.
static LLVMValueRef mix(sni_emitter *e, LLVMValueRef *sources, int count, const int *source,
                        const int *place) {
  LLVMValueRef mixed = sources[0];
  int lanes[sni_max_group];
  for (int s = 1; s < count; s++) {
    for (int i = 0; i < e->lanes; i++) {
      const int own = s == 1 ? place[i] : i;
      lanes[i] = source[i] == s ? e->lanes + place[i] : own;
    }
    mixed = sni_ir_shuffle(e, mixed, sources[s], lanes, (unsigned)e->lanes);
  }
  return mixed;
}

// Lanes of whole vector k that belong to rows which there are.
static LLVMValueRef whole_mask(sni_emitter *e, const sni_group *group, int u, int columns, int k) {
  if (!group->mask[u]) return NULL;
  LLVMValueRef elements = sni_ir_mul(e, group->active[u], sni_ir_i64(e, columns));
  elements = sni_ir_add(e, elements, sni_ir_i64(e, (int64_t)-k * e->lanes));
  return sni_emit_mask(e, elements, (unsigned)e->lanes);
}

static LLVMValueRef whole_address(sni_emitter *e, const sni_place *p, int u, int k) {
  return sni_ir_element_address(e, p->element, sni_vector_address(e, p, u),
                                sni_ir_i64(e, (int64_t)k * e->lanes));
}

static void read_whole(sni_emitter *e, const sni_place *p, const sni_group *group, int u,
                       int columns, LLVMValueRef *out) {
  LLVMTypeRef type = LLVMVectorType(p->element, (unsigned)e->lanes);
  LLVMValueRef v[4];
  int source[sni_max_group], place[sni_max_group];
  for (int k = 0; k < columns; k++)
    v[k] = sni_emit_vector_load(e, type, whole_address(e, p, u, k),
                                whole_mask(e, group, u, columns, k));
  for (int c = 0; c < columns; c++) {
    for (int l = 0; l < e->lanes; l++) {
      source[l] = (l * columns + c) / e->lanes;
      place[l] = (l * columns + c) % e->lanes;
    }
    out[c] = mix(e, v, columns, source, place);
  }
}

static void write_whole(sni_emitter *e, const sni_place *p, const sni_group *group, int u,
                        int columns, LLVMValueRef *columns_of) {
  int source[sni_max_group], place[sni_max_group];
  for (int k = 0; k < columns; k++) {
    for (int i = 0; i < e->lanes; i++) {
      source[i] = (k * e->lanes + i) % columns;
      place[i] = (k * e->lanes + i) / columns;
    }
    sni_emit_vector_store(e, mix(e, columns_of, columns, source, place), whole_address(e, p, u, k),
                          whole_mask(e, group, u, columns, k));
  }
}

static void read_rows(sni_emitter *e, const sni_place *p, const sni_group *group, int u,
                      int columns, LLVMValueRef *out) {
  LLVMValueRef rows[sni_max_group];
  if (columns < piece_lanes(p)) {
    read_whole(e, p, group, u, columns, out);
    return;
  }
  find_rows(e, p, group, u, rows);
  read_by_pieces(e, p, rows, columns, out);
}

// As many rows as there are; all, where that is known at run time only.
static void write_rows(sni_emitter *e, const sni_place *p, const sni_group *group, int u,
                       int columns, LLVMValueRef *from) {
  LLVMValueRef rows[sni_max_group];
  int64_t count = e->lanes;
  if (columns < piece_lanes(p)) {
    write_whole(e, p, group, u, columns, from);
    return;
  }
  sni_group all = *group;
  if (group->mask[u]) (void)sni_ir_is_constant(group->active[u], &count);
  all.mask[u] = NULL;
  find_rows(e, p, &all, u, rows);
  write_by_pieces(e, p, rows, count < e->lanes ? count : e->lanes, columns, from);
}

// ---- columns in the frame: [vector of the group][column][lane]
static LLVMValueRef column_address(sni_emitter *e, const sni_row_block *block, LLVMTypeRef element,
                                   int vector, LLVMValueRef column) {
  LLVMValueRef at = sni_ir_add(e, sni_ir_i64(e, (int64_t)vector * block->columns), column);
  return sni_ir_element_address(e, element, block->memory,
                                sni_ir_mul(e, at, sni_ir_i64(e, e->lanes)));
}

// Element by element, those rows of vector u that there are.
static void write_slowly(sni_emitter *e, const sni_row_block *block, const sni_place *p,
                         const sni_group *group, int u) {
  LLVMValueRef zero = sni_ir_i64(e, 0), one = sni_ir_i64(e, 1);
  sni_loop across, down;
  sni_loop_begin(e, &across, zero, sni_ir_min(e, sni_ir_i64(e, e->lanes), group->active[u]), one,
                 0);
  LLVMValueRef row = sni_ir_add(e, across.index, sni_ir_i64(e, (int64_t)u * e->lanes));
  row = sni_ir_add(e, p->offset, sni_ir_mul(e, row, sni_ir_i64(e, p->stride.value)));
  sni_loop_begin(e, &down, zero, sni_ir_i64(e, block->columns), one, 0);
  LLVMValueRef inside = column_address(e, block, p->element, u - group->first, down.index);
  inside = sni_ir_element_address(e, p->element, inside, across.index);
  LLVMBuildStore(e->builder, LLVMBuildLoad2(e->builder, p->element, inside, ""),
                 sni_address_at(e, p, sni_ir_add(e, row, down.index), 0));
  sni_loop_end(e, &down, NULL);
  sni_loop_end(e, &across, NULL);
}

static void write_from_frame(sni_emitter *e, const sni_row_block *block, const sni_place *p,
                             const sni_group *group, int u) {
  LLVMTypeRef type = LLVMVectorType(p->element, (unsigned)e->lanes);
  LLVMValueRef v[longest_row];
  for (int c = 0; c < block->columns; c++)
    v[c] = sni_emit_vector_load(
        e, type, column_address(e, block, p->element, u - group->first, sni_ir_i64(e, c)), NULL);
  write_rows(e, p, group, u, block->columns, v);
}

static void write_vector(sni_emitter *e, sni_row_block *block, const sni_place *p,
                         const sni_group *group, int u) {
  int64_t count;
  if (block->in_registers) {
    write_rows(e, p, group, u, block->columns,
               &block->vectors[(u - group->first) * block->columns]);
    return;
  }
  if (!group->mask[u] || block->columns < piece_lanes(p) ||
      sni_ir_is_constant(group->active[u], &count)) {
    write_from_frame(e, block, p, group, u);
    return;
  }
  sni_fork f = sni_fork_at(
      e, LLVMBuildICmp(e->builder, LLVMIntSGE, group->active[u], sni_ir_i64(e, e->lanes), ""));
  write_from_frame(e, block, p, group, u);
  sni_fork_other(e, &f);
  write_slowly(e, block, p, group, u);
  sni_fork_join(e, &f);
}

// ---- around a turn
static void begin_block(sni_emitter *e, sni_row_block *block, const sni_group *group) {
  const int columns = block->columns;
  LLVMValueRef v[longest_row];
  block->in_registers =
      block->written_out && sni_is_known_group(group) && group->count * columns <= sni_max_group;
  if (!block->in_registers) {
    const uint32_t buffer = sni_tree_accesses(e->tree)[block->access].buffer;
    const size_t bytes = sni_dtype_bytes((sn_dtype)sni_tree_buffers(e->tree)[buffer].dtype);
    block->memory = sni_frame_take(e, (int64_t)bytes * group->count * columns * e->lanes);
  }
  if (block->stored || block->own) return;
  const sni_place p = sni_access_place(e, block->access);
  for (int u = 0; u < group->count; u++) {
    LLVMValueRef *out = block->in_registers ? &block->vectors[u * columns] : v;
    read_rows(e, &p, group, group->first + u, columns, out);
    for (int c = 0; c < columns && !block->in_registers; c++)
      sni_emit_vector_store(e, v[c], column_address(e, block, p.element, u, sni_ir_i64(e, c)),
                            NULL);
  }
}

static void end_block(sni_emitter *e, sni_row_block *block, const sni_group *group) {
  if (block->stored) {
    const sni_place p = sni_access_place(e, block->access);
    for (int u = 0; u < group->count; u++) write_vector(e, block, &p, group, group->first + u);
  }
  if (!block->in_registers) sni_frame_release(e, block->memory);
}

void sni_begin_rows(sni_emitter *e, uint32_t item, const sni_group *group) {
  for (uint32_t b = 0; b < e->n_row_blocks; b++)
    if (e->row_blocks[b].rows == item) begin_block(e, &e->row_blocks[b], group);
}

void sni_end_rows(sni_emitter *e, uint32_t item, const sni_group *group) {
  for (uint32_t b = 0; b < e->n_row_blocks; b++)
    if (e->row_blocks[b].rows == item) end_block(e, &e->row_blocks[b], group);
}

// ---- one column
static sni_row_block *block_of(const sni_emitter *e, uint32_t number) {
  return &e->row_blocks[e->row_block[sni_inst_at(e, number)->access] - 1];
}

// The column that the walk is at; a constant where blocks lie in registers.
static LLVMValueRef column_now(sni_emitter *e, uint32_t number, int64_t *out_column) {
  const uint32_t loop = sni_item_at(e, e->inst_facts[number].item)->parent;
  LLVMValueRef column = e->indices[sni_item_at(e, loop)->depth];
  *out_column = 0;
  if (!sni_ir_is_constant(column, out_column) && block_of(e, number)->in_registers)
    sni_fail_emission(e, "kernel %s: a loop over columns is not written out", e->name);
  return column;
}

void sni_load_column(sni_emitter *e, uint32_t number, const sni_group *group) {
  const sni_row_block *block = block_of(e, number);
  LLVMTypeRef element = sni_ir_memory_type(e, (sn_dtype)sni_inst_at(e, number)->dtype);
  LLVMTypeRef type = LLVMVectorType(element, (unsigned)e->lanes);
  int64_t c;
  LLVMValueRef column = column_now(e, number, &c);
  for (int u = 0; u < group->count; u++)
    sni_set_vector(
        e, number, group->first + u,
        block->in_registers
            ? block->vectors[u * block->columns + c]
            : sni_emit_vector_load(e, type, column_address(e, block, element, u, column), NULL));
}

void sni_store_column(sni_emitter *e, uint32_t number, const sni_group *group) {
  sni_row_block *block = block_of(e, number);
  const sni_tree_inst *inst = sni_inst_at(e, number);
  LLVMTypeRef element = sni_ir_memory_type(e, (sn_dtype)inst->dtype);
  int64_t c;
  LLVMValueRef column = column_now(e, number, &c);
  for (int u = 0; u < group->count; u++) {
    LLVMValueRef value = sni_operand(e, inst->operands[0], group->first + u);
    if (block->in_registers)
      block->vectors[u * block->columns + c] = value;
    else
      sni_emit_vector_store(e, value, column_address(e, block, element, u, column), NULL);
  }
}
