// The textual form of trees (tree_print.c shows it): what printer and parser share.
#ifndef SNI_CODEGEN_TREE_TEXT_H
#define SNI_CODEGEN_TREE_TEXT_H

#include "codegen/kernel/tree_inside.h"

// The words of the text, by value.
extern const char *const sni_loop_kind_names[SNI_LOOP_KINDS];
extern const char *const sni_order_names[SNI_ORDERS];
extern const char *const sni_space_names[SNI_SPACES];
// A float as the text writes it: digits with a '.', inf, -inf, nan:<16 hexadecimal digits>.
bool sni_tree_parse_float(const char *text, size_t length, double *out_value);

// ---- reading. Errors: SN_ERR_SYNTAX with line:column. Space and comments (//) are skipped.
typedef struct sni_tree_reader {
  const char *text, *cursor, *end;
  sni_diag *diag;
} sni_tree_reader;

static inline bool sni_tree_is_digit(char c) {
  return c >= '0' && c <= '9';
}
sn_status sni_tree_fail_at(const sni_tree_reader *r, const char *at, const char *format, ...)
    SNI_PRINTF(3, 4);
void sni_tree_skip_space(sni_tree_reader *r);
bool sni_tree_next_is(sni_tree_reader *r, char c);
bool sni_tree_accept(sni_tree_reader *r, char c);
sn_status sni_tree_expect(sni_tree_reader *r, char c);
// A run of letters, digits and '_'; its length, 0 if there is none.
size_t sni_tree_read_word(sni_tree_reader *r, const char **out_word);
bool sni_tree_word_is(const char *word, size_t length, const char *wanted);
bool sni_tree_accept_word(sni_tree_reader *r, const char *wanted);
sn_status sni_tree_expect_word(sni_tree_reader *r, const char *wanted);
// Which of `names` the next word is.
sn_status sni_tree_read_choice(sni_tree_reader *r, const char *const *names, int count,
                               const char *what, int *out_choice);
sn_status sni_tree_read_u32(sni_tree_reader *r, uint32_t *out_value);
// Digits, behind a minus where there was one.
sn_status sni_tree_read_signed(sni_tree_reader *r, bool minus, int64_t *out_value);
// A letter and the number behind it: b3, i0, %12.
sn_status sni_tree_read_numbered(sni_tree_reader *r, char letter, const char *what,
                                 uint32_t *out_number);
sn_status sni_tree_read_value(sni_tree_reader *r, uint32_t *out_value);
// A number or p<number>.
sn_status sni_tree_read_extent(sni_tree_reader *r, sni_extent *out_extent);
sn_status sni_tree_read_float(sni_tree_reader *r, double *out_value);
sn_status sni_tree_read_dtype(sni_tree_reader *r, sn_dtype *out_dtype);

#endif
