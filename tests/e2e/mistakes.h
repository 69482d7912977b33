// What goes wrong most, and what is said of it. MISTAKE(status, call, message without the line)
// clang-format off
MISTAKE(SN_ERR_SHAPE, (sn_add(m, t)),
        "sn_add: operand #1 is f32[3,2], which does not broadcast with operand #0 f32[2,3]: dims, from the last one on, must be equal or 1")
MISTAKE(SN_ERR_DTYPE, (sn_add(m, i)),
        "sn_add: operand #1 is i32[2,3], expected f32 like operand #0 f32[2,3]")
MISTAKE(SN_ERR_DTYPE, (sn_add(m, d)),
        "sn_add: operand #1 is f64[2,3], expected f32 like operand #0 f32[2,3]")
MISTAKE(SN_ERR_SHAPE, (sn_mul(m, v5)),
        "sn_mul: operand #1 is f32[5], which does not broadcast with operand #0 f32[2,3]: dims, from the last one on, must be equal or 1")
MISTAKE(SN_ERR_SHAPE, (sn_matmul(m, m)),
        "sn_matmul: dim 0 of operand #1 f32[2,3] must be the last dim of operand #0 f32[2,3]")
MISTAKE(SN_ERR_SHAPE, (sn_matmul(m, s)),
        "sn_matmul: operands #0 f32[2,3] and #1 f32[]: a scalar is no matrix, use sn_mul")
MISTAKE(SN_ERR_DTYPE, (sn_matmul(m, i)),
        "sn_matmul: operand #1 is i32[2,3], expected f32 like operand #0 f32[2,3]")
MISTAKE(SN_ERR_DTYPE, (sn_sum(b)),
        "sn_sum: operand #0 is bool[2,3], expected a number")
MISTAKE(SN_ERR_SHAPE, (sn_sum(m, .axes = SN_AXES(2))),
        "sn_sum: axis 2 is out of range for operand #0 f32[2,3] of rank 2")
MISTAKE(SN_ERR_SHAPE, (sn_sum(m, .axes = SN_AXES(0, -2))),
        "sn_sum: axis 0 of operand #0 f32[2,3] is given twice")
MISTAKE(SN_ERR_DTYPE, (sn_mean(i)),
        "sn_mean: operand #0 is i32[2,3], expected a float or complex")
MISTAKE(SN_ERR_DTYPE, (sn_all(m)),
        "sn_all: operand #0 is f32[2,3], expected bool")
MISTAKE(SN_ERR_SHAPE, (sn_argmax(m, 2)),
        "sn_argmax: axis 2 is out of range for operand #0 f32[2,3] of rank 2")
MISTAKE(SN_ERR_SHAPE, (sn_argmax(sn_zeros(c, SN_F32, SN_SHAPE(0, 3)), 0)),
        "sn_argmax: axis 0 of operand #0 f32[0,3], expected 1 to 2147483647 elements")
MISTAKE(SN_ERR_DTYPE, (sn_sqrt(i)),
        "sn_sqrt: operand #0 is i32[2,3], expected a float or complex")
MISTAKE(SN_ERR_DTYPE, (sn_exp(b)),
        "sn_exp: operand #0 is bool[2,3], expected a float or complex")
MISTAKE(SN_ERR_DTYPE, (sn_and(m, m)),
        "sn_and: operand #0 is f32[2,3], expected bool or an integer (operand #1 is f32[2,3])")
MISTAKE(SN_ERR_DTYPE, (sn_not(m)),
        "sn_not: operand #0 is f32[2,3], expected bool or an integer")
MISTAKE(SN_ERR_DTYPE, (sn_where(m, m, m)),
        "sn_where: operand #0 is f32[2,3], expected bool (operand #1 is f32[2,3])")
MISTAKE(SN_ERR_DTYPE, (sn_where(b, m, i)),
        "sn_where: operand #2 is i32[2,3], expected f32 like operand #1 f32[2,3]")
MISTAKE(SN_ERR_DTYPE, (sn_less(b, b)),
        "sn_less: operand #0 is bool[2,3], expected a real number (operand #1 is bool[2,3])")
