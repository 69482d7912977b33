// One access at the place where the walk stands, shared by emit_access.c (addresses, ranges, loads)
// and emit_store.c.
#ifndef SNI_CODEGEN_LLVM_EMIT_ACCESS_H
#define SNI_CODEGEN_LLVM_EMIT_ACCESS_H

#include "codegen/llvm/emit_walk.h"

// Offsets are numbers up to the end: accesses of one shape share them, and each
// needs no register but its buffer's.
typedef struct sni_place {
  const sni_tree_access *access;
  sn_dtype dtype;
  LLVMTypeRef element;   // in memory
  LLVMValueRef buffer;   // address of element 0
  LLVMValueRef offset;   // in elements, at lane 0 of the group
  int64_t displacement;  // added to it
  sni_extent stride;     // along the lanes
  LLVMValueRef step;     // the same as a number
  int64_t room;          // > 0: each lane owns its elements; lanes that one has room for
  bool by_lane;          // the index varies along the lanes
  bool varies;           // along the lanes
} sni_place;

sni_place sni_access_place(sni_emitter *e, uint32_t access);
LLVMValueRef sni_address_at(sni_emitter *e, const sni_place *p, LLVMValueRef offset,
                            int64_t constant);
LLVMValueRef sni_scalar_address(sni_emitter *e, const sni_place *p);
// Of lane 0 of vector u, without an index that varies by lane.
LLVMValueRef sni_vector_address(sni_emitter *e, const sni_place *p, int u);
LLVMValueRef sni_lane_offsets(sni_emitter *e, const sni_place *p, int u);
// Of a vector that runs backwards through memory: its last lane, and its elements turned round.
LLVMValueRef sni_lowest_address(sni_emitter *e, const sni_place *p, LLVMValueRef address);
LLVMValueRef sni_reversed(sni_emitter *e, LLVMValueRef vector);

// i1: the ranges that do not vary along the lanes hold (NULL: there are none); and for those that
// do, that they hold for the first and for the last lane of the group, hence for all.
LLVMValueRef sni_ranges_hold(sni_emitter *e, const sni_tree_access *access, const sni_group *group,
                             bool varying);
// Lanes of vector u for which all ranges hold.
LLVMValueRef sni_range_mask(sni_emitter *e, const sni_tree_access *access, const sni_group *group,
                            int u);
bool sni_ranges_vary(const sni_emitter *e, const sni_tree_access *access);
LLVMValueRef sni_both(sni_emitter *e, LLVMValueRef a, LLVMValueRef b);  // a: NULL: b

// Two ways of one access, chosen by a condition, and where they meet.
typedef struct sni_fork {
  LLVMBasicBlockRef yes, no, after;
  LLVMBasicBlockRef ends[2];
} sni_fork;

// The builder is where the condition holds; after sni_fork_other where it does not.
sni_fork sni_fork_at(sni_emitter *e, LLVMValueRef condition);
void sni_fork_other(sni_emitter *e, sni_fork *f);
void sni_fork_join(sni_emitter *e, sni_fork *f);

#endif
