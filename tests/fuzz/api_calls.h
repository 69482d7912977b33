// A call of each public function. Written by tools/api_table.py from include/sinter/; do not edit.
// clang-format off
static sn_function_options *draw_sn_function_options(draw *d) {
  static union { sn_function_options of; char room[sizeof(sn_function_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.name = name(d);
  s.of.user = d;
  s.of.inputs = count(d);
  s.of.outputs = count(d);
  s.of.specs = specs(d);
  s.of.input_names = names(d);
  s.of.cache_capacity = small(d);
  s.of.static_shapes = chance(d, 2);
  s.of.forbid_recompile = chance(d, 2);
  s.of.backend = (sn_backend)choice(d);
  s.of.debug_nonfinite = chance(d, 2);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_gradients_options *draw_sn_gradients_options(draw *d) {
  static union { sn_gradients_options of; char room[sizeof(sn_gradients_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.unconnected = (sn_unconnected)choice(d);
  s.of.seed = tensor(d);
  s.of.seeds = tensors(d);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_scan_options *draw_sn_scan_options(draw *d) {
  static union { sn_scan_options of; char room[sizeof(sn_scan_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.length = integer(d);
  s.of.reverse = chance(d, 2);
  s.of.checkpoint = chance(d, 2);
  s.of.sizes_change = chance(d, 2);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_context_options *draw_sn_context_options(draw *d) {
  static union { sn_context_options of; char room[sizeof(sn_context_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.share = context(d);
  s.of.memory_limit = length(d);
  s.of.threads = small(d);
  s.of.log_user = memory(d);
  s.of.backend = (sn_backend)choice(d);
  s.of.matmul = (sn_matmul_mode)choice(d);
  s.of.plugin_path = name(d);
  s.of.blas_path = name(d);
  s.of.seed = word(d);
  s.of.debug_nonfinite = chance(d, 2);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_memory_stats *empty_sn_memory_stats(draw *d) {
  static union { sn_memory_stats of; char room[sizeof(sn_memory_stats) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  return chance(d, 5) ? NULL : &s.of;
}
static sn_system_info *empty_sn_system_info(draw *d) {
  static union { sn_system_info of; char room[sizeof(sn_system_info) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  return chance(d, 5) ? NULL : &s.of;
}
static sn_associative_scan_options *draw_sn_associative_scan_options(draw *d) {
  static union { sn_associative_scan_options of; char room[sizeof(sn_associative_scan_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.reverse = chance(d, 2);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_function_statistics *empty_sn_function_statistics(draw *d) {
  static union { sn_function_statistics of; char room[sizeof(sn_function_statistics) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  return chance(d, 5) ? NULL : &s.of;
}
static sn_retrace *empty_sn_retrace(draw *d) {
  static union { sn_retrace of; char room[sizeof(sn_retrace) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  return chance(d, 5) ? NULL : &s.of;
}
static sn_tape_options *draw_sn_tape_options(draw *d) {
  static union { sn_tape_options of; char room[sizeof(sn_tape_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.persistent = chance(d, 2);
  s.of.no_variables = chance(d, 2);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_jacobian_options *draw_sn_jacobian_options(draw *d) {
  static union { sn_jacobian_options of; char room[sizeof(sn_jacobian_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.mode = (sn_jacobian_mode)choice(d);
  s.of.unconnected = (sn_unconnected)choice(d);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_gradient_check_options *draw_sn_gradient_check_options(draw *d) {
  static union { sn_gradient_check_options of; char room[sizeof(sn_gradient_check_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.user = d;
  s.of.second_order = chance(d, 2);
  s.of.eager = chance(d, 2);
  s.of.step = number(d);
  s.of.rtol = number(d);
  s.of.atol = number(d);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_gradient_error *empty_sn_gradient_error(draw *d) {
  static union { sn_gradient_error of; char room[sizeof(sn_gradient_error) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  return chance(d, 5) ? NULL : &s.of;
}
static sn_operation *empty_sn_operation(draw *d) {
  static union { sn_operation of; char room[sizeof(sn_operation) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  return chance(d, 5) ? NULL : &s.of;
}
static sn_attribute *empty_sn_attribute(draw *d) {
  static union { sn_attribute of; char room[sizeof(sn_attribute) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  return chance(d, 5) ? NULL : &s.of;
}
static sn_host_options *draw_sn_host_options(draw *d) {
  static union { sn_host_options of; char room[sizeof(sn_host_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.name = name(d);
  s.of.infer = infer_callback(d);
  s.of.user = d;
  s.of.pure = chance(d, 2);
  s.of.vjp = callback(d);
  s.of.vmap = host_callback(d);
  s.of.attrs = NULL;
  s.of.n_attrs = 0;
  s.of.specs = specs(d);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_op_definition *draw_sn_op_definition(draw *d) {
  static union { sn_op_definition of; char room[sizeof(sn_op_definition) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.name = name(d);
  s.of.version = small(d);
  s.of.n_in = count(d);
  s.of.n_out = count(d);
  s.of.host = host_callback(d);
  s.of.compose = callback(d);
  s.of.infer = infer_callback(d);
  s.of.pure = chance(d, 2);
  s.of.vjp = callback(d);
  s.of.user = d;
  s.of.destroy = NULL;
  s.of.vmap = host_callback(d);
  s.of.attrs = NULL;
  s.of.n_attrs = 0;
  return chance(d, 5) ? NULL : &s.of;
}
static sn_variable_options *draw_sn_variable_options(draw *d) {
  static union { sn_variable_options of; char room[sizeof(sn_variable_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.name = name(d);
  s.of.frozen = chance(d, 2);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_vectorized_map_options *draw_sn_vectorized_map_options(draw *d) {
  static union { sn_vectorized_map_options of; char room[sizeof(sn_vectorized_map_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.in_axes = small_list(d);
  s.of.length = integer(d);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_conv_options *draw_sn_conv_options(draw *d) {
  static union { sn_conv_options of; char room[sizeof(sn_conv_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  for (int i0 = 0; i0 < SN_MAX_SPATIAL; i0++) s.of.strides[i0] = integer(d);
  for (int i0 = 0; i0 < SN_MAX_SPATIAL; i0++) s.of.dilations[i0] = integer(d);
  s.of.padding = (sn_padding)choice(d);
  for (int i0 = 0; i0 < SN_MAX_SPATIAL; i0++) for (int i1 = 0; i1 < 2; i1++) s.of.pads[i0][i1] = integer(d);
  s.of.groups = integer(d);
  s.of.data_format = (sn_data_format)choice(d);
  for (int i0 = 0; i0 < SN_MAX_SPATIAL; i0++) s.of.output_size[i0] = integer(d);
  s.of.result = dtype(d);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_pool_options *draw_sn_pool_options(draw *d) {
  static union { sn_pool_options of; char room[sizeof(sn_pool_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  for (int i0 = 0; i0 < SN_MAX_SPATIAL; i0++) s.of.window[i0] = integer(d);
  for (int i0 = 0; i0 < SN_MAX_SPATIAL; i0++) s.of.strides[i0] = integer(d);
  for (int i0 = 0; i0 < SN_MAX_SPATIAL; i0++) s.of.dilations[i0] = integer(d);
  s.of.padding = (sn_padding)choice(d);
  for (int i0 = 0; i0 < SN_MAX_SPATIAL; i0++) for (int i1 = 0; i1 < 2; i1++) s.of.pads[i0][i1] = integer(d);
  s.of.count_padding = chance(d, 2);
  s.of.data_format = (sn_data_format)choice(d);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_triangular_options *draw_sn_triangular_options(draw *d) {
  static union { sn_triangular_options of; char room[sizeof(sn_triangular_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.lower = chance(d, 2);
  s.of.transpose = chance(d, 2);
  s.of.unit = chance(d, 2);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_fft_options *draw_sn_fft_options(draw *d) {
  static union { sn_fft_options of; char room[sizeof(sn_fft_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.n = integer(d);
  s.of.norm = (sn_fft_norm)choice(d);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_fftn_options *draw_sn_fftn_options(draw *d) {
  static union { sn_fftn_options of; char room[sizeof(sn_fftn_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.axes = axes(d);
  for (int i0 = 0; i0 < SN_MAX_RANK; i0++) s.of.points[i0] = integer(d);
  s.of.norm = (sn_fft_norm)choice(d);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_flip_options *draw_sn_flip_options(draw *d) {
  static union { sn_flip_options of; char room[sizeof(sn_flip_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.axes = axes(d);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_gather_options *draw_sn_gather_options(draw *d) {
  static union { sn_gather_options of; char room[sizeof(sn_gather_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.axis = small(d);
  s.of.batch_dims = small(d);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_gather_nd_options *draw_sn_gather_nd_options(draw *d) {
  static union { sn_gather_nd_options of; char room[sizeof(sn_gather_nd_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.batch_dims = small(d);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_embedding_options *draw_sn_embedding_options(draw *d) {
  static union { sn_embedding_options of; char room[sizeof(sn_embedding_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.max_norm = number(d);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_scatter_options *draw_sn_scatter_options(draw *d) {
  static union { sn_scatter_options of; char room[sizeof(sn_scatter_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.axis = small(d);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_put_options *draw_sn_put_options(draw *d) {
  static union { sn_put_options of; char room[sizeof(sn_put_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.mode = (sn_scatter_mode)choice(d);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_count_options *draw_sn_count_options(draw *d) {
  static union { sn_count_options of; char room[sizeof(sn_count_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.weights = tensor(d);
  s.of.length = integer(d);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_extract_options *draw_sn_extract_options(draw *d) {
  static union { sn_extract_options of; char room[sizeof(sn_extract_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.length = integer(d);
  s.of.fill = number(d);
  s.of.axis = small(d);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_matmul_options *draw_sn_matmul_options(draw *d) {
  static union { sn_matmul_options of; char room[sizeof(sn_matmul_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.result = dtype(d);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_attention_options *draw_sn_attention_options(draw *d) {
  static union { sn_attention_options of; char room[sizeof(sn_attention_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.mask = tensor(d);
  s.of.causal = chance(d, 2);
  s.of.scale = number(d);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_random_state *empty_sn_random_state(draw *d) {
  static union { sn_random_state of; char room[sizeof(sn_random_state) + 64]; } s;
  s = (__typeof__(s)){0};
  return chance(d, 5) ? NULL : &s.of;
}
static sn_random_options *draw_sn_random_options(draw *d) {
  static union { sn_random_options of; char room[sizeof(sn_random_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.key = tensor(d);
  s.of.algorithm = (sn_random_algorithm)choice(d);
  s.of.endpoint = chance(d, 2);
  s.of.samples = integer(d);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_reduce_options *draw_sn_reduce_options(draw *d) {
  static union { sn_reduce_options of; char room[sizeof(sn_reduce_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.axes = axes(d);
  s.of.keepdims = chance(d, 2);
  s.of.ddof = integer(d);
  s.of.ord = number(d);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_cumulate_options *draw_sn_cumulate_options(draw *d) {
  static union { sn_cumulate_options of; char room[sizeof(sn_cumulate_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.exclusive = chance(d, 2);
  s.of.reverse = chance(d, 2);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_sort_options *draw_sn_sort_options(draw *d) {
  static union { sn_sort_options of; char room[sizeof(sn_sort_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.descending = chance(d, 2);
  return chance(d, 5) ? NULL : &s.of;
}
static sn_search_options *draw_sn_search_options(draw *d) {
  static union { sn_search_options of; char room[sizeof(sn_search_options) + 64]; } s;
  s = (__typeof__(s)){0};
  s.of.size = size_of_struct(d, sizeof(s.of));
  s.of.right = chance(d, 2);
  return chance(d, 5) ? NULL : &s.of;
}
static void call_sn_flatten_at(draw *d) { (void)(sn_flatten_at)(context(d), composite(d), structure(d), outputs(d), count(d), __FILE__, __LINE__), got_nothing(d, true); }
static void call_sn_unflatten_at(draw *d) { got_status(d, (sn_unflatten_at)(context(d), composite(d), structure(d), tensors(d), count(d), structure(d), __FILE__, __LINE__), true); }
static void call_sn_keep_struct(draw *d) { (sn_keep_struct(composite(d), structure(d)), sn_release_struct(d->composite, d->structure)); }
static void call_sn_release_struct(draw *d) { (sn_release_struct(&no_struct, structure(d)), sn_release_struct(NULL, structure(d))); }
static void call_sn_struct_function_at(draw *d) { got_function(d, (sn_struct_function_at)(context(d), struct_callback(d), composite(d), composite(d), draw_sn_function_options(d), __FILE__, __LINE__)); }
static void call_sn_call_struct_at(draw *d) { got_status(d, (sn_call_struct_at)(function(d), composite(d), structure(d), composite(d), structure(d), __FILE__, __LINE__), true); }
static void call_sn_call_struct_in_at(draw *d) { got_status(d, (sn_call_struct_in_at)(context(d), function(d), composite(d), structure(d), composite(d), structure(d), __FILE__, __LINE__), true); }
static void call_sn_call_struct_eager_at(draw *d) { got_status(d, (sn_call_struct_eager_at)(function(d), composite(d), structure(d), composite(d), structure(d), __FILE__, __LINE__), true); }
static void call_sn_call_struct_eager_in_at(draw *d) { got_status(d, (sn_call_struct_eager_in_at)(context(d), function(d), composite(d), structure(d), composite(d), structure(d), __FILE__, __LINE__), true); }
static void call_sn_function_compile_struct_at(draw *d) { got_status(d, (sn_function_compile_struct_at)(function(d), composite(d), structure(d), &d->made.program, __FILE__, __LINE__), true); }
static void call_sn_gradients_struct_at(draw *d) { (void)(sn_gradients_struct_at)(tensor(d), composite(d), structure(d), structure(d), draw_sn_gradients_options(d), __FILE__, __LINE__), got_nothing(d, true); }
static void call_sn_tape_gradient_struct_at(draw *d) { (void)(sn_tape_gradient_struct_at)(tape(d), tensor(d), composite(d), structure(d), structure(d), draw_sn_gradients_options(d), __FILE__, __LINE__), got_nothing(d, true); }
static void call_sn_tape_watch_struct_at(draw *d) { (void)(sn_tape_watch_struct_at)(tape(d), composite(d), structure(d), __FILE__, __LINE__), got_nothing(d, true); }
static void call_sn_cond_struct_at(draw *d) { got_status(d, (sn_cond_struct_at)(context(d), tensor(d), struct_callback(d), struct_callback(d), d, composite(d), structure(d), composite(d), structure(d), __FILE__, __LINE__), true); }
static void call_sn_while_struct_at(draw *d) { got_status(d, (sn_while_struct_at)(context(d), struct_condition(d), struct_callback(d), d, composite(d), structure(d), structure(d), chance(d, 2), __FILE__, __LINE__), true); }
static void call_sn_scan_struct_at(draw *d) { got_status(d, (sn_scan_struct_at)(context(d), struct_body(d), d, composite(d), structure(d), composite(d), structure(d), composite(d), structure(d), structure(d), draw_sn_scan_options(d), __FILE__, __LINE__), true); }
static void call_sn_fori_struct_at(draw *d) { got_status(d, (sn_fori_struct_at)(context(d), integer(d), integer(d), NULL, d, composite(d), structure(d), structure(d), chance(d, 2), __FILE__, __LINE__), true); }
static void call_sn_map_struct_at(draw *d) { got_status(d, (sn_map_struct_at)(context(d), struct_callback(d), d, composite(d), structure(d), composite(d), structure(d), __FILE__, __LINE__), true); }
static void call_sn_vectorized_map_struct_at(draw *d) { got_status(d, (sn_vectorized_map_struct_at)(context(d), struct_callback(d), d, composite(d), structure(d), composite(d), structure(d), small_list(d), __FILE__, __LINE__), true); }
static void call_sn_checkpoint_struct_at(draw *d) { got_status(d, (sn_checkpoint_struct_at)(context(d), struct_callback(d), d, composite(d), structure(d), composite(d), structure(d), __FILE__, __LINE__), true); }
static void call_sn_context_create_opts(draw *d) { if ((sn_context_create_opts)(draw_sn_context_options(d), &d->made.context)) d->made.context = NULL; }
static void call_sn_context_destroy(draw *d) { sn_context_destroy(other_context(d)); }
static void call_sn_check(draw *d) { got_status(d, (sn_check)(context(d)), false); }
static void call_sn_error_message(draw *d) { got_text(d, (sn_error_message)(context(d))); }
static void call_sn_pending_error(draw *d) { got_status(d, (sn_pending_error)(context(d)), false); }
static void call_sn_fail(draw *d) { got_status(d, (sn_fail)(context(d), (sn_status)choice(d), "%s", places(d)), false); }
static void call_sn_fail_at(draw *d) { got_status(d, (sn_fail_at)(context(d), (sn_status)choice(d), __FILE__, __LINE__, "%s", places(d)), true); }
static void call_sn_context_memory(draw *d) { (void)(sn_context_memory)(context(d), empty_sn_memory_stats(d)), got_nothing(d, false); }
static void call_sn_context_trim(draw *d) { (void)(sn_context_trim)(context(d)), got_nothing(d, false); }
static void call_sn_context_set_threads(draw *d) { (void)(sn_context_set_threads)(context(d), small(d)), got_nothing(d, false); }
static void call_sn_context_system_info(draw *d) { (void)(sn_context_system_info)(context(d), empty_sn_system_info(d)), got_nothing(d, false); }
static void call_sn_scope_begin(draw *d) { sn_scope_end((sn_scope_begin)(context(d))); }
static void call_sn_scope_guard(draw *d) { sn_scope_end((sn_scope_guard)(context(d))); }
static void call_sn_scope_end(draw *d) { (void)(sn_scope_end)(scope(d)), got_nothing(d, false); }
static void call_sn_frame_begin(draw *d) { sn_frame_end((sn_frame_begin)(context(d), name(d), __FILE__, __LINE__)); }
static void call_sn_frame_end(draw *d) { (void)(sn_frame_end)(frame(d)), got_nothing(d, false); }
static void call_sn_cond_at(draw *d) { got_status(d, (sn_cond_at)(context(d), tensor(d), callback(d), callback(d), d, tensors(d), count(d), outputs(d), count(d), __FILE__, __LINE__), true); }
static void call_sn_switch_case_at(draw *d) { got_status(d, (sn_switch_case_at)(context(d), tensor(d), callbacks(d), count(d), d, tensors(d), count(d), outputs(d), count(d), __FILE__, __LINE__), true); }
static void call_sn_while_loop_at(draw *d) { got_status(d, (sn_while_loop_at)(context(d), condition(d), callback(d), d, tensors(d), count(d), outputs(d), count(d), chance(d, 2), __FILE__, __LINE__), true); }
static void call_sn_fori_loop_at(draw *d) { got_status(d, (sn_fori_loop_at)(context(d), integer(d), integer(d), callback(d), d, tensors(d), count(d), outputs(d), count(d), chance(d, 2), __FILE__, __LINE__), true); }
static void call_sn_scan_at(draw *d) { got_status(d, (sn_scan_at)(context(d), callback(d), d, tensors(d), count(d), tensors(d), count(d), outputs(d), count(d), draw_sn_scan_options(d), __FILE__, __LINE__), true); }
static void call_sn_map_fn_at(draw *d) { got_status(d, (sn_map_fn_at)(context(d), callback(d), d, tensors(d), count(d), outputs(d), count(d), __FILE__, __LINE__), true); }
static void call_sn_associative_scan_at(draw *d) { got_status(d, (sn_associative_scan_at)(context(d), callback(d), d, tensors(d), count(d), outputs(d), count(d), draw_sn_associative_scan_options(d), __FILE__, __LINE__), true); }
static void call_sn_from_dlpack(draw *d) { import(d); }
static void call_sn_from_dlpack_versioned(draw *d) { import_versioned(d); }
static void call_sn_to_dlpack(draw *d) { got_status(d, (sn_to_dlpack)(tensor(d), &d->made.managed), false); }
static void call_sn_to_dlpack_versioned(draw *d) { got_status(d, (sn_to_dlpack_versioned)(tensor(d), &d->made.versioned), false); }
static void call_sn_to_dlpack_at(draw *d) { got_status(d, (sn_to_dlpack_at)(tensor(d), &d->made.managed, __FILE__, __LINE__), true); }
static void call_sn_to_dlpack_versioned_at(draw *d) { got_status(d, (sn_to_dlpack_versioned_at)(tensor(d), &d->made.versioned, __FILE__, __LINE__), true); }
static void call_sn_mark_dim(draw *d) { got_tensor(d, SN_AT((sn_mark_dim)(tensor(d), small(d)))); }
static void call_sn_function_create_opts(draw *d) { got_function(d, (sn_function_create_opts)(context(d), callback(d), draw_sn_function_options(d))); }
static void call_sn_function_create_at(draw *d) { got_function(d, (sn_function_create_at)(context(d), callback(d), draw_sn_function_options(d), __FILE__, __LINE__)); }
static void call_sn_function_destroy(draw *d) { sn_function_destroy(other_function(d)); }
static void call_sn_call(draw *d) { got_status(d, (sn_call)(function(d), tensors(d), count(d), outputs(d), count(d)), false); }
static void call_sn_call_eager(draw *d) { got_status(d, (sn_call_eager)(function(d), tensors(d), count(d), outputs(d), count(d)), false); }
static void call_sn_call_in(draw *d) { got_status(d, (sn_call_in)(context(d), function(d), tensors(d), count(d), outputs(d), count(d)), false); }
static void call_sn_call_eager_in(draw *d) { got_status(d, (sn_call_eager_in)(context(d), function(d), tensors(d), count(d), outputs(d), count(d)), false); }
static void call_sn_init_at(draw *d) { got_status(d, (sn_init_at)(context(d), callback(d), d, __FILE__, __LINE__), true); }
static void call_sn_call_at(draw *d) { got_status(d, (sn_call_at)(function(d), tensors(d), count(d), outputs(d), count(d), __FILE__, __LINE__), true); }
static void call_sn_call_eager_at(draw *d) { got_status(d, (sn_call_eager_at)(function(d), tensors(d), count(d), outputs(d), count(d), __FILE__, __LINE__), true); }
static void call_sn_call_in_at(draw *d) { got_status(d, (sn_call_in_at)(context(d), function(d), tensors(d), count(d), outputs(d), count(d), __FILE__, __LINE__), true); }
static void call_sn_call_eager_in_at(draw *d) { got_status(d, (sn_call_eager_in_at)(context(d), function(d), tensors(d), count(d), outputs(d), count(d), __FILE__, __LINE__), true); }
static void call_sn_static(draw *d) { got_tensor(d, SN_AT((sn_static)(context(d), integer(d)))); }
static void call_sn_static_f64(draw *d) { got_tensor(d, SN_AT((sn_static_f64)(context(d), number(d)))); }
static void call_sn_static_bool(draw *d) { got_tensor(d, SN_AT((sn_static_bool)(context(d), chance(d, 2)))); }
static void call_sn_static_text(draw *d) { got_tensor(d, SN_AT((sn_static_text)(context(d), program_text(d)))); }
static void call_sn_static_value(draw *d) { (void)(sn_static_value)(tensor(d)), got_nothing(d, false); }
static void call_sn_static_value_at(draw *d) { (void)(sn_static_value_at)(tensor(d), __FILE__, __LINE__), got_nothing(d, true); }
static void call_sn_static_value_f64_at(draw *d) { (void)(sn_static_value_f64_at)(tensor(d), __FILE__, __LINE__), got_nothing(d, true); }
static void call_sn_static_value_bool_at(draw *d) { (void)(sn_static_value_bool_at)(tensor(d), __FILE__, __LINE__), got_nothing(d, true); }
static void call_sn_static_value_text_at(draw *d) { got_text(d, (sn_static_value_text_at)(tensor(d), __FILE__, __LINE__)); }
static void call_sn_function_compile(draw *d) { got_status(d, (sn_function_compile)(function(d), specs(d), count(d), &d->made.program), false); }
static void call_sn_function_compile_at(draw *d) { got_status(d, (sn_function_compile_at)(function(d), specs(d), count(d), &d->made.program, __FILE__, __LINE__), true); }
static void call_sn_function_compile_in(draw *d) { got_status(d, (sn_function_compile_in)(context(d), function(d), specs(d), count(d), &d->made.program), false); }
static void call_sn_function_compile_in_at(draw *d) { got_status(d, (sn_function_compile_in_at)(context(d), function(d), specs(d), count(d), &d->made.program, __FILE__, __LINE__), true); }
static void call_sn_program_keep(draw *d) { sn_program_release((sn_program_keep)(program(d))); }
static void call_sn_program_release(draw *d) { sn_program_release((sn_program_keep)(program(d))); }
static void call_sn_program_inputs(draw *d) { (void)(sn_program_inputs)(program(d)), got_nothing(d, false); }
static void call_sn_program_outputs(draw *d) { (void)(sn_program_outputs)(program(d)), got_nothing(d, false); }
static void call_sn_program_from_text(draw *d) { got_status(d, (sn_program_from_text)(context(d), program_text(d), length(d), &d->made.program), false); }
static void call_sn_program_from_text_at(draw *d) { got_status(d, (sn_program_from_text_at)(context(d), program_text(d), length(d), &d->made.program, __FILE__, __LINE__), true); }
static void call_sn_program_input_spec(draw *d) { got_status(d, (sn_program_input_spec)(context(d), program(d), small(d), &d->made.spec), false); }
static void call_sn_program_input_spec_at(draw *d) { got_status(d, (sn_program_input_spec_at)(context(d), program(d), small(d), &d->made.spec, __FILE__, __LINE__), true); }
static void call_sn_program_output_spec(draw *d) { got_status(d, (sn_program_output_spec)(context(d), program(d), specs(d), count(d), small(d), &d->made.spec), false); }
static void call_sn_program_output_spec_at(draw *d) { got_status(d, (sn_program_output_spec_at)(context(d), program(d), specs(d), count(d), small(d), &d->made.spec, __FILE__, __LINE__), true); }
static void call_sn_program_dump(draw *d) { got_status(d, (sn_program_dump)(context(d), program(d), (sn_stage)choice(d), &d->made.text), false); }
static void call_sn_program_dump_at(draw *d) { got_status(d, (sn_program_dump_at)(context(d), program(d), (sn_stage)choice(d), &d->made.text, __FILE__, __LINE__), true); }
static void call_sn_text_free(draw *d) { sn_text_free(d->context, dumped(d)); }
static void call_sn_program_count_ops(draw *d) { (void)(sn_program_count_ops)(program(d), name(d)), got_nothing(d, false); }
static void call_sn_runner_create(draw *d) { got_status(d, (sn_runner_create)(context(d), program(d), small(d), &d->made.runner), false); }
static void call_sn_runner_create_at(draw *d) { got_status(d, (sn_runner_create_at)(context(d), program(d), small(d), &d->made.runner, __FILE__, __LINE__), true); }
static void call_sn_runner_destroy(draw *d) { sn_runner_destroy(other_runner(d)); }
static void call_sn_run(draw *d) { sn_runner *r = runner(d); got_run(d, r, (sn_run)(r, views(d), views(d))); }
static void call_sn_runner_error(draw *d) { got_text(d, (sn_runner_error)(runner(d))); }
static void call_sn_function_stats(draw *d) { (void)(sn_function_stats)(function(d), empty_sn_function_statistics(d)), got_nothing(d, false); }
static void call_sn_function_trace_reason(draw *d) { got_text(d, (sn_function_trace_reason)(function(d), small(d))); }
static void call_sn_function_retrace(draw *d) { (void)(sn_function_retrace)(function(d), small(d), small(d), empty_sn_retrace(d)), got_nothing(d, false); }
static void call_sn_gradients_opts(draw *d) { (void)(sn_gradients_opts)(tensor(d), tensors(d), count(d), outputs(d), draw_sn_gradients_options(d)), got_nothing(d, false); }
static void call_sn_gradients_at(draw *d) { (void)(sn_gradients_at)(tensor(d), tensors(d), count(d), outputs(d), draw_sn_gradients_options(d), __FILE__, __LINE__), got_nothing(d, true); }
static void call_sn_gradients_of_at(draw *d) { (void)(sn_gradients_of_at)(tensors(d), count(d), tensors(d), count(d), outputs(d), draw_sn_gradients_options(d), __FILE__, __LINE__), got_nothing(d, true); }
static void call_sn_tape_begin_opts(draw *d) { got_tape(d, (sn_tape_begin_opts)(context(d), draw_sn_tape_options(d))); }
static void call_sn_tape_begin_at(draw *d) { got_tape(d, (sn_tape_begin_at)(context(d), draw_sn_tape_options(d), __FILE__, __LINE__)); }
static void call_sn_tape_end(draw *d) { sn_tape_end(ended_tape(d)); }
static void call_sn_tape_watch(draw *d) { (void)(sn_tape_watch)(tape(d), tensor(d)), got_nothing(d, false); }
static void call_sn_tape_watch_at(draw *d) { (void)(sn_tape_watch_at)(tape(d), tensor(d), __FILE__, __LINE__), got_nothing(d, true); }
static void call_sn_tape_stop_recording(draw *d) { (void)(sn_tape_stop_recording)(tape(d)), got_nothing(d, false); }
static void call_sn_tape_resume_recording(draw *d) { (void)(sn_tape_resume_recording)(tape(d)), got_nothing(d, false); }
static void call_sn_tape_stop_recording_at(draw *d) { (void)(sn_tape_stop_recording_at)(tape(d), __FILE__, __LINE__), got_nothing(d, true); }
static void call_sn_tape_resume_recording_at(draw *d) { (void)(sn_tape_resume_recording_at)(tape(d), __FILE__, __LINE__), got_nothing(d, true); }
static void call_sn_tape_gradient_opts(draw *d) { (void)(sn_tape_gradient_opts)(tape(d), tensor(d), tensors(d), count(d), outputs(d), draw_sn_gradients_options(d)), got_nothing(d, false); }
static void call_sn_tape_gradient_at(draw *d) { (void)(sn_tape_gradient_at)(tape(d), tensor(d), tensors(d), count(d), outputs(d), draw_sn_gradients_options(d), __FILE__, __LINE__), got_nothing(d, true); }
static void call_sn_tape_gradient_of_at(draw *d) { (void)(sn_tape_gradient_of_at)(tape(d), tensors(d), count(d), tensors(d), count(d), outputs(d), draw_sn_gradients_options(d), __FILE__, __LINE__), got_nothing(d, true); }
static void call_sn_jvp(draw *d) { got_tensor(d, SN_AT((sn_jvp)(tensor(d), tensors(d), tensors(d), count(d)))); }
static void call_sn_hvp_at(draw *d) { (void)(sn_hvp_at)(tensor(d), tensors(d), tensors(d), count(d), outputs(d), __FILE__, __LINE__), got_nothing(d, true); }
static void call_sn_jacobian_at(draw *d) { (void)(sn_jacobian_at)(tensor(d), tensors(d), count(d), outputs(d), draw_sn_jacobian_options(d), __FILE__, __LINE__), got_nothing(d, true); }
static void call_sn_batch_jacobian_at(draw *d) { (void)(sn_batch_jacobian_at)(tensor(d), tensors(d), count(d), outputs(d), draw_sn_jacobian_options(d), __FILE__, __LINE__), got_nothing(d, true); }
static void call_sn_hessian_at(draw *d) { (void)(sn_hessian_at)(tensor(d), tensors(d), count(d), outputs(d), __FILE__, __LINE__), got_nothing(d, true); }
static void call_sn_tape_jacobian_at(draw *d) { (void)(sn_tape_jacobian_at)(tape(d), tensor(d), tensors(d), count(d), outputs(d), draw_sn_jacobian_options(d), __FILE__, __LINE__), got_nothing(d, true); }
static void call_sn_tape_batch_jacobian_at(draw *d) { (void)(sn_tape_batch_jacobian_at)(tape(d), tensor(d), tensors(d), count(d), outputs(d), draw_sn_jacobian_options(d), __FILE__, __LINE__), got_nothing(d, true); }
static void call_sn_custom_gradient_at(draw *d) { got_status(d, (sn_custom_gradient_at)(context(d), callback(d), callback(d), d, tensors(d), count(d), outputs(d), count(d), __FILE__, __LINE__), true); }
static void call_sn_check_gradients_at(draw *d) { got_status(d, (sn_check_gradients_at)(context(d), callback(d), tensors(d), count(d), count(d), draw_sn_gradient_check_options(d), empty_sn_gradient_error(d), __FILE__, __LINE__), true); }
static void call_sn_checkpoint_at(draw *d) { got_status(d, (sn_checkpoint_at)(context(d), callback(d), d, tensors(d), count(d), outputs(d), count(d), __FILE__, __LINE__), true); }
static void call_sn_stop_gradient(draw *d) { got_tensor(d, SN_AT((sn_stop_gradient)(tensor(d)))); }
static void call_sn_program_graph(draw *d) { (void)(sn_program_graph)(program(d)), got_nothing(d, false); }
static void call_sn_graph_size(draw *d) { (void)(sn_graph_size)(graph(d)), got_nothing(d, false); }
static void call_sn_graph_operation(draw *d) { (void)(sn_graph_operation)(graph(d), small(d), empty_sn_operation(d)), got_nothing(d, false); }
static void call_sn_graph_find(draw *d) { (void)(sn_graph_find)(graph(d), name(d)), got_nothing(d, false); }
static void call_sn_graph_find_op(draw *d) { (void)(sn_graph_find_op)(graph(d), name(d), small(d)), got_nothing(d, false); }
static void call_sn_graph_attribute(draw *d) { (void)(sn_graph_attribute)(graph(d), small(d), small(d), empty_sn_attribute(d)), got_nothing(d, false); }
static void call_sn_graph_body(draw *d) { (void)(sn_graph_body)(graph(d), small(d), small(d)), got_nothing(d, false); }
static void call_sn_graph_outputs(draw *d) { (void)(sn_graph_outputs)(graph(d)), got_nothing(d, false); }
static void call_sn_graph_output(draw *d) { (void)(sn_graph_output)(graph(d), small(d)), got_nothing(d, false); }
static void call_sn_graph_assigned(draw *d) { (void)(sn_graph_assigned)(graph(d), small(d)), got_nothing(d, false); }
static void call_sn_program_variables(draw *d) { (void)(sn_program_variables)(program(d)), got_nothing(d, false); }
static void call_sn_program_variable(draw *d) { (void)(sn_program_variable)(program(d), small(d)); }
static void call_sn_program_captures(draw *d) { (void)(sn_program_captures)(program(d)), got_nothing(d, false); }
static void call_sn_program_capture(draw *d) { (void)(sn_program_capture)(program(d), small(d)); }
static void call_sn_program_signature(draw *d) { got_text(d, (sn_program_signature)(program(d))); }
static void call_sn_cancel(draw *d) { (void)(sn_cancel)(context(d)), got_nothing(d, false); }
static void call_sn_cancel_withdraw(draw *d) { (void)(sn_cancel_withdraw)(context(d)), got_nothing(d, false); }
static void call_sn_set_deadline(draw *d) { (void)(sn_set_deadline)(context(d), number(d)), got_nothing(d, false); }
static void call_sn_set_progress(draw *d) { (void)(sn_set_progress)(context(d), progress_callback(d), d, number(d)), got_nothing(d, false); }
static void call_sn_runner_cancel(draw *d) { (void)(sn_runner_cancel)(runner(d)), got_nothing(d, false); }
static void call_sn_runner_set_deadline(draw *d) { (void)(sn_runner_set_deadline)(runner(d), number(d)), got_nothing(d, false); }
static void call_sn_view_string(draw *d) { (void)(sn_view_string)(NULL, integer(d)), got_nothing(d, false); }
static void call_sn_view_strings(draw *d) { (sn_view_strings)(NULL, integer(d), integer(d), NULL), got_nothing(d, false); }
static void call_sn_view_lengths(draw *d) { (sn_view_lengths)(NULL, integer(d), integer(d), NULL), got_nothing(d, false); }
static void call_sn_host_set_string(draw *d) { (void)!(sn_host_set_string)(NULL, small(d), integer(d), (sn_text){0}), got_nothing(d, false); }
static void call_sn_host_share_string(draw *d) { (void)!(sn_host_share_string)(NULL, small(d), integer(d), (sn_text){0}), got_nothing(d, false); }
static void call_sn_host_new_string(draw *d) { (void)(sn_host_new_string)(NULL, small(d), integer(d), 3), got_nothing(d, false); }
static void call_sn_host_new_strings(draw *d) { (void)!(sn_host_new_strings)(NULL, small(d), integer(d), integer(d), NULL, NULL), got_nothing(d, false); }
static void call_sn_host_share_strings(draw *d) { (void)!(sn_host_share_strings)(NULL, small(d), integer(d), integer(d), NULL), got_nothing(d, false); }
static void call_sn_host_interrupted(draw *d) { (void)!(sn_host_interrupted)(NULL), got_nothing(d, false); }
static void call_sn_interrupted(draw *d) { got_status(d, (sn_interrupted)(context(d)), false); }
static void call_sn_host_call_at(draw *d) { got_status(d, (sn_host_call_at)(context(d), host_callback(d), tensors(d), count(d), outputs(d), count(d), draw_sn_host_options(d), __FILE__, __LINE__), true); }
static void call_sn_op_define_opts(draw *d) { got_status(d, (sn_op_define_opts)(context(d), draw_sn_op_definition(d), &d->made.op), false); }
static void call_sn_op_defined(draw *d) { (void)(sn_op_defined)(context(d), name(d)), got_nothing(d, false); }
static void call_sn_op_call_at(draw *d) { got_status(d, (sn_op_call_at)(context(d), defined_op(d), tensors(d), count(d), outputs(d), count(d), __FILE__, __LINE__), true); }
static void call_sn_op_call_with_at(draw *d) { got_status(d, (sn_op_call_with_at)(context(d), defined_op(d), tensors(d), count(d), outputs(d), count(d), NULL, 0, __FILE__, __LINE__), true); }
static void call_sn_op_attrs(draw *d) { (void)(sn_op_attrs)(context(d)), got_nothing(d, false); }
static void call_sn_load_npy(draw *d) { got_tensor(d, SN_AT((sn_load_npy)(context(d), path(d)))); }
static void call_sn_load_npy_bytes(draw *d) { got_tensor(d, SN_AT((sn_load_npy_bytes)(context(d), memory(d), length(d)))); }
static void call_sn_save_npy(draw *d) { got_status(d, (sn_save_npy)(tensor(d), path(d)), false); }
static void call_sn_save_npy_bytes(draw *d) { got_status(d, (sn_save_npy_bytes)(tensor(d), memory(d), length(d), &d->made.length), false); }
static void call_sn_save_npy_at(draw *d) { got_status(d, (sn_save_npy_at)(tensor(d), path(d), __FILE__, __LINE__), true); }
static void call_sn_save_npy_bytes_at(draw *d) { got_status(d, (sn_save_npy_bytes_at)(tensor(d), memory(d), length(d), &d->made.length, __FILE__, __LINE__), true); }
static void call_sn_object_create(draw *d) { (void)(sn_object_create)(context(d), object_class(d), tensors(d)), got_nothing(d, false); }
static void call_sn_object_error(draw *d) { (void)(sn_object_error)(context(d), object_class(d)), got_nothing(d, false); }
static void call_sn_error_tensor(draw *d) { (void)(sn_error_tensor)(context(d)), got_nothing(d, false); }
static void call_sn_object_check(draw *d) { sn_context *c = context(d); SN_FRAME(c, "sn_object_check"); (void)(sn_object_check)(c, object(d), object_class(d), name(d)), got_nothing(d, false); }
static void call_sn_object_context(draw *d) { (void)(sn_object_context)(object(d)), got_nothing(d, false); }
static void call_sn_object_failed(draw *d) { (void)(sn_object_failed)(object(d)), got_nothing(d, false); }
static void call_sn_object_variable(draw *d) { (void)(sn_object_variable)(object(d)), got_nothing(d, false); }
static void call_sn_object_keep_at(draw *d) { (sn_object_release)((sn_object_keep_at)(object(d), __FILE__, __LINE__)), got_nothing(d, true); }
static void call_sn_object_release(draw *d) { (void)(sn_object_release)(object(d)), got_nothing(d, false); }
static void call_sn_object_escape(draw *d) { (void)(sn_object_escape)(object(d)), got_nothing(d, false); }
static void call_sn_object_references(draw *d) { (void)(sn_object_references)(object(d)), got_nothing(d, false); }
static void call_sn_object_users(draw *d) { (void)(sn_object_users)(object(d)), got_nothing(d, false); }
static void call_sn_object_locate(draw *d) { (void)(sn_object_locate)(object(d), __FILE__, __LINE__), got_nothing(d, true); }
static void call_sn_op_count(draw *d) { (void)(sn_op_count)(), got_nothing(d, false); }
static void call_sn_op_at(draw *d) { (void)(sn_op_at)(word(d)), got_nothing(d, false); }
static void call_sn_op_find(draw *d) { (void)(sn_op_find)(name(d)), got_nothing(d, false); }
static void call_sn_status_name(draw *d) { got_text(d, (sn_status_name)((sn_status)choice(d))); }
static void call_sn_status_meaning(draw *d) { got_text(d, (sn_status_meaning)((sn_status)choice(d))); }
static void call_sn_version(draw *d) { got_text(d, (sn_version)()); }
static void call_sn_strings(draw *d) { got_tensor(d, SN_AT((sn_strings)(context(d), small_shape(d), all_names()))); }
static void call_sn_scalar_string(draw *d) { got_tensor(d, SN_AT((sn_scalar_string)(context(d), program_text(d)))); }
static void call_sn_strings_from_texts(draw *d) { got_tensor(d, SN_AT((sn_strings_from_texts)(context(d), small_shape(d), all_texts()))); }
static void call_sn_strings_from_offsets(draw *d) { got_tensor(d, SN_AT((sn_strings_from_offsets)(context(d), small_shape(d), all_offsets(), memory(d), NULL, d))); }
static void call_sn_read_strings(draw *d) { got_status(d, (sn_read_strings)(tensor(d), read_texts, integer(d)), false); }
static void call_sn_read_strings_at(draw *d) { got_status(d, (sn_read_strings_at)(tensor(d), read_texts, integer(d), __FILE__, __LINE__), true); }
static void call_sn_dtype_size(draw *d) { (void)(sn_dtype_size)(dtype(d)), got_nothing(d, false); }
static void call_sn_dtype_name(draw *d) { got_text(d, (sn_dtype_name)(dtype(d))); }
static void call_sn_rank(draw *d) { (void)(sn_rank)(tensor(d)), got_nothing(d, false); }
static void call_sn_dtype_of(draw *d) { (void)(sn_dtype_of)(tensor(d)), got_nothing(d, false); }
static void call_sn_dim(draw *d) { (void)(sn_dim)(tensor(d), small(d)), got_nothing(d, false); }
static void call_sn_size(draw *d) { (void)(sn_size)(tensor(d)), got_nothing(d, false); }
static void call_sn_symbolic_dim(draw *d) { (void)(sn_symbolic_dim)(tensor(d), small(d)), got_nothing(d, false); }
static void call_sn_late_dim(draw *d) { (void)(sn_late_dim)(tensor(d)), got_nothing(d, false); }
static void call_sn_context_of(draw *d) { (void)(sn_context_of)(tensor(d)), got_nothing(d, false); }
static void call_sn_failed(draw *d) { (void)(sn_failed)(tensor(d)), got_nothing(d, false); }
static void call_sn_is_traced(draw *d) { (void)(sn_is_traced)(tensor(d)), got_nothing(d, false); }
static void call_sn_is_tracing(draw *d) { (void)(sn_is_tracing)(context(d)), got_nothing(d, false); }
static void call_sn_is_recording(draw *d) { (void)(sn_is_recording)(context(d)), got_nothing(d, false); }
static void call_sn_name(draw *d) { got_text(d, (sn_name)(tensor(d))); }
static void call_sn_constant(draw *d) { got_tensor(d, SN_AT((sn_constant)(context(d), dtype(d), small_shape(d), memory(d)))); }
static void call_sn_scalar_f32(draw *d) { got_tensor(d, SN_AT((sn_scalar_f32)(context(d), (float)number(d)))); }
static void call_sn_scalar_f64(draw *d) { got_tensor(d, SN_AT((sn_scalar_f64)(context(d), number(d)))); }
static void call_sn_scalar_i32(draw *d) { got_tensor(d, SN_AT((sn_scalar_i32)(context(d), small(d)))); }
static void call_sn_scalar_i64(draw *d) { got_tensor(d, SN_AT((sn_scalar_i64)(context(d), integer(d)))); }
static void call_sn_scalar_bool(draw *d) { got_tensor(d, SN_AT((sn_scalar_bool)(context(d), chance(d, 2)))); }
static void call_sn_scalar_c64(draw *d) { got_tensor(d, SN_AT((sn_scalar_c64)(context(d), (float)number(d), (float)number(d)))); }
static void call_sn_scalar_c128(draw *d) { got_tensor(d, SN_AT((sn_scalar_c128)(context(d), number(d), number(d)))); }
static void call_sn_scalar_like(draw *d) { got_tensor(d, SN_AT((sn_scalar_like)(tensor(d), number(d)))); }
static void call_sn_zeros(draw *d) { got_tensor(d, SN_AT((sn_zeros)(context(d), dtype(d), shape(d)))); }
static void call_sn_ones(draw *d) { got_tensor(d, SN_AT((sn_ones)(context(d), dtype(d), shape(d)))); }
static void call_sn_full(draw *d) { got_tensor(d, SN_AT((sn_full)(context(d), dtype(d), shape(d), number(d)))); }
static void call_sn_zeros_like(draw *d) { got_tensor(d, SN_AT((sn_zeros_like)(tensor(d)))); }
static void call_sn_ones_like(draw *d) { got_tensor(d, SN_AT((sn_ones_like)(tensor(d)))); }
static void call_sn_full_like(draw *d) { got_tensor(d, SN_AT((sn_full_like)(tensor(d), number(d)))); }
static void call_sn_range(draw *d) { got_tensor(d, SN_AT((sn_range)(context(d), dtype(d), number(d), number(d), number(d)))); }
static void call_sn_linspace(draw *d) { got_tensor(d, SN_AT((sn_linspace)(context(d), dtype(d), number(d), number(d), integer(d), chance(d, 2)))); }
static void call_sn_range_like(draw *d) { got_tensor(d, SN_AT((sn_range_like)(tensor(d), small(d), dtype(d)))); }
static void call_sn_axis_size(draw *d) { got_tensor(d, SN_AT((sn_axis_size)(tensor(d), small(d), dtype(d)))); }
static void call_sn_from_memory(draw *d) { got_tensor(d, SN_AT((sn_from_memory)(context(d), dtype(d), small_shape(d), memory(d), NULL, d))); }
static void call_sn_from_strided(draw *d) { got_tensor(d, SN_AT((sn_from_strided)(context(d), dtype(d), small_shape(d), memory(d), strides(d), NULL, d))); }
static void call_sn_set_seed(draw *d) { (void)(sn_set_seed)(context(d), word(d)), got_nothing(d, false); }
static void call_sn_read(draw *d) { got_status(d, (sn_read)(tensor(d), memory(d), length(d)), false); }
static void call_sn_read_strided(draw *d) { got_status(d, (sn_read_strided)(tensor(d), memory(d), strides(d), count(d)), false); }
static void call_sn_item(draw *d) { got_status(d, (sn_item)(tensor(d), &d->made.value), false); }
static void call_sn_data(draw *d) { got_status(d, (sn_data)(tensor(d), &d->made.data), false); }
static void call_sn_format(draw *d) { (void)(sn_format)(tensor(d), d->bytes, length(d)), got_nothing(d, false); }
static void call_sn_keep(draw *d) { got_owned(d, SN_AT((sn_keep)(tensor(d)))); }
static void call_sn_release(draw *d) { sn_release(released(d)); }
static void call_sn_escape(draw *d) { (void)(sn_escape)(tensor(d)); }
static void call_sn_locate(draw *d) { (void)(sn_locate)(tensor(d), __FILE__, __LINE__); }
static void call_sn_read_at(draw *d) { got_status(d, (sn_read_at)(tensor(d), memory(d), length(d), __FILE__, __LINE__), true); }
static void call_sn_item_at(draw *d) { got_status(d, (sn_item_at)(tensor(d), &d->made.value, __FILE__, __LINE__), true); }
static void call_sn_data_at(draw *d) { got_status(d, (sn_data_at)(tensor(d), &d->made.data, __FILE__, __LINE__), true); }
static void call_sn_read_strided_at(draw *d) { got_status(d, (sn_read_strided_at)(tensor(d), memory(d), strides(d), count(d), __FILE__, __LINE__), true); }
static void call_sn_dim_at(draw *d) { (void)(sn_dim_at)(tensor(d), small(d), __FILE__, __LINE__), got_nothing(d, true); }
static void call_sn_size_at(draw *d) { (void)(sn_size_at)(tensor(d), __FILE__, __LINE__), got_nothing(d, true); }
static void call_sn_variable_opts(draw *d) { got_owned(d, SN_AT((sn_variable_opts)(tensor(d), draw_sn_variable_options(d)))); }
static void call_sn_is_variable(draw *d) { (void)(sn_is_variable)(tensor(d)), got_nothing(d, false); }
static void call_sn_is_trainable(draw *d) { (void)(sn_is_trainable)(tensor(d)), got_nothing(d, false); }
static void call_sn_assign(draw *d) { got_tensor(d, SN_AT((sn_assign)(tensor(d), tensor(d)))); }
static void call_sn_assign_add(draw *d) { got_tensor(d, SN_AT((sn_assign_add)(tensor(d), tensor(d)))); }
static void call_sn_assign_sub(draw *d) { got_tensor(d, SN_AT((sn_assign_sub)(tensor(d), tensor(d)))); }
static void call_sn_assign_at(draw *d) { got_tensor(d, SN_AT((sn_assign_at)(tensor(d), tensor(d), "%s", places(d)))); }
static void call_sn_assign_scatter(draw *d) { got_tensor(d, SN_AT((sn_assign_scatter)(tensor(d), tensor(d), tensor(d), (sn_scatter_mode)choice(d)))); }
static void call_sn_assign_scatter_nd(draw *d) { got_tensor(d, SN_AT((sn_assign_scatter_nd)(tensor(d), tensor(d), tensor(d), (sn_scatter_mode)choice(d)))); }
static void call_sn_read_variable(draw *d) { got_tensor(d, SN_AT((sn_read_variable)(tensor(d)))); }
static void call_sn_vectorized_map_at(draw *d) { got_status(d, (sn_vectorized_map_at)(context(d), callback(d), d, tensors(d), count(d), outputs(d), count(d), draw_sn_vectorized_map_options(d), __FILE__, __LINE__), true); }
static void call_sn_equal(draw *d) { got_tensor(d, SN_AT((sn_equal)(tensor(d), tensor(d)))); }
static void call_sn_not_equal(draw *d) { got_tensor(d, SN_AT((sn_not_equal)(tensor(d), tensor(d)))); }
static void call_sn_less(draw *d) { got_tensor(d, SN_AT((sn_less)(tensor(d), tensor(d)))); }
static void call_sn_less_equal(draw *d) { got_tensor(d, SN_AT((sn_less_equal)(tensor(d), tensor(d)))); }
static void call_sn_greater(draw *d) { got_tensor(d, SN_AT((sn_greater)(tensor(d), tensor(d)))); }
static void call_sn_greater_equal(draw *d) { got_tensor(d, SN_AT((sn_greater_equal)(tensor(d), tensor(d)))); }
static void call_sn_and(draw *d) { got_tensor(d, SN_AT((sn_and)(tensor(d), tensor(d)))); }
static void call_sn_or(draw *d) { got_tensor(d, SN_AT((sn_or)(tensor(d), tensor(d)))); }
static void call_sn_xor(draw *d) { got_tensor(d, SN_AT((sn_xor)(tensor(d), tensor(d)))); }
static void call_sn_where(draw *d) { got_tensor(d, SN_AT((sn_where)(tensor(d), tensor(d), tensor(d)))); }
static void call_sn_not(draw *d) { got_tensor(d, SN_AT((sn_not)(tensor(d)))); }
static void call_sn_is_nan(draw *d) { got_tensor(d, SN_AT((sn_is_nan)(tensor(d)))); }
static void call_sn_is_inf(draw *d) { got_tensor(d, SN_AT((sn_is_inf)(tensor(d)))); }
static void call_sn_is_finite(draw *d) { got_tensor(d, SN_AT((sn_is_finite)(tensor(d)))); }
static void call_sn_signbit(draw *d) { got_tensor(d, SN_AT((sn_signbit)(tensor(d)))); }
static void call_sn_is_close(draw *d) { got_tensor(d, SN_AT((sn_is_close)(tensor(d), tensor(d), number(d), number(d), chance(d, 2)))); }
static void call_sn_and_scalar(draw *d) { got_tensor(d, SN_AT((sn_and_scalar)(tensor(d), integer(d)))); }
static void call_sn_or_scalar(draw *d) { got_tensor(d, SN_AT((sn_or_scalar)(tensor(d), integer(d)))); }
static void call_sn_xor_scalar(draw *d) { got_tensor(d, SN_AT((sn_xor_scalar)(tensor(d), integer(d)))); }
static void call_sn_equal_scalar(draw *d) { got_tensor(d, SN_AT((sn_equal_scalar)(tensor(d), number(d)))); }
static void call_sn_not_equal_scalar(draw *d) { got_tensor(d, SN_AT((sn_not_equal_scalar)(tensor(d), number(d)))); }
static void call_sn_less_scalar(draw *d) { got_tensor(d, SN_AT((sn_less_scalar)(tensor(d), number(d)))); }
static void call_sn_less_equal_scalar(draw *d) { got_tensor(d, SN_AT((sn_less_equal_scalar)(tensor(d), number(d)))); }
static void call_sn_greater_scalar(draw *d) { got_tensor(d, SN_AT((sn_greater_scalar)(tensor(d), number(d)))); }
static void call_sn_greater_equal_scalar(draw *d) { got_tensor(d, SN_AT((sn_greater_equal_scalar)(tensor(d), number(d)))); }
static void call_sn_where_scalar(draw *d) { got_tensor(d, SN_AT((sn_where_scalar)(tensor(d), tensor(d), number(d)))); }
static void call_sn_rwhere_scalar(draw *d) { got_tensor(d, SN_AT((sn_rwhere_scalar)(tensor(d), number(d), tensor(d)))); }
static void call_sn_complex(draw *d) { got_tensor(d, SN_AT((sn_complex)(tensor(d), tensor(d)))); }
static void call_sn_real(draw *d) { got_tensor(d, SN_AT((sn_real)(tensor(d)))); }
static void call_sn_imag(draw *d) { got_tensor(d, SN_AT((sn_imag)(tensor(d)))); }
static void call_sn_conj(draw *d) { got_tensor(d, SN_AT((sn_conj)(tensor(d)))); }
static void call_sn_angle(draw *d) { got_tensor(d, SN_AT((sn_angle)(tensor(d)))); }
static void call_sn_polar(draw *d) { got_tensor(d, SN_AT((sn_polar)(tensor(d), tensor(d)))); }
static void call_sn_conv_opts(draw *d) { got_tensor(d, SN_AT((sn_conv_opts)(tensor(d), tensor(d), draw_sn_conv_options(d)))); }
static void call_sn_conv_transpose_opts(draw *d) { got_tensor(d, SN_AT((sn_conv_transpose_opts)(tensor(d), tensor(d), draw_sn_conv_options(d)))); }
static void call_sn_max_pool_opts(draw *d) { got_tensor(d, SN_AT((sn_max_pool_opts)(tensor(d), draw_sn_pool_options(d)))); }
static void call_sn_avg_pool_opts(draw *d) { got_tensor(d, SN_AT((sn_avg_pool_opts)(tensor(d), draw_sn_pool_options(d)))); }
static void call_sn_adaptive_max_pool(draw *d) { got_tensor(d, SN_AT((sn_adaptive_max_pool)(tensor(d), list(d), count(d), (sn_data_format)choice(d)))); }
static void call_sn_adaptive_avg_pool(draw *d) { got_tensor(d, SN_AT((sn_adaptive_avg_pool)(tensor(d), list(d), count(d), (sn_data_format)choice(d)))); }
static void call_sn_resize(draw *d) { got_tensor(d, SN_AT((sn_resize)(tensor(d), list(d), count(d), (sn_resize_method)choice(d), (sn_data_format)choice(d)))); }
static void call_sn_cholesky(draw *d) { got_tensor(d, SN_AT((sn_cholesky)(tensor(d)))); }
static void call_sn_triangular_solve_opts(draw *d) { got_tensor(d, SN_AT((sn_triangular_solve_opts)(tensor(d), tensor(d), draw_sn_triangular_options(d)))); }
static void call_sn_solve(draw *d) { got_tensor(d, SN_AT((sn_solve)(tensor(d), tensor(d)))); }
static void call_sn_inverse(draw *d) { got_tensor(d, SN_AT((sn_inverse)(tensor(d)))); }
static void call_sn_det(draw *d) { got_tensor(d, SN_AT((sn_det)(tensor(d)))); }
static void call_sn_slogdet(draw *d) { got_tensor(d, SN_AT((sn_slogdet)(tensor(d), outputs(d)))); }
static void call_sn_qr(draw *d) { got_tensor(d, SN_AT((sn_qr)(tensor(d), outputs(d)))); }
static void call_sn_eigh(draw *d) { got_tensor(d, SN_AT((sn_eigh)(tensor(d), outputs(d)))); }
static void call_sn_svd(draw *d) { got_tensor(d, SN_AT((sn_svd)(tensor(d), outputs(d), outputs(d)))); }
static void call_sn_lstsq(draw *d) { got_tensor(d, SN_AT((sn_lstsq)(tensor(d), tensor(d)))); }
static void call_sn_fft_opts(draw *d) { got_tensor(d, SN_AT((sn_fft_opts)(tensor(d), small(d), draw_sn_fft_options(d)))); }
static void call_sn_ifft_opts(draw *d) { got_tensor(d, SN_AT((sn_ifft_opts)(tensor(d), small(d), draw_sn_fft_options(d)))); }
static void call_sn_rfft_opts(draw *d) { got_tensor(d, SN_AT((sn_rfft_opts)(tensor(d), small(d), draw_sn_fft_options(d)))); }
static void call_sn_irfft_opts(draw *d) { got_tensor(d, SN_AT((sn_irfft_opts)(tensor(d), small(d), draw_sn_fft_options(d)))); }
static void call_sn_fftn_opts(draw *d) { got_tensor(d, SN_AT((sn_fftn_opts)(tensor(d), draw_sn_fftn_options(d)))); }
static void call_sn_ifftn_opts(draw *d) { got_tensor(d, SN_AT((sn_ifftn_opts)(tensor(d), draw_sn_fftn_options(d)))); }
static void call_sn_rfftn_opts(draw *d) { got_tensor(d, SN_AT((sn_rfftn_opts)(tensor(d), draw_sn_fftn_options(d)))); }
static void call_sn_irfftn_opts(draw *d) { got_tensor(d, SN_AT((sn_irfftn_opts)(tensor(d), draw_sn_fftn_options(d)))); }
static void call_sn_fft2_opts(draw *d) { got_tensor(d, SN_AT((sn_fft2_opts)(tensor(d), draw_sn_fftn_options(d)))); }
static void call_sn_ifft2_opts(draw *d) { got_tensor(d, SN_AT((sn_ifft2_opts)(tensor(d), draw_sn_fftn_options(d)))); }
static void call_sn_rfft2_opts(draw *d) { got_tensor(d, SN_AT((sn_rfft2_opts)(tensor(d), draw_sn_fftn_options(d)))); }
static void call_sn_irfft2_opts(draw *d) { got_tensor(d, SN_AT((sn_irfft2_opts)(tensor(d), draw_sn_fftn_options(d)))); }
static void call_sn_fftshift_opts(draw *d) { got_tensor(d, SN_AT((sn_fftshift_opts)(tensor(d), draw_sn_flip_options(d)))); }
static void call_sn_ifftshift_opts(draw *d) { got_tensor(d, SN_AT((sn_ifftshift_opts)(tensor(d), draw_sn_flip_options(d)))); }
static void call_sn_fftfreq(draw *d) { got_tensor(d, SN_AT((sn_fftfreq)(context(d), dtype(d), integer(d), number(d)))); }
static void call_sn_rfftfreq(draw *d) { got_tensor(d, SN_AT((sn_rfftfreq)(context(d), dtype(d), integer(d), number(d)))); }
static void call_sn_one_hot(draw *d) { got_tensor(d, SN_AT((sn_one_hot)(tensor(d), integer(d), dtype(d)))); }
static void call_sn_gather_opts(draw *d) { got_tensor(d, SN_AT((sn_gather_opts)(tensor(d), tensor(d), draw_sn_gather_options(d)))); }
static void call_sn_take(draw *d) { got_tensor(d, SN_AT((sn_take)(tensor(d), tensor(d)))); }
static void call_sn_gather_nd_opts(draw *d) { got_tensor(d, SN_AT((sn_gather_nd_opts)(tensor(d), tensor(d), draw_sn_gather_nd_options(d)))); }
static void call_sn_embedding_lookup_opts(draw *d) { got_tensor(d, SN_AT((sn_embedding_lookup_opts)(tensor(d), tensor(d), draw_sn_embedding_options(d)))); }
static void call_sn_scatter_add_opts(draw *d) { got_tensor(d, SN_AT((sn_scatter_add_opts)(tensor(d), tensor(d), tensor(d), draw_sn_scatter_options(d)))); }
static void call_sn_scatter_mul_opts(draw *d) { got_tensor(d, SN_AT((sn_scatter_mul_opts)(tensor(d), tensor(d), tensor(d), draw_sn_scatter_options(d)))); }
static void call_sn_scatter_max_opts(draw *d) { got_tensor(d, SN_AT((sn_scatter_max_opts)(tensor(d), tensor(d), tensor(d), draw_sn_scatter_options(d)))); }
static void call_sn_scatter_min_opts(draw *d) { got_tensor(d, SN_AT((sn_scatter_min_opts)(tensor(d), tensor(d), tensor(d), draw_sn_scatter_options(d)))); }
static void call_sn_scatter_update_opts(draw *d) { got_tensor(d, SN_AT((sn_scatter_update_opts)(tensor(d), tensor(d), tensor(d), draw_sn_scatter_options(d)))); }
static void call_sn_scatter_nd(draw *d) { got_tensor(d, SN_AT((sn_scatter_nd)(tensor(d), tensor(d), shape(d)))); }
static void call_sn_tensor_scatter_nd(draw *d) { got_tensor(d, SN_AT((sn_tensor_scatter_nd)(tensor(d), tensor(d), tensor(d), (sn_scatter_mode)choice(d)))); }
static void call_sn_put_along_axis_opts(draw *d) { got_tensor(d, SN_AT((sn_put_along_axis_opts)(tensor(d), tensor(d), tensor(d), small(d), draw_sn_put_options(d)))); }
static void call_sn_dynamic_slice(draw *d) { got_tensor(d, SN_AT((sn_dynamic_slice)(tensor(d), tensor(d), shape(d)))); }
static void call_sn_dynamic_update(draw *d) { got_tensor(d, SN_AT((sn_dynamic_update)(tensor(d), tensor(d), tensor(d)))); }
static void call_sn_segment_sum(draw *d) { got_tensor(d, SN_AT((sn_segment_sum)(tensor(d), tensor(d), integer(d)))); }
static void call_sn_segment_mean(draw *d) { got_tensor(d, SN_AT((sn_segment_mean)(tensor(d), tensor(d), integer(d)))); }
static void call_sn_segment_prod(draw *d) { got_tensor(d, SN_AT((sn_segment_prod)(tensor(d), tensor(d), integer(d)))); }
static void call_sn_segment_max(draw *d) { got_tensor(d, SN_AT((sn_segment_max)(tensor(d), tensor(d), integer(d)))); }
static void call_sn_segment_min(draw *d) { got_tensor(d, SN_AT((sn_segment_min)(tensor(d), tensor(d), integer(d)))); }
static void call_sn_bincount_opts(draw *d) { got_tensor(d, SN_AT((sn_bincount_opts)(tensor(d), draw_sn_count_options(d)))); }
static void call_sn_histogram_opts(draw *d) { got_tensor(d, SN_AT((sn_histogram_opts)(tensor(d), integer(d), number(d), number(d), draw_sn_count_options(d)))); }
static void call_sn_nonzero_opts(draw *d) { got_tensor(d, SN_AT((sn_nonzero_opts)(tensor(d), draw_sn_extract_options(d)))); }
static void call_sn_argwhere_opts(draw *d) { got_tensor(d, SN_AT((sn_argwhere_opts)(tensor(d), draw_sn_extract_options(d)))); }
static void call_sn_boolean_mask_opts(draw *d) { got_tensor(d, SN_AT((sn_boolean_mask_opts)(tensor(d), tensor(d), draw_sn_extract_options(d)))); }
static void call_sn_unique_opts(draw *d) { got_tensor(d, SN_AT((sn_unique_opts)(tensor(d), outputs(d), outputs(d), draw_sn_extract_options(d)))); }
static void call_sn_matmul_opts(draw *d) { got_tensor(d, SN_AT((sn_matmul_opts)(tensor(d), tensor(d), draw_sn_matmul_options(d)))); }
static void call_sn_matmul(draw *d) { got_tensor(d, SN_AT((sn_matmul)(tensor(d), tensor(d)))); }
static void call_sn_outer(draw *d) { got_tensor(d, SN_AT((sn_outer)(tensor(d), tensor(d)))); }
static void call_sn_vecdot(draw *d) { got_tensor(d, SN_AT((sn_vecdot)(tensor(d), tensor(d), small(d)))); }
static void call_sn_cross(draw *d) { got_tensor(d, SN_AT((sn_cross)(tensor(d), tensor(d)))); }
static void call_sn_kron(draw *d) { got_tensor(d, SN_AT((sn_kron)(tensor(d), tensor(d)))); }
static void call_sn_tensordot(draw *d) { got_tensor(d, SN_AT((sn_tensordot)(tensor(d), tensor(d), small_list(d), small_list(d), count(d)))); }
static void call_sn_einsum(draw *d) { got_tensor(d, SN_AT((sn_einsum)(equation(d), tensors(d), count(d)))); }
static void call_sn_tril(draw *d) { got_tensor(d, SN_AT((sn_tril)(tensor(d), integer(d)))); }
static void call_sn_triu(draw *d) { got_tensor(d, SN_AT((sn_triu)(tensor(d), integer(d)))); }
static void call_sn_eye(draw *d) { got_tensor(d, SN_AT((sn_eye)(context(d), dtype(d), integer(d), integer(d), integer(d)))); }
static void call_sn_diagonal(draw *d) { got_tensor(d, SN_AT((sn_diagonal)(tensor(d), integer(d)))); }
static void call_sn_diag(draw *d) { got_tensor(d, SN_AT((sn_diag)(tensor(d), integer(d)))); }
static void call_sn_trace(draw *d) { got_tensor(d, SN_AT((sn_trace)(tensor(d), integer(d)))); }
static void call_sn_neg(draw *d) { got_tensor(d, SN_AT((sn_neg)(tensor(d)))); }
static void call_sn_abs(draw *d) { got_tensor(d, SN_AT((sn_abs)(tensor(d)))); }
static void call_sn_sign(draw *d) { got_tensor(d, SN_AT((sn_sign)(tensor(d)))); }
static void call_sn_sqrt(draw *d) { got_tensor(d, SN_AT((sn_sqrt)(tensor(d)))); }
static void call_sn_rsqrt(draw *d) { got_tensor(d, SN_AT((sn_rsqrt)(tensor(d)))); }
static void call_sn_square(draw *d) { got_tensor(d, SN_AT((sn_square)(tensor(d)))); }
static void call_sn_reciprocal(draw *d) { got_tensor(d, SN_AT((sn_reciprocal)(tensor(d)))); }
static void call_sn_floor(draw *d) { got_tensor(d, SN_AT((sn_floor)(tensor(d)))); }
static void call_sn_ceil(draw *d) { got_tensor(d, SN_AT((sn_ceil)(tensor(d)))); }
static void call_sn_round(draw *d) { got_tensor(d, SN_AT((sn_round)(tensor(d)))); }
static void call_sn_trunc(draw *d) { got_tensor(d, SN_AT((sn_trunc)(tensor(d)))); }
static void call_sn_exp(draw *d) { got_tensor(d, SN_AT((sn_exp)(tensor(d)))); }
static void call_sn_expm1(draw *d) { got_tensor(d, SN_AT((sn_expm1)(tensor(d)))); }
static void call_sn_log(draw *d) { got_tensor(d, SN_AT((sn_log)(tensor(d)))); }
static void call_sn_log1p(draw *d) { got_tensor(d, SN_AT((sn_log1p)(tensor(d)))); }
static void call_sn_sin(draw *d) { got_tensor(d, SN_AT((sn_sin)(tensor(d)))); }
static void call_sn_cos(draw *d) { got_tensor(d, SN_AT((sn_cos)(tensor(d)))); }
static void call_sn_tanh(draw *d) { got_tensor(d, SN_AT((sn_tanh)(tensor(d)))); }
static void call_sn_sigmoid(draw *d) { got_tensor(d, SN_AT((sn_sigmoid)(tensor(d)))); }
static void call_sn_erf(draw *d) { got_tensor(d, SN_AT((sn_erf)(tensor(d)))); }
static void call_sn_identity(draw *d) { got_tensor(d, SN_AT((sn_identity)(tensor(d)))); }
static void call_sn_exp2(draw *d) { got_tensor(d, SN_AT((sn_exp2)(tensor(d)))); }
static void call_sn_log2(draw *d) { got_tensor(d, SN_AT((sn_log2)(tensor(d)))); }
static void call_sn_log10(draw *d) { got_tensor(d, SN_AT((sn_log10)(tensor(d)))); }
static void call_sn_cbrt(draw *d) { got_tensor(d, SN_AT((sn_cbrt)(tensor(d)))); }
static void call_sn_tan(draw *d) { got_tensor(d, SN_AT((sn_tan)(tensor(d)))); }
static void call_sn_asin(draw *d) { got_tensor(d, SN_AT((sn_asin)(tensor(d)))); }
static void call_sn_acos(draw *d) { got_tensor(d, SN_AT((sn_acos)(tensor(d)))); }
static void call_sn_atan(draw *d) { got_tensor(d, SN_AT((sn_atan)(tensor(d)))); }
static void call_sn_sinh(draw *d) { got_tensor(d, SN_AT((sn_sinh)(tensor(d)))); }
static void call_sn_cosh(draw *d) { got_tensor(d, SN_AT((sn_cosh)(tensor(d)))); }
static void call_sn_asinh(draw *d) { got_tensor(d, SN_AT((sn_asinh)(tensor(d)))); }
static void call_sn_acosh(draw *d) { got_tensor(d, SN_AT((sn_acosh)(tensor(d)))); }
static void call_sn_atanh(draw *d) { got_tensor(d, SN_AT((sn_atanh)(tensor(d)))); }
static void call_sn_erfc(draw *d) { got_tensor(d, SN_AT((sn_erfc)(tensor(d)))); }
static void call_sn_erfinv(draw *d) { got_tensor(d, SN_AT((sn_erfinv)(tensor(d)))); }
static void call_sn_lgamma(draw *d) { got_tensor(d, SN_AT((sn_lgamma)(tensor(d)))); }
static void call_sn_digamma(draw *d) { got_tensor(d, SN_AT((sn_digamma)(tensor(d)))); }
static void call_sn_trigamma(draw *d) { got_tensor(d, SN_AT((sn_trigamma)(tensor(d)))); }
static void call_sn_polygamma(draw *d) { got_tensor(d, SN_AT((sn_polygamma)(count(d), tensor(d)))); }
static void call_sn_sinc(draw *d) { got_tensor(d, SN_AT((sn_sinc)(tensor(d)))); }
static void call_sn_deg2rad(draw *d) { got_tensor(d, SN_AT((sn_deg2rad)(tensor(d)))); }
static void call_sn_rad2deg(draw *d) { got_tensor(d, SN_AT((sn_rad2deg)(tensor(d)))); }
static void call_sn_gcd(draw *d) { got_tensor(d, SN_AT((sn_gcd)(tensor(d), tensor(d)))); }
static void call_sn_lcm(draw *d) { got_tensor(d, SN_AT((sn_lcm)(tensor(d), tensor(d)))); }
static void call_sn_bitwise_count(draw *d) { got_tensor(d, SN_AT((sn_bitwise_count)(tensor(d)))); }
static void call_sn_nan_to_num(draw *d) { got_tensor(d, SN_AT((sn_nan_to_num)(tensor(d)))); }
static void call_sn_clip(draw *d) { got_tensor(d, SN_AT((sn_clip)(tensor(d), number(d), number(d)))); }
static void call_sn_cast(draw *d) { got_tensor(d, SN_AT((sn_cast)(tensor(d), dtype(d)))); }
static void call_sn_bitcast(draw *d) { got_tensor(d, SN_AT((sn_bitcast)(tensor(d), dtype(d)))); }
static void call_sn_add(draw *d) { got_tensor(d, SN_AT((sn_add)(tensor(d), tensor(d)))); }
static void call_sn_sub(draw *d) { got_tensor(d, SN_AT((sn_sub)(tensor(d), tensor(d)))); }
static void call_sn_mul(draw *d) { got_tensor(d, SN_AT((sn_mul)(tensor(d), tensor(d)))); }
static void call_sn_div(draw *d) { got_tensor(d, SN_AT((sn_div)(tensor(d), tensor(d)))); }
static void call_sn_rem(draw *d) { got_tensor(d, SN_AT((sn_rem)(tensor(d), tensor(d)))); }
static void call_sn_pow(draw *d) { got_tensor(d, SN_AT((sn_pow)(tensor(d), tensor(d)))); }
static void call_sn_maximum(draw *d) { got_tensor(d, SN_AT((sn_maximum)(tensor(d), tensor(d)))); }
static void call_sn_minimum(draw *d) { got_tensor(d, SN_AT((sn_minimum)(tensor(d), tensor(d)))); }
static void call_sn_floor_div(draw *d) { got_tensor(d, SN_AT((sn_floor_div)(tensor(d), tensor(d)))); }
static void call_sn_floor_mod(draw *d) { got_tensor(d, SN_AT((sn_floor_mod)(tensor(d), tensor(d)))); }
static void call_sn_atan2(draw *d) { got_tensor(d, SN_AT((sn_atan2)(tensor(d), tensor(d)))); }
static void call_sn_hypot(draw *d) { got_tensor(d, SN_AT((sn_hypot)(tensor(d), tensor(d)))); }
static void call_sn_logaddexp(draw *d) { got_tensor(d, SN_AT((sn_logaddexp)(tensor(d), tensor(d)))); }
static void call_sn_logaddexp2(draw *d) { got_tensor(d, SN_AT((sn_logaddexp2)(tensor(d), tensor(d)))); }
static void call_sn_xlogy(draw *d) { got_tensor(d, SN_AT((sn_xlogy)(tensor(d), tensor(d)))); }
static void call_sn_xlog1py(draw *d) { got_tensor(d, SN_AT((sn_xlog1py)(tensor(d), tensor(d)))); }
static void call_sn_copysign(draw *d) { got_tensor(d, SN_AT((sn_copysign)(tensor(d), tensor(d)))); }
static void call_sn_nextafter(draw *d) { got_tensor(d, SN_AT((sn_nextafter)(tensor(d), tensor(d)))); }
static void call_sn_squared_difference(draw *d) { got_tensor(d, SN_AT((sn_squared_difference)(tensor(d), tensor(d)))); }
static void call_sn_divide_no_nan(draw *d) { got_tensor(d, SN_AT((sn_divide_no_nan)(tensor(d), tensor(d)))); }
static void call_sn_shift_left(draw *d) { got_tensor(d, SN_AT((sn_shift_left)(tensor(d), tensor(d)))); }
static void call_sn_shift_right(draw *d) { got_tensor(d, SN_AT((sn_shift_right)(tensor(d), tensor(d)))); }
static void call_sn_add_scalar(draw *d) { got_tensor(d, SN_AT((sn_add_scalar)(tensor(d), number(d)))); }
static void call_sn_mul_scalar(draw *d) { got_tensor(d, SN_AT((sn_mul_scalar)(tensor(d), number(d)))); }
static void call_sn_pow_scalar(draw *d) { got_tensor(d, SN_AT((sn_pow_scalar)(tensor(d), number(d)))); }
static void call_sn_sub_scalar(draw *d) { got_tensor(d, SN_AT((sn_sub_scalar)(tensor(d), number(d)))); }
static void call_sn_rsub_scalar(draw *d) { got_tensor(d, SN_AT((sn_rsub_scalar)(tensor(d), number(d)))); }
static void call_sn_div_scalar(draw *d) { got_tensor(d, SN_AT((sn_div_scalar)(tensor(d), number(d)))); }
static void call_sn_rdiv_scalar(draw *d) { got_tensor(d, SN_AT((sn_rdiv_scalar)(tensor(d), number(d)))); }
static void call_sn_rem_scalar(draw *d) { got_tensor(d, SN_AT((sn_rem_scalar)(tensor(d), number(d)))); }
static void call_sn_rpow_scalar(draw *d) { got_tensor(d, SN_AT((sn_rpow_scalar)(tensor(d), number(d)))); }
static void call_sn_rrem_scalar(draw *d) { got_tensor(d, SN_AT((sn_rrem_scalar)(tensor(d), number(d)))); }
static void call_sn_floor_div_scalar(draw *d) { got_tensor(d, SN_AT((sn_floor_div_scalar)(tensor(d), number(d)))); }
static void call_sn_rfloor_div_scalar(draw *d) { got_tensor(d, SN_AT((sn_rfloor_div_scalar)(tensor(d), number(d)))); }
static void call_sn_floor_mod_scalar(draw *d) { got_tensor(d, SN_AT((sn_floor_mod_scalar)(tensor(d), number(d)))); }
static void call_sn_rfloor_mod_scalar(draw *d) { got_tensor(d, SN_AT((sn_rfloor_mod_scalar)(tensor(d), number(d)))); }
static void call_sn_shift_left_scalar(draw *d) { got_tensor(d, SN_AT((sn_shift_left_scalar)(tensor(d), integer(d)))); }
static void call_sn_shift_right_scalar(draw *d) { got_tensor(d, SN_AT((sn_shift_right_scalar)(tensor(d), integer(d)))); }
static void call_sn_rshift_left_scalar(draw *d) { got_tensor(d, SN_AT((sn_rshift_left_scalar)(tensor(d), integer(d)))); }
static void call_sn_rshift_right_scalar(draw *d) { got_tensor(d, SN_AT((sn_rshift_right_scalar)(tensor(d), integer(d)))); }
static void call_sn_maximum_scalar(draw *d) { got_tensor(d, SN_AT((sn_maximum_scalar)(tensor(d), number(d)))); }
static void call_sn_minimum_scalar(draw *d) { got_tensor(d, SN_AT((sn_minimum_scalar)(tensor(d), number(d)))); }
static void call_sn_relu(draw *d) { got_tensor(d, SN_AT((sn_relu)(tensor(d)))); }
static void call_sn_gelu(draw *d) { got_tensor(d, SN_AT((sn_gelu)(tensor(d)))); }
static void call_sn_gelu_exact(draw *d) { got_tensor(d, SN_AT((sn_gelu_exact)(tensor(d)))); }
static void call_sn_softplus(draw *d) { got_tensor(d, SN_AT((sn_softplus)(tensor(d)))); }
static void call_sn_log_sigmoid(draw *d) { got_tensor(d, SN_AT((sn_log_sigmoid)(tensor(d)))); }
static void call_sn_leaky_relu(draw *d) { got_tensor(d, SN_AT((sn_leaky_relu)(tensor(d), number(d)))); }
static void call_sn_prelu(draw *d) { got_tensor(d, SN_AT((sn_prelu)(tensor(d), tensor(d)))); }
static void call_sn_relu6(draw *d) { got_tensor(d, SN_AT((sn_relu6)(tensor(d)))); }
static void call_sn_elu(draw *d) { got_tensor(d, SN_AT((sn_elu)(tensor(d), number(d)))); }
static void call_sn_celu(draw *d) { got_tensor(d, SN_AT((sn_celu)(tensor(d), number(d)))); }
static void call_sn_selu(draw *d) { got_tensor(d, SN_AT((sn_selu)(tensor(d)))); }
static void call_sn_silu(draw *d) { got_tensor(d, SN_AT((sn_silu)(tensor(d)))); }
static void call_sn_mish(draw *d) { got_tensor(d, SN_AT((sn_mish)(tensor(d)))); }
static void call_sn_softsign(draw *d) { got_tensor(d, SN_AT((sn_softsign)(tensor(d)))); }
static void call_sn_hard_sigmoid(draw *d) { got_tensor(d, SN_AT((sn_hard_sigmoid)(tensor(d)))); }
static void call_sn_hard_silu(draw *d) { got_tensor(d, SN_AT((sn_hard_silu)(tensor(d)))); }
static void call_sn_hard_tanh(draw *d) { got_tensor(d, SN_AT((sn_hard_tanh)(tensor(d)))); }
static void call_sn_soft_shrink(draw *d) { got_tensor(d, SN_AT((sn_soft_shrink)(tensor(d), number(d)))); }
static void call_sn_glu(draw *d) { got_tensor(d, SN_AT((sn_glu)(tensor(d), small(d)))); }
static void call_sn_softmax(draw *d) { got_tensor(d, SN_AT((sn_softmax)(tensor(d), small(d)))); }
static void call_sn_log_softmax(draw *d) { got_tensor(d, SN_AT((sn_log_softmax)(tensor(d), small(d)))); }
static void call_sn_sparse_softmax_cross_entropy(draw *d) { got_tensor(d, SN_AT((sn_sparse_softmax_cross_entropy)(tensor(d), tensor(d)))); }
static void call_sn_huber_loss(draw *d) { got_tensor(d, SN_AT((sn_huber_loss)(tensor(d), tensor(d), number(d)))); }
static void call_sn_mean_squared_error(draw *d) { got_tensor(d, SN_AT((sn_mean_squared_error)(tensor(d), tensor(d)))); }
static void call_sn_mean_absolute_error(draw *d) { got_tensor(d, SN_AT((sn_mean_absolute_error)(tensor(d), tensor(d)))); }
static void call_sn_softmax_cross_entropy(draw *d) { got_tensor(d, SN_AT((sn_softmax_cross_entropy)(tensor(d), tensor(d)))); }
static void call_sn_sigmoid_cross_entropy(draw *d) { got_tensor(d, SN_AT((sn_sigmoid_cross_entropy)(tensor(d), tensor(d)))); }
static void call_sn_layer_norm(draw *d) { got_tensor(d, SN_AT((sn_layer_norm)(tensor(d), tensor(d), tensor(d), small(d), number(d)))); }
static void call_sn_rms_norm(draw *d) { got_tensor(d, SN_AT((sn_rms_norm)(tensor(d), tensor(d), small(d), number(d)))); }
static void call_sn_group_norm(draw *d) { got_tensor(d, SN_AT((sn_group_norm)(tensor(d), tensor(d), tensor(d), integer(d), (sn_data_format)choice(d), number(d)))); }
static void call_sn_batch_norm(draw *d) { got_tensor(d, SN_AT((sn_batch_norm)(tensor(d), tensor(d), tensor(d), tensor(d), tensor(d), number(d)))); }
static void call_sn_moments(draw *d) { got_tensor(d, SN_AT((sn_moments)(tensor(d), small_list(d), count(d), chance(d, 2), outputs(d)))); }
static void call_sn_l2_normalize(draw *d) { got_tensor(d, SN_AT((sn_l2_normalize)(tensor(d), small(d), number(d)))); }
static void call_sn_dropout(draw *d) { got_tensor(d, SN_AT((sn_dropout)(tensor(d), number(d)))); }
static void call_sn_scaled_dot_product_attention_opts(draw *d) { got_tensor(d, SN_AT((sn_scaled_dot_product_attention_opts)(tensor(d), tensor(d), tensor(d), draw_sn_attention_options(d)))); }
static void call_sn_random_key(draw *d) { got_tensor(d, SN_AT((sn_random_key)(context(d), word(d)))); }
static void call_sn_random_split(draw *d) { got_tensor(d, SN_AT((sn_random_split)(tensor(d), integer(d)))); }
static void call_sn_random_fold_in(draw *d) { got_tensor(d, SN_AT((sn_random_fold_in)(tensor(d), tensor(d)))); }
static void call_sn_random_get_state(draw *d) { got_status(d, (sn_random_get_state)(context(d), empty_sn_random_state(d)), false); }
static void call_sn_random_set_state(draw *d) { (void)(sn_random_set_state)(context(d), (sn_random_state){word(d), word(d), word(d)}), got_nothing(d, false); }
static void call_sn_random_uniform_opts(draw *d) { got_tensor(d, SN_AT((sn_random_uniform_opts)(context(d), dtype(d), shape(d), draw_sn_random_options(d)))); }
static void call_sn_random_normal_opts(draw *d) { got_tensor(d, SN_AT((sn_random_normal_opts)(context(d), dtype(d), shape(d), draw_sn_random_options(d)))); }
static void call_sn_random_uniform_like(draw *d) { got_tensor(d, SN_AT((sn_random_uniform_like)(tensor(d)))); }
static void call_sn_random_normal_like(draw *d) { got_tensor(d, SN_AT((sn_random_normal_like)(tensor(d)))); }
static void call_sn_random_truncated_normal_opts(draw *d) { got_tensor(d, SN_AT((sn_random_truncated_normal_opts)(context(d), dtype(d), shape(d), draw_sn_random_options(d)))); }
static void call_sn_random_exponential_opts(draw *d) { got_tensor(d, SN_AT((sn_random_exponential_opts)(context(d), dtype(d), shape(d), draw_sn_random_options(d)))); }
static void call_sn_random_bits_opts(draw *d) { got_tensor(d, SN_AT((sn_random_bits_opts)(context(d), dtype(d), shape(d), draw_sn_random_options(d)))); }
static void call_sn_random_integers_opts(draw *d) { got_tensor(d, SN_AT((sn_random_integers_opts)(context(d), dtype(d), shape(d), integer(d), integer(d), draw_sn_random_options(d)))); }
static void call_sn_random_bernoulli_opts(draw *d) { got_tensor(d, SN_AT((sn_random_bernoulli_opts)(tensor(d), draw_sn_random_options(d)))); }
static void call_sn_random_categorical_opts(draw *d) { got_tensor(d, SN_AT((sn_random_categorical_opts)(tensor(d), draw_sn_random_options(d)))); }
static void call_sn_random_permutation_opts(draw *d) { got_tensor(d, SN_AT((sn_random_permutation_opts)(context(d), integer(d), draw_sn_random_options(d)))); }
static void call_sn_random_shuffle_opts(draw *d) { got_tensor(d, SN_AT((sn_random_shuffle_opts)(tensor(d), draw_sn_random_options(d)))); }
static void call_sn_random_gamma_opts(draw *d) { got_tensor(d, SN_AT((sn_random_gamma_opts)(tensor(d), draw_sn_random_options(d)))); }
static void call_sn_random_beta_opts(draw *d) { got_tensor(d, SN_AT((sn_random_beta_opts)(tensor(d), tensor(d), draw_sn_random_options(d)))); }
static void call_sn_random_poisson_opts(draw *d) { got_tensor(d, SN_AT((sn_random_poisson_opts)(tensor(d), draw_sn_random_options(d)))); }
static void call_sn_sum_opts(draw *d) { got_tensor(d, SN_AT((sn_sum_opts)(tensor(d), draw_sn_reduce_options(d)))); }
static void call_sn_mean_opts(draw *d) { got_tensor(d, SN_AT((sn_mean_opts)(tensor(d), draw_sn_reduce_options(d)))); }
static void call_sn_prod_opts(draw *d) { got_tensor(d, SN_AT((sn_prod_opts)(tensor(d), draw_sn_reduce_options(d)))); }
static void call_sn_max_opts(draw *d) { got_tensor(d, SN_AT((sn_max_opts)(tensor(d), draw_sn_reduce_options(d)))); }
static void call_sn_min_opts(draw *d) { got_tensor(d, SN_AT((sn_min_opts)(tensor(d), draw_sn_reduce_options(d)))); }
static void call_sn_all_opts(draw *d) { got_tensor(d, SN_AT((sn_all_opts)(tensor(d), draw_sn_reduce_options(d)))); }
static void call_sn_any_opts(draw *d) { got_tensor(d, SN_AT((sn_any_opts)(tensor(d), draw_sn_reduce_options(d)))); }
static void call_sn_var_opts(draw *d) { got_tensor(d, SN_AT((sn_var_opts)(tensor(d), draw_sn_reduce_options(d)))); }
static void call_sn_std_opts(draw *d) { got_tensor(d, SN_AT((sn_std_opts)(tensor(d), draw_sn_reduce_options(d)))); }
static void call_sn_logsumexp_opts(draw *d) { got_tensor(d, SN_AT((sn_logsumexp_opts)(tensor(d), draw_sn_reduce_options(d)))); }
static void call_sn_count_nonzero_opts(draw *d) { got_tensor(d, SN_AT((sn_count_nonzero_opts)(tensor(d), draw_sn_reduce_options(d)))); }
static void call_sn_norm_opts(draw *d) { got_tensor(d, SN_AT((sn_norm_opts)(tensor(d), draw_sn_reduce_options(d)))); }
static void call_sn_add_n(draw *d) { got_tensor(d, SN_AT((sn_add_n)(tensors(d), count(d)))); }
static void call_sn_global_norm(draw *d) { got_tensor(d, SN_AT((sn_global_norm)(tensors(d), count(d)))); }
static void call_sn_clip_by_global_norm(draw *d) { got_tensor(d, SN_AT((sn_clip_by_global_norm)(tensors(d), count(d), number(d), outputs(d)))); }
static void call_sn_clip_by_norm_opts(draw *d) { got_tensor(d, SN_AT((sn_clip_by_norm_opts)(tensor(d), number(d), draw_sn_reduce_options(d)))); }
static void call_sn_argmax(draw *d) { got_tensor(d, SN_AT((sn_argmax)(tensor(d), small(d)))); }
static void call_sn_argmin(draw *d) { got_tensor(d, SN_AT((sn_argmin)(tensor(d), small(d)))); }
static void call_sn_cumsum_opts(draw *d) { got_tensor(d, SN_AT((sn_cumsum_opts)(tensor(d), small(d), draw_sn_cumulate_options(d)))); }
static void call_sn_cumprod_opts(draw *d) { got_tensor(d, SN_AT((sn_cumprod_opts)(tensor(d), small(d), draw_sn_cumulate_options(d)))); }
static void call_sn_cummax_opts(draw *d) { got_tensor(d, SN_AT((sn_cummax_opts)(tensor(d), small(d), draw_sn_cumulate_options(d)))); }
static void call_sn_cummin_opts(draw *d) { got_tensor(d, SN_AT((sn_cummin_opts)(tensor(d), small(d), draw_sn_cumulate_options(d)))); }
static void call_sn_cumlogsumexp_opts(draw *d) { got_tensor(d, SN_AT((sn_cumlogsumexp_opts)(tensor(d), small(d), draw_sn_cumulate_options(d)))); }
static void call_sn_reshape(draw *d) { got_tensor(d, SN_AT((sn_reshape)(tensor(d), shape(d)))); }
static void call_sn_transpose(draw *d) { got_tensor(d, SN_AT((sn_transpose)(tensor(d)))); }
static void call_sn_permute(draw *d) { got_tensor(d, SN_AT((sn_permute)(tensor(d), small_list(d), count(d)))); }
static void call_sn_expand_dims(draw *d) { got_tensor(d, SN_AT((sn_expand_dims)(tensor(d), small(d)))); }
static void call_sn_squeeze(draw *d) { got_tensor(d, SN_AT((sn_squeeze)(tensor(d), small(d)))); }
static void call_sn_broadcast_to(draw *d) { got_tensor(d, SN_AT((sn_broadcast_to)(tensor(d), shape(d)))); }
static void call_sn_broadcast_like(draw *d) { got_tensor(d, SN_AT((sn_broadcast_like)(tensor(d), tensor(d)))); }
static void call_sn_concat(draw *d) { got_tensor(d, SN_AT((sn_concat)(tensors(d), count(d), small(d)))); }
static void call_sn_stack(draw *d) { got_tensor(d, SN_AT((sn_stack)(tensors(d), count(d), small(d)))); }
static void call_sn_slice(draw *d) { got_tensor(d, SN_AT((sn_slice)(tensor(d), ranges(d), count(d)))); }
static void call_sn_index(draw *d) { got_tensor(d, SN_AT((sn_index)(tensor(d), small(d), integer(d)))); }
static void call_sn_at(draw *d) { got_tensor(d, SN_AT((sn_at)(tensor(d), "%s", places(d)))); }
static void call_sn_set_slice(draw *d) { got_tensor(d, SN_AT((sn_set_slice)(tensor(d), tensor(d), ranges(d), count(d)))); }
static void call_sn_set_at(draw *d) { got_tensor(d, SN_AT((sn_set_at)(tensor(d), tensor(d), "%s", places(d)))); }
static void call_sn_pad(draw *d) { got_tensor(d, SN_AT((sn_pad)(tensor(d), list(d), list(d), count(d), number(d)))); }
static void call_sn_move_axis(draw *d) { got_tensor(d, SN_AT((sn_move_axis)(tensor(d), small(d), small(d)))); }
static void call_sn_swap_axes(draw *d) { got_tensor(d, SN_AT((sn_swap_axes)(tensor(d), small(d), small(d)))); }
static void call_sn_matrix_transpose(draw *d) { got_tensor(d, SN_AT((sn_matrix_transpose)(tensor(d)))); }
static void call_sn_ravel(draw *d) { got_tensor(d, SN_AT((sn_ravel)(tensor(d)))); }
static void call_sn_flip_opts(draw *d) { got_tensor(d, SN_AT((sn_flip_opts)(tensor(d), draw_sn_flip_options(d)))); }
static void call_sn_roll(draw *d) { got_tensor(d, SN_AT((sn_roll)(tensor(d), integer(d), small(d)))); }
static void call_sn_repeat(draw *d) { got_tensor(d, SN_AT((sn_repeat)(tensor(d), integer(d), small(d)))); }
static void call_sn_tile(draw *d) { got_tensor(d, SN_AT((sn_tile)(tensor(d), list(d), count(d)))); }
static void call_sn_split(draw *d) { got_tensor(d, SN_AT((sn_split)(tensor(d), count(d), small(d), outputs(d)))); }
static void call_sn_split_sizes(draw *d) { got_tensor(d, SN_AT((sn_split_sizes)(tensor(d), list(d), count(d), small(d), outputs(d)))); }
static void call_sn_unstack(draw *d) { got_tensor(d, SN_AT((sn_unstack)(tensor(d), small(d), outputs(d), count(d)))); }
static void call_sn_meshgrid(draw *d) { got_tensor(d, SN_AT((sn_meshgrid)(tensors(d), count(d), chance(d, 2), outputs(d)))); }
static void call_sn_pad_with(draw *d) { got_tensor(d, SN_AT((sn_pad_with)(tensor(d), list(d), list(d), count(d), (sn_pad_rule)choice(d)))); }
static void call_sn_diff(draw *d) { got_tensor(d, SN_AT((sn_diff)(tensor(d), integer(d), small(d)))); }
static void call_sn_sort_opts(draw *d) { got_tensor(d, SN_AT((sn_sort_opts)(tensor(d), small(d), draw_sn_sort_options(d)))); }
static void call_sn_argsort_opts(draw *d) { got_tensor(d, SN_AT((sn_argsort_opts)(tensor(d), small(d), draw_sn_sort_options(d)))); }
static void call_sn_top_k(draw *d) { got_tensor(d, SN_AT((sn_top_k)(tensor(d), integer(d), outputs(d)))); }
static void call_sn_take_along_axis(draw *d) { got_tensor(d, SN_AT((sn_take_along_axis)(tensor(d), tensor(d), small(d)))); }
static void call_sn_searchsorted_opts(draw *d) { got_tensor(d, SN_AT((sn_searchsorted_opts)(tensor(d), tensor(d), draw_sn_search_options(d)))); }
static void call_sn_bucketize_opts(draw *d) { got_tensor(d, SN_AT((sn_bucketize_opts)(tensor(d), tensor(d), draw_sn_search_options(d)))); }
static void call_sn_median(draw *d) { got_tensor(d, SN_AT((sn_median)(tensor(d), small(d)))); }
static void call_sn_quantile(draw *d) { got_tensor(d, SN_AT((sn_quantile)(tensor(d), number(d), small(d)))); }
static const struct {
  const char *name;
  void (*call)(draw *d);
} api_calls[] = {
  {"sn_flatten_at", call_sn_flatten_at},
  {"sn_unflatten_at", call_sn_unflatten_at},
  {"sn_keep_struct", call_sn_keep_struct},
  {"sn_release_struct", call_sn_release_struct},
  {"sn_struct_function_at", call_sn_struct_function_at},
  {"sn_call_struct_at", call_sn_call_struct_at},
  {"sn_call_struct_in_at", call_sn_call_struct_in_at},
  {"sn_call_struct_eager_at", call_sn_call_struct_eager_at},
  {"sn_call_struct_eager_in_at", call_sn_call_struct_eager_in_at},
  {"sn_function_compile_struct_at", call_sn_function_compile_struct_at},
  {"sn_gradients_struct_at", call_sn_gradients_struct_at},
  {"sn_tape_gradient_struct_at", call_sn_tape_gradient_struct_at},
  {"sn_tape_watch_struct_at", call_sn_tape_watch_struct_at},
  {"sn_cond_struct_at", call_sn_cond_struct_at},
  {"sn_while_struct_at", call_sn_while_struct_at},
  {"sn_scan_struct_at", call_sn_scan_struct_at},
  {"sn_fori_struct_at", call_sn_fori_struct_at},
  {"sn_map_struct_at", call_sn_map_struct_at},
  {"sn_vectorized_map_struct_at", call_sn_vectorized_map_struct_at},
  {"sn_checkpoint_struct_at", call_sn_checkpoint_struct_at},
  {"sn_context_create_opts", call_sn_context_create_opts},
  {"sn_context_destroy", call_sn_context_destroy},
  {"sn_check", call_sn_check},
  {"sn_error_message", call_sn_error_message},
  {"sn_pending_error", call_sn_pending_error},
  {"sn_fail", call_sn_fail},
  {"sn_fail_at", call_sn_fail_at},
  {"sn_context_memory", call_sn_context_memory},
  {"sn_context_trim", call_sn_context_trim},
  {"sn_context_set_threads", call_sn_context_set_threads},
  {"sn_context_system_info", call_sn_context_system_info},
  {"sn_scope_begin", call_sn_scope_begin},
  {"sn_scope_guard", call_sn_scope_guard},
  {"sn_scope_end", call_sn_scope_end},
  {"sn_frame_begin", call_sn_frame_begin},
  {"sn_frame_end", call_sn_frame_end},
  {"sn_cond_at", call_sn_cond_at},
  {"sn_switch_case_at", call_sn_switch_case_at},
  {"sn_while_loop_at", call_sn_while_loop_at},
  {"sn_fori_loop_at", call_sn_fori_loop_at},
  {"sn_scan_at", call_sn_scan_at},
  {"sn_map_fn_at", call_sn_map_fn_at},
  {"sn_associative_scan_at", call_sn_associative_scan_at},
  {"sn_from_dlpack", call_sn_from_dlpack},
  {"sn_from_dlpack_versioned", call_sn_from_dlpack_versioned},
  {"sn_to_dlpack", call_sn_to_dlpack},
  {"sn_to_dlpack_versioned", call_sn_to_dlpack_versioned},
  {"sn_to_dlpack_at", call_sn_to_dlpack_at},
  {"sn_to_dlpack_versioned_at", call_sn_to_dlpack_versioned_at},
  {"sn_mark_dim", call_sn_mark_dim},
  {"sn_function_create_opts", call_sn_function_create_opts},
  {"sn_function_create_at", call_sn_function_create_at},
  {"sn_function_destroy", call_sn_function_destroy},
  {"sn_call", call_sn_call},
  {"sn_call_eager", call_sn_call_eager},
  {"sn_call_in", call_sn_call_in},
  {"sn_call_eager_in", call_sn_call_eager_in},
  {"sn_init_at", call_sn_init_at},
  {"sn_call_at", call_sn_call_at},
  {"sn_call_eager_at", call_sn_call_eager_at},
  {"sn_call_in_at", call_sn_call_in_at},
  {"sn_call_eager_in_at", call_sn_call_eager_in_at},
  {"sn_static", call_sn_static},
  {"sn_static_f64", call_sn_static_f64},
  {"sn_static_bool", call_sn_static_bool},
  {"sn_static_text", call_sn_static_text},
  {"sn_static_value", call_sn_static_value},
  {"sn_static_value_at", call_sn_static_value_at},
  {"sn_static_value_f64_at", call_sn_static_value_f64_at},
  {"sn_static_value_bool_at", call_sn_static_value_bool_at},
  {"sn_static_value_text_at", call_sn_static_value_text_at},
  {"sn_function_compile", call_sn_function_compile},
  {"sn_function_compile_at", call_sn_function_compile_at},
  {"sn_function_compile_in", call_sn_function_compile_in},
  {"sn_function_compile_in_at", call_sn_function_compile_in_at},
  {"sn_program_keep", call_sn_program_keep},
  {"sn_program_release", call_sn_program_release},
  {"sn_program_inputs", call_sn_program_inputs},
  {"sn_program_outputs", call_sn_program_outputs},
  {"sn_program_from_text", call_sn_program_from_text},
  {"sn_program_from_text_at", call_sn_program_from_text_at},
  {"sn_program_input_spec", call_sn_program_input_spec},
  {"sn_program_input_spec_at", call_sn_program_input_spec_at},
  {"sn_program_output_spec", call_sn_program_output_spec},
  {"sn_program_output_spec_at", call_sn_program_output_spec_at},
  {"sn_program_dump", call_sn_program_dump},
  {"sn_program_dump_at", call_sn_program_dump_at},
  {"sn_text_free", call_sn_text_free},
  {"sn_program_count_ops", call_sn_program_count_ops},
  {"sn_runner_create", call_sn_runner_create},
  {"sn_runner_create_at", call_sn_runner_create_at},
  {"sn_runner_destroy", call_sn_runner_destroy},
  {"sn_run", call_sn_run},
  {"sn_runner_error", call_sn_runner_error},
  {"sn_function_stats", call_sn_function_stats},
  {"sn_function_trace_reason", call_sn_function_trace_reason},
  {"sn_function_retrace", call_sn_function_retrace},
  {"sn_gradients_opts", call_sn_gradients_opts},
  {"sn_gradients_at", call_sn_gradients_at},
  {"sn_gradients_of_at", call_sn_gradients_of_at},
  {"sn_tape_begin_opts", call_sn_tape_begin_opts},
  {"sn_tape_begin_at", call_sn_tape_begin_at},
  {"sn_tape_end", call_sn_tape_end},
  {"sn_tape_watch", call_sn_tape_watch},
  {"sn_tape_watch_at", call_sn_tape_watch_at},
  {"sn_tape_stop_recording", call_sn_tape_stop_recording},
  {"sn_tape_resume_recording", call_sn_tape_resume_recording},
  {"sn_tape_stop_recording_at", call_sn_tape_stop_recording_at},
  {"sn_tape_resume_recording_at", call_sn_tape_resume_recording_at},
  {"sn_tape_gradient_opts", call_sn_tape_gradient_opts},
  {"sn_tape_gradient_at", call_sn_tape_gradient_at},
  {"sn_tape_gradient_of_at", call_sn_tape_gradient_of_at},
  {"sn_jvp", call_sn_jvp},
  {"sn_hvp_at", call_sn_hvp_at},
  {"sn_jacobian_at", call_sn_jacobian_at},
  {"sn_batch_jacobian_at", call_sn_batch_jacobian_at},
  {"sn_hessian_at", call_sn_hessian_at},
  {"sn_tape_jacobian_at", call_sn_tape_jacobian_at},
  {"sn_tape_batch_jacobian_at", call_sn_tape_batch_jacobian_at},
  {"sn_custom_gradient_at", call_sn_custom_gradient_at},
  {"sn_check_gradients_at", call_sn_check_gradients_at},
  {"sn_checkpoint_at", call_sn_checkpoint_at},
  {"sn_stop_gradient", call_sn_stop_gradient},
  {"sn_program_graph", call_sn_program_graph},
  {"sn_graph_size", call_sn_graph_size},
  {"sn_graph_operation", call_sn_graph_operation},
  {"sn_graph_find", call_sn_graph_find},
  {"sn_graph_find_op", call_sn_graph_find_op},
  {"sn_graph_attribute", call_sn_graph_attribute},
  {"sn_graph_body", call_sn_graph_body},
  {"sn_graph_outputs", call_sn_graph_outputs},
  {"sn_graph_output", call_sn_graph_output},
  {"sn_graph_assigned", call_sn_graph_assigned},
  {"sn_program_variables", call_sn_program_variables},
  {"sn_program_variable", call_sn_program_variable},
  {"sn_program_captures", call_sn_program_captures},
  {"sn_program_capture", call_sn_program_capture},
  {"sn_program_signature", call_sn_program_signature},
  {"sn_cancel", call_sn_cancel},
  {"sn_cancel_withdraw", call_sn_cancel_withdraw},
  {"sn_set_deadline", call_sn_set_deadline},
  {"sn_set_progress", call_sn_set_progress},
  {"sn_runner_cancel", call_sn_runner_cancel},
  {"sn_runner_set_deadline", call_sn_runner_set_deadline},
  {"sn_view_string", call_sn_view_string},
  {"sn_view_strings", call_sn_view_strings},
  {"sn_view_lengths", call_sn_view_lengths},
  {"sn_host_set_string", call_sn_host_set_string},
  {"sn_host_share_string", call_sn_host_share_string},
  {"sn_host_new_string", call_sn_host_new_string},
  {"sn_host_new_strings", call_sn_host_new_strings},
  {"sn_host_share_strings", call_sn_host_share_strings},
  {"sn_host_interrupted", call_sn_host_interrupted},
  {"sn_interrupted", call_sn_interrupted},
  {"sn_host_call_at", call_sn_host_call_at},
  {"sn_op_define_opts", call_sn_op_define_opts},
  {"sn_op_defined", call_sn_op_defined},
  {"sn_op_call_at", call_sn_op_call_at},
  {"sn_op_call_with_at", call_sn_op_call_with_at},
  {"sn_op_attrs", call_sn_op_attrs},
  {"sn_load_npy", call_sn_load_npy},
  {"sn_load_npy_bytes", call_sn_load_npy_bytes},
  {"sn_save_npy", call_sn_save_npy},
  {"sn_save_npy_bytes", call_sn_save_npy_bytes},
  {"sn_save_npy_at", call_sn_save_npy_at},
  {"sn_save_npy_bytes_at", call_sn_save_npy_bytes_at},
  {"sn_object_create", call_sn_object_create},
  {"sn_object_error", call_sn_object_error},
  {"sn_error_tensor", call_sn_error_tensor},
  {"sn_object_check", call_sn_object_check},
  {"sn_object_context", call_sn_object_context},
  {"sn_object_failed", call_sn_object_failed},
  {"sn_object_variable", call_sn_object_variable},
  {"sn_object_keep_at", call_sn_object_keep_at},
  {"sn_object_release", call_sn_object_release},
  {"sn_object_escape", call_sn_object_escape},
  {"sn_object_references", call_sn_object_references},
  {"sn_object_users", call_sn_object_users},
  {"sn_object_locate", call_sn_object_locate},
  {"sn_op_count", call_sn_op_count},
  {"sn_op_at", call_sn_op_at},
  {"sn_op_find", call_sn_op_find},
  {"sn_status_name", call_sn_status_name},
  {"sn_status_meaning", call_sn_status_meaning},
  {"sn_version", call_sn_version},
  {"sn_strings", call_sn_strings},
  {"sn_scalar_string", call_sn_scalar_string},
  {"sn_strings_from_texts", call_sn_strings_from_texts},
  {"sn_strings_from_offsets", call_sn_strings_from_offsets},
  {"sn_read_strings", call_sn_read_strings},
  {"sn_read_strings_at", call_sn_read_strings_at},
  {"sn_dtype_size", call_sn_dtype_size},
  {"sn_dtype_name", call_sn_dtype_name},
  {"sn_rank", call_sn_rank},
  {"sn_dtype_of", call_sn_dtype_of},
  {"sn_dim", call_sn_dim},
  {"sn_size", call_sn_size},
  {"sn_symbolic_dim", call_sn_symbolic_dim},
  {"sn_late_dim", call_sn_late_dim},
  {"sn_context_of", call_sn_context_of},
  {"sn_failed", call_sn_failed},
  {"sn_is_traced", call_sn_is_traced},
  {"sn_is_tracing", call_sn_is_tracing},
  {"sn_is_recording", call_sn_is_recording},
  {"sn_name", call_sn_name},
  {"sn_constant", call_sn_constant},
  {"sn_scalar_f32", call_sn_scalar_f32},
  {"sn_scalar_f64", call_sn_scalar_f64},
  {"sn_scalar_i32", call_sn_scalar_i32},
  {"sn_scalar_i64", call_sn_scalar_i64},
  {"sn_scalar_bool", call_sn_scalar_bool},
  {"sn_scalar_c64", call_sn_scalar_c64},
  {"sn_scalar_c128", call_sn_scalar_c128},
  {"sn_scalar_like", call_sn_scalar_like},
  {"sn_zeros", call_sn_zeros},
  {"sn_ones", call_sn_ones},
  {"sn_full", call_sn_full},
  {"sn_zeros_like", call_sn_zeros_like},
  {"sn_ones_like", call_sn_ones_like},
  {"sn_full_like", call_sn_full_like},
  {"sn_range", call_sn_range},
  {"sn_linspace", call_sn_linspace},
  {"sn_range_like", call_sn_range_like},
  {"sn_axis_size", call_sn_axis_size},
  {"sn_from_memory", call_sn_from_memory},
  {"sn_from_strided", call_sn_from_strided},
  {"sn_set_seed", call_sn_set_seed},
  {"sn_read", call_sn_read},
  {"sn_read_strided", call_sn_read_strided},
  {"sn_item", call_sn_item},
  {"sn_data", call_sn_data},
  {"sn_format", call_sn_format},
  {"sn_keep", call_sn_keep},
  {"sn_release", call_sn_release},
  {"sn_escape", call_sn_escape},
  {"sn_locate", call_sn_locate},
  {"sn_read_at", call_sn_read_at},
  {"sn_item_at", call_sn_item_at},
  {"sn_data_at", call_sn_data_at},
  {"sn_read_strided_at", call_sn_read_strided_at},
  {"sn_dim_at", call_sn_dim_at},
  {"sn_size_at", call_sn_size_at},
  {"sn_variable_opts", call_sn_variable_opts},
  {"sn_is_variable", call_sn_is_variable},
  {"sn_is_trainable", call_sn_is_trainable},
  {"sn_assign", call_sn_assign},
  {"sn_assign_add", call_sn_assign_add},
  {"sn_assign_sub", call_sn_assign_sub},
  {"sn_assign_at", call_sn_assign_at},
  {"sn_assign_scatter", call_sn_assign_scatter},
  {"sn_assign_scatter_nd", call_sn_assign_scatter_nd},
  {"sn_read_variable", call_sn_read_variable},
  {"sn_vectorized_map_at", call_sn_vectorized_map_at},
  {"sn_equal", call_sn_equal},
  {"sn_not_equal", call_sn_not_equal},
  {"sn_less", call_sn_less},
  {"sn_less_equal", call_sn_less_equal},
  {"sn_greater", call_sn_greater},
  {"sn_greater_equal", call_sn_greater_equal},
  {"sn_and", call_sn_and},
  {"sn_or", call_sn_or},
  {"sn_xor", call_sn_xor},
  {"sn_where", call_sn_where},
  {"sn_not", call_sn_not},
  {"sn_is_nan", call_sn_is_nan},
  {"sn_is_inf", call_sn_is_inf},
  {"sn_is_finite", call_sn_is_finite},
  {"sn_signbit", call_sn_signbit},
  {"sn_is_close", call_sn_is_close},
  {"sn_and_scalar", call_sn_and_scalar},
  {"sn_or_scalar", call_sn_or_scalar},
  {"sn_xor_scalar", call_sn_xor_scalar},
  {"sn_equal_scalar", call_sn_equal_scalar},
  {"sn_not_equal_scalar", call_sn_not_equal_scalar},
  {"sn_less_scalar", call_sn_less_scalar},
  {"sn_less_equal_scalar", call_sn_less_equal_scalar},
  {"sn_greater_scalar", call_sn_greater_scalar},
  {"sn_greater_equal_scalar", call_sn_greater_equal_scalar},
  {"sn_where_scalar", call_sn_where_scalar},
  {"sn_rwhere_scalar", call_sn_rwhere_scalar},
  {"sn_complex", call_sn_complex},
  {"sn_real", call_sn_real},
  {"sn_imag", call_sn_imag},
  {"sn_conj", call_sn_conj},
  {"sn_angle", call_sn_angle},
  {"sn_polar", call_sn_polar},
  {"sn_conv_opts", call_sn_conv_opts},
  {"sn_conv_transpose_opts", call_sn_conv_transpose_opts},
  {"sn_max_pool_opts", call_sn_max_pool_opts},
  {"sn_avg_pool_opts", call_sn_avg_pool_opts},
  {"sn_adaptive_max_pool", call_sn_adaptive_max_pool},
  {"sn_adaptive_avg_pool", call_sn_adaptive_avg_pool},
  {"sn_resize", call_sn_resize},
  {"sn_cholesky", call_sn_cholesky},
  {"sn_triangular_solve_opts", call_sn_triangular_solve_opts},
  {"sn_solve", call_sn_solve},
  {"sn_inverse", call_sn_inverse},
  {"sn_det", call_sn_det},
  {"sn_slogdet", call_sn_slogdet},
  {"sn_qr", call_sn_qr},
  {"sn_eigh", call_sn_eigh},
  {"sn_svd", call_sn_svd},
  {"sn_lstsq", call_sn_lstsq},
  {"sn_fft_opts", call_sn_fft_opts},
  {"sn_ifft_opts", call_sn_ifft_opts},
  {"sn_rfft_opts", call_sn_rfft_opts},
  {"sn_irfft_opts", call_sn_irfft_opts},
  {"sn_fftn_opts", call_sn_fftn_opts},
  {"sn_ifftn_opts", call_sn_ifftn_opts},
  {"sn_rfftn_opts", call_sn_rfftn_opts},
  {"sn_irfftn_opts", call_sn_irfftn_opts},
  {"sn_fft2_opts", call_sn_fft2_opts},
  {"sn_ifft2_opts", call_sn_ifft2_opts},
  {"sn_rfft2_opts", call_sn_rfft2_opts},
  {"sn_irfft2_opts", call_sn_irfft2_opts},
  {"sn_fftshift_opts", call_sn_fftshift_opts},
  {"sn_ifftshift_opts", call_sn_ifftshift_opts},
  {"sn_fftfreq", call_sn_fftfreq},
  {"sn_rfftfreq", call_sn_rfftfreq},
  {"sn_one_hot", call_sn_one_hot},
  {"sn_gather_opts", call_sn_gather_opts},
  {"sn_take", call_sn_take},
  {"sn_gather_nd_opts", call_sn_gather_nd_opts},
  {"sn_embedding_lookup_opts", call_sn_embedding_lookup_opts},
  {"sn_scatter_add_opts", call_sn_scatter_add_opts},
  {"sn_scatter_mul_opts", call_sn_scatter_mul_opts},
  {"sn_scatter_max_opts", call_sn_scatter_max_opts},
  {"sn_scatter_min_opts", call_sn_scatter_min_opts},
  {"sn_scatter_update_opts", call_sn_scatter_update_opts},
  {"sn_scatter_nd", call_sn_scatter_nd},
  {"sn_tensor_scatter_nd", call_sn_tensor_scatter_nd},
  {"sn_put_along_axis_opts", call_sn_put_along_axis_opts},
  {"sn_dynamic_slice", call_sn_dynamic_slice},
  {"sn_dynamic_update", call_sn_dynamic_update},
  {"sn_segment_sum", call_sn_segment_sum},
  {"sn_segment_mean", call_sn_segment_mean},
  {"sn_segment_prod", call_sn_segment_prod},
  {"sn_segment_max", call_sn_segment_max},
  {"sn_segment_min", call_sn_segment_min},
  {"sn_bincount_opts", call_sn_bincount_opts},
  {"sn_histogram_opts", call_sn_histogram_opts},
  {"sn_nonzero_opts", call_sn_nonzero_opts},
  {"sn_argwhere_opts", call_sn_argwhere_opts},
  {"sn_boolean_mask_opts", call_sn_boolean_mask_opts},
  {"sn_unique_opts", call_sn_unique_opts},
  {"sn_matmul_opts", call_sn_matmul_opts},
  {"sn_matmul", call_sn_matmul},
  {"sn_outer", call_sn_outer},
  {"sn_vecdot", call_sn_vecdot},
  {"sn_cross", call_sn_cross},
  {"sn_kron", call_sn_kron},
  {"sn_tensordot", call_sn_tensordot},
  {"sn_einsum", call_sn_einsum},
  {"sn_tril", call_sn_tril},
  {"sn_triu", call_sn_triu},
  {"sn_eye", call_sn_eye},
  {"sn_diagonal", call_sn_diagonal},
  {"sn_diag", call_sn_diag},
  {"sn_trace", call_sn_trace},
  {"sn_neg", call_sn_neg},
  {"sn_abs", call_sn_abs},
  {"sn_sign", call_sn_sign},
  {"sn_sqrt", call_sn_sqrt},
  {"sn_rsqrt", call_sn_rsqrt},
  {"sn_square", call_sn_square},
  {"sn_reciprocal", call_sn_reciprocal},
  {"sn_floor", call_sn_floor},
  {"sn_ceil", call_sn_ceil},
  {"sn_round", call_sn_round},
  {"sn_trunc", call_sn_trunc},
  {"sn_exp", call_sn_exp},
  {"sn_expm1", call_sn_expm1},
  {"sn_log", call_sn_log},
  {"sn_log1p", call_sn_log1p},
  {"sn_sin", call_sn_sin},
  {"sn_cos", call_sn_cos},
  {"sn_tanh", call_sn_tanh},
  {"sn_sigmoid", call_sn_sigmoid},
  {"sn_erf", call_sn_erf},
  {"sn_identity", call_sn_identity},
  {"sn_exp2", call_sn_exp2},
  {"sn_log2", call_sn_log2},
  {"sn_log10", call_sn_log10},
  {"sn_cbrt", call_sn_cbrt},
  {"sn_tan", call_sn_tan},
  {"sn_asin", call_sn_asin},
  {"sn_acos", call_sn_acos},
  {"sn_atan", call_sn_atan},
  {"sn_sinh", call_sn_sinh},
  {"sn_cosh", call_sn_cosh},
  {"sn_asinh", call_sn_asinh},
  {"sn_acosh", call_sn_acosh},
  {"sn_atanh", call_sn_atanh},
  {"sn_erfc", call_sn_erfc},
  {"sn_erfinv", call_sn_erfinv},
  {"sn_lgamma", call_sn_lgamma},
  {"sn_digamma", call_sn_digamma},
  {"sn_trigamma", call_sn_trigamma},
  {"sn_polygamma", call_sn_polygamma},
  {"sn_sinc", call_sn_sinc},
  {"sn_deg2rad", call_sn_deg2rad},
  {"sn_rad2deg", call_sn_rad2deg},
  {"sn_gcd", call_sn_gcd},
  {"sn_lcm", call_sn_lcm},
  {"sn_bitwise_count", call_sn_bitwise_count},
  {"sn_nan_to_num", call_sn_nan_to_num},
  {"sn_clip", call_sn_clip},
  {"sn_cast", call_sn_cast},
  {"sn_bitcast", call_sn_bitcast},
  {"sn_add", call_sn_add},
  {"sn_sub", call_sn_sub},
  {"sn_mul", call_sn_mul},
  {"sn_div", call_sn_div},
  {"sn_rem", call_sn_rem},
  {"sn_pow", call_sn_pow},
  {"sn_maximum", call_sn_maximum},
  {"sn_minimum", call_sn_minimum},
  {"sn_floor_div", call_sn_floor_div},
  {"sn_floor_mod", call_sn_floor_mod},
  {"sn_atan2", call_sn_atan2},
  {"sn_hypot", call_sn_hypot},
  {"sn_logaddexp", call_sn_logaddexp},
  {"sn_logaddexp2", call_sn_logaddexp2},
  {"sn_xlogy", call_sn_xlogy},
  {"sn_xlog1py", call_sn_xlog1py},
  {"sn_copysign", call_sn_copysign},
  {"sn_nextafter", call_sn_nextafter},
  {"sn_squared_difference", call_sn_squared_difference},
  {"sn_divide_no_nan", call_sn_divide_no_nan},
  {"sn_shift_left", call_sn_shift_left},
  {"sn_shift_right", call_sn_shift_right},
  {"sn_add_scalar", call_sn_add_scalar},
  {"sn_mul_scalar", call_sn_mul_scalar},
  {"sn_pow_scalar", call_sn_pow_scalar},
  {"sn_sub_scalar", call_sn_sub_scalar},
  {"sn_rsub_scalar", call_sn_rsub_scalar},
  {"sn_div_scalar", call_sn_div_scalar},
  {"sn_rdiv_scalar", call_sn_rdiv_scalar},
  {"sn_rem_scalar", call_sn_rem_scalar},
  {"sn_rpow_scalar", call_sn_rpow_scalar},
  {"sn_rrem_scalar", call_sn_rrem_scalar},
  {"sn_floor_div_scalar", call_sn_floor_div_scalar},
  {"sn_rfloor_div_scalar", call_sn_rfloor_div_scalar},
  {"sn_floor_mod_scalar", call_sn_floor_mod_scalar},
  {"sn_rfloor_mod_scalar", call_sn_rfloor_mod_scalar},
  {"sn_shift_left_scalar", call_sn_shift_left_scalar},
  {"sn_shift_right_scalar", call_sn_shift_right_scalar},
  {"sn_rshift_left_scalar", call_sn_rshift_left_scalar},
  {"sn_rshift_right_scalar", call_sn_rshift_right_scalar},
  {"sn_maximum_scalar", call_sn_maximum_scalar},
  {"sn_minimum_scalar", call_sn_minimum_scalar},
  {"sn_relu", call_sn_relu},
  {"sn_gelu", call_sn_gelu},
  {"sn_gelu_exact", call_sn_gelu_exact},
  {"sn_softplus", call_sn_softplus},
  {"sn_log_sigmoid", call_sn_log_sigmoid},
  {"sn_leaky_relu", call_sn_leaky_relu},
  {"sn_prelu", call_sn_prelu},
  {"sn_relu6", call_sn_relu6},
  {"sn_elu", call_sn_elu},
  {"sn_celu", call_sn_celu},
  {"sn_selu", call_sn_selu},
  {"sn_silu", call_sn_silu},
  {"sn_mish", call_sn_mish},
  {"sn_softsign", call_sn_softsign},
  {"sn_hard_sigmoid", call_sn_hard_sigmoid},
  {"sn_hard_silu", call_sn_hard_silu},
  {"sn_hard_tanh", call_sn_hard_tanh},
  {"sn_soft_shrink", call_sn_soft_shrink},
  {"sn_glu", call_sn_glu},
  {"sn_softmax", call_sn_softmax},
  {"sn_log_softmax", call_sn_log_softmax},
  {"sn_sparse_softmax_cross_entropy", call_sn_sparse_softmax_cross_entropy},
  {"sn_huber_loss", call_sn_huber_loss},
  {"sn_mean_squared_error", call_sn_mean_squared_error},
  {"sn_mean_absolute_error", call_sn_mean_absolute_error},
  {"sn_softmax_cross_entropy", call_sn_softmax_cross_entropy},
  {"sn_sigmoid_cross_entropy", call_sn_sigmoid_cross_entropy},
  {"sn_layer_norm", call_sn_layer_norm},
  {"sn_rms_norm", call_sn_rms_norm},
  {"sn_group_norm", call_sn_group_norm},
  {"sn_batch_norm", call_sn_batch_norm},
  {"sn_moments", call_sn_moments},
  {"sn_l2_normalize", call_sn_l2_normalize},
  {"sn_dropout", call_sn_dropout},
  {"sn_scaled_dot_product_attention_opts", call_sn_scaled_dot_product_attention_opts},
  {"sn_random_key", call_sn_random_key},
  {"sn_random_split", call_sn_random_split},
  {"sn_random_fold_in", call_sn_random_fold_in},
  {"sn_random_get_state", call_sn_random_get_state},
  {"sn_random_set_state", call_sn_random_set_state},
  {"sn_random_uniform_opts", call_sn_random_uniform_opts},
  {"sn_random_normal_opts", call_sn_random_normal_opts},
  {"sn_random_uniform_like", call_sn_random_uniform_like},
  {"sn_random_normal_like", call_sn_random_normal_like},
  {"sn_random_truncated_normal_opts", call_sn_random_truncated_normal_opts},
  {"sn_random_exponential_opts", call_sn_random_exponential_opts},
  {"sn_random_bits_opts", call_sn_random_bits_opts},
  {"sn_random_integers_opts", call_sn_random_integers_opts},
  {"sn_random_bernoulli_opts", call_sn_random_bernoulli_opts},
  {"sn_random_categorical_opts", call_sn_random_categorical_opts},
  {"sn_random_permutation_opts", call_sn_random_permutation_opts},
  {"sn_random_shuffle_opts", call_sn_random_shuffle_opts},
  {"sn_random_gamma_opts", call_sn_random_gamma_opts},
  {"sn_random_beta_opts", call_sn_random_beta_opts},
  {"sn_random_poisson_opts", call_sn_random_poisson_opts},
  {"sn_sum_opts", call_sn_sum_opts},
  {"sn_mean_opts", call_sn_mean_opts},
  {"sn_prod_opts", call_sn_prod_opts},
  {"sn_max_opts", call_sn_max_opts},
  {"sn_min_opts", call_sn_min_opts},
  {"sn_all_opts", call_sn_all_opts},
  {"sn_any_opts", call_sn_any_opts},
  {"sn_var_opts", call_sn_var_opts},
  {"sn_std_opts", call_sn_std_opts},
  {"sn_logsumexp_opts", call_sn_logsumexp_opts},
  {"sn_count_nonzero_opts", call_sn_count_nonzero_opts},
  {"sn_norm_opts", call_sn_norm_opts},
  {"sn_add_n", call_sn_add_n},
  {"sn_global_norm", call_sn_global_norm},
  {"sn_clip_by_global_norm", call_sn_clip_by_global_norm},
  {"sn_clip_by_norm_opts", call_sn_clip_by_norm_opts},
  {"sn_argmax", call_sn_argmax},
  {"sn_argmin", call_sn_argmin},
  {"sn_cumsum_opts", call_sn_cumsum_opts},
  {"sn_cumprod_opts", call_sn_cumprod_opts},
  {"sn_cummax_opts", call_sn_cummax_opts},
  {"sn_cummin_opts", call_sn_cummin_opts},
  {"sn_cumlogsumexp_opts", call_sn_cumlogsumexp_opts},
  {"sn_reshape", call_sn_reshape},
  {"sn_transpose", call_sn_transpose},
  {"sn_permute", call_sn_permute},
  {"sn_expand_dims", call_sn_expand_dims},
  {"sn_squeeze", call_sn_squeeze},
  {"sn_broadcast_to", call_sn_broadcast_to},
  {"sn_broadcast_like", call_sn_broadcast_like},
  {"sn_concat", call_sn_concat},
  {"sn_stack", call_sn_stack},
  {"sn_slice", call_sn_slice},
  {"sn_index", call_sn_index},
  {"sn_at", call_sn_at},
  {"sn_set_slice", call_sn_set_slice},
  {"sn_set_at", call_sn_set_at},
  {"sn_pad", call_sn_pad},
  {"sn_move_axis", call_sn_move_axis},
  {"sn_swap_axes", call_sn_swap_axes},
  {"sn_matrix_transpose", call_sn_matrix_transpose},
  {"sn_ravel", call_sn_ravel},
  {"sn_flip_opts", call_sn_flip_opts},
  {"sn_roll", call_sn_roll},
  {"sn_repeat", call_sn_repeat},
  {"sn_tile", call_sn_tile},
  {"sn_split", call_sn_split},
  {"sn_split_sizes", call_sn_split_sizes},
  {"sn_unstack", call_sn_unstack},
  {"sn_meshgrid", call_sn_meshgrid},
  {"sn_pad_with", call_sn_pad_with},
  {"sn_diff", call_sn_diff},
  {"sn_sort_opts", call_sn_sort_opts},
  {"sn_argsort_opts", call_sn_argsort_opts},
  {"sn_top_k", call_sn_top_k},
  {"sn_take_along_axis", call_sn_take_along_axis},
  {"sn_searchsorted_opts", call_sn_searchsorted_opts},
  {"sn_bucketize_opts", call_sn_bucketize_opts},
  {"sn_median", call_sn_median},
  {"sn_quantile", call_sn_quantile},
};
// clang-format on