MISTAKE(SN_ERR_ARGUMENT, (sn_equal_scalar(i, 0.5)),
        "sn_equal_scalar: 0.5 is no i32: give a number that the dtype has")
MISTAKE(SN_ERR_SHAPE, (sn_reshape(m, SN_SHAPE(4, 2))),
        "sn_reshape: operand #0 f32[2,3] cannot become [4,2]: the sizes differ")
MISTAKE(SN_ERR_SHAPE, (sn_reshape(m, SN_SHAPE(-1, 4))),
        "sn_reshape: operand #0 f32[2,3] cannot become [-1,4]: the sizes differ")
MISTAKE(SN_ERR_SHAPE, (sn_reshape(m, SN_SHAPE(-1, -1))),
        "sn_reshape: [-1,-1] is no shape: at most 8 dims >= 0, one of them may be -1")
MISTAKE(SN_ERR_SHAPE, (sn_permute(m, (int[]){0, 0}, 2)),
        "sn_permute: the 2 axes given are no permutation of the 2 axes of operand #0 f32[2,3]")
MISTAKE(SN_ERR_SHAPE, (sn_squeeze(m, 0)),
        "sn_squeeze: dim 0 of operand #0 f32[2,3] is not 1")
MISTAKE(SN_ERR_SHAPE, (sn_expand_dims(m, 4)),
        "sn_expand_dims: no new axis 4 in operand #0 f32[2,3]: expected one in [-3, 2], and at most 8 dims in all")
MISTAKE(SN_ERR_SHAPE, (sn_broadcast_to(m, SN_SHAPE(2, 2))),
        "sn_broadcast_to: operand #0 f32[2,3] does not broadcast to f32[2,2]: dims, from the last one on, must be equal or 1")
MISTAKE(SN_ERR_DTYPE, (sn_concat((sn_tensor *[]){m, i}, 2, 0)),
        "sn_concat: operand #1 is i32[2,3], expected f32 like operand #0 f32[2,3]")
MISTAKE(SN_ERR_SHAPE, (sn_concat((sn_tensor *[]){m, v5}, 2, 0)),
        "sn_concat: operand #1 is f32[5], which does not fit operand #0 f32[2,3]: all dims but that of the axis must be equal")
MISTAKE(SN_ERR_SHAPE, (sn_stack((sn_tensor *[]){m, t}, 2, 0)),
        "sn_stack: operand #1 is f32[3,2], which does not fit operand #0 f32[2,3]")
MISTAKE(SN_ERR_ARGUMENT, (sn_slice(m, (sn_range_spec[]){SN_RANGE(0, 2, 0)}, 1)),
        "sn_slice: the step of axis 0 of operand #0 f32[2,3] is 0")
MISTAKE(SN_ERR_INDEX, (sn_index(m, 0, 2)),
        "sn_index: index 2 is out of range for axis 0 of operand #0 f32[2,3]")
MISTAKE(SN_ERR_DTYPE, (sn_set_at(m, i, "0")),
        "sn_set_at: operand #1 is i32[2,3], expected f32 like operand #0 f32[2,3]")
MISTAKE(SN_ERR_SHAPE, (sn_set_at(m, m, "0, 0, 0")),
        "sn_set_at: \"0, 0, 0\": 3 axes for operand #0 f32[2,3] of rank 2")
MISTAKE(SN_ERR_SHAPE, (sn_set_slice(m, m, (sn_range_spec[]){SN_RANGE(0, 1, 1)}, 1)),
        "sn_set_slice: operand #1 is f32[2,3], which does not broadcast to f32[1,3]")
MISTAKE(SN_ERR_ARGUMENT, (sn_set_slice(m, m, (sn_range_spec[]){SN_RANGE(0, 1, 0)}, 1)),
        "sn_set_slice: the step of axis 0 of operand #0 f32[2,3] is 0")
MISTAKE(SN_ERR_SHAPE, (sn_at(m, "0, 0, 0")),
        "sn_at: \"0, 0, 0\": 3 axes for operand #0 f32[2,3] of rank 2")
