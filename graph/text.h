// The textual form of graphs, shared by printer and parser. Every node is one line:
//
//   func @step {
//     %0 = parameter input 0 "x" : f32[B,10]
//     %1 = parameter variable 0 : f32[10,3]
//     %2 = matmul(%0, %1) {ta=0, tb=0} : f32[B,3]
//     %3 = constant [1, 2.5, -inf] : f32[3]
//     return %2, var 0 = %1
//   }
//
// A control op has its bodies in brackets behind its attributes: cond(%0, %1) [func { ... }, func { ... }] : bool[].
// The name behind @ and the strings are optional. Constants of more than 64 elements are their
// bytes: 0x0000803f... Line comments start with //. Locations, hints and guards are not part of the
// text; a parsed node's location is its line in it.
#ifndef SNI_GRAPH_TEXT_H
#define SNI_GRAPH_TEXT_H

#include "graph/graph.h"

enum { sni_text_max_elements = 64 };  // of a constant written as a list
// The file of a parsed node's location; its line is the text's.
#define SNI_TEXT_FILE "text"

static inline bool sni_text_is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.';
}
// "input", "variable", "capture", by sni_parameter_kind.
extern const char *const sni_text_parameter_kinds[3];
void sni_text_add_dim(sni_text *text, const sni_dim_table *dims, sni_dim dim);
void sni_text_add_type(sni_text *text, const sni_dim_table *dims, const sni_type *type);
// In quotes, with \" \\ and \xHH.
void sni_text_add_quoted(sni_text *text, const char *string);
// A constant's elements: a bare one for rank 0, a list, or bytes.
void sni_text_add_elements(sni_text *text, const sni_type *type, const void *data);

// Elements from the literal [begin, end), which is one of those forms. On SN_ERR_SYNTAX *out_error
// says what is wrong and *out_at where. The elements lie in the arena.
sn_status sni_text_read_elements(sni_arena *arena, const char *begin, const char *end,
                                 const sni_type *type, void **out_data, const char **out_error,
                                 const char **out_at);

#endif
