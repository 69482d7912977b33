// Sorting along rows: elements become unsigned keys of their order, keys are sorted, and what was
// sorted is read back. The library's functions for sn_sort, sn_argsort, sn_top_k and sn_searchsorted.
//
// Invariant: keys are equal where elements are (-0 and +0; NaNs), and all sorts are stable, so equal
// elements keep their order and every bit: sorted values that are zeros or NaNs are copied from the row.
#include "runtime/sort_rows.h"

#include "runtime/cpu.h"
#include "runtime/dtype.h"
#include "runtime/sort_keys.h"

#include <string.h>

enum { key_block = 256 };

// ---- keys
static int64_t row_bytes(const sni_sort_call *c, int64_t n) {
  return n * (int64_t)sn_dtype_size(c->dtype);
}

// Of floats of 16 bits, too: infinity is where the exponent ends.
static uint32_t infinity_of(sn_dtype dtype) {
  return dtype == SN_F32 ? 0x7f800000u : dtype == SN_BF16 ? 0x7f80u : 0x7c00u;
}

static inline uint32_t float_key(uint32_t bits, uint32_t sign, uint32_t infinity) {
  const uint32_t size = bits & (sign - 1), all = sign | (sign - 1);
  const uint32_t key = bits & sign ? ~bits & all : bits | sign;
  return size > infinity ? all : size ? key : sign;
}

static inline uint64_t double_key(uint64_t bits) {
  const uint64_t sign = (uint64_t)1 << 63, size = bits & (sign - 1);
  const uint64_t key = bits & sign ? ~bits : bits | sign;
  return size > (uint64_t)0x7ff << 52 ? UINT64_MAX : size ? key : sign;
}

static uint32_t load_bits(const void *x, int64_t i, int bytes) {
  if (bytes == 1) return ((const uint8_t *)x)[i];
  return bytes == 2 ? ((const uint16_t *)x)[i] : ((const uint32_t *)x)[i];
}

// Keys of elements [first, first + n) of a row of a dtype of up to 32 bits; flip: what turns the order.
static void load_keys(sn_dtype dtype, uint32_t flip, const void *x, int64_t first, int64_t n,
                      uint32_t *keys) {
  const sni_dtype_info *info = &sni_dtype_infos[dtype];
  const uint32_t sign = 1u << (8 * info->bytes - 1), infinity = infinity_of(dtype);
  if (info->kind == SNI_KIND_FLOAT && info->bytes == 4) {
    const uint32_t *bits = (const uint32_t *)x + first;
    for (int64_t i = 0; i < n; i++) keys[i] = float_key(bits[i], 1u << 31, 0x7f800000u) ^ flip;
  } else if (info->kind == SNI_KIND_FLOAT) {
    for (int64_t i = 0; i < n; i++)
      keys[i] = float_key(load_bits(x, first + i, info->bytes), sign, infinity) ^ flip;
  } else {
    const uint32_t turn = (info->kind == SNI_KIND_SIGNED ? sign : 0) ^ flip;
    for (int64_t i = 0; i < n; i++) keys[i] = load_bits(x, first + i, info->bytes) ^ turn;
  }
}

static void load_wide_keys(sn_dtype dtype, uint64_t flip, const void *x, int64_t first, int64_t n,
                           uint64_t *keys) {
  const uint64_t *bits = (const uint64_t *)x + first;
  const sni_dtype_kind kind = sni_dtype_infos[dtype].kind;
  const uint64_t turn = (kind == SNI_KIND_SIGNED ? (uint64_t)1 << 63 : 0) ^ flip;
  if (kind == SNI_KIND_FLOAT)
    for (int64_t i = 0; i < n; i++) keys[i] = double_key(bits[i]) ^ flip;
  else
    for (int64_t i = 0; i < n; i++) keys[i] = bits[i] ^ turn;
}

static bool is_wide(sn_dtype dtype) {
  return sn_dtype_size(dtype) > 4;
}
static uint32_t flip_of(const sni_sort_call *c) {
  return c->descending ? UINT32_MAX >> (32 - 8 * sn_dtype_size(c->dtype)) : 0;
}
static uint64_t wide_flip_of(const sni_sort_call *c) {
  return c->descending ? UINT64_MAX : 0;
}