MISTAKE(SN_ERR_ARGUMENT, (sn_at(m, "1:2:0")),
        "sn_at: \"1:2:0\": a step is 0")
MISTAKE(SN_ERR_ARGUMENT, (sn_at(m, "0, -")),
        "sn_at: \"0, -\": expected numbers, start:stop:step, None and \"...\", with commas between")
MISTAKE(SN_ERR_ARGUMENT, (sn_at(m, "99999999999999999999")),
        "sn_at: \"99999999999999999999\": expected numbers, start:stop:step, None and \"...\", with commas between")
MISTAKE(SN_ERR_ARGUMENT, (sn_at(m, "x")),
        "sn_at: \"x\": expected numbers, start:stop:step, None and \"...\", with commas between")
MISTAKE(SN_ERR_ARGUMENT, (sn_at(m, "..., ...")),
        "sn_at: \"..., ...\": \"...\" stands twice")
MISTAKE(SN_ERR_INDEX, (sn_at(m, "2")),
        "sn_at: index 2 is out of range for axis 0 of operand #0 f32[2,3]")
MISTAKE(SN_ERR_ARGUMENT, (sn_pad(m, (int64_t[]){-1}, (int64_t[]){0}, 1, 0)),
        "sn_pad: the widths of axis 0 of operand #0 f32[2,3] are negative: -1, 0")
MISTAKE(SN_ERR_ARGUMENT, (sn_pad_with(m, (int64_t[]){1}, (int64_t[]){0}, 1, (sn_pad_rule)9)),
        "sn_pad_with: widths of 1 axes by rule 9 for operand #0 f32[2,3] of rank 2")
MISTAKE(SN_ERR_SHAPE, (sn_pad_with(sn_zeros(c, SN_F32, SN_SHAPE(1)), (int64_t[]){1}, (int64_t[]){0}, 1, SN_PAD_REFLECT)),
        "sn_pad_with: axis 0 of operand #0 f32[1] has too few elements for widths of 1 and 0")
MISTAKE(SN_ERR_ARGUMENT, (sn_tile(m, (int64_t[]){-1}, 1)),
        "sn_tile: 1 multiples for operand #0 f32[2,3]: expected at most 8, none negative, and a rank below 8")
MISTAKE(SN_ERR_ARGUMENT, (sn_repeat(m, -1, 0)),
        "sn_repeat: -1 repeats of operand #0 f32[2,3] of rank 2")
MISTAKE(SN_ERR_SHAPE, (sn_split(m, 2, 1, out)),
        "sn_split: axis 1 of operand #0 f32[2,3] does not split into 2 equal pieces")
MISTAKE(SN_ERR_SHAPE, (sn_split_sizes(m, (int64_t[]){1, 1}, 2, 1, out)),
        "sn_split_sizes: axis 1 of operand #0 f32[2,3] does not split into the 2 sizes given, which add up to 2")
MISTAKE(SN_ERR_SHAPE, (sn_unstack(m, 0, out, 3)),
        "sn_unstack: axis 0 of operand #0 f32[2,3] has not 3 elements")
MISTAKE(SN_ERR_SHAPE, (sn_meshgrid((sn_tensor *[]){m}, 1, false, out)),
        "sn_meshgrid: operand #0 is f32[2,3], one of 1: expected vectors, at most 8")
MISTAKE(SN_ERR_ARGUMENT, (sn_diff(m, 3, 0)),
        "sn_diff: 3 differences along axis 0 of operand #0 f32[2,3]: expected a number up to 64 and to the elements of the axis")
MISTAKE(SN_ERR_SHAPE, (sn_flip(m, .axes = SN_AXES(5))),
        "sn_flip: axis 5 is out of range for operand #0 f32[2,3] of rank 2")
MISTAKE(SN_ERR_SHAPE, (sn_gather(s, i)),
        "sn_gather: operand #0 is f32[]: expected rank 1 or more, and with the indices i32[2,3] at most 8 dims")
MISTAKE(SN_ERR_DTYPE, (sn_gather(m, m)),
        "sn_gather: operand #1 is f32[2,3], expected an integer")
