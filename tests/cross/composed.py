#!/usr/bin/env python3
"""composed.py > tests/e2e/composed_cases.h: one table of composed ops, with the values that NumPy and PyTorch give in float64.

Needs numpy and torch, in a virtual environment outside of the repository. A row: name, flags, shapes of the operands, the C
expression of in[], the Python expression of the same (a, b, c: arrays; ta, tb, tc: tensors). Flags: s: the first dim, and
that of operands where it is equal, may be another size.
"""
import numpy as np
import torch
import torch.nn.functional as F

# name, flags, shapes, C, Python
ROWS = [
    ("move_axis", "s", [(3, 4, 5)], "sn_move_axis(in[0], 0, -1)", "np.moveaxis(a, 0, -1)"),
    ("move_axis_back", "s", [(3, 4, 5)], "sn_move_axis(in[0], 2, 0)", "np.moveaxis(a, 2, 0)"),
    ("swap_axes", "s", [(3, 4, 5)], "sn_swap_axes(in[0], 0, 2)", "np.swapaxes(a, 0, 2)"),
    ("matrix_transpose", "s", [(3, 4, 5)], "sn_matrix_transpose(in[0])", "np.swapaxes(a, -1, -2)"),
    ("ravel", "s", [(3, 4, 5)], "sn_ravel(in[0])", "np.ravel(a)"),
    ("flip_all", "s", [(3, 4)], "sn_flip(in[0])", "np.flip(a)"),
    ("flip_one", "s", [(3, 4)], "sn_flip(in[0], .axes = SN_AXES(-1))", "np.flip(a, -1)"),
    ("roll", "s", [(5, 4)], "sn_roll(in[0], 2, 0)", "np.roll(a, 2, 0)"),
    ("roll_back", "s", [(5, 4)], "sn_roll(in[0], -9, 1)", "np.roll(a, -9, 1)"),
    ("repeat", "s", [(3, 4)], "sn_repeat(in[0], 3, 1)", "np.repeat(a, 3, 1)"),
    ("repeat_rows", "s", [(3, 4)], "sn_repeat(in[0], 2, 0)", "np.repeat(a, 2, 0)"),
    ("tile", "s", [(3, 4)], "sn_tile(in[0], (int64_t[]){2, 1, 3}, 3)", "np.tile(a, (2, 1, 3))"),
    ("tile_last", "s", [(3, 4)], "sn_tile(in[0], (int64_t[]){2}, 1)", "np.tile(a, 2)"),
    ("split", "s", [(3, 6)], "last_of(sn_split(in[0], 3, -1, pieces), 3)", "np.split(a, 3, -1)[2]"),
    ("split_rows", "", [(6, 2)], "last_of(sn_split(in[0], 2, 0, pieces), 2)", "np.split(a, 2, 0)[1]"),
    ("split_sizes", "s", [(3, 7)], "last_of(sn_split_sizes(in[0], (int64_t[]){2, -1, 1}, 3, 1, pieces), 2)",
     "a[:, 2:6]"),
    ("split_rest", "s", [(5, 2)], "last_of(sn_split_sizes(in[0], (int64_t[]){2, -1}, 2, 0, pieces), 2)", "a[2:]"),
    ("unstack", "s", [(3, 4)], "last_of(sn_unstack(in[0], 1, pieces, 4), 4)", "a[:, 3]"),
    ("meshgrid", "", [(3,), (4,)], "last_of(sn_meshgrid(in, 2, true, pieces), 1)", "np.meshgrid(a, b)[0]"),
    ("meshgrid_ij", "", [(3,), (4,)], "last_of(sn_meshgrid(in, 2, false, pieces), 2)",
     "np.meshgrid(a, b, indexing='ij')[1]"),
    ("pad_reflect", "s", [(4, 5)], "sn_pad_with(in[0], (int64_t[]){2, 1}, (int64_t[]){1, 3}, 2, SN_PAD_REFLECT)",
     "np.pad(a, ((2, 1), (1, 3)), 'reflect')"),
    ("pad_reflect_far", "", [(3, 2)], "sn_pad_with(in[0], (int64_t[]){0, 5}, (int64_t[]){0, 4}, 2, SN_PAD_REFLECT)",
     "np.pad(a, ((0, 0), (5, 4)), 'reflect')"),
    ("pad_symmetric", "s", [(4, 5)], "sn_pad_with(in[0], (int64_t[]){2, 1}, (int64_t[]){1, 3}, 2, SN_PAD_SYMMETRIC)",
     "np.pad(a, ((2, 1), (1, 3)), 'symmetric')"),
    ("pad_edge", "s", [(4, 5)], "sn_pad_with(in[0], (int64_t[]){2, 1}, (int64_t[]){1, 3}, 2, SN_PAD_EDGE)",
     "np.pad(a, ((2, 1), (1, 3)), 'edge')"),
    ("pad_wrap", "s", [(4, 5)], "sn_pad_with(in[0], (int64_t[]){2, 1}, (int64_t[]){1, 3}, 2, SN_PAD_WRAP)",
     "np.pad(a, ((2, 1), (1, 3)), 'wrap')"),
    ("pad_wrap_far", "", [(3, 2)], "sn_pad_with(in[0], (int64_t[]){0, 5}, (int64_t[]){0, 3}, 2, SN_PAD_WRAP)",
     "np.pad(a, ((0, 0), (5, 3)), 'wrap')"),
    ("diff", "s", [(5, 4)], "sn_diff(in[0], 1, 0)", "np.diff(a, axis=0)"),
    ("diff_twice", "s", [(3, 6)], "sn_diff(in[0], 2, -1)", "np.diff(a, 2)"),
    ("at_ellipsis", "s", [(3, 4, 5)], 'sn_at(in[0], "..., 1:, None, -1")', "a[..., 1:, None, -1]"),
    ("at_steps", "s", [(5, 6)], 'sn_at(in[0], "::-2, 1:%d", 5)', "a[::-2, 1:5]"),
    ("at_number", "s", [(3, 4, 5)], 'sn_at(in[0], "1, %d:", -2)', "a[1, -2:]"),
    ("at_scalar", "s", [(3, 4)], 'sn_at(in[0], "-1,-4")', "a[-1, -4]"),
    ("at_all", "s", [(3, 4)], 'sn_at(in[0], "...")', "a[...]"),
    ("at_new", "s", [(3, 4)], 'sn_at(in[0], "None, :, None, ..., None")', "a[None, :, None, ..., None]"),
    ("at_backward", "", [(6,)], 'sn_at(in[0], "4:1:-1")', "a[4:1:-1]"),
    ("at_clamped", "", [(6,)], 'sn_at(in[0], "-100:100")', "a[-100:100]"),
    ("at_empty", "", [(6, 2)], 'sn_at(in[0], "4:2")', "a[4:2]"),
    ("add_n", "s", [(3, 4), (3, 4), (3, 4)], "sn_add_n(in, 3)", "a + b + c"),
    ("clip_by_global_norm", "s", [(3, 4), (2,)], "(sn_clip_by_global_norm(in, 2, 3, pieces), pieces[1])",
     "b * 3 / np.sqrt((a * a).sum() + (b * b).sum())"),
    ("linspace", "", [(7,)], "sn_mul(in[0], sn_linspace(sn_context_of(in[0]), SN_F64, -1, 0.7, 7, true))",
     "a * np.linspace(-1, 0.7, 7)"),
    ("linspace_open", "", [(7,)], "sn_mul(in[0], sn_linspace(sn_context_of(in[0]), SN_F64, 3, -2, 7, false))",
     "a * np.linspace(3, -2, 7, endpoint=False)"),
    ("outer", "", [(3,), (2, 2)], "sn_outer(in[0], in[1])", "np.outer(a, b)"),
    ("vecdot", "s", [(3, 4), (3, 4)], "sn_vecdot(in[0], in[1], -1)", "(a * b).sum(-1)"),
    ("cross", "s", [(4, 3), (4, 3)], "sn_cross(in[0], in[1])", "np.cross(a, b)"),
    ("kron", "", [(2, 3), (3, 2)], "sn_kron(in[0], in[1])", "np.kron(a, b)"),
    ("kron_ranks", "", [(3,), (2, 2)], "sn_kron(in[0], in[1])", "np.kron(a, b)"),
    ("tensordot", "", [(3, 4, 5), (4, 3, 2)], "sn_tensordot(in[0], in[1], (int[]){1, 0}, (int[]){0, 1}, 2)",
     "np.tensordot(a, b, ([1, 0], [0, 1]))"),
    ("tensordot_none", "", [(3,), (2, 2)], "sn_tensordot(in[0], in[1], NULL, NULL, 0)", "np.tensordot(a, b, 0)"),
    ("tensordot_last", "s", [(3, 4), (4, 2)], "sn_tensordot(in[0], in[1], (int[]){-1}, (int[]){0}, 1)", "a @ b"),
    ("einsum_matmul", "", [(3, 4), (4, 5)], 'sn_einsum("ij,jk->ik", in, 2)', "np.einsum('ij,jk->ik', a, b)"),
    ("einsum_implicit", "", [(3, 4), (4, 5)], 'sn_einsum("bA,Ac", in, 2)', "np.einsum('bA,Ac', a, b)"),
    ("einsum_trace", "", [(4, 4)], 'sn_einsum("ii", in, 1)', "np.einsum('ii', a)"),
    ("einsum_diagonal", "", [(4, 4)], 'sn_einsum("ii->i", in, 1)', "np.einsum('ii->i', a)"),
    ("einsum_three_times", "", [(3, 2, 3, 3)], 'sn_einsum("ijii->ji", in, 1)', "np.einsum('ijii->ji', a)"),
    ("einsum_transpose", "s", [(3, 4, 5)], 'sn_einsum("ijk->kij", in, 1)', "np.einsum('ijk->kij', a)"),
    ("einsum_sum", "s", [(3, 4, 5)], 'sn_einsum("ijk->j", in, 1)', "np.einsum('ijk->j', a)"),
    ("einsum_outer", "", [(3,), (4,)], 'sn_einsum("i,j->ji", in, 2)', "np.einsum('i,j->ji', a, b)"),
    ("einsum_batch", "s", [(3, 4, 5), (3, 5, 2)], 'sn_einsum("bij,bjk->bki", in, 2)',
     "np.einsum('bij,bjk->bki', a, b)"),
    ("einsum_heads", "s", [(2, 3, 2, 4), (2, 5, 2, 4)], 'sn_einsum("bthd,bshd->bhts", in, 2)',
     "np.einsum('bthd,bshd->bhts', a, b)"),
    ("einsum_three", "", [(3, 4), (4, 5), (5, 2)], 'sn_einsum("ij,jk,kl->il", in, 3)',
     "np.einsum('ij,jk,kl->il', a, b, c)"),
    ("einsum_bilinear", "s", [(3, 4), (4, 5, 2), (3, 5)], 'sn_einsum("bi,ijk,bj->bk", in, 3)',
     "np.einsum('bi,ijk,bj->bk', a, b, c)"),
    ("einsum_ellipsis", "s", [(2, 3, 4), (4, 5)], 'sn_einsum("...j, jk->...k", in, 2)',
     "np.einsum('...j,jk->...k', a, b)"),
    ("einsum_broadcast", "", [(2, 1, 3, 4), (5, 4, 2)], 'sn_einsum("...ij,...jk", in, 2)',
     "np.einsum('...ij,...jk', a, b)"),
    ("einsum_ellipsis_last", "", [(3, 2, 4), (3, 4)], 'sn_einsum("i...,i...->...", in, 2)',
     "np.einsum('i...,i...->...', a, b)"),
    ("einsum_hadamard", "s", [(3, 4), (3, 4)], 'sn_einsum("ij,ij->ij", in, 2)', "a * b"),
    ("einsum_lonely", "", [(3, 4), (5,)], 'sn_einsum("ij,k->i", in, 2)', "np.einsum('ij,k->i', a, b)"),
    ("tril", "s", [(4, 5)], "sn_tril(in[0], 0)", "np.tril(a)"),
    ("tril_above", "", [(2, 4, 5)], "sn_tril(in[0], 1)", "np.tril(a, 1)"),
    ("triu", "s", [(4, 5)], "sn_triu(in[0], 0)", "np.triu(a)"),
    ("triu_below", "", [(2, 4, 3)], "sn_triu(in[0], -2)", "np.triu(a, -2)"),
    ("diagonal", "s", [(3, 4, 5)], "sn_diagonal(in[0], 0)", "np.diagonal(a, 0, -2, -1)"),
    ("diagonal_above", "", [(4, 5)], "sn_diagonal(in[0], 2)", "np.diagonal(a, 2)"),
    ("diagonal_below", "", [(5, 3)], "sn_diagonal(in[0], -3)", "np.diagonal(a, -3)"),
    ("diag", "s", [(4,)], "sn_diag(in[0], 0)", "np.diag(a)"),
    ("diag_above", "", [(4,)], "sn_diag(in[0], 2)", "np.diag(a, 2)"),
    ("diag_below", "", [(2, 3)], "sn_diag(in[0], -1)", "np.stack([np.diag(r, -1) for r in a])"),
    ("trace", "s", [(3, 4, 4)], "sn_trace(in[0], 0)", "np.trace(a, 0, -2, -1)"),
    ("trace_below", "", [(4, 4)], "sn_trace(in[0], -1)", "np.trace(a, -1)"),
    ("var_sample", "s", [(3, 5)], "sn_var(in[0], .axes = SN_AXES(1), .ddof = 1)", "a.var(1, ddof=1)"),
    ("std_sample", "s", [(3, 5)], "sn_std(in[0], .axes = SN_AXES(1), .keepdims = true, .ddof = 2)",
     "a.std(1, ddof=2, keepdims=True)"),
    ("norm", "s", [(3, 5)], "sn_norm(in[0], .axes = SN_AXES(1))", "np.linalg.norm(a, axis=1)"),
    ("norm_all", "s", [(3, 5)], "sn_norm(in[0])", "np.linalg.norm(a)"),
    ("norm_one", "s", [(3, 5)], "sn_norm(in[0], .axes = SN_AXES(0), .ord = 1)", "np.linalg.norm(a, 1, axis=0)"),
    ("norm_three", "s", [(3, 5)], "sn_norm(in[0], .axes = SN_AXES(1), .ord = 3)", "np.linalg.norm(a, 3, axis=1)"),
    ("norm_most", "s", [(3, 5)], "sn_norm(in[0], .axes = SN_AXES(1), .ord = INFINITY)",
     "np.linalg.norm(a, np.inf, axis=1)"),
    ("norm_least", "s", [(3, 5)], "sn_norm(in[0], .axes = SN_AXES(1), .ord = -INFINITY)",
     "np.linalg.norm(a, -np.inf, axis=1)"),
    ("global_norm", "s", [(3, 5), (2,)], "sn_global_norm(in, 2)", "np.sqrt((a * a).sum() + (b * b).sum())"),
    ("clip_by_norm", "s", [(3, 5)], "sn_clip_by_norm(in[0], 2.5)", "a * 2.5 / np.linalg.norm(a)"),
    ("clip_by_norm_rows", "s", [(3, 5)], "sn_clip_by_norm(in[0], 2.5, .axes = SN_AXES(1))",
     "a * 2.5 / np.maximum(np.linalg.norm(a, axis=1, keepdims=True), 2.5)"),
    ("leaky_relu", "s", [(3, 7)], "sn_leaky_relu(in[0], 0.2)", "F.leaky_relu(ta, 0.2)"),
    ("prelu", "s", [(3, 7), (7,)], "sn_prelu(in[0], in[1])", "np.where(a > 0, a, a * b)"),
    ("relu6", "s", [(3, 7)], "sn_relu6(sn_mul_scalar(in[0], 4))", "F.relu6(4 * ta)"),
    ("elu", "s", [(3, 7)], "sn_elu(in[0], 0.7)", "F.elu(ta, 0.7)"),
    ("celu", "s", [(3, 7)], "sn_celu(in[0], 1.3)", "F.celu(ta, 1.3)"),
    ("selu", "s", [(3, 7)], "sn_selu(in[0])", "F.selu(ta)"),
    ("silu", "s", [(3, 7)], "sn_silu(in[0])", "F.silu(ta)"),
    ("mish", "s", [(3, 7)], "sn_mish(in[0])", "F.mish(ta)"),
    ("softsign", "s", [(3, 7)], "sn_softsign(in[0])", "F.softsign(ta)"),
    ("hard_sigmoid", "s", [(3, 7)], "sn_hard_sigmoid(sn_mul_scalar(in[0], 2.1))", "F.hardsigmoid(2.1 * ta)"),
    ("hard_silu", "s", [(3, 7)], "sn_hard_silu(sn_mul_scalar(in[0], 2.1))", "F.hardswish(2.1 * ta)"),
    ("hard_tanh", "s", [(3, 7)], "sn_hard_tanh(in[0])", "F.hardtanh(ta)"),
    ("soft_shrink", "s", [(3, 7)], "sn_soft_shrink(in[0], 0.6)", "F.softshrink(ta, 0.6)"),
    ("glu", "s", [(3, 8)], "sn_glu(in[0], -1)", "F.glu(ta, -1)"),
    ("softmax_cross_entropy", "s", [(3, 5), (3, 5)], "sn_softmax_cross_entropy(in[0], in[1])",
     "-(tb * F.log_softmax(ta, -1)).sum(-1)"),
    ("sigmoid_cross_entropy", "s", [(3, 5), (3, 5)], "sn_sigmoid_cross_entropy(in[0], in[1])",
     "F.binary_cross_entropy_with_logits(ta, tb, reduction='none')"),
    ("layer_norm", "s", [(3, 5), (5,), (5,)], "sn_layer_norm(in[0], in[1], in[2], -1, 1e-3)",
     "F.layer_norm(ta, (5,), tb, tc, 1e-3)"),
    ("layer_norm_two", "s", [(3, 2, 5)], "sn_layer_norm(in[0], NULL, NULL, 1, 1e-5)",
     "F.layer_norm(ta, (2, 5), None, None, 1e-5)"),
    ("rms_norm", "s", [(3, 5), (5,)], "sn_rms_norm(in[0], in[1], -1, 1e-3)", "F.rms_norm(ta, (5,), tb, 1e-3)"),
    ("group_norm", "s", [(2, 4, 3), (4,), (4,)], "sn_group_norm(in[0], in[1], in[2], 2, SN_CHANNELS_FIRST, 1e-3)",
     "F.group_norm(ta, 2, tb, tc, 1e-3)"),
    ("group_norm_last", "s", [(2, 3, 4)], "sn_group_norm(in[0], NULL, NULL, 4, SN_CHANNELS_LAST, 1e-3)",
     "F.instance_norm(ta.permute(0, 2, 1), eps=1e-3).permute(0, 2, 1)"),
    ("batch_norm", "s", [(3, 4), (4,), (4,)], "sn_batch_norm(in[0], in[1], sn_square(in[2]), NULL, in[1], 1e-2)",
     "(a - b) / np.sqrt(c * c + 1e-2) + b"),
    ("moments", "s", [(3, 4, 2)], "last_of(sn_moments(in[0], (int[]){0, 2}, 2, false, pieces), 1)", "a.var((0, 2))"),
    ("l2_normalize", "s", [(3, 4)], "sn_l2_normalize(in[0], 1, 1e-12)", "F.normalize(ta, dim=1)"),
    ("attention", "s", [(2, 3, 4), (2, 5, 4), (2, 5, 3)], "sn_scaled_dot_product_attention(in[0], in[1], in[2])",
     "F.scaled_dot_product_attention(ta, tb, tc)"),
    ("attention_causal", "s", [(2, 4, 3), (2, 4, 3), (2, 4, 3)],
     "sn_scaled_dot_product_attention(in[0], in[1], in[2], .causal = true)",
     "F.scaled_dot_product_attention(ta, tb, tc, is_causal=True)"),
    ("attention_mask", "", [(4, 3), (4, 3), (4, 3)],
     "sn_scaled_dot_product_attention(in[0], in[1], in[2], .mask = sn_cast(sn_tril(sn_ones(sn_context_of(in[0]), SN_I32, "
     "SN_SHAPE(4, 4)), 1), SN_BOOL), .scale = 0.3)",
     "F.scaled_dot_product_attention(ta, tb, tc, torch.tril(torch.ones(4, 4), 1).bool(), scale=0.3)"),
    ("attention_bias", "", [(4, 3), (4, 3), (4, 4)],
     "sn_scaled_dot_product_attention(in[0], in[1], in[1], .mask = in[2])",
     "F.scaled_dot_product_attention(ta, tb, tb, tc)"),
    ("max_pool", "s", [(2, 6, 4, 3)], "sn_max_pool(in[0])", "nhwc(F.max_pool2d(nchw(ta), 2))"),
    ("max_pool_3", "s", [(2, 7, 2)], "sn_max_pool(in[0], .window = {3}, .strides = {2})",
     "F.max_pool1d(ta.permute(0, 2, 1), 3, 2).permute(0, 2, 1)"),
    ("max_pool_pads", "s", [(1, 5, 5, 2)],
     "sn_max_pool(in[0], .window = {3, 3}, .strides = {2, 2}, .padding = SN_PADDING_EXPLICIT, .pads = {{1, 1}, {1, 1}})",
     "nhwc(F.max_pool2d(nchw(ta), 3, 2, 1))"),
    ("max_pool_first", "s", [(2, 3, 4, 6)], "sn_max_pool(in[0], .window = {1, 3}, .data_format = SN_CHANNELS_FIRST)",
     "F.max_pool2d(ta, (1, 3))"),
    ("max_pool_dilated", "", [(1, 9, 2)], "sn_max_pool(in[0], .window = {3}, .strides = {1}, .dilations = {2})",
     "F.max_pool1d(ta.permute(0, 2, 1), 3, 1, 0, 2).permute(0, 2, 1)"),
    ("max_pool_wide", "", [(1, 40, 1)], "sn_max_pool(in[0], .window = {21}, .strides = {3})",
     "F.max_pool1d(ta.permute(0, 2, 1), 21, 3).permute(0, 2, 1)"),
    ("max_pool_same", "", [(1, 5, 1)], "sn_max_pool(in[0], .window = {2}, .padding = SN_PADDING_SAME)",
     "np.maximum.reduceat(a, [0, 2, 4], axis=1)"),
    ("avg_pool", "s", [(2, 6, 4, 3)], "sn_avg_pool(in[0])", "nhwc(F.avg_pool2d(nchw(ta), 2))"),
    ("avg_pool_pads", "s", [(1, 5, 5, 2)],
     "sn_avg_pool(in[0], .window = {3, 3}, .strides = {2, 2}, .padding = SN_PADDING_EXPLICIT, .pads = {{1, 1}, {1, 1}})",
     "nhwc(F.avg_pool2d(nchw(ta), 3, 2, 1, count_include_pad=False))"),
    ("avg_pool_zeros", "s", [(1, 5, 5, 2)],
     "sn_avg_pool(in[0], .window = {3, 3}, .strides = {2, 2}, .padding = SN_PADDING_EXPLICIT, .pads = {{1, 1}, {1, 1}}, "
     ".count_padding = true)", "nhwc(F.avg_pool2d(nchw(ta), 3, 2, 1))"),
    ("avg_pool_wide", "", [(1, 40, 1)], "sn_avg_pool(in[0], .window = {21}, .strides = {3})",
     "F.avg_pool1d(ta.permute(0, 2, 1), 21, 3).permute(0, 2, 1)"),
    ("avg_pool_same", "", [(1, 5, 1)], "sn_avg_pool(in[0], .window = {2}, .padding = SN_PADDING_SAME)",
     "np.stack([a[:, 0:2].mean(1), a[:, 2:4].mean(1), a[:, 4]], 1)"),
    ("max_pool_3d", "", [(1, 4, 4, 4, 1)], "sn_max_pool(in[0])", "F.max_pool3d(ta.squeeze(-1), 2).unsqueeze(-1)"),
    ("gelu_exact", "s", [(3, 4)], "sn_gelu_exact(in[0])", "F.gelu(ta)"),
    ("cumlogsumexp", "s", [(3, 5)], "sn_cumlogsumexp(in[0], 1)", "torch.logcumsumexp(ta, 1)"),
    ("cumlogsumexp_back", "s", [(4, 3)], "sn_cumlogsumexp(in[0], 0, .reverse = true)",
     "torch.logcumsumexp(ta.flip(0), 0).flip(0)"),
    ("cumlogsumexp_large", "", [(7,)], "sn_cumlogsumexp(sn_mul_scalar(in[0], 500), 0)", "torch.logcumsumexp(ta * 500, 0)"),
    ("cumlogsumexp_exclusive", "", [(6,)], "sn_slice(sn_cumlogsumexp(in[0], 0, .exclusive = true), (sn_range_spec[]){SN_RANGE(1, SN_END, 1)}, 1)",
     "torch.logcumsumexp(ta, 0)[:-1]"),
    ("resize_nearest", "", [(1, 4, 5, 2)], "sn_resize(in[0], (int64_t[]){7, 3}, 2, SN_RESIZE_NEAREST, SN_CHANNELS_LAST)",
     "nhwc(F.interpolate(nchw(ta), (7, 3), mode='nearest-exact'))"),
    ("resize_linear", "", [(2, 1, 5)], "sn_resize(in[0], (int64_t[]){8}, 1, SN_RESIZE_LINEAR, SN_CHANNELS_FIRST)",
     "F.interpolate(ta, 8, mode='linear')"),
    ("resize_bilinear", "", [(2, 4, 5, 2)], "sn_resize(in[0], (int64_t[]){7, 3}, 2, SN_RESIZE_LINEAR, SN_CHANNELS_LAST)",
     "nhwc(F.interpolate(nchw(ta), (7, 3), mode='bilinear'))"),
    ("resize_trilinear", "", [(1, 1, 3, 2, 4)], "sn_resize(in[0], (int64_t[]){2, 5, 4}, 3, SN_RESIZE_LINEAR, SN_CHANNELS_FIRST)",
     "F.interpolate(ta, (2, 5, 4), mode='trilinear')"),
    ("resize_bicubic", "", [(1, 2, 5, 4)], "sn_resize(in[0], (int64_t[]){8, 3}, 2, SN_RESIZE_CUBIC, SN_CHANNELS_FIRST)",
     "F.interpolate(ta, (8, 3), mode='bicubic')"),
    ("adaptive_avg_pool", "", [(1, 7, 5, 2)], "sn_adaptive_avg_pool(in[0], (int64_t[]){3, 2}, 2, SN_CHANNELS_LAST)",
     "nhwc(F.adaptive_avg_pool2d(nchw(ta), (3, 2)))"),
    ("adaptive_max_pool", "", [(1, 2, 7)], "sn_adaptive_max_pool(in[0], (int64_t[]){3}, 1, SN_CHANNELS_FIRST)",
     "F.adaptive_max_pool1d(ta, 3)"),
]


