// Hashes of strings. Algorithms: MurmurHash64A (Appleby), FarmHash's Fingerprint64 (Pike, Alakuijala; the farmhashna variant),
// SipHash-2-4 (Aumasson, Bernstein 2012). Words are little-endian.
#include "frontend/text/calls.h"

static uint64_t word(const char *at) {
  const uint64_t w = snt_load(at);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  return __builtin_bswap64(w);
#else
  return w;
#endif
}

static uint64_t half(const char *at) {
  uint32_t w;
  memcpy(&w, at, sizeof(w));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  return __builtin_bswap32(w);
#else
  return w;
#endif
}

// The last bytes of a text, fewer than 8.
static uint64_t tail(const char *at, size_t n) {
  uint64_t w = 0;
  for (size_t i = 0; i < n; i++) w |= (uint64_t)(unsigned char)at[i] << (8 * i);
  return w;
}

static uint64_t rotate(uint64_t x, int by) {
  return by ? x >> by | x << (64 - by) : x;
}

// ---- MurmurHash64A
static uint64_t murmur(sn_text text) {
  const uint64_t m = 0xc6a4a7935bd1e995, seed = 0xDECAFCAFFE;
  uint64_t h = seed ^ text.length * m;
  for (; text.length >= 8; text.data += 8, text.length -= 8) {
    uint64_t k = word(text.data) * m;
    k = (k ^ k >> 47) * m;
    h = (h ^ k) * m;
  }
  if (text.length) h = (h ^ tail(text.data, text.length)) * m;
  h = (h ^ h >> 47) * m;
  return h ^ h >> 47;
}

// ---- Fingerprint64
static const uint64_t k0 = 0xc3a5c85c97cb3127, k1 = 0xb492b66fbe98f273, k2 = 0x9ae16a3b2f90404f;
typedef struct pair {
  uint64_t first, second;
} pair;

static uint64_t mix(uint64_t x) {
  return x ^ x >> 47;
}

static uint64_t join(uint64_t u, uint64_t v, uint64_t mul) {
  const uint64_t a = mix((u ^ v) * mul);
  return mix((v ^ a) * mul) * mul;
}

static uint64_t farm_to_16(const char *s, size_t n) {
  const uint64_t mul = k2 + n * 2;
  if (n >= 8) {
    const uint64_t a = word(s) + k2, b = word(s + n - 8);
    return join(rotate(b, 37) * mul + a, (rotate(a, 25) + b) * mul, mul);
  }
  if (n >= 4) return join(n + (half(s) << 3), half(s + n - 4), mul);
  if (!n) return k2;
  const uint32_t y = (unsigned char)s[0] + ((uint32_t)(unsigned char)s[n >> 1] << 8);
  const uint32_t z = (uint32_t)n + ((uint32_t)(unsigned char)s[n - 1] << 2);
  return mix(y * k2 ^ z * k0) * k2;
}

static uint64_t farm_to_32(const char *s, size_t n) {
  const uint64_t mul = k2 + n * 2, a = word(s) * k1, b = word(s + 8);
  const uint64_t c = word(s + n - 8) * mul, d = word(s + n - 16) * k2;
  return join(rotate(a + b, 43) + rotate(c, 30) + d, a + rotate(b + k2, 18) + c, mul);
}

static uint64_t farm_to_64(const char *s, size_t n) {
  const uint64_t mul = k2 + n * 2, a = word(s) * k2, b = word(s + 8);
  const uint64_t c = word(s + n - 8) * mul, d = word(s + n - 16) * k2;
  const uint64_t y = rotate(a + b, 43) + rotate(c, 30) + d;
  const uint64_t z = join(y, a + rotate(b + k2, 18) + c, mul);
  const uint64_t e = word(s + 16) * mul, f = word(s + 24);
  const uint64_t g = (y + word(s + n - 32)) * mul, h = (z + word(s + n - 24)) * mul;
  return join(rotate(e + f, 43) + rotate(g, 30) + h, e + rotate(f + a, 18) + g, mul);
}