MISTAKE(SN_ERR_SHAPE, (sn_scatter_add(m, i, t)),
        "sn_scatter_add: operand #2 is f32[3,2], expected rows f32[2,3,3]")
MISTAKE(SN_ERR_SHAPE, (sn_gather(m, i, .axis = 2)),
        "sn_gather: axis 2 is out of range for operand #0 f32[2,3] of rank 2")
MISTAKE(SN_ERR_SHAPE, (sn_gather(t, i, .batch_dims = 1)),
        "sn_gather: operands #0 f32[3,2] and #1 i32[2,3] have no 1 batch dims in common before axis 1")
MISTAKE(SN_ERR_DTYPE, (sn_take(m, m)),
        "sn_take: operand #1 is f32[2,3], expected an integer")
MISTAKE(SN_ERR_SHAPE, (sn_gather_nd(m, i)),
        "sn_gather_nd: the indices are i32[2,3]: expected 0 batch dims as f32[2,3] has them, as the last dim how many of its axes they are along, and at most 8 dims of what they name")
MISTAKE(SN_ERR_ARGUMENT, (sn_embedding_lookup(m, i, .max_norm = -1)),
        "sn_embedding_lookup: max_norm is -1, expected a number >= 0")
MISTAKE(SN_ERR_DTYPE, (sn_scatter_max(b, i, b)),
        "sn_scatter_max: operand #0 is bool[2,3], expected a real number")
MISTAKE(SN_ERR_SHAPE, (sn_scatter_update(m, i, t, .axis = 1)),
        "sn_scatter_update: operand #2 is f32[3,2], expected rows f32[2,2,3]")
MISTAKE(SN_ERR_DTYPE, (sn_scatter_mul(m, i, d)),
        "sn_scatter_mul: operand #2 is f64[2,3], expected f32 like operand #0 f32[2,3]")
MISTAKE(SN_ERR_ARGUMENT, (sn_tensor_scatter_nd(m, i, m, (sn_scatter_mode)7)),
        "sn_tensor_scatter_nd: there is no mode 7")
MISTAKE(SN_ERR_SHAPE, (sn_scatter_nd(i, m, SN_SHAPE(2, 2, 2))),
        "sn_scatter_nd: operand #1 is f32[2,3], expected rows f32[2]")
MISTAKE(SN_ERR_SHAPE, (sn_put_along_axis(m, i, t, 1)),
        "sn_put_along_axis: operand #2 is f32[3,2], expected rows f32[2,3]")
MISTAKE(SN_ERR_SHAPE, (sn_put_along_axis(t, i, m, 1)),
        "sn_put_along_axis: operand #1 is i32[2,3], expected the dims of operand #0 f32[3,2] but for axis 1")
MISTAKE(SN_ERR_SHAPE, (sn_dynamic_slice(m, sn_zeros(c, SN_I32, SN_SHAPE(2)), SN_SHAPE(2, 4))),
        "sn_dynamic_slice: no window f32[2,4] of operand #0 f32[2,3] begins at starts i32[2]: expected as many dims, none larger")
MISTAKE(SN_ERR_SHAPE, (sn_dynamic_update(m, v5, sn_zeros(c, SN_I32, SN_SHAPE(2)))),
        "sn_dynamic_update: no window f32[5] of operand #0 f32[2,3] begins at starts i32[2]: expected as many dims, none larger")
MISTAKE(SN_ERR_SHAPE, (sn_segment_sum(v5, i, 2)),
        "sn_segment_sum: operand #1 is i32[2,3], expected the first dims of operand #0 f32[5]")
MISTAKE(SN_ERR_SHAPE, (sn_segment_max(m, i, -1)),
        "sn_segment_max: dim 0 of the shape is negative: -1")
MISTAKE(SN_ERR_DTYPE, (sn_bincount(m)),
        "sn_bincount: operand #0 is f32[2,3], expected an integer")
MISTAKE(SN_ERR_SHAPE, (sn_bincount(i, .weights = t)),
        "sn_bincount: the weights are f32[3,2], expected numbers of the shape of operand #0 i32[2,3]")
MISTAKE(SN_ERR_ARGUMENT, (sn_histogram(m, 0, 0, 1)),
        "sn_histogram: 0 intervals from 0 to 1: expected 1 to 2147483647, between two finite numbers in ascending order")
