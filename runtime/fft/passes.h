// Stages of transforms along columns, of the real numbers of lanes.h.
#ifndef SNI_RUNTIME_FFT_PASSES_H
#define SNI_RUNTIME_FFT_PASSES_H

#include "runtime/fft/kernels.h"
#include "runtime/fft/lanes.h"

// ---- transforms of r points, r a constant
static const double half_root = 0.70710678118654752440;

// cos and sin of 2 pi j / r
static const double circle[SNI_FFT_MOST_RADIX + 1][SNI_FFT_MOST_RADIX][2] = {
    [3] = {{1.00000000000000000000, 0.00000000000000000000},
           {-0.50000000000000000000, 0.86602540378443864676},
           {-0.50000000000000000000, -0.86602540378443864676}},
    [5] = {{1.00000000000000000000, 0.00000000000000000000},
           {0.30901699437494742410, 0.95105651629515357212},
           {-0.80901699437494742410, 0.58778525229247312917},
           {-0.80901699437494742410, -0.58778525229247312917},
           {0.30901699437494742410, -0.95105651629515357212}},
    [7] = {{1.00000000000000000000, 0.00000000000000000000},
           {0.62348980185873353053, 0.78183148246802980871},
           {-0.22252093395631440429, 0.97492791218182360702},
           {-0.90096886790241912624, 0.43388373911755812048},
           {-0.90096886790241912624, -0.43388373911755812048},
           {-0.22252093395631440429, -0.97492791218182360702},
           {0.62348980185873353053, -0.78183148246802980871}},
    [11] = {{1.00000000000000000000, 0.00000000000000000000},
            {0.84125353283118116886, 0.54064081745559758211},
            {0.41541501300188642553, 0.90963199535451837141},
            {-0.14231483827328514044, 0.98982144188093273238},
            {-0.65486073394528506406, 0.75574957435425828377},
            {-0.95949297361449738989, 0.28173255684142969771},
            {-0.95949297361449738989, -0.28173255684142969771},
            {-0.65486073394528506406, -0.75574957435425828377},
            {-0.14231483827328514044, -0.98982144188093273238},
            {0.41541501300188642553, -0.90963199535451837141},
            {0.84125353283118116886, -0.54064081745559758211}},
    [13] = {{1.00000000000000000000, 0.00000000000000000000},
            {0.88545602565320989590, 0.46472317204376854566},
            {0.56806474673115580251, 0.82298386589365639458},
            {0.12053668025532305335, 0.99270887409805399280},
            {-0.35460488704253562597, 0.93501624268541482344},
            {-0.74851074817110109863, 0.66312265824079520238},
            {-0.97094181742605202716, 0.23931566428755776715},
            {-0.97094181742605202716, -0.23931566428755776715},
            {-0.74851074817110109863, -0.66312265824079520238},
            {-0.35460488704253562597, -0.93501624268541482344},
            {0.12053668025532305335, -0.99270887409805399280},
            {0.56806474673115580251, -0.82298386589365639458},
            {0.88545602565320989590, -0.46472317204376854566}},
};

SNI_INLINE void small_2(point *x) {
  const point a = x[0], b = x[1];
  x[0] = add(a, b);
  x[1] = sub(a, b);
}

SNI_INLINE void small_4(point *x) {
  const point a = add(x[0], x[2]), b = sub(x[0], x[2]);
  const point c = add(x[1], x[3]), d = sub(x[1], x[3]);
  x[0] = add(a, c);
  x[1] = sub_i(b, d);
  x[2] = sub(a, c);
  x[3] = add_i(b, d);
}

SNI_INLINE void small_8(point *x) {
  const vec root = all((real)half_root);
  point even[4] = {x[0], x[2], x[4], x[6]}, odd[4] = {x[1], x[3], x[5], x[7]};
  small_4(even);
  small_4(odd);
  const point o1 = odd[1], o3 = odd[3];
  odd[1] = (point){(o1.re + o1.im) * root, (o1.im - o1.re) * root};
  odd[3] = (point){(o3.im - o3.re) * root, (o3.re + o3.im) * -root};
  x[0] = add(even[0], odd[0]);
  x[4] = sub(even[0], odd[0]);
  x[1] = add(even[1], odd[1]);
  x[5] = sub(even[1], odd[1]);
  x[2] = sub_i(even[2], odd[2]);
  x[6] = add_i(even[2], odd[2]);
  x[3] = add(even[3], odd[3]);
  x[7] = sub(even[3], odd[3]);
}