static pair weak(const char *s, uint64_t a, uint64_t b) {
  const uint64_t x = word(s + 8), y = word(s + 16), z = word(s + 24);
  a += word(s);
  b = rotate(b + a + z, 21);
  const uint64_t c = a;
  a += x + y;
  b += rotate(a, 44);
  return (pair){a + z, b + c};
}

static uint64_t farm_long(const char *s, size_t n) {
  uint64_t x = 81 * k2 + word(s), y = 81 * k1 + 113, z = mix(y * k2 + 113) * k2;
  pair v = {0, 0}, w = {0, 0};
  const char *end = s + (n - 1) / 64 * 64, *last = s + n - 64;
  for (; s != end; s += 64) {
    x = rotate(x + y + v.first + word(s + 8), 37) * k1 ^ w.second;
    y = rotate(y + v.second + word(s + 48), 42) * k1 + v.first + word(s + 40);
    z = rotate(z + w.first, 33) * k1;
    v = weak(s, v.second * k1, x + w.first);
    w = weak(s + 32, z + w.second, y + word(s + 16));
    const uint64_t kept = z;
    z = x;
    x = kept;
  }
  const uint64_t mul = k1 + ((z & 0xff) << 1);
  w.first += (n - 1) & 63;
  v.first += w.first;
  w.first += v.first;
  x = rotate(x + y + v.first + word(last + 8), 37) * mul ^ w.second * 9;
  y = rotate(y + v.second + word(last + 48), 42) * mul + v.first * 9 + word(last + 40);
  z = rotate(z + w.first, 33) * mul;
  v = weak(last, v.second * mul, x + w.first);
  w = weak(last + 32, z + w.second, y + word(last + 16));
  return join(join(v.first, w.first, mul) + mix(y) * k0 + x, join(v.second, w.second, mul) + z,
              mul);
}

static inline uint64_t farm(sn_text text) {
  if (text.length <= 16) return farm_to_16(text.data, text.length);
  if (text.length <= 32) return farm_to_32(text.data, text.length);
  return text.length <= 64 ? farm_to_64(text.data, text.length) : farm_long(text.data, text.length);
}

uint64_t snt_fingerprint(sn_text text) {
  return farm(text);
}

// ---- SipHash-2-4
static void sip_rounds(uint64_t *v, int n) {
  for (int i = 0; i < n; i++) {
    v[0] += v[1], v[1] = rotate(v[1], 51) ^ v[0], v[0] = rotate(v[0], 32);
    v[2] += v[3], v[3] = rotate(v[3], 48) ^ v[2];
    v[0] += v[3], v[3] = rotate(v[3], 43) ^ v[0];
    v[2] += v[1], v[1] = rotate(v[1], 47) ^ v[2], v[2] = rotate(v[2], 32);
  }
}