MISTAKE(SN_ERR_SHAPE, (sn_nonzero(s)),
        "sn_nonzero: operand #0 is f32[], expected at least 1 dim")
MISTAKE(SN_ERR_ARGUMENT, (sn_argwhere(m, .length = -3)),
        "sn_argwhere: .length is -3")
MISTAKE(SN_ERR_SHAPE, (sn_boolean_mask(t, b)),
        "sn_boolean_mask: operand #1 is bool[2,3], expected the dims of operand #0 f32[3,2] from axis 0 on")
MISTAKE(SN_ERR_DTYPE, (sn_boolean_mask(m, i)),
        "sn_boolean_mask: operand #1 is i32[2,3], expected bool")
MISTAKE(SN_ERR_ARGUMENT, (sn_one_hot(i, -1, SN_F32)),
        "sn_one_hot: depth -1 is out of range")
MISTAKE(SN_ERR_DTYPE, (sn_one_hot(m, 3, SN_F32)),
        "sn_one_hot: operand #0 is f32[2,3], expected an integer")
MISTAKE(SN_ERR_SHAPE, (sn_conv(m, m)),
        "sn_conv: expected an image of rank 3 to 5, [examples, spatial.., channels], and a kernel of the same rank: operands #0 f32[2,3], #1 (kernel) f32[2,3]")
MISTAKE(SN_ERR_SHAPE, (sn_conv(image, image)),
        "sn_conv: the kernel must be [spatial.., channels of the image / groups, filters], and groups must divide the filters: operands #0 f32[1,4,4,2], #1 (kernel) f32[1,4,4,2]")
MISTAKE(SN_ERR_SHAPE, (sn_max_pool(m)),
        "sn_max_pool: expected an image of rank 3 to 5, [examples, spatial.., channels]: operand #0 is f32[2,3]")
MISTAKE(SN_ERR_SHAPE, (sn_max_pool(image, .window = {9, 9})),
        "sn_max_pool: a window is larger than the padded image: operand #0 is f32[1,4,4,2]")
MISTAKE(SN_ERR_ARGUMENT, (sn_max_pool(image, .window = {1, 1, 1})),
        "sn_max_pool: an option for more spatial dims than there are: operand #0 is f32[1,4,4,2]")
MISTAKE(SN_ERR_ARGUMENT, (sn_einsum("ij,jk", in1, 1)),
        "sn_einsum: \"ij,jk\": more terms than operands")
MISTAKE(SN_ERR_ARGUMENT, (sn_einsum("ij", in2, 2)),
        "sn_einsum: \"ij\": fewer terms than operands")
MISTAKE(SN_ERR_SHAPE, (sn_einsum("ij,jk->ikk", in2, 2)),
        "sn_einsum: \"ij,jk->ikk\": dim 0 of operand #1 f32[2,3] has not the size that 'j' has in the terms before")
MISTAKE(SN_ERR_SHAPE, (sn_einsum("ij,jk->iz", in2, 2)),
        "sn_einsum: \"ij,jk->iz\": dim 0 of operand #1 f32[2,3] has not the size that 'j' has in the terms before")
MISTAKE(SN_ERR_SHAPE, (sn_einsum("ij,jk", in2, 2)),
        "sn_einsum: \"ij,jk\": dim 0 of operand #1 f32[2,3] has not the size that 'j' has in the terms before")
MISTAKE(SN_ERR_ARGUMENT, (sn_einsum("i1", in1, 1)),
        "sn_einsum: \"i1\": expected letters, one \"...\" a term, ',' and \"->\"")
MISTAKE(SN_ERR_SHAPE, (sn_tensordot(m, m, (int[]){0}, (int[]){1}, 1)),
        "sn_tensordot: axis 0 of operand #0 f32[2,3] and axis 1 of operand #1 f32[2,3]: expected axes of equal size, each once")
MISTAKE(SN_ERR_SHAPE, (sn_tril(v5, 0)),
        "sn_tril: operand #0 is f32[5], expected at least 2 dims")
