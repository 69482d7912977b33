// Sparse tensors as text.
#include "frontend/structures/sparse.h"
#include "frontend/structures/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { most_values = 24, ends = 8 };  // of more the first and the last

static void put_number(sns_text *t, int64_t number) {
  char digits[24];
  sns_put(t, digits, (size_t)snprintf(digits, sizeof(digits), "%lld", (long long)number));
}

static void put_value(sns_text *t, const sns_coo *s, int64_t i) {
  SN_SCOPE(sn_context_of(s->values));
  sn_tensor *value = sn_index(s->values, 0, i);
  sns_put_tensor(t, value);
}

static void put_values(sns_text *t, const sns_coo *s, const int64_t *indices) {
  const int64_t n = sn_size(s->values);
  sns_put_text(t, "{");
  for (int64_t i = 0; i < n; i++) {
    if (n > most_values && i == ends) {
      sns_put_text(t, ", ...");
      i = n - ends;
    }
    sns_put_text(t, i ? ", (" : "(");
    for (int d = 0; d < s->rank; d++) {
      if (d) sns_put_text(t, ", ");
      put_number(t, indices[i * s->rank + d]);
    }
    sns_put_text(t, "): ");
    put_value(t, s, i);
  }
  sns_put_text(t, "} of ");
}

static void put_shape(sns_text *t, const sns_coo *s, const int64_t *dims) {
  sns_put_text(t, sn_dtype_name(sn_dtype_of(s->values)));
  sns_put_text(t, "[");
  for (int d = 0; d < s->rank; d++) {
    if (d) sns_put_text(t, ", ");
    put_number(t, dims[d]);
  }
  sns_put_text(t, "]");
}

static bool has_elements(const sn_sparse *s) {
  if (sn_failed(s)) return false;
  for (int i = 0; i < SNS_SPARSE_PARTS; i++)
    if (s->parts[i] && (sn_is_traced(s->parts[i]) || sn_rank(s->parts[i]) < 0)) return false;
  return !sn_pending_error(sn_context_of(s));
}

// False: they could not be read; the error is none of the caller's.
static bool put_sparse(sns_text *t, const sn_sparse *s) {
  sn_context *c = sn_context_of(s);
  SN_SCOPE(c);
  sns_coo x;
  int64_t dims[SN_MAX_RANK];
  bool read = sns_coo_of(c, s, "s", &x);
  if (read) {
    const size_t bytes = (size_t)sn_size(x.indices) * sizeof(int64_t);
    int64_t *indices = malloc(bytes + 1);
    read = indices && !sn_read(x.indices, indices, bytes) &&
           !sn_read(x.shape, dims, (size_t)x.rank * sizeof(int64_t)) &&
           sn_dim(x.indices, 0) == sn_size(x.values) && sn_dim(x.indices, 1) == x.rank;
    if (read) {
      put_values(t, &x, indices);
      put_shape(t, &x, dims);
    }
    free(indices);
  }
  return sn_check(c) == SN_OK && read;
}

size_t sn_sparse_format(const sn_sparse *s, char *buffer, size_t capacity) {
  sns_text t = {buffer, buffer ? capacity : 0, 0};
  if (!has_elements(s) || !put_sparse(&t, s)) {
    t.length = 0;
    if (!s || sn_failed(s)) {
      sns_put_text(&t, s ? "<failed sparse tensor>" : "<no sparse tensor>");
    } else {
      sns_put_text(&t, "<sparse tensor of ");
      sns_put_text(&t, sn_dtype_name(sn_dtype_of(s->parts[SNS_VALUES])));
      sns_put_text(&t, ">");
    }
  }
  if (t.capacity) t.buffer[t.length < t.capacity ? t.length : t.capacity - 1] = 0;
  return t.length;
}