static uint64_t sip(sn_text text, uint64_t key0, uint64_t key1) {
  uint64_t v[4] = {key0 ^ 0x736f6d6570736575, key1 ^ 0x646f72616e646f6d, key0 ^ 0x6c7967656e657261,
                   key1 ^ 0x7465646279746573};
  const uint64_t length = (uint64_t)text.length << 56;
  for (; text.length >= 8; text.data += 8, text.length -= 8) {
    const uint64_t m = word(text.data);
    v[3] ^= m;
    sip_rounds(v, 2);
    v[0] ^= m;
  }
  const uint64_t m = tail(text.data, text.length) | length;
  v[3] ^= m;
  sip_rounds(v, 2);
  v[0] ^= m;
  v[2] ^= 0xff;
  sip_rounds(v, 4);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

// ---- buckets: hash modulo n, by a product with 2^64 / n in the place of a division
typedef struct divisor {
  uint64_t n, inverse;  // floor((2^64 - 1) / n)
} divisor;
__extension__ typedef unsigned __int128 wide;

static divisor divisor_of(const sn_host_args *args) {
  const uint64_t n = (uint64_t)snt_number(args, 0);
  return (divisor){n, n ? UINT64_MAX / n : 0};
}

// The quotient is too small by one at most. Without a branch: it would go either way.
static int64_t bucket_of(const divisor *b, uint64_t hash) {
  const uint64_t rest = hash - (uint64_t)((wide)hash * b->inverse >> 64) * b->n;
  return (int64_t)(rest - (b->n & (0 - (uint64_t)(rest >= b->n))));
}

// ---- calls: numbers: buckets, key
static sn_status fill_murmur(const sn_host_args *args) {
  snt_stream texts;
  const divisor b = divisor_of(args);
  int64_t *out = (int64_t *)args->out[0].data;
  for (snt_stream_begin(&texts, args->in); snt_stream_block(&texts); out += texts.n)
    for (int64_t i = 0; i < texts.n; i++) out[i] = bucket_of(&b, murmur(texts.texts[i]));
  return SN_OK;
}

static sn_status fill_farm(const sn_host_args *args) {
  snt_stream texts;
  const divisor b = divisor_of(args);
  int64_t *out = (int64_t *)args->out[0].data;
  for (snt_stream_begin(&texts, args->in); snt_stream_block(&texts); out += texts.n) {
    for (int64_t i = 0; i < texts.n; i++) out[i] = (int64_t)farm(texts.texts[i]);
    for (int64_t i = 0; b.n && i < texts.n; i++) out[i] = bucket_of(&b, (uint64_t)out[i]);
  }
  return SN_OK;
}

static sn_status fill_sip(const sn_host_args *args) {
  snt_stream texts;
  snt_stream_begin(&texts, args->in);
  const divisor b = divisor_of(args);
  const uint64_t key0 = (uint64_t)snt_number(args, 1), key1 = (uint64_t)snt_number(args, 2);
  int64_t *out = (int64_t *)args->out[0].data;
  for (int64_t i = 0, n = texts.size; i < n; i++)
    out[i] = bucket_of(&b, sip(snt_stream_next(&texts), key0, key1));
  return SN_OK;
}

static sn_tensor *hashed(sn_context *c, sn_tensor *t, const snt_call *call) {
  snt_call filled = *call;
  if (!snt_strings_ok(c, t, "t")) return sn_error_tensor(c);
  if (filled.dtype == SN_I64 && filled.numbers[0] < 1) {
    sn_fail(c, SN_ERR_ARGUMENT, "%lld buckets, expected at least 1", (long long)filled.numbers[0]);
    return sn_error_tensor(c);
  }
  filled.shape = snt_shape_of(t);
  return snt_run(c, &filled, &t, 1);
}

sn_tensor *(sn_string_to_hash_bucket)(sn_tensor *t, int64_t buckets) {
  sn_context *c = sn_context_of(t);
  SN_FRAME(c, "sn_string_to_hash_bucket");
  const snt_call call = {"hash_bucket", fill_murmur, SN_I64, .numbers = {buckets}};
  return hashed(c, t, &call);
}

sn_tensor *(sn_string_to_hash_bucket_fast)(sn_tensor *t, int64_t buckets) {
  sn_context *c = sn_context_of(t);
  SN_FRAME(c, "sn_string_to_hash_bucket_fast");
  const snt_call call = {"hash_bucket_fast", fill_farm, SN_I64, .numbers = {buckets}};
  return hashed(c, t, &call);
}

sn_tensor *(sn_string_to_hash_bucket_strong)(sn_tensor *t, int64_t buckets, uint64_t key0,
                                             uint64_t key1) {
  sn_context *c = sn_context_of(t);
  SN_FRAME(c, "sn_string_to_hash_bucket_strong");
  const snt_call call = {"hash_bucket_strong", fill_sip, SN_I64,
                         .numbers = {buckets, (int64_t)key0, (int64_t)key1}};
  return hashed(c, t, &call);
}

sn_tensor *(sn_string_fingerprint)(sn_tensor *t) {
  sn_context *c = sn_context_of(t);
  SN_FRAME(c, "sn_string_fingerprint");
  const snt_call call = {"string_fingerprint", fill_farm, SN_U64, .numbers = {0}};
  return hashed(c, t, &call);
}