MISTAKE(SN_ERR_SHAPE, (sn_cross(m, v5)),
        "sn_cross: operands #0 f32[2,3] and #1 f32[5]: expected last dims of 3")
MISTAKE(SN_ERR_SHAPE, (sn_softmax(m, 2)),
        "sn_softmax: axis 2 is out of range for operand #0 f32[2,3] of rank 2")
MISTAKE(SN_ERR_DTYPE, (sn_softmax(i, 0)),
        "sn_softmax: operand #0 is i32[2,3], expected a float")
MISTAKE(SN_ERR_SHAPE, (sn_layer_norm(m, v5, NULL, -1, 1e-5)),
        "sn_layer_norm: operand #1 is f32[5], which does not broadcast with operand #0 f32[2,3]: dims, from the last one on, must be equal or 1")
MISTAKE(SN_ERR_ARGUMENT, (sn_layer_norm(m, NULL, NULL, -1, -1)),
        "sn_layer_norm: epsilon is -1, expected a number >= 0")
MISTAKE(SN_ERR_SHAPE, (sn_group_norm(m, NULL, NULL, 2, SN_CHANNELS_LAST, 1e-5)),
        "sn_group_norm: dim 1 of operand #0 f32[2,3], the channels, has not 2 equal groups")
MISTAKE(SN_ERR_ARGUMENT, (sn_dropout(m, 1)),
        "sn_dropout: the rate is 1, expected one in [0, 1)")
MISTAKE(SN_ERR_SHAPE, (sn_glu(m, 1)),
        "sn_glu: axis 1 of operand #0 f32[2,3] has no two halves")
MISTAKE(SN_ERR_ARGUMENT, (sn_celu(m, 0)),
        "sn_celu: alpha is 0, expected another number")
MISTAKE(SN_ERR_ARGUMENT, (sn_clip_by_norm(m, 0)),
        "sn_clip_by_norm: the limit is 0, expected a number > 0")
MISTAKE(SN_ERR_ARGUMENT, (sn_huber_loss(m, m, 0)),
        "sn_huber_loss: delta is 0, expected a positive number")
MISTAKE(SN_ERR_DTYPE, (sn_sparse_softmax_cross_entropy(m, m)),
        "sn_sparse_softmax_cross_entropy: operand #1 is f32[2,3], expected an integer")
MISTAKE(SN_ERR_DTYPE, (sn_sparse_softmax_cross_entropy(m, v5)),
        "sn_sparse_softmax_cross_entropy: operand #1 is f32[5], expected an integer")
MISTAKE(SN_ERR_SHAPE, (sn_softmax_cross_entropy(m, t)),
        "sn_softmax_cross_entropy: operands #0 f32[2,3] (logits) and #1 f32[3,2] (labels) differ")
MISTAKE(SN_ERR_SHAPE, (sn_scaled_dot_product_attention(m, t, t)),
        "sn_scaled_dot_product_attention: operands #0 f32[2,3] (queries) and #1 f32[3,2] (keys): their last dims differ")
MISTAKE(SN_ERR_DTYPE, (sn_gcd(m, m)),
        "sn_gcd: operand #0 is f32[2,3], expected an integer")
MISTAKE(SN_ERR_SHAPE, (sn_bitcast(m, SN_F64)),
        "sn_bitcast: operand #0 is f32[2,3], expected a last dim of 2 for f64")
MISTAKE(SN_ERR_DTYPE, (sn_bitcast(m, SN_C64)),
        "sn_bitcast: to c64, expected a real number")
MISTAKE(SN_ERR_SHAPE, (sn_resize(m, (int64_t[]){1}, 1, SN_RESIZE_LINEAR, SN_CHANNELS_LAST)),
        "sn_resize: 1 sizes, expected one in [1, 2^30] for each spatial dim of an image that is not empty: operand #0 is f32[2,3]")
MISTAKE(SN_ERR_DTYPE, (sn_gelu_exact(i)),
        "sn_gelu_exact: operand #0 is i32[2,3], expected a float")
MISTAKE(SN_ERR_SHAPE, (sn_cumlogsumexp(m, 2)),
        "sn_cumlogsumexp: axis 2 is out of range for operand #0 f32[2,3] of rank 2")
