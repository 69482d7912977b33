// Inside of the random ops: where words come from.
//
// A source is the context's generator, a variable i64[3] {key, stream, counter}, or a key. Each draw reads its
// state and moves it on by the blocks that the draw takes.
#ifndef SNI_FRONTEND_OPS_RANDOM_H
#define SNI_FRONTEND_OPS_RANDOM_H

#include "frontend/ops/compose.h"
#include "runtime/random.h"

typedef struct sni_source {
  sn_context *context;
  sn_tensor *state;  // i64[3]
  sni_random_algorithm algorithm;
  bool keyed, drawn;
  sni_dim blocks;  // of the last draw
} sni_source;

// False, with an error pending: the options say nothing that can be.
bool sni_source_open(sn_context *c, const sn_random_options *options, sni_source *out_source,
                     sn_random_options *out_options);
sni_source sni_source_of_context(sn_context *c);
// A node of the op with the source's state as operand #0. b: operand #1, or NULL; flag: attribute #1, or -1.
// blocks: how many the draw takes.
sn_tensor *sni_source_draw(sni_source *source, sni_op op, const sni_type *type, sn_tensor *b,
                           int flag, sni_dim blocks);
// Blocks of n elements of which `each` share one; Threefry has one per element.
sni_dim sni_source_blocks(const sni_source *source, sni_dim n, int each);
// Words: i32, or i64.
sn_tensor *sni_source_words(sni_source *source, sn_dtype dtype, const sni_type *shape);
// [0, 1), floats.
sn_tensor *sni_source_uniform(sni_source *source, const sni_type *type);
// Words i64 as keys: another source of the Threefry key that element i of them [n] is.
sni_source sni_source_of_word(sn_context *c, sn_tensor *words, int64_t i);
// States of as many generators, i64[n, 3], each as after sn_set_seed with a word of one draw of the context's.
sn_tensor *sni_random_states(sn_context *c, sni_dim n);
// The halves of words i64[...] as [..., 2], the upper one first; i64.
sn_tensor *sni_source_halves(sn_context *c, sn_tensor *words);

#endif