static void load_items(const sni_sort_call *c, const void *x, int64_t first, int64_t n,
                       uint64_t *items) {
  uint32_t keys[key_block];
  for (int64_t at = 0; at < n; at += key_block) {
    const int64_t count = n - at < key_block ? n - at : key_block;
    load_keys(c->dtype, flip_of(c), x, first + at, count, keys);
    for (int64_t i = 0; i < count; i++)
      items[at + i] = (uint64_t)keys[i] << 32 | (uint64_t)(first + at + i);
  }
}

static void load_wide_items(const sni_sort_call *c, const void *x, int64_t first, int64_t n,
                            sni_placed *items) {
  uint64_t keys[key_block];
  for (int64_t at = 0; at < n; at += key_block) {
    const int64_t count = n - at < key_block ? n - at : key_block;
    load_wide_keys(c->dtype, wide_flip_of(c), x, first + at, count, keys);
    for (int64_t i = 0; i < count; i++)
      items[at + i] = (sni_placed){keys[i], (uint64_t)(first + at + i)};
  }
}

// ---- loops that fit the CPU
static const sni_row_kernels *row_kernels(void) {
#if defined(__x86_64__)
  const sni_isa best = sni_cpu_isa();
  if (best == SNI_ISA_AVX512) return &sni_row_kernels_avx512;
  if (best == SNI_ISA_AVX2) return &sni_row_kernels_avx2;
#endif
  return &sni_row_kernels_baseline;
}

// ---- places: the argsort of n elements of a row from `first` on, of which `wanted` are written
static void sort_items(uint64_t *a, uint64_t *b, int64_t n, int64_t wanted, int32_t *places) {
  const uint64_t *sorted = sni_sort_keys(8, 32, a, b, n);
  for (int64_t i = 0; i < wanted; i++) places[i] = (int32_t)(uint32_t)sorted[i];
}

static void sort_placed(sni_placed *a, sni_placed *b, int64_t n, int64_t wanted, int32_t *places) {
  const sni_placed *sorted = sni_sort_keys(16, 0, a, b, n);
  for (int64_t i = 0; i < wanted; i++) places[i] = (int32_t)sorted[i].place;
}

static void order_short(const sni_sort_call *c, const void *x, int64_t n, int64_t wanted,
                        int32_t *places) {
  uint64_t keys[SNI_SHORT_ROW];
  int32_t all[SNI_SHORT_ROW];
  if (is_wide(c->dtype)) {
    load_wide_keys(c->dtype, wide_flip_of(c), x, 0, n, keys);
    row_kernels()->order_64(keys, n, all);
  } else {
    load_keys(c->dtype, flip_of(c), x, 0, n, (uint32_t *)keys);
    row_kernels()->order_32((uint32_t *)keys, n, all);
  }
  memcpy(places, all, (size_t)wanted * sizeof *places);
}

static void sort_places(const sni_sort_call *c, const void *x, int64_t n, int64_t wanted,
                        void *work, int32_t *places) {
  if (n <= SNI_SHORT_ROW) {
    order_short(c, x, n, wanted, places);
    return;
  }
  if (is_wide(c->dtype)) {
    load_wide_items(c, x, 0, n, work);
    sort_placed(work, (sni_placed *)work + n, n, wanted, places);
  } else {
    load_items(c, x, 0, n, work);
    sort_items(work, (uint64_t *)work + n, n, wanted, places);
  }
}

void sni_argsort_run(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                     int64_t end, void *scratch) {
  (void)scratch;
  const sni_sort_call *c = code;
  const int64_t n = params[0];
  for (int64_t row = begin; row < end && n; row++)
    sort_places(c, (const char *)buffers[0] + row * row_bytes(c, n), n, n,
                (char *)buffers[2] + row * params[1], (int32_t *)buffers[1] + row * n);
}

// ---- values
static void take_places(int bytes, const void *x, const int32_t *places, int64_t n, void *y) {
  for (int64_t i = 0; i < n; i++)
    memcpy((char *)y + i * bytes, (const char *)x + (int64_t)places[i] * bytes, (size_t)bytes);
}

static void store_bits(void *y, int64_t i, int bytes, uint32_t bits) {
  if (bytes == 1)
    ((uint8_t *)y)[i] = (uint8_t)bits;
  else if (bytes == 2)
    ((uint16_t *)y)[i] = (uint16_t)bits;
  else
    ((uint32_t *)y)[i] = bits;
}