MISTAKE(SN_ERR_DTYPE, (sn_fft(i, 0)),
        "sn_fft: operand #0 is i32[2,3], expected a float or complex")
MISTAKE(SN_ERR_SHAPE, (sn_rfft(m, 2)),
        "sn_rfft: axis 2 is out of range for operand #0 f32[2,3] of rank 2")
MISTAKE(SN_ERR_ARGUMENT, (sn_fft(m, 0, .n = -4)),
        "sn_fft: -4 points, expected 0 to 2^30")
MISTAKE(SN_ERR_SHAPE, (sn_fft2(v5)),
        "sn_fft2: 0 axes of operand #0 f32[5], expected rank >= 2")
MISTAKE(SN_ERR_DTYPE, (sn_cast(m, (sn_dtype)99)),
        "sn_cast: 99 is not a dtype")
MISTAKE(SN_ERR_ARGUMENT, (sn_add(m, NULL)),
        "sn_add: operand #1 is NULL")
MISTAKE(SN_ERR_ARGUMENT, (sn_range(c, SN_I32, 0, 5, 0.5)),
        "sn_range: start 0 and step 0.5 of an i32 range must be integers")
MISTAKE(SN_ERR_SHAPE, (sn_zeros(c, SN_F32, SN_SHAPE(-2))),
        "sn_zeros: dim 0 of the shape is negative: -2")
MISTAKE(SN_ERR_DTYPE, (sn_full(c, (sn_dtype)77, SN_SHAPE(2), 1)),
        "sn_full: 77 is not a dtype")
MISTAKE(SN_ERR_ARGUMENT, (sn_assign_at(m, m, "0")),
        "sn_assign_at: operand #0 is f32[2,3], which is no variable")
MISTAKE(SN_ERR_DTYPE, (sn_assign_at(var, i, "...")),
        "sn_assign_at: operand #1 is i32[2,3], expected f32 like the variable \"w\" f32[2,3]")
MISTAKE(SN_ERR_SHAPE, (sn_assign_at(var, v5, "0")),
        "sn_assign_at: operand #1 is f32[5], which does not broadcast to f32[3]")
MISTAKE(SN_ERR_INDEX, (sn_assign_at(var, m, "2")),
        "sn_assign_at: index 2 is out of range for axis 0 of operand #0 f32[2,3]")
MISTAKE(SN_ERR_ARGUMENT, (sn_assign_at(var, m, "x")),
        "sn_assign_at: \"x\": expected numbers, start:stop:step, None and \"...\", with commas between")
MISTAKE(SN_ERR_ARGUMENT, (sn_assign_scatter(m, i, m, SN_SCATTER_ADD)),
        "sn_assign_scatter: operand #0 is f32[2,3], which is no variable")
MISTAKE(SN_ERR_ARGUMENT, (sn_assign_scatter(var, i, m, (sn_scatter_mode)7)),
        "sn_assign_scatter: there is no mode 7")
MISTAKE(SN_ERR_DTYPE, (sn_assign_scatter_nd(var, m, m, SN_SCATTER_ADD)),
        "sn_assign_scatter_nd: operand #1 is f32[2,3], expected an integer")
MISTAKE(SN_ERR_ARGUMENT, (sn_assign(m, m)),
        "sn_assign: operand #0 is f32[2,3], which is no variable")
MISTAKE(SN_ERR_SHAPE, (sn_assign(var, t)),
        "sn_assign: operand #1 is f32[3,2], expected the shape of the variable \"w\" f32[2,3]")
MISTAKE(SN_ERR_DTYPE, (sn_assign(var, i)),
        "sn_assign: operand #1 is i32[2,3], expected f32 like the variable \"w\" f32[2,3]")
MISTAKE(SN_ERR_DTYPE, (sn_random_uniform(c, SN_I32, SN_SHAPE(2))),
        "sn_random_uniform: dtype i32, expected a float")
MISTAKE(SN_ERR_SHAPE, (sn_random_normal(c, SN_F32, SN_SHAPE(2), .key = i)),
        "sn_random_normal: .key is i32[2,3], expected integers [2]")
