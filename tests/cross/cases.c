// cases FILE [MODES]: each case of the file, e(ager) and c(ompiled); counts by op, and each difference. Fails when more than 1 of 200 differ, none ran,
// or the two modes differ.
#include "cross/cases.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- questions of an area's calls
static const cross_attr *find(const cross_case *c, const char *name, char kind) {
  for (int i = 0; i < c->n_attrs; i++)
    if (!strcmp(c->attrs[i].name, name) && c->attrs[i].kind == kind) return &c->attrs[i];
  return NULL;
}

int64_t cross_int(const cross_case *c, const char *name, int64_t otherwise) {
  const cross_attr *a = find(c, name, 'i');
  return a ? a->integer : otherwise;
}

double cross_real(const cross_case *c, const char *name, double otherwise) {
  const cross_attr *a = find(c, name, 'f');
  return a ? a->real : otherwise;
}

const char *cross_text(const cross_case *c, const char *name, const char *otherwise) {
  const cross_attr *a = find(c, name, 'x');
  return a ? a->text.data : otherwise;
}

sn_tensor *cross_tensor(const cross_case *c, int i) {
  return i < c->n_in && c->in[i].n ? c->in[i].tensors[0] : NULL;
}

cross_value cross_of_tensor(sn_tensor *t) {
  return (cross_value){'t', 1, {t}};
}

cross_value cross_of_ragged(const sn_ragged *r) {
  cross_value value = {'r', 0, {0}};
  if (sn_failed(r)) return value;
  sn_ragged_open(r, value.tensors);
  while (value.n < CROSS_TENSORS && value.tensors[value.n]) value.n++;
  return value;
}

sn_ragged *cross_ragged(const cross_case *c, int i) {
  return i < c->n_in ? sn_ragged_make(c->context, c->in[i].tensors) : NULL;
}

cross_value cross_of_sparse(const sn_sparse *s) {
  if (sn_failed(s)) return (cross_value){'s', 0, {0}};
  sn_tensor *values = sn_sparse_values(s), *shape = sn_sparse_dense_shape(s);
  return (cross_value){'s', 3, {sn_sparse_indices(s), values, shape}};
}

sn_sparse *cross_sparse(const cross_case *c, int i) {
  if (i >= c->n_in || c->in[i].n != 3) return NULL;
  sn_tensor *const *t = c->in[i].tensors;
  return sn_sparse_from_parts(t[0], t[1], t[2]);
}

// ---- reading
typedef struct reader {
  FILE *file;
  int c;
} reader;

static void stop(const char *what) {
  fprintf(stderr, "the file of cases is malformed: %s\n", what);
  exit(2);
}

static void next(reader *r) {
  r->c = getc(r->file);
}

static void blanks(reader *r) {
  while (r->c == ' ') next(r);
}

static bool word(reader *r, char *out, size_t capacity) {
  size_t n = 0;
  blanks(r);
  while (r->c != EOF && r->c != ' ' && r->c != '\n') {
    if (n + 1 == capacity) stop("a word");
    out[n++] = (char)r->c;
    next(r);
  }
  out[n] = 0;
  return n > 0;
}

static int hex(int c) {
  return c >= 'a' ? c - 'a' + 10 : c - '0';
}

// "..." with \xHH for whatever is not plain.
static sn_text text(reader *r) {
  blanks(r);
  if (r->c != '"') stop("a text");
  size_t n = 0, capacity = 16;
  char *data = malloc(capacity);
  for (next(r); r->c != '"'; next(r)) {
    if (r->c == EOF || !data) stop("a text");
    int byte = r->c;
    if (byte == '\\') {
      next(r);
      const int high = (next(r), r->c);
      next(r);
      byte = hex(high) << 4 | hex(r->c);
    }
    if (n + 2 > capacity) data = realloc(data, capacity *= 2);
    if (!data) stop("memory");
    data[n++] = (char)byte;
  }
  next(r);
  data[n] = 0;
  return (sn_text){data, n};
}

static sn_dtype dtype_of(const char *name) {
#define X(suffix, text, bytes, ctype) \
  if (!strcmp(name, text)) return SN_##suffix;
  SN_DTYPE_LIST(X)
#undef X
  if (strcmp(name, "string")) stop(name);
  return SN_STRING;
}