// Where keys from `key` on begin.
static int64_t find_key(int bytes, const void *keys, int64_t n, uint64_t key) {
  int64_t low = 0;
  for (int64_t count = n; count > 0;) {
    const int64_t middle = low + count / 2;
    const bool less =
        (bytes == 8 ? ((const uint64_t *)keys)[middle] : ((const uint32_t *)keys)[middle]) < key;
    if (less) low = middle + 1;
    count = less ? count - count / 2 - 1 : count / 2;
  }
  return low;
}

// What elements whose keys are the same looked like, in their order: zeros and NaNs of a row of floats.
static void restore_equals(const sni_sort_call *c, const void *x, int64_t n, const void *keys,
                           void *y) {
  const int bytes = (int)sn_dtype_size(c->dtype), key_bytes = bytes == 8 ? 8 : 4;
  const uint64_t sign = (uint64_t)1 << (8 * bytes - 1), all = sign | (sign - 1);
  const uint64_t infinity = bytes == 8 ? (uint64_t)0x7ff << 52 : infinity_of(c->dtype);
  const uint64_t zero = c->descending ? ~sign & all : sign, nan = c->descending ? 0 : all;
  int64_t zero_at = find_key(key_bytes, keys, n, zero), nan_at = find_key(key_bytes, keys, n, nan);
  const int64_t left = find_key(key_bytes, keys, n, zero + 1) - zero_at +
                       (nan == all ? n : find_key(key_bytes, keys, n, 1)) - nan_at;
  for (int64_t i = 0, done = 0; done < left; i++) {
    const uint64_t bits = bytes == 8 ? ((const uint64_t *)x)[i] : load_bits(x, i, bytes);
    const uint64_t size = bits & (sign - 1);
    if (size && size <= infinity) continue;
    const int64_t to = size ? nan_at++ : zero_at++;
    memcpy((char *)y + to * bytes, (const char *)x + i * bytes, (size_t)bytes);
    done++;
  }
}

static void sort_long(const sni_sort_call *c, const void *x, int64_t n, uint32_t *work, void *y) {
  const sni_dtype_info *info = &sni_dtype_infos[c->dtype];
  const uint32_t sign = 1u << (8 * info->bytes - 1), all = sign | (sign - 1), flip = flip_of(c);
  load_keys(c->dtype, flip, x, 0, n, work);
  const uint32_t *keys = sni_sort_keys(4, 0, work, work + n, n);
  if (info->kind != SNI_KIND_FLOAT) {
    const uint32_t turn = (info->kind == SNI_KIND_SIGNED ? sign : 0) ^ flip;
    for (int64_t i = 0; i < n; i++) store_bits(y, i, info->bytes, keys[i] ^ turn);
    return;
  }
  if (info->bytes == 4)
    for (int64_t i = 0; i < n; i++) {
      const uint32_t key = keys[i] ^ flip;
      ((uint32_t *)y)[i] = key >> 31 ? key ^ sign : ~key;
    }
  else
    for (int64_t i = 0; i < n; i++) {
      const uint32_t key = keys[i] ^ flip;
      store_bits(y, i, info->bytes, key & sign ? key ^ sign : ~key & all);
    }
  restore_equals(c, x, n, keys, y);
}

static void sort_wide(const sni_sort_call *c, const void *x, int64_t n, uint64_t *work,
                      uint64_t *y) {
  const sni_dtype_kind kind = sni_dtype_infos[c->dtype].kind;
  const uint64_t sign = (uint64_t)1 << 63, flip = wide_flip_of(c);
  load_wide_keys(c->dtype, flip, x, 0, n, work);
  const uint64_t *keys = sni_sort_keys(8, 0, work, work + n, n);
  const uint64_t turn = (kind == SNI_KIND_SIGNED ? sign : 0) ^ flip;
  for (int64_t i = 0; i < n; i++) {
    const uint64_t key = keys[i] ^ flip;
    y[i] = kind != SNI_KIND_FLOAT ? keys[i] ^ turn : key & sign ? key ^ sign : ~key;
  }
  if (kind == SNI_KIND_FLOAT) restore_equals(c, x, n, keys, y);
}

