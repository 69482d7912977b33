// The emission of one CONTRACT with its loops, shared by emit_product.c (units, panels, rows) and
// emit_product_k.c (the loop over k). Rows and columns are those of the plan: swapped ones run along n
// and m.
#ifndef SNI_CODEGEN_LLVM_EMIT_PRODUCT_H
#define SNI_CODEGEN_LLVM_EMIT_PRODUCT_H

#include "codegen/llvm/emit_walk.h"

enum { sni_most_rows = 32 };  // of a block

typedef struct sni_factor {
  uint32_t access;
  sn_dtype dtype;  // of the product, or a storage dtype that computes in it
  LLVMTypeRef element;
  LLVMValueRef base;  // at m = n = k = 0
  sni_extent stride;  // along its own axis: left: rows, right: columns
  sni_extent k_stride;
  LLVMValueRef map;  // memory of it; NULL: strides say it all
} sni_factor;

// An offset or a form of the epilogue, as it is at the place at hand.
typedef struct sni_product_slot {
  LLVMValueRef *slot, unit, panel;
  sni_extent row[SNI_CONTRACT_AXES];  // strides along the loops that count rows
  sni_extent column;
  int64_t *displacement;  // of an offset; NULL
} sni_product_slot;

typedef struct sni_product {
  sni_contraction_nest nest;
  sni_contraction_plan plan;
  uint32_t rows, columns;  // items of their loops; rows may be SNI_NO_ITEM, or the last of several
  uint32_t row_loops[SNI_CONTRACT_AXES];  // those that count rows, outermost first
  int n_row_loops;                        // of several, a row's number counts from their spans on
  sni_span row_spans[SNI_CONTRACT_AXES];
  LLVMValueRef row_lengths[SNI_CONTRACT_AXES];
  uint32_t first, end;  // instructions of the nest
  uint32_t number;      // of the CONTRACTION
  uint32_t from;        // access that the sums go on from; SNI_NO_VALUE
  sn_dtype dtype;
  LLVMTypeRef element, vector;
  sni_factor left, right;
  LLVMValueRef k_extent;
  sni_product_slot *slots;
  uint32_t n_slots;
  uint8_t *phase;  // of each instruction of the nest
  bool direct;     // a short epilogue: straight from the accumulators
  LLVMValueRef row_first, row_last, column_last;  // of the unit, or of the rectangle
  LLVMValueRef tile, tile_pitch;                  // sums of the panel; bytes from row to row
  // of the panel at hand
  sni_group group;
  LLVMValueRef column;         // first one
  LLVMValueRef right_address;  // at k = 0
} sni_product;

// ---- emit_product.c
int sni_product_depth(const sni_emitter *e, uint32_t item);  // -1: no item
// Offsets of the epilogue: to the panel at hand; then to row + number, where rows of a block differ by a
// constant.
void sni_set_panel(sni_emitter *e, sni_product *p);
void sni_set_row(sni_emitter *e, const sni_product *p, LLVMValueRef row, int number);
void sni_begin_panel(sni_emitter *e, sni_product *p, LLVMValueRef column, int vectors);
void sni_set_masks(sni_emitter *e, sni_product *p, LLVMValueRef end, bool masked);
// What the sums of row + number go on from.
void sni_emit_from(sni_emitter *e, sni_product *p, LLVMValueRef row, int number,
                   LLVMValueRef *sums);
void sni_store_tile(sni_emitter *e, const sni_product *p, LLVMValueRef row, int rows,
                    LLVMValueRef *sums);
// The epilogue of rows [0, count) of the tile, which are rows first, first + 1, ... of the product.
void sni_emit_from_tile(sni_emitter *e, sni_product *p, LLVMValueRef first, LLVMValueRef count);

// ---- emit_product_called.c
void sni_emit_called(sni_emitter *e, sni_product *p, sni_span rows, sni_span columns);

// ---- emit_product_k.c
LLVMValueRef sni_multiply_add(sni_emitter *e, sn_dtype dtype, LLVMValueRef a, LLVMValueRef b,
                              LLVMValueRef sum);
// What a sum of products begins with: +0.0, or, of one product, which stays as it is, -0.0.
LLVMValueRef sni_product_start(sni_emitter *e, LLVMTypeRef type, sn_dtype dtype,
                               const sni_contract_item *c);
// All of its k.
LLVMValueRef sni_contract_extent(sni_emitter *e, const sni_contract_item *c);
// out: the sums of rows x vectors, from `sums` on. offsets: per row, elements from row to row 0;
// NULL: constant strides.
void sni_emit_k_loop(sni_emitter *e, sni_product *p, LLVMValueRef row, int rows,
                     LLVMValueRef *offsets, LLVMValueRef *sums);

#endif