static void put_number(reader *r, sn_dtype dtype, char *to) {
  char number[64];
  if (!word(r, number, sizeof(number))) stop("an element");
  switch (dtype) {
#define INTEGER(NAME, ctype)                                                         \
  case SN_##NAME: {                                                                  \
    const ctype value = (ctype)(*number == '-' ? (uint64_t)strtoll(number, NULL, 10) \
                                               : strtoull(number, NULL, 10));        \
    memcpy(to, &value, sizeof(value));                                               \
    break;                                                                           \
  }
    INTEGER(BOOL, uint8_t)
    INTEGER(I8, int8_t)
    INTEGER(I16, int16_t)
    INTEGER(I32, int32_t)
    INTEGER(I64, int64_t)
    INTEGER(U8, uint8_t)
    INTEGER(U16, uint16_t)
    INTEGER(U32, uint32_t)
    INTEGER(U64, uint64_t)
#undef INTEGER
    case SN_F32: {
      const float value = strtof(number, NULL);
      memcpy(to, &value, sizeof(value));
      break;
    }
    case SN_F64: {
      const double value = strtod(number, NULL);
      memcpy(to, &value, sizeof(value));
      break;
    }
    default:
      stop("a dtype");
  }
}

// t DTYPE RANK DIMS.. ELEMENTS..
static sn_tensor *tensor(reader *r, sn_context *c) {
  char name[64];
  sn_shape shape = {0};
  (void)word(r, name, sizeof(name));
  const sn_dtype dtype = dtype_of(name);
  (void)word(r, name, sizeof(name));
  shape.rank = atoi(name);
  int64_t size = 1;
  for (int i = 0; i < shape.rank; i++) {
    (void)word(r, name, sizeof(name));
    size *= shape.dims[i] = atoll(name);
  }
  sn_tensor *t;
  if (dtype == SN_STRING) {
    sn_text *texts = calloc((size_t)size + 1, sizeof(*texts));
    for (int64_t i = 0; texts && i < size; i++) texts[i] = text(r);
    t = sn_strings_from_texts(c, shape, texts);
    for (int64_t i = 0; texts && i < size; i++) free((char *)(uintptr_t)texts[i].data);
    free(texts);
  } else {
    const size_t bytes = sn_dtype_size(dtype);
    char *data = calloc((size_t)size + 1, bytes);
    for (int64_t i = 0; data && i < size; i++) put_number(r, dtype, data + (size_t)i * bytes);
    t = sn_constant(c, dtype, shape, data);
    free(data);
  }
  if (sn_failed(t)) stop(sn_error_message(c));
  return t;
}

static void expect(reader *r, const char *wanted) {
  char got[64];
  if (!word(r, got, sizeof(got)) || strcmp(got, wanted)) stop(wanted);
}

static void line_end(reader *r) {
  blanks(r);
  if (r->c != '\n') stop("a line goes on");
  next(r);
}

// in|out t ..., in|out r N and N lines of t, in|out s and three, in n
static void value(reader *r, sn_context *c, cross_value *v) {
  char kind[64], count[64];
  (void)word(r, kind, sizeof(kind));
  *v = (cross_value){.kind = kind[0]};
  if (v->kind == 't') {
    v->tensors[v->n++] = tensor(r, c);
  } else if (v->kind != 'n') {
    (void)word(r, count, sizeof(count));
    const int n = atoi(count);
    if (n > CROSS_TENSORS) stop("parts");
    while (v->n < n) {
      line_end(r);
      expect(r, "t");
      v->tensors[v->n++] = tensor(r, c);
    }
  }
}

static bool read_case(reader *r, sn_context *c, cross_case *k) {
  char key[64], number[64];
  const int before = k->number;
  memset(k, 0, sizeof(*k));
  k->context = c;
  k->number = before + 1;
  if (r->c == EOF) return false;
  expect(r, "case");
  (void)word(r, k->op, sizeof(k->op));
  line_end(r);
  while (word(r, key, sizeof(key)) && strcmp(key, "end")) {
    if (!strcmp(key, "in") && k->n_in < CROSS_VALUES) {
      value(r, c, &k->in[k->n_in++]);
    } else if (!strcmp(key, "out") && k->n_out < CROSS_VALUES) {
      value(r, c, &k->out[k->n_out++]);
    } else if (!strcmp(key, "fails")) {
      k->fails = true;
    } else if (!strcmp(key, "known")) {
      (void)word(r, k->known, sizeof(k->known));
    } else if (strchr("ifx", key[0]) && !key[1] && k->n_attrs < CROSS_ATTRS) {
      cross_attr *a = &k->attrs[k->n_attrs++];
      a->kind = key[0];
      (void)word(r, a->name, sizeof(a->name));
      if (a->kind == 'x')
        a->text = text(r);
      else if (word(r, number, sizeof(number)))
        a->integer = atoll(number), a->real = strtod(number, NULL);
    } else {
      stop(key);
    }
    line_end(r);
  }
  line_end(r);
  return true;
}

