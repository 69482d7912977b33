#!/usr/bin/env python3
"""api_table.py SOURCE [--check]: the table of the public API, from the declarations in include/sinter/.

Writes tests/fuzz/api_calls.h: a call of each public function, with arguments that are drawn by their types and names (api_draw.h), and
the list of all of them. --check: fails where a parameter has a type that nothing is drawn for, or the file is not what would be written.
"""
import pathlib
import re
import sys

import declarations

# What draws an argument: by function and name, by type and name, else by type. `d` is where all is drawn from.
BY_FUNCTION = {
    "sn_keep_struct": "(sn_keep_struct(composite(d), structure(d)), sn_release_struct(d->composite, d->structure))",
    "sn_release_struct": "(sn_release_struct(&no_struct, structure(d)), sn_release_struct(NULL, structure(d)))",
    "sn_release": "sn_release(released(d))",
    "sn_tape_end": "sn_tape_end(ended_tape(d))",
    "sn_context_destroy": "sn_context_destroy(other_context(d))",
    "sn_function_destroy": "sn_function_destroy(other_function(d))",
    "sn_program_release": "sn_program_release((sn_program_keep)(program(d)))",
    "sn_program_keep": "sn_program_release((sn_program_keep)(program(d)))",
    "sn_runner_destroy": "sn_runner_destroy(other_runner(d))",
    "sn_run": "sn_runner *r = runner(d); got_run(d, r, (sn_run)(r, views(d), views(d)))",
    "sn_locate": "(void)(sn_locate)(tensor(d), __FILE__, __LINE__)",
    "sn_escape": "(void)(sn_escape)(tensor(d))",
    "sn_program_variable": "(void)(sn_program_variable)(program(d), small(d))",
    "sn_program_capture": "(void)(sn_program_capture)(program(d), small(d))",
    "sn_context_create_opts": "if ((sn_context_create_opts)(draw_sn_context_options(d), &d->made.context)) d->made.context = NULL",
    "sn_text_free": "sn_text_free(d->context, dumped(d))",
    "sn_strings": "got_tensor(d, SN_AT((sn_strings)(context(d), small_shape(d), all_names())))",
    "sn_strings_from_texts": "got_tensor(d, SN_AT((sn_strings_from_texts)(context(d), small_shape(d), all_texts())))",
    "sn_strings_from_offsets": "got_tensor(d, SN_AT((sn_strings_from_offsets)(context(d), small_shape(d), all_offsets(), memory(d), NULL, d)))",
    "sn_read_strings": "got_status(d, (sn_read_strings)(tensor(d), read_texts, integer(d)), false)",
    "sn_read_strings_at": "got_status(d, (sn_read_strings_at)(tensor(d), read_texts, integer(d), __FILE__, __LINE__), true)",
    # In callbacks they are given what the library has made; outside nothing.
    "sn_view_string": "(void)(sn_view_string)(NULL, integer(d)), got_nothing(d, false)",
    "sn_view_strings": "(sn_view_strings)(NULL, integer(d), integer(d), NULL), got_nothing(d, false)",
    "sn_host_set_string": "(void)!(sn_host_set_string)(NULL, small(d), integer(d), (sn_text){0}), got_nothing(d, false)",
    "sn_host_share_string": "(void)!(sn_host_share_string)(NULL, small(d), integer(d), (sn_text){0}), got_nothing(d, false)",
    "sn_host_new_string": "(void)(sn_host_new_string)(NULL, small(d), integer(d), 3), got_nothing(d, false)",
    "sn_view_lengths": "(sn_view_lengths)(NULL, integer(d), integer(d), NULL), got_nothing(d, false)",
    "sn_host_new_strings": "(void)!(sn_host_new_strings)(NULL, small(d), integer(d), integer(d), NULL, NULL), got_nothing(d, false)",
    "sn_host_share_strings": "(void)!(sn_host_share_strings)(NULL, small(d), integer(d), integer(d), NULL), got_nothing(d, false)",
    "sn_host_interrupted": "(void)!(sn_host_interrupted)(NULL), got_nothing(d, false)",
    "sn_object_check": 'sn_context *c = context(d); SN_FRAME(c, "sn_object_check"); (void)(sn_object_check)(c, object(d), object_class(d), name(d)), got_nothing(d, false)',
    "sn_object_keep_at": "(sn_object_release)((sn_object_keep_at)(object(d), __FILE__, __LINE__)), got_nothing(d, true)",
    "sn_error_tensor": "(void)(sn_error_tensor)(context(d)), got_nothing(d, false)",
    "sn_object_variable": "(void)(sn_object_variable)(object(d)), got_nothing(d, false)",
    "sn_from_dlpack": "import(d)",
    "sn_from_dlpack_versioned": "import_versioned(d)",
}
BY_NAME = {
    "void *object": "object(d)", "const void *object": "object(d)",
    "int n_attrs": "0",
    "const char *file": "__FILE__", "int line": "__LINE__", "const char *equation": "equation(d)", "const char *format": '"%s", places(d)',
    "const char *path": "path(d)", "void *user": "d", "sn_callback condition": "condition(d)",
    "sn_struct_callback condition": "struct_condition(d)", "const int64_t *strides": "strides(d)", "const char *text": "program_text(d)",
    "sn_context **out_context": "&d->made.context", "sn_program **out_program": "&d->made.program", "sn_op **out_op": "&d->made.op",
    "sn_runner **out_runner": "&d->made.runner", "char **out_text": "&d->made.text", "char *buffer": "d->bytes",
    "struct DLManagedTensor **out_managed": "&d->made.managed",
    "struct DLManagedTensorVersioned **out_managed": "&d->made.versioned", "size_t *out_length": "&d->made.length",
    "sn_spec *out_spec": "&d->made.spec", "const void **out_data": "&d->made.data", "double *out_value": "&d->made.value",
}
BY_TYPE = {
    "const sn_object_class *": "object_class(d)",
    "sn_tensor *": "tensor(d)", "const sn_tensor *": "tensor(d)", "sn_tensor *const *": "tensors(d)", "sn_tensor **": "outputs(d)",
    "sn_context *": "context(d)", "const sn_context *": "context(d)", "int64_t": "integer(d)", "int32_t": "small(d)", "uint64_t": "word(d)",
    "size_t": "length(d)", "size_t index": "word(d)", "double": "number(d)", "float": "(float)number(d)", "bool": "chance(d, 2)",
    "sn_dtype": "dtype(d)", "sn_shape": "shape(d)", "const int *": "small_list(d)", "const int64_t *": "list(d)",
    "const sn_range_spec *": "ranges(d)", "sn_axes": "axes(d)", "const char *": "name(d)", "const char *const *": "names(d)",
    "const void *": "memory(d)", "void *": "memory(d)", "function": "NULL", "sn_callback": "callback(d)", "const sn_callback *": "callbacks(d)",
    "sn_struct_callback": "struct_callback(d)", "sn_scan_struct_body": "struct_body(d)", "sn_fori_struct_body": "NULL", "const sn_attr *": "NULL", "sn_host_callback": "host_callback(d)",
    "sn_infer_callback": "infer_callback(d)", "sn_progress_callback": "progress_callback(d)", "sn_function *": "function(d)",
    "const sn_function *": "function(d)", "sn_program *": "program(d)", "const sn_program *": "program(d)", "sn_runner *": "runner(d)",
    "const sn_runner *": "runner(d)", "sn_tape *": "tape(d)", "const sn_graph *": "graph(d)", "const sn_op *": "defined_op(d)",
    "const sn_view *": "views(d)", "const sn_spec *": "specs(d)", "const sn_composite *": "composite(d)", "sn_scope": "scope(d)",
    "sn_frame": "frame(d)", "sn_random_state": "(sn_random_state){word(d), word(d), word(d)}", "sn_spec": "spec(d)",
    "sn_allocator": None, "sn_executor": None, "sn_log_callback": None,  # the host's own, which may not be wrong: as zeroed
}
RESULTS = {"sn_tensor *": "got_tensor", "sn_function *": "got_function", "sn_tape *": "got_tape", "const char *": "got_text"}
COUNT = re.compile(r"^(n|n_\w+|capacity|inputs|outputs|n_in|n_out)$")