MISTAKE(SN_ERR_DTYPE, (sn_random_bits(c, SN_U32, SN_SHAPE(2), .key = m)),
        "sn_random_bits: .key is f32[2,3], expected integers [2]")
MISTAKE(SN_ERR_ARGUMENT, (sn_random_exponential(c, SN_F32, SN_SHAPE(2), .algorithm = (sn_random_algorithm)3)),
        "sn_random_exponential: .algorithm is 3, expected one of sn_random_algorithm")
MISTAKE(SN_ERR_ARGUMENT, (sn_random_integers(c, SN_I32, SN_SHAPE(2), 5, 5)),
        "sn_random_integers: no number in [5, 5)")
MISTAKE(SN_ERR_ARGUMENT, (sn_random_integers(c, SN_I32, SN_SHAPE(2), 6, 5, .endpoint = true)),
        "sn_random_integers: no number in [6, 5]")
MISTAKE(SN_ERR_ARGUMENT, (sn_random_integers(c, SN_U8, SN_SHAPE(2), -1, 5)),
        "sn_random_integers: [-1, 5) has numbers that are no u8")
MISTAKE(SN_ERR_ARGUMENT, (sn_random_integers(c, SN_U64, SN_SHAPE(2), -1, 5)),
        "sn_random_integers: no number in [18446744073709551615, 5)")
MISTAKE(SN_ERR_DTYPE, (sn_random_integers(c, SN_F32, SN_SHAPE(2), 0, 5)),
        "sn_random_integers: dtype f32, expected an integer")
MISTAKE(SN_ERR_DTYPE, (sn_random_bernoulli(i)),
        "sn_random_bernoulli: operand #0 is i32[2,3], expected a float")
MISTAKE(SN_ERR_ARGUMENT, (sn_random_categorical(m, .samples = -1)),
        "sn_random_categorical: .samples is -1")
MISTAKE(SN_ERR_DTYPE, (sn_random_gamma(i)),
        "sn_random_gamma: operand #0 is i32[2,3], expected a float")
MISTAKE(SN_ERR_DTYPE, (sn_random_beta(m, d)),
        "sn_random_beta: operand #1 is f64[2,3], expected f32 like operand #0 f32[2,3]")
MISTAKE(SN_ERR_SHAPE, (sn_random_beta(m, v5)),
        "sn_random_beta: operand #1 is f32[5], which does not broadcast with operand #0 f32[2,3]: dims, from the last one on, must be equal or 1")
MISTAKE(SN_ERR_SHAPE, (sn_random_shuffle(s)),
        "sn_random_shuffle: operand #0 is f32[], expected at least 1 dim")
MISTAKE(SN_ERR_SHAPE, (sn_random_permutation(c, -2)),
        "sn_random_permutation: dim 0 of the shape is negative: -2")
MISTAKE(SN_ERR_SHAPE, (sn_random_fold_in(sn_random_key(c, 1), i)),
        "sn_random_fold_in: operand #1 is i32[2,3], expected a scalar")
MISTAKE(SN_ERR_DTYPE, (sn_random_split(m, 2)),
        "sn_random_split: operand #0 is f32[2,3], expected integers [2]")
MISTAKE(SN_ERR_ARGUMENT, (sn_gradients_of(in2, 0, in1, 1, out), out[0]),
        "sn_gradients_of: there are 0 ys, expected one or more")
MISTAKE(SN_ERR_ARGUMENT, (sn_gradients_of(in2, 2, in1, 1, out, .seed = m), out[0]),
        "sn_gradients_of: .seed is that of one y: give .seeds, one for each")
MISTAKE(SN_ERR_ARGUMENT, (sn_gradients_of(in2, 2, in1, 1, out, .unconnected = (sn_unconnected)7), out[0]),
        "sn_gradients_of: .unconnected is 7, expected SN_UNCONNECTED_ERROR, SN_NONE or SN_ZEROS")
MISTAKE(SN_ERR_ARGUMENT, (sn_static_text(c, NULL)),
        "sn_static_text: text is NULL")
// clang-format on