// r is odd: x[j] + x[r - j] goes with cosines, their difference with sines.
SNI_INLINE void small_odd(int r, point *x) {
  enum { most = SNI_FFT_MOST_RADIX / 2 };
  point sums[most], differences[most];
  const point first = x[0];
  const int half = r / 2;
  SNI_UNROLL for (int j = 1; j <= half; j++) {
    sums[j - 1] = add(x[j], x[r - j]);
    differences[j - 1] = sub(x[j], x[r - j]);
    x[0] = add(x[0], sums[j - 1]);
  }
  SNI_UNROLL for (int k = 1; k <= half; k++) {
    point a = first, b = {{0}, {0}};
    SNI_UNROLL for (int j = 1; j <= half; j++) {
      const vec c = all((real)circle[r][j * k % r][0]), s = all((real)circle[r][j * k % r][1]);
      a = add(a, (point){c * sums[j - 1].re, c * sums[j - 1].im});
      const point turned = {s * differences[j - 1].re, s * differences[j - 1].im};
      b = j == 1 ? turned : add(b, turned);
    }
    x[k] = sub_i(a, b);
    x[r - k] = add_i(a, b);
  }
}

SNI_INLINE void small(int r, point *x) {
  if (r == 2)
    small_2(x);
  else if (r == 4)
    small_4(x);
  else if (r == 8)
    small_8(x);
  else
    small_odd(r, x);
}

// ---- a stage
typedef struct pass {
  const real *from;
  real *to;
  int64_t from_row, to_row;  // numbers from row to row
  int64_t columns;
  real sign;            // of imaginary parts, of pairs that go in
  real scale, scale_i;  // of parts of pairs that come out
} pass;

// Where the points of a stage lie.
typedef enum place { SPLIT, PAIRS } place;

typedef struct walk {
  int64_t from_j, to_j, from_q, to_q;
  int64_t n_q, vectors, columns;
} walk;

SNI_INLINE void butterflies(int r, bool turned, place in, place out, const pass *a, const walk *w,
                            const real *from, real *to, const real *twiddles) {
  const vec sign = all(a->sign), scale = all(a->scale), scale_i = all(a->scale_i);
  for (int64_t q = 0; q < w->n_q; q++)
    for (int64_t v = 0; v < w->vectors; v++) {
      const int64_t at = 2 * lanes * v, left = w->columns - lanes * v;
      point x[SNI_FFT_MOST_RADIX];
      SNI_UNROLL for (int j = 0; j < r; j++) {
        const real *place_j = from + q * w->from_q + j * w->from_j + at;
        x[j] = in == PAIRS ? load_pairs(place_j, left) : load_split(place_j);
        if (in == PAIRS) x[j].im *= sign;
      }
      small(r, x);
      SNI_UNROLL for (int j = 0; j < r; j++) {
        if (turned && j)
          x[j] = mul(x[j], (point){all(twiddles[2 * j - 2]), all(twiddles[2 * j - 1])});
        real *place_j = to + q * w->to_q + j * w->to_j + at;
        if (out == PAIRS)
          store_pairs(place_j, left, (point){x[j].re * scale, x[j].im * scale_i});
        else
          store_split(place_j, x[j]);
      }
    }
}

// Stages that write pairs are the last: m is 1.
SNI_INLINE void run_radix(int r, place in, place out, const sni_fft_stage *stage, const pass *a) {
  const int64_t m = stage->m, s = stage->s, vectors = (a->columns + lanes - 1) / lanes;
  walk w = {.from_j = s * m * a->from_row,
            .to_j = s * a->to_row,
            .from_q = a->from_row,
            .to_q = a->to_row,
            .n_q = s,
            .vectors = vectors,
            .columns = a->columns};
  if (in == SPLIT && out == SPLIT && a->from_row == a->to_row &&
      a->to_row == vectors * 2 * lanes) {  // rows lie behind each other
    w.n_q = 1;
    w.vectors *= s;
  }
  const real *twiddles = stage->twiddles;
  butterflies(r, false, in, out, a, &w, a->from, a->to, NULL);
  for (int64_t p = 1; p < m && out == SPLIT; p++)
    butterflies(r, true, in, SPLIT, a, &w, a->from + p * s * a->from_row,
                a->to + p * s * r * a->to_row, twiddles + p * 2 * (r - 1));
}

SNI_INLINE void run_stage(place in, place out, const sni_fft_stage *stage, const pass *a) {
  switch (stage->radix) {
    case 2:
      run_radix(2, in, out, stage, a);
      break;
    case 3:
      run_radix(3, in, out, stage, a);
      break;
    case 4:
      run_radix(4, in, out, stage, a);
      break;
    case 5:
      run_radix(5, in, out, stage, a);
      break;
    case 7:
      run_radix(7, in, out, stage, a);
      break;
    case 8:
      run_radix(8, in, out, stage, a);
      break;
    case 11:
      run_radix(11, in, out, stage, a);
      break;
    default:
      run_radix(13, in, out, stage, a);
  }
}

#endif