def split(parameter):
    """Type and name."""
    if "(*" in parameter:
        return "function", re.search(r"\(\*(\w+)\)", parameter)[1]
    kind, name = re.match(r"(.*?[ *])(\w+)$", parameter).groups()
    return kind.strip(), name


def drawn(kind, name, structs, struct_memory, caller_memory):
    """The expression that draws an argument or a field; None: it stays zero."""
    key = f"{kind}{name}" if kind.endswith("*") else f"{kind} {name}"
    if key in BY_NAME:
        return BY_NAME[key]
    if kind in ("void *", "const void *") and struct_memory:
        return "structure(d)"
    if kind == "sn_shape" and caller_memory:
        return "small_shape(d)"  # of what the caller promises to be there
    if kind == "int":
        return "count(d)" if COUNT.match(name) else "small(d)"
    if key in BY_TYPE or kind in BY_TYPE:
        return BY_TYPE.get(key, BY_TYPE.get(kind))
    bare = kind.removeprefix("const ").removesuffix(" *")
    if bare in structs:
        return f"{'draw' if 'const' in kind else 'empty'}_{bare}(d)"
    if re.match(r"^sn_\w+$", kind) and not kind.endswith(("_body", "_callback")):
        return f"({kind})choice(d)"
    sys.exit(f"tools/api_table.py draws nothing for {key}")


