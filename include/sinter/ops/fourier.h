// Discrete Fourier transforms. What all ops have in common: ops.h.
#ifndef SINTER_OPS_FOURIER_H
#define SINTER_OPS_FOURIER_H

#include <sinter/context.h>
#include <sinter/ops/reduce.h>
#include <sinter/ops/shape.h>
#include <sinter/tensor.h>

SNI_EXTERN_C_BEGIN

// ---- transforms: X[k] = sum_j x[j] exp(-2 pi i j k / n), and their inverses. Computed in the dtype of the elements; the
// error grows as log n. Every length is taken, n log n steps each; those whose prime factors are at most 13 are the fastest.
// Which of both divides by n.
typedef enum sn_fft_norm {
  SN_FFT_BACKWARD,  // the inverse
  SN_FFT_ORTHO,     // each by sqrt(n)
  SN_FFT_FORWARD,   // the transform
} sn_fft_norm;
typedef struct sn_fft_options {
  size_t size;       // sizeof(sn_fft_options); filled in by the macros
  int64_t n;         // of points: x is cut, or padded with zeros at its end; 0: as many as x has
  sn_fft_norm norm;  // 0: SN_FFT_BACKWARD
} sn_fft_options;
// Along one axis. In a trace the axis's size is fixed. Errors of all: SN_ERR_SHAPE (axis; no points, or more than 2^30),
// SN_ERR_ARGUMENT (options), SN_ERR_DTYPE. Source: NumPy numpy.fft.
// x: floats and complex; real numbers count as complex ones, 16-bit floats as f32; y is complex. VJP: the inverse transform of dy, unscaled or as
// .norm says, cut or padded back.
SN_API sn_tensor *sn_fft_opts(sn_tensor *x, int axis, const sn_fft_options *options);
// floats and complex. Errors: SN_ERR_SHAPE, SN_ERR_ARGUMENT, as above. VJP: the transform.
SN_API sn_tensor *sn_ifft_opts(sn_tensor *x, int axis, const sn_fft_options *options);
// The first n / 2 + 1 of the transform of what is real; the others are their conjugates. x: floats, 16-bit ones as f32; y is complex. Errors: as sn_ifft. VJP: the real
// part of the inverse transform of dy.
SN_API sn_tensor *sn_rfft_opts(sn_tensor *x, int axis, const sn_fft_options *options);
// What is real, of n elements, and whose transform begins with x; .n 0: 2 (size - 1), which is even. Imaginary parts of x[0], and of x[n / 2] for an even
// n, have no say. x: complex alone; y is real. Errors: as sn_ifft. VJP: the transform of dy, twice where its conjugate is left out.
SN_API sn_tensor *sn_irfft_opts(sn_tensor *x, int axis, const sn_fft_options *options);

// ---- along several axes, the last of them first (inverses of real ones: last)
typedef struct sn_fftn_options {
  size_t size;                  // sizeof(sn_fftn_options); filled in by the macros
  sn_axes axes;                 // empty: all; of the ops for two dims: the last two
  int64_t points[SN_MAX_RANK];  // .n along each of these axes; 0: as many as x has
  sn_fft_norm norm;
} sn_fftn_options;
// floats and complex. Errors: as sn_ifft; SN_ERR_SHAPE also where an axis is repeated. VJP: as sn_fft's along each axis.
SN_API sn_tensor *sn_fftn_opts(sn_tensor *x, const sn_fftn_options *options);
// floats and complex. Errors: as sn_fftn. VJP: as sn_ifft's along each axis.
SN_API sn_tensor *sn_ifftn_opts(sn_tensor *x, const sn_fftn_options *options);
// floats. Real along the last of the axes, y has half of it. Errors: as sn_fftn. VJP: as those of the steps.
SN_API sn_tensor *sn_rfftn_opts(sn_tensor *x, const sn_fftn_options *options);
// complex alone. Errors: as sn_fftn. VJP: as those of the steps.
SN_API sn_tensor *sn_irfftn_opts(sn_tensor *x, const sn_fftn_options *options);
// floats and complex. Errors: as sn_fftn. VJP: as sn_fft's along both axes.
SN_API sn_tensor *sn_fft2_opts(sn_tensor *x, const sn_fftn_options *options);
// floats and complex. Errors: as sn_fftn. VJP: as sn_ifft's along both axes.
SN_API sn_tensor *sn_ifft2_opts(sn_tensor *x, const sn_fftn_options *options);
// floats. Errors: as sn_fftn. VJP: as sn_rfftn's.
SN_API sn_tensor *sn_rfft2_opts(sn_tensor *x, const sn_fftn_options *options);
// complex alone. Errors: as sn_fftn. VJP: as sn_irfftn's.
SN_API sn_tensor *sn_irfft2_opts(sn_tensor *x, const sn_fftn_options *options);

// ---- order of frequencies
// Frequency 0 to the middle of each of .axes (empty: all). any dtype. Errors: SN_ERR_SHAPE (axis). In a trace the sizes
// are fixed. VJP: each other. Source: NumPy fft.fftshift.
SN_API sn_tensor *sn_fftshift_opts(sn_tensor *x, const sn_flip_options *options);
// any dtype. Back to its place. VJP: sn_fftshift.
SN_API sn_tensor *sn_ifftshift_opts(sn_tensor *x, const sn_flip_options *options);
// The frequencies [n] of a transform of n points that lie d apart: k / (n d), negative from the middle on. floats. Errors:
// SN_ERR_ARGUMENT (n < 1; d is 0). No gradient. Source: NumPy fft.fftfreq.
SN_API sn_tensor *sn_fftfreq(sn_context *context, sn_dtype dtype, int64_t n, double d);
// floats. Of sn_rfft: the first n / 2 + 1, all positive. Errors: as sn_fftfreq. No gradient.
SN_API sn_tensor *sn_rfftfreq(sn_context *context, sn_dtype dtype, int64_t n, double d);

SNI_EXTERN_C_END
#endif