static void free_case(cross_case *k) {
  for (int i = 0; i < k->n_attrs; i++) free((char *)(uintptr_t)k->attrs[i].text.data);
}

// ---- comparing
static bool close_to(double got, double wanted, double relative) {
  if (isnan(wanted)) return isnan(got);
  if (isinf(wanted)) return got == wanted;
  return fabs(got - wanted) <= relative * (1e-3 + fabs(wanted));
}

static bool same_texts(const sn_tensor *got, const sn_tensor *wanted, int64_t n) {
  sn_text *texts = calloc(2 * (size_t)n + 1, sizeof(*texts));
  bool same = texts && !sn_read_strings(got, texts, n) && !sn_read_strings(wanted, texts + n, n);
  for (int64_t i = 0; same && i < n; i++)
    same = texts[i].length == texts[n + i].length &&
           (!texts[i].length || !memcmp(texts[i].data, texts[n + i].data, texts[i].length));
  free(texts);
  return same;
}

static bool same_numbers(const sn_tensor *got, const sn_tensor *wanted, size_t n) {
  const sn_dtype dtype = sn_dtype_of(wanted);
  const size_t bytes = n * sn_dtype_size(dtype);
  char *a = malloc(2 * bytes + 1), *b = a + bytes;
  bool same = a && !sn_read(got, a, bytes) && !sn_read(wanted, b, bytes);
  if (same && dtype == SN_F32)
    for (size_t i = 0; same && i < n; i++)
      same = close_to((double)((float *)(void *)a)[i], (double)((float *)(void *)b)[i], 3e-5);
  else if (same && dtype == SN_F64)
    for (size_t i = 0; same && i < n; i++) {
      double x, y;
      memcpy(&x, a + i * sizeof(x), sizeof(x));
      memcpy(&y, b + i * sizeof(y), sizeof(y));
      same = close_to(x, y, 1e-9);
    }
  else if (same)
    same = !memcmp(a, b, bytes);
  free(a);
  return same;
}

static bool same_tensor(const sn_tensor *got, const sn_tensor *wanted) {
  if (sn_failed(got) || sn_rank(got) != sn_rank(wanted) || sn_dtype_of(got) != sn_dtype_of(wanted))
    return false;
  for (int i = 0; i < sn_rank(wanted); i++)
    if (sn_dim(got, i) != sn_dim(wanted, i)) return false;
  const int64_t n = sn_size(wanted);
  return sn_dtype_of(wanted) == SN_STRING ? same_texts(got, wanted, n)
                                          : same_numbers(got, wanted, (size_t)n);
}

static bool same_values(const cross_case *k, const cross_value *got) {
  for (int i = 0; i < k->n_out; i++) {
    if (got[i].kind != k->out[i].kind || got[i].n != k->out[i].n) return false;
    for (int j = 0; j < got[i].n; j++)
      if (!same_tensor(got[i].tensors[j], k->out[i].tensors[j])) return false;
  }
  return true;
}

static void print_value(const cross_value *v) {
  char line[400];
  printf("    %c", v->kind);
  for (int i = 0; i < v->n; i++) {
    if (sn_failed(v->tensors[i])) continue;
    sn_format(v->tensors[i], line, sizeof(line));
    printf(" %s rank %d %s", sn_dtype_name(sn_dtype_of(v->tensors[i])), sn_rank(v->tensors[i]),
           line);
  }
  printf("\n");
}

// ---- running: tensors of `in` become inputs of a function, those of the results its outputs
enum { CHECKED = 3 };  // parts of a result that should fail
typedef struct compiled {
  const cross_case *of;
  const cross_op *op;
  int n_out;
} compiled;

static int count(const cross_value *values, int n) {
  int tensors = 0;
  for (int i = 0; i < n; i++) tensors += values[i].n;
  return tensors;
}