def struct_function(verb, name, fields, structs):
    """A struct of options, or an empty one that the library fills in: of these the size counts alone."""
    fields = fields if verb == "draw" else [field for field in fields if field[1] == "size"]
    lines = [f"static {name} *{verb}_{name}(draw *d) {{", f"  static union {{ {name} of; char room[sizeof({name}) + 64]; }} s;",
             "  s = (__typeof__(s)){0};"]
    for kind, field, dims in fields:
        if field == "size" and kind == "size_t":
            value = "size_of_struct(d, sizeof(s.of))"
        elif dims and kind == "char":
            continue
        else:
            value = drawn(kind, field, structs, False, False)
        if value is None:
            continue
        bounds = re.findall(r"\[(\w+)\]", dims)
        places = "".join(f"[i{k}]" for k in range(len(bounds)))
        loops = "".join(f"for (int i{k} = 0; i{k} < {bound}; i{k}++) " for k, bound in enumerate(bounds))
        lines.append(f"  {loops}s.of.{field}{places} = {value};")
    return "\n".join([*lines, "  return chance(d, 5) ? NULL : &s.of;", "}"])


def call(function, structs):
    if function.name in BY_FUNCTION:
        expression = BY_FUNCTION[function.name]
        return expression and f"{expression};"
    parameters = [split(p) for p in function.parameters if p != "..."]
    struct_memory = any(kind == "const sn_composite *" for kind, _ in parameters)
    caller_memory = any(kind.endswith("void *") and name == "data" for kind, name in parameters)
    values = [drawn(kind, name, structs, struct_memory, caller_memory) for kind, name in parameters]
    expression = f"({function.name})({', '.join(values)})"
    if function.name in ("sn_keep", "sn_variable_opts"):
        return f"got_owned(d, SN_AT({expression}));"
    if function.returns == "sn_tensor *" and ("int", "line") not in parameters:
        expression = f"SN_AT({expression})"
    line = "true" if ("int", "line") in parameters else "false"
    if function.returns in ("sn_scope", "sn_frame"):
        return f"{function.returns}_end({expression});"
    if function.returns == "sn_status":
        return f"got_status(d, {expression}, {line});"
    if function.returns in RESULTS:
        return f"{RESULTS[function.returns]}(d, {expression});"
    return f"(void){expression}, got_nothing(d, {line});"


def write(source):
    headers = declarations.headers(source)
    structs = dict(s for header in headers for s in declarations.structs(header.read_text()))
    functions = [f for header in headers for f in declarations.functions(header)]
    calls = [(f, call(f, structs)) for f in functions]
    calls = [(f, text) for f, text in calls if text]
    body = "\n".join(text for _, text in calls)
    used, order = set(), []

    def need(text):
        for verb, name in re.findall(r"(draw|empty)_(sn_\w+)\(d\)", text):
            if (verb, name) not in used:
                used.add((verb, name))
                made = struct_function(verb, name, structs[name], structs)
                need(made.split("{", 1)[1])
                order.append(made)

    need(body)
    rows = [f"static void call_{f.name}(draw *d) {{ {text} }}" for f, text in calls]
    table = [f'  {{"{f.name}", call_{f.name}}},' for f, _ in calls]
    return "\n".join([
        "// A call of each public function. Written by tools/api_table.py from include/sinter/; do not edit.", "// clang-format off",
        *order, *rows, "static const struct {", "  const char *name;", "  void (*call)(draw *d);", "} api_calls[] = {", *table, "};",
        "// clang-format on", ""])


def main():
    source = pathlib.Path(sys.argv[1])
    target, text = source / "tests/fuzz/api_calls.h", write(source)
    if "--check" not in sys.argv:
        target.write_text(text)
    elif not target.exists() or target.read_text() != text:
        print(f"{target} is not what the headers declare: run tools/api_table.py .")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
