// What the functions of strings share: calls of host functions, places of elements that broadcast, words about elements.
#ifndef SINTER_TEXT_CALLS_H
#define SINTER_TEXT_CALLS_H

#include <sinter/text.h>

#include <string.h>

enum { SNT_BLOCK = 64, SNT_MOST_IN = 5, SNT_NUMBERS = 4 };

typedef struct snt_call {
  const char *name;
  sn_host_callback callback;
  sn_dtype dtype;
  sn_shape shape;                // dims may be tokens (sn_symbolic_dim, sn_late_dim)
  int64_t numbers[SNT_NUMBERS];  // the call's own: snt_number
  bool two;                      // a second result of the same shape, of dtype second
  sn_dtype second;
} snt_call;
// A pure call; results are error tensors after a failure, which is pending.
void snt_run_two(sn_context *c, const snt_call *call, sn_tensor *const *in, int n, sn_tensor **out);
sn_tensor *snt_run(sn_context *c, const snt_call *call, sn_tensor *const *in, int n);
#define SNT_RUN(c, in, n, ...) snt_run(c, &(const snt_call){__VA_ARGS__}, in, n)
static inline int64_t snt_number(const sn_host_args *args, int i) {
  return args->attrs[i].integer;
}

// Whether t is a tensor of strings; if not, an error is pending that calls it name.
bool snt_strings_ok(sn_context *c, sn_tensor *t, const char *name);
// Whether t can be used and is of integers.
bool snt_integers_ok(sn_context *c, sn_tensor *t, const char *name);
bool snt_in_range(sn_context *c, int value, int last, const char *name);
// The shape of t, dims as tokens.
sn_shape snt_shape_of(const sn_tensor *t);
// What n tensors broadcast to. Errors: pending SN_ERR_SHAPE, and a shape of rank 0.
sn_shape snt_broadcast(sn_context *c, sn_tensor *const *in, int n);

// The elements of a callback's inputs that belong to the elements of its output 0, one after the other: at[k] of input k.
typedef struct snt_places {
  int rank, n;
  int64_t size;
  int64_t dims[SN_MAX_RANK], index[SN_MAX_RANK];
  int64_t steps[SNT_MOST_IN][SN_MAX_RANK], at[SNT_MOST_IN];
} snt_places;
void snt_places_begin(snt_places *p, const sn_host_args *args);
void snt_places_next(snt_places *p);

int64_t snt_size(const sn_view *view);
// The strings of a view, one after the other.
typedef struct snt_stream {
  const sn_view *view;
  int64_t size, first, n, at;  // of the view; the next to fetch; of texts, and the next of them
  sn_text texts[SNT_BLOCK];
} snt_stream;
sn_text snt_refill(snt_stream *s);
// The next of them: s->n texts, the first of which is string s->first - s->n. False: there are none left.
bool snt_stream_block(snt_stream *s);
static inline void snt_stream_begin(snt_stream *s, const sn_view *view) {
  s->view = view;
  s->size = snt_size(view);
  s->first = s->n = s->at = 0;
}
static inline sn_text snt_stream_next(snt_stream *s) {
  return s->at < s->n ? s->texts[s->at++] : snt_refill(s);
}
// A failure with words, behind those that name element i of view: "element [2,1] \"abc\" "; text NULL: no text.
sn_status snt_refuse_element(const sn_host_args *args, sn_status status, const sn_view *view,
                             int64_t i, const char *format, ...) SNI_PRINTF(5, 6);
sn_status snt_refuse(const sn_host_args *args, sn_status status, const char *format, ...)
    SNI_PRINTF(3, 4);
static inline sn_text snt_scalar(const sn_view *view) {
  return sn_view_string(view, 0);
}
static inline sn_text snt_text(const char *data, size_t length) {
  return (sn_text){data, length};
}

// Fingerprint64 of FarmHash.
uint64_t snt_fingerprint(sn_text text);

// A number of elements each, as rows: those that fill makes of t's elements, lengths[i] of element i in row i, and rows of rows where t has
// more dims than one; of a scalar a plain vector. values: [sum of lengths].
sn_ragged *snt_rows(sn_context *c, sn_tensor *t, sn_tensor *lengths, sn_tensor *values);
// The sum of lengths as a dim.
int64_t snt_total(sn_tensor *lengths);
sn_ragged *snt_no_ragged(sn_context *c);

// ---- bytes and characters
static inline bool snt_is_space(char b) {
  return b == ' ' || (b >= '\t' && b <= '\r');
}
static inline bool snt_begins(char b) {
  return ((unsigned char)b & 0xC0) != 0x80;
}
// Eight bytes as a word; the way back.
static inline uint64_t snt_load(const char *at) {
  uint64_t w;
  memcpy(&w, at, sizeof(w));
  return w;
}
static inline void snt_store(char *at, uint64_t w) {
  memcpy(at, &w, sizeof(w));
}
static inline uint32_t snt_load_half(const char *at) {
  uint32_t w;
  memcpy(&w, at, sizeof(w));
  return w;
}
static inline void snt_store_half(char *at, uint32_t w) {
  memcpy(at, &w, sizeof(w));
}
// A growing piece of memory: of texts whose length is not known before they are made.
typedef struct snt_buffer {
  char *data;
  size_t length, capacity;
  bool failed;  // no memory
} snt_buffer;
// Room for so many bytes more; NULL: no memory.
char *snt_buffer_room(snt_buffer *b, size_t more);
void snt_buffer_add(snt_buffer *b, sn_text text);
void snt_buffer_end(snt_buffer *b);
// Sets element i of output 0 to what it holds, and empties it.
sn_status snt_buffer_flush(snt_buffer *b, const sn_host_args *args, int64_t i);

#endif