static sn_status callback(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const compiled *f = user;
  cross_case traced = *f->of;
  cross_value results[CROSS_VALUES] = {{0}};
  int at = 0;
  traced.context = c;
  for (int i = 0; i < traced.n_in; i++)
    for (int j = 0; j < traced.in[i].n; j++) traced.in[i].tensors[j] = in[at++];
  f->op->call(&traced, results);
  if (sn_pending_error(c)) return SN_OK;
  if (f->of->fails) {  // whatever there is of it
    for (int i = 0; i < CROSS_VALUES && !out[0]; i++)
      for (int j = 0; j < CHECKED && results[i].n > 0; j++)  // its last parts
        out[j] = results[i].tensors[results[i].n - 1 - j % results[i].n];
    return SN_OK;
  }
  at = 0;
  for (int i = 0; i < traced.n_out; i++) {
    if (results[i].n != traced.out[i].n || results[i].kind != traced.out[i].kind)
      return sn_fail(c, SN_ERR_CALLBACK, "result %d is of another kind", i);
    for (int j = 0; j < results[i].n; j++) out[at++] = results[i].tensors[j];
  }
  return SN_OK;
}

static sn_status run_compiled(sn_context *c, const cross_case *k, const cross_op *op,
                              cross_value *results) {
  sn_tensor *in[CROSS_VALUES * CROSS_TENSORS], *out[CROSS_VALUES * CROSS_TENSORS] = {NULL};
  const int n_in = count(k->in, k->n_in), n_out = k->fails ? CHECKED : count(k->out, k->n_out);
  compiled user = {k, op, n_out};
  int at = 0;
  for (int i = 0; i < k->n_in; i++)
    for (int j = 0; j < k->in[i].n; j++) in[at++] = k->in[i].tensors[j];
  sn_function *f = sn_function_create(c, callback, .user = &user, .inputs = n_in, .outputs = n_out);
  sn_status status = f ? (sn_call)(f, in, n_in, out, n_out) : sn_check(c);
  if (!status) status = sn_check(c);
  sn_function_destroy(f);
  at = 0;
  for (int i = 0; !k->fails && i < k->n_out; i++) {
    results[i] = k->out[i];
    for (int j = 0; j < k->out[i].n; j++) results[i].tensors[j] = out[at++];
  }
  return status;
}

typedef struct tally {
  int cases, differ, known;
} tally;

static bool run(sn_context *c, const cross_case *k, const cross_op *op, char mode, tally *t) {
  cross_value results[CROSS_VALUES] = {{0}};
  sn_status status = SN_OK;
  if (mode == 'c') {
    status = run_compiled(c, k, op, results);
  } else {
    op->call(k, results);
    status = sn_check(c);
  }
  const bool same = k->fails ? status != SN_OK : !status && same_values(k, results);
  t->cases++;
  if (k->known[0]) t->known += !same;
  if (same || k->known[0]) return same;
  t->differ++;
  printf("case %d, %s, %s: %s%s\n", k->number, k->op, mode == 'c' ? "compiled" : "eager",
         k->fails ? "the other refuses it"
         : status ? sn_error_message(c)
                  : "another result",
         k->fails || status ? "" : "; wanted, got:");
  for (int i = 0; !k->fails && !status && i < k->n_out; i++) {
    print_value(&k->out[i]);
    print_value(&results[i]);
  }
  return false;
}

int main(int argc, char **argv) {
  enum { most_ops = 512 };
  static tally tallies[most_ops];
  static cross_case k;
  reader r = {argc > 1 ? fopen(argv[1], "rb") : NULL, 0};
  const char *modes = argc > 2 ? argv[2] : "ec";
  if (!r.file) return stop("there is none"), 2;
  next(&r);
  sn_context *c;
  if (sn_context_create(&c, .threads = 1)) return 2;
  for (bool more = true; more;) {
    SN_SCOPE(c);
    if (!(more = read_case(&r, c, &k))) break;
    int o = 0;
    while (cross_ops[o].name && strcmp(cross_ops[o].name, k.op)) o++;
    if (!cross_ops[o].name || o >= most_ops) stop(k.op);
    for (const char *mode = modes; *mode; mode++)
      if (*mode == 'e' || !cross_ops[o].eager_only)
        (void)run(c, &k, &cross_ops[o], *mode, &tallies[o]);
    free_case(&k);
  }
  tally all = {0};
  for (int o = 0; cross_ops[o].name; o++) {
    const tally *t = &tallies[o];
    if (t->cases)
      printf("%-32s %6d cases, %d differ, %d differ for a reason\n", cross_ops[o].name, t->cases,
             t->differ, t->known);
    all = (tally){all.cases + t->cases, all.differ + t->differ, all.known + t->known};
  }
  printf("%d cases in all, %d differ, %d differ for a reason\n", all.cases, all.differ, all.known);
  sn_context_destroy(c);
  (void)fclose(r.file);
  return all.cases > 0 && all.differ * 200 <= all.cases ? 0 : 1;
}