def nchw(t):
    return t.permute(0, 3, 1, 2)


def nhwc(t):
    return t.permute(0, 2, 3, 1)


def operand(shape, k):
    i = np.arange(int(np.prod(shape)))
    return (((i * 37 + k * 11 + 5) % 23 - 11) * 0.25 + i * 0.0078125).reshape(shape)


def text(value):
    return float(value).hex() if np.isfinite(value) else "NAN" if np.isnan(value) else "INFINITY"


def main():
    print("// Written by tests/cross/composed.py: composed ops, and what NumPy %s and PyTorch %s give for them." %
          (np.__version__, torch.__version__.split("+")[0]))
    print("// clang-format off\n// ROW(name, flags, expression, number of operands, shapes, shape of the result, values)")
    for name, flags, shapes, c, python in ROWS:
        arrays = [operand(s, k) for k, s in enumerate(shapes)]
        names = dict(zip("abc", arrays)) | {"t" + k: torch.from_numpy(x) for k, x in zip("abc", arrays)}
        value = eval(python, globals() | names)
        value = np.asarray(value.numpy() if isinstance(value, torch.Tensor) else value, dtype=np.float64)

        def shape_text(s):
            return "{%d, {%s}}" % (len(s), ", ".join(map(str, s)) or "0")

        print('ROW(%s, "%s", %s, %d,\n    LIST(%s), LIST(%s),\n    LIST(%s))' %
              (name, flags, "(%s)" % c, len(shapes), ", ".join(map(shape_text, shapes)), shape_text(value.shape)[1:-1],
               ", ".join(text(v) for v in value.ravel()) or "0"))


main()
