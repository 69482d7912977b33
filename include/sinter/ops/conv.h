// Convolution. What all ops have in common: ops.h.
#ifndef SINTER_OPS_CONV_H
#define SINTER_OPS_CONV_H

#include <sinter/tensor.h>

SNI_EXTERN_C_BEGIN

// ---- convolution
#define SN_MAX_SPATIAL 3
typedef enum sn_padding {
  SN_PADDING_VALID,     // windows inside of the image alone
  SN_PADDING_SAME,      // ceil(size / stride) windows; zeros in front and behind, one more behind
  SN_PADDING_EXPLICIT,  // .pads
} sn_padding;
typedef enum sn_data_format {
  SN_CHANNELS_LAST,   // [examples, spatial.., channels]
  SN_CHANNELS_FIRST,  // [examples, channels, spatial..]
} sn_data_format;
typedef struct sn_conv_options {
  size_t size;                      // sizeof(sn_conv_options); filled in by the macros
  int64_t strides[SN_MAX_SPATIAL];  // per spatial dim; 0: 1
  int64_t
      dilations[SN_MAX_SPATIAL];  // elements of the image from one of the kernel to the next; 0: 1
  sn_padding padding;
  int64_t pads[SN_MAX_SPATIAL][2];  // of SN_PADDING_EXPLICIT: zeros in front and behind, >= 0
  int64_t groups;                   // 0: 1. Of channels, each with filters of its own
  sn_data_format data_format;       // of image and result
  // of sn_conv_transpose: spatial sizes of its result; 0: stride * size (SAME), else the least
  int64_t output_size[SN_MAX_SPATIAL];
  sn_dtype result;  // as of sn_matmul_options
} sn_conv_options;
// conv: y[n, o.., f] = sum over k.., c of x[n, o stride + k dilation - pad.., c] kernel[k.., c, f]
// (cross-correlation, as every library's convolution; x is 0 outside), for 1 to 3 spatial dims.
// x [examples, spatial.., channels], kernel [spatial.., channels / groups, filters] ->
// [examples, (size + pads - ((k - 1) dilation + 1)) / stride + 1.., filters]; group g's filters follow
// those of g - 1. Numbers, one dtype for both. An element is summed as one of a sn_matmul of
// several columns whose row is the window (one channel and one filter a group: place by place). Zeros
// outside are multiplied: a kernel's infinity or NaN shows. In a trace the kernel's spatial sizes are
// fixed, and the image's where SAME meets a stride above 1. options NULL: all 0. Errors: SN_ERR_DTYPE (dtypes
// differ; .result);
// SN_ERR_SHAPE (ranks; channels; groups that do not divide; a kernel larger than the padded image);
// SN_ERR_ARGUMENT (options). VJP: conv_transpose of dy; the convolution of x and dy. Source:
// TensorFlow 2 tf.nn.convolution.
SN_API sn_tensor *sn_conv_opts(sn_tensor *x, sn_tensor *kernel, const sn_conv_options *options);
// conv_transpose: what sn_conv with these options and this kernel does to an image, turned round: x
// [examples, spatial.., filters], kernel [spatial.., channels / groups, filters] -> [examples,
// spatial.., channels], y[n, o stride + k dilation - pad.., c] += x[n, o.., f] kernel[k.., c, f]. Sizes:
// options->output_size, which sn_conv has to take to x's. numbers. Errors: as sn_conv. VJP: conv of dy;
// the convolution of dy and x. Source: TensorFlow 2 tf.nn.conv_transpose.
SN_API sn_tensor *sn_conv_transpose_opts(sn_tensor *x, sn_tensor *kernel,
                                         const sn_conv_options *options);

// ---- pooling
typedef struct sn_pool_options {
  size_t size;                        // sizeof(sn_pool_options); filled in by the macros
  int64_t window[SN_MAX_SPATIAL];     // per spatial dim; 0: 2
  int64_t strides[SN_MAX_SPATIAL];    // 0: the window
  int64_t dilations[SN_MAX_SPATIAL];  // 0: 1
  sn_padding padding;
  int64_t pads[SN_MAX_SPATIAL][2];  // of SN_PADDING_EXPLICIT; below the window's span
  bool count_padding;               // of avg_pool: places outside count as zeros
  sn_data_format data_format;
} sn_pool_options;
// The greatest element of each window; of images as sn_conv's, of rank 3 to 5. reals. Places outside of the image do not take
// part; NaN propagates. Errors: SN_ERR_SHAPE (rank; a window larger than the padded image), SN_ERR_ARGUMENT (options; a window
// above 4096). VJP: dy to the first greatest element of each window in row-major order. Source: tf.nn.max_pool.
SN_API sn_tensor *sn_max_pool_opts(sn_tensor *x, const sn_pool_options *options);
// The mean of each window; likewise. floats; 16-bit ones in f32. Errors: as sn_max_pool. VJP: dy / count to each. Source: tf.nn.avg_pool.
SN_API sn_tensor *sn_avg_pool_opts(sn_tensor *x, const sn_pool_options *options);
// Images of the n spatial sizes given: window i of an axis is [floor(i size / n), ceil((i + 1) size / n)). reals. Fixes the
// image's sizes in a trace. Errors: SN_ERR_SHAPE (rank is not n + 2; sizes not in [1, 1024]; an empty image). VJP: ties of an axis
// share. Source: torch.nn.AdaptiveMaxPool2d.
SN_API sn_tensor *sn_adaptive_max_pool(sn_tensor *x, const int64_t *sizes, int n,
                                       sn_data_format format);
// The same, of means. floats. VJP: dy / count. Source: torch.nn.AdaptiveAvgPool2d.
SN_API sn_tensor *sn_adaptive_avg_pool(sn_tensor *x, const int64_t *sizes, int n,
                                       sn_data_format format);

// ---- images of other sizes
typedef enum sn_resize_method {
  SN_RESIZE_NEAREST,  // the pixel whose square the place lies in
  SN_RESIZE_LINEAR,   // between two pixels of each axis
  SN_RESIZE_CUBIC,    // of four of each axis: Keys's polynomial with a = -0.75
} sn_resize_method;
// The image at n spatial sizes. Pixels are squares: pixel i of an axis lies at (i + 1/2) size / new size - 1/2, and beyond the edge the pixel
// there goes on (TensorFlow 2's half-pixel centers; PyTorch's align_corners=False); no low-pass where it becomes smaller. floats; weights in f64, sums in
// the dtype of x, of 16-bit ones in f32. Fixes the image's sizes in a trace. Errors: SN_ERR_SHAPE (rank is not n + 2; sizes not in [1, 2^30]; an empty image),
// SN_ERR_ARGUMENT (method). VJP: dy scattered by the same weights. Source: torch.nn.functional.interpolate, nearest-exact, bilinear, bicubic.
SN_API sn_tensor *sn_resize(sn_tensor *x, const int64_t *sizes, int n, sn_resize_method method,
                            sn_data_format format);

SNI_EXTERN_C_END
#endif