void sni_sort_run(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                  int64_t end, void *scratch) {
  (void)scratch;
  const sni_sort_call *c = code;
  const int64_t n = params[0];
  int32_t places[SNI_SHORT_ROW];
  for (int64_t row = begin; row < end && n; row++) {
    const void *x = (const char *)buffers[0] + row * row_bytes(c, n);
    void *y = (char *)buffers[1] + row * row_bytes(c, n);
    void *work = (char *)buffers[2] + row * params[1];
    if (n <= SNI_SHORT_ROW) {
      sort_places(c, x, n, n, NULL, places);
      take_places((int)sn_dtype_size(c->dtype), x, places, n, y);
    } else if (is_wide(c->dtype)) {
      sort_wide(c, x, n, work, y);
    } else {
      sort_long(c, x, n, work, y);
    }
  }
}

// ---- top k: what is below the k-th of the candidates so far is one; when there are too many the k least
// stay. So n elements cost n comparisons and a few small sorts, and at most those of all of them.
static void top_k_items(const sni_sort_call *c, const void *x, int64_t n, int64_t k, int64_t room,
                        uint64_t *items, int32_t *places) {
  uint32_t keys[key_block];
  uint64_t limit = UINT64_MAX;  // above all items
  int64_t count = 0;
  for (int64_t at = 0; at < n; at += key_block) {
    const int64_t block = n - at < key_block ? n - at : key_block;
    load_keys(c->dtype, flip_of(c), x, at, block, keys);
    for (int64_t i = 0; i < block; i++) {
      const uint64_t item = (uint64_t)keys[i] << 32 | (uint64_t)(at + i);
      if (item >= limit) continue;
      if (count == room) {
        const uint64_t *sorted = sni_sort_keys(8, 32, items, items + room, count);
        if (sorted != items) memcpy(items, sorted, (size_t)k * sizeof *items);
        count = k;
        limit = items[k - 1];
        if (item >= limit) continue;
      }
      items[count++] = item;
    }
  }
  sort_items(items, items + room, count, k, places);
}

static void top_k_placed(const sni_sort_call *c, const void *x, int64_t n, int64_t k, int64_t room,
                         sni_placed *items, int32_t *places) {
  uint64_t keys[key_block], limit = UINT64_MAX;
  int64_t count = 0;
  bool limited = false;
  for (int64_t at = 0; at < n; at += key_block) {
    const int64_t block = n - at < key_block ? n - at : key_block;
    load_wide_keys(c->dtype, wide_flip_of(c), x, at, block, keys);
    for (int64_t i = 0; i < block; i++) {
      if (limited && keys[i] >= limit) continue;
      if (count == room) {
        const sni_placed *sorted = sni_sort_keys(16, 0, items, items + room, count);
        if (sorted != items) memcpy(items, sorted, (size_t)k * sizeof *items);
        count = k;
        limited = true;
        limit = items[k - 1].key;
        if (keys[i] >= limit) continue;
      }
      items[count++] = (sni_placed){keys[i], (uint64_t)(at + i)};
    }
  }
  sort_placed(items, items + room, count, k, places);
}

// ---- the greatest alone
// The first of the least keys.
static int32_t first_by_key(const sni_sort_call *c, const void *x, int64_t n) {
  uint32_t keys[key_block], least = UINT32_MAX;
  uint64_t wide[key_block], widest = UINT64_MAX;
  int64_t place = 0;
  for (int64_t at = 0; at < n; at += key_block) {
    const int64_t count = n - at < key_block ? n - at : key_block;
    if (is_wide(c->dtype)) {
      load_wide_keys(c->dtype, wide_flip_of(c), x, at, count, wide);
      for (int64_t i = 0; i < count; i++) {
        place = wide[i] < widest ? at + i : place;
        widest = wide[i] < widest ? wide[i] : widest;
      }
    } else {
      load_keys(c->dtype, flip_of(c), x, at, count, keys);
      for (int64_t i = 0; i < count; i++) {
        place = keys[i] < least ? at + i : place;
        least = keys[i] < least ? keys[i] : least;
      }
    }
  }
  return (int32_t)place;
}

static void find_greatest(const sni_sort_call *c, const void *x, int64_t n, int64_t rows,
                          int32_t *places) {
  int64_t (*first)(const void *, int64_t) = row_kernels()->first_greatest[c->dtype];
  for (int64_t row = 0; row < rows; row++) {
    const void *at = (const char *)x + row * row_bytes(c, n);
    places[row] = first ? (int32_t)first(at, n) : first_by_key(c, at, n);
  }
}

void sni_top_k_run(const void *code, void *const *buffers, const int64_t *params, int64_t begin,
                   int64_t end, void *scratch) {
  (void)scratch;
  const sni_sort_call *c = code;
  const int64_t n = params[0], k = params[2], room = params[3];
  if (k == 1) {
    find_greatest(c, (const char *)buffers[0] + begin * row_bytes(c, n), n, end - begin,
                  (int32_t *)buffers[1] + begin);
    return;
  }
  for (int64_t row = begin; row < end && k; row++) {
    const void *x = (const char *)buffers[0] + row * row_bytes(c, n);
    void *work = (char *)buffers[2] + row * params[1];
    int32_t *places = (int32_t *)buffers[1] + row * k;
    if (n <= SNI_SHORT_ROW)
      sort_places(c, x, n, k, NULL, places);
    else if (is_wide(c->dtype))
      top_k_placed(c, x, n, k, room, work, places);
    else
      top_k_items(c, x, n, k, room, work, places);
  }
}

// ---- search
// The key of one element, where `bytes` and `kind` are constants.
static inline __attribute__((always_inline)) uint64_t key_at(int bytes, sni_dtype_kind kind,
                                                             uint32_t infinity, const void *x,
                                                             int64_t i) {
  const uint64_t sign = (uint64_t)1 << (8 * bytes - 1);
  const uint64_t bits = bytes == 8 ? ((const uint64_t *)x)[i] : load_bits(x, i, bytes);
  if (kind != SNI_KIND_FLOAT) return kind == SNI_KIND_SIGNED ? bits ^ sign : bits;
  return bytes == 8 ? double_key(bits) : float_key((uint32_t)bits, (uint32_t)sign, infinity);
}

// How many of the n keys of a lie before each of b's elements.
static inline __attribute__((always_inline)) void search(const sni_sort_call *c, int bytes,
                                                         sni_dtype_kind kind, const void *a,
                                                         int64_t n, const void *b, int64_t count,
                                                         int32_t *y) {
  const uint32_t infinity = infinity_of(c->dtype);
  for (int64_t i = 0; i < count; i++) {
    const uint64_t wanted = key_at(bytes, kind, infinity, b, i);
    int64_t low = 0;
    for (int64_t left = n; left > 0;) {
      const int64_t half = left / 2;
      const uint64_t key = key_at(bytes, kind, infinity, a, low + half);
      const bool before = key < wanted || (c->right && key == wanted);
      low = before ? low + half + 1 : low;
      left = before ? left - half - 1 : half;
    }
    y[i] = (int32_t)low;
  }
}

static void search_any(const sni_sort_call *c, const void *a, int64_t n, const void *b,
                       int64_t count, int32_t *y) {
  const sni_dtype_info *info = &sni_dtype_infos[c->dtype];
  const sni_dtype_kind kind = info->kind;
  if (c->dtype == SN_F32)
    search(c, 4, SNI_KIND_FLOAT, a, n, b, count, y);
  else if (c->dtype == SN_F64)
    search(c, 8, SNI_KIND_FLOAT, a, n, b, count, y);
  else
    search(c, info->bytes, kind, a, n, b, count, y);
}

void sni_search_sorted_run(const void *code, void *const *buffers, const int64_t *params,
                           int64_t begin, int64_t end, void *scratch) {
  (void)scratch;
  const sni_sort_call *c = code;
  const int64_t n = params[0], m = params[1], blocks = (m - 1) / SNI_SEARCH_BLOCK + 1;
  for (int64_t unit = begin; unit < end; unit++) {
    const int64_t row = unit / blocks, first = unit % blocks * SNI_SEARCH_BLOCK;
    const int64_t left = m - first;
    search_any(c, (const char *)buffers[0] + row * row_bytes(c, n), n,
               (const char *)buffers[1] + row_bytes(c, row * m + first),
               left < SNI_SEARCH_BLOCK ? left : SNI_SEARCH_BLOCK,
               (int32_t *)buffers[2] + row * m + first);
  }
}
