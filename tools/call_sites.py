#!/usr/bin/env python3
"""call_sites.py SOURCE [--check]: writes include/sinter/ops/sites.h and numbers.h, from the declarations of include/sinter/ops/*.h; and
sites.h of each component, from those of include/sinter/<component>/*.h.

A macro of each op's name labels the op with the caller's line. An op whose last parameter is a pointer to options, sn_x_opts, gets
sn_x with designated initialisers behind the other arguments in C, and with a struct by value in C++, in the place of a function sn_x
without options. An op sn_x of two tensors of which there is sn_x_scalar takes C numbers in their place: by _Generic in C11 (of the GNU
kind: each operand stands once in what the macro makes, so that calls may be nested), by overloads in C++; C99 has the functions alone. --check:
fails where the file differs from what would be written.
"""
import pathlib
import re
import sys

import declarations

HEAD = """\
// Call sites: a macro of each %s's name labels it with the caller's line. Written by tools/call_sites.py from the declarations in
// the headers beside it; do not edit.
#ifndef SINTER_%s_SITES_H
#define SINTER_%s_SITES_H

#include <sinter/%s.h>

// clang-format off
"""
COMPONENTS = ("structures", "text")
HANDLES = ("sn_ragged", "sn_sparse", "sn_tensor_array", "sn_queue", "sn_table")  # object.h has them
# Where sn_rx_scalar is missing: the op that takes a number on the left by taking it on the right.
TURNED = {"less": "greater", "less_equal": "greater_equal", "greater": "less", "greater_equal": "less_equal"}
NUMBERS_HEAD = """\
// Ops that take C numbers in the place of tensors: docs/adr/017-numbers-as-operands.md. Written by tools/call_sites.py; do not edit.
#ifndef SINTER_OPS_NUMBERS_H
#define SINTER_OPS_NUMBERS_H

#include <sinter/ops.h>

// clang-format off
"""
TAIL = "\n#endif\n// clang-format on\n#endif\n"
PLAIN = re.compile(r"^(sn_tensor \*|int |int64_t |uint64_t |double |bool |sn_dtype |sn_[a-z_]+ )\w+$")
BY_VALUE = ("sn_shape ", "sn_axes ", "sn_range_spec ")


def named(parameter):
    return PLAIN.match(parameter) and not parameter.startswith(BY_VALUE)


def last_word(parameter):
    return re.search(r"(\w+)(\[\w*\])?$", parameter)[1]


def located(returns):
    """What labels an expression of this type: its beginning, up to the expression."""
    return "SNI_AT(" if returns == "sn_tensor *" else f"SNI_OBJECT_AT({returns.removesuffix(' *')}, "


def without_options(name, parameters, returns="sn_tensor *", must_use=False):
    args = ", ".join(map(last_word, parameters)) if all(map(named, parameters)) else "..."
    given = args if args != "..." else "__VA_ARGS__"
    used = "SNI_USED_OBJECT_AT" if must_use and returns != "sn_tensor *" else "SNI_OBJECT_AT"
    return f"#define {name}({args}) {located(returns)}{name}({given}))".replace("SNI_OBJECT_AT", used)


def with_options(name, parameters, returns):
    """The C macro and the C++ function."""
    base = name[: -len("_opts")]
    kind = re.match(r"const (\w+) \*options$", parameters[-1])[1]
    first = parameters[:-1]
    plain = returns == "sn_tensor *"
    kinds = kind if plain else f"{returns.removesuffix(' *')}, {kind}"
    helper = f"SNI_{'' if plain else 'OBJECT_'}OPTIONS{len(first)}"
    c = f"#define {base}(...) {helper}({name}, {kinds}, __VA_ARGS__, .size = sizeof({kind}))"
    call = f"{name}({', '.join(map(last_word, first))}, &options), file, line)"
    cpp = (
        f"static inline {returns}{base}({', '.join(first)}, {kind} options = {kind}(), SNI_CALLER) {{\n"
        f"  options.size = sizeof(options);\n"
        f"  return {'sn_locate(' if plain else f'static_cast<{returns}>(sn_object_locate('}{call}{'' if plain else ')'};\n}}"
    )
    return c, cpp, (len(first), plain)


def helpers(counts):
    """The macros that the C macros of functions with options are made of."""
    for n, plain in sorted(counts):
        args = ", ".join("abcdefgh"[:n])
        if plain:
            yield f"#define SNI_OPTIONS{n}(function, type, {args}, ...) SNI_AT(function({args}, &(type){{__VA_ARGS__}}))"
        else:
            yield (f"#define SNI_OBJECT_OPTIONS{n}(function, kind, type, {args}, ...) \\\n"
                   f"  SNI_OBJECT_AT(kind, function({args}, &(type){{__VA_ARGS__}}))")


def with_numbers(name, parameters, found):
    """The inline function, the C11 macro and the C++ templates of an op that takes numbers."""
    x, right = name[len("sn_") :], f"{name}_scalar"
    left = f"sn_r{x}_scalar" if f"sn_r{x}_scalar" in found else f"sn_{TURNED.get(x, x)}_scalar"
    number = found[right][-1].rsplit(" ", 1)[0]
    if len(parameters) == 3:  # sn_where, whose functions have the operands in their places
        macro = f"#define {name}(condition, a, b) SNI_NUMBERS3({name}, {right}, {left}, condition, a, b)"
        first, c = "sn_tensor *condition, ", "condition, "
        function, turned = None, f"({left})(condition, static_cast<{number}>(a), b)"
    else:
        macro = f"#define {name}(a, b) SNI_NUMBERS2({name}, {right}, sni_number_{x}, a, b)"
        first, c = "", ""
        function = f"static inline sn_tensor *sni_number_{x}({number} value, sn_tensor *x) {{ return ({left})(x, value); }}"
        turned = f"({left})(b, static_cast<{number}>(a))"
    template = "template <typename T>\nstatic inline typename sni_number<T>::result"
    cpp = (
        f"{template} ({name})({first}sn_tensor *a, T b) {{\n  return ({right})({c}a, static_cast<{number}>(b));\n}}\n"
        f"{template} ({name})({first}T a, sn_tensor *b) {{\n  return {turned};\n}}"
    )
    return function, macro, cpp


NUMBERS = ("char", "signed char", "unsigned char", "short", "unsigned short", "int", "unsigned", "long", "unsigned long", "long long",
           "unsigned long long", "float", "double", "bool")
# The operands stand in variables, of names that no call around has, because _Generic needs each twice.
GENERIC = """\
#define SNI_JOIN_(a, b) a##b
#define SNI_JOIN(a, b) SNI_JOIN_(a, b)
#define SNI_CHOOSE(a, b, tensors, right, left) \\
  _Generic((a), sn_tensor *: _Generic((b), sn_tensor *: tensors, void *: tensors, default: right), void *: tensors, default: left)
#define SNI_NUMBERS2_(tensors, right, left, a, b, va, vb) \\
  __extension__({ __auto_type va = (a); __auto_type vb = (b); SNI_AT(SNI_CHOOSE(va, vb, tensors, right, left)(va, vb)); })
#define SNI_NUMBERS2(tensors, right, left, a, b) \\
  SNI_NUMBERS2_(tensors, right, left, a, b, SNI_JOIN(sni_a, __COUNTER__), SNI_JOIN(sni_b, __COUNTER__))
#define SNI_NUMBERS3_(tensors, right, left, condition, a, b, va, vb) \\
  __extension__({ __auto_type va = (a); __auto_type vb = (b); SNI_AT(SNI_CHOOSE(va, vb, tensors, right, left)(condition, va, vb)); })
#define SNI_NUMBERS3(tensors, right, left, condition, a, b) \\
  SNI_NUMBERS3_(tensors, right, left, condition, a, b, SNI_JOIN(sni_a, __COUNTER__), SNI_JOIN(sni_b, __COUNTER__))"""


def numbers(found):
    """numbers.h, and the names of the ops in it."""
    functions, macros, plain, cpp, names = [], [], [], [], set()
    for name, parameters in found.items():
        if f"{name}_scalar" not in found or f"{name}_opts" in found:
            continue
        function, macro, templates = with_numbers(name, parameters, found)
        functions += [function] if function else []
        macros.append(macro)
        plain.append(without_options(name, parameters))
        cpp.append(templates)
        names.add(name)
    kinds = "\n".join(f"template <>\nstruct sni_number<{kind}> {{ typedef sn_tensor *result; }};" for kind in NUMBERS)
    modern = "defined(__GNUC__) && defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L"
    text = [f"#if !defined(__cplusplus) && {modern}", *functions, GENERIC, *macros, "#else", *plain, "#endif",
            "#ifdef __cplusplus", "template <typename T>\nstruct sni_number {};", kinds, *cpp]
    return NUMBERS_HEAD + "\n".join(text) + TAIL, names


def sites(found, taken, name, thing):
    """sites.h of the functions found: (name, parameters, returns)."""
    plain, c, cpp, counts = [], [], [], set()
    names = {f.name for f in found}
    for f in found:
        if f.name in taken:
            continue
        if f.name.endswith("_opts"):
            macro, function, n = with_options(f.name, f.parameters, f.returns)
            c.append(macro)
            cpp.append(function)
            counts.add(n)
        elif f"{f.name}_opts" not in names:
            plain.append(without_options(f.name, f.parameters, f.returns, f.must_use))
    head = HEAD % (thing, name.upper(), name.upper(), name)
    return head + "\n".join([*plain, "#ifdef __cplusplus", *cpp, "#else", *helpers(counts), *c]) + TAIL


def functions(folder, returned):
    headers = sorted(h for h in folder.glob("*.h") if h.name not in ("sites.h", "numbers.h"))
    return [f for header in headers for f in declarations.functions(header) if returned(f.returns)]


def written(include):
    """Each file that is written, and its text."""
    ops = functions(include / "ops", lambda returns: returns == "sn_tensor *")
    text, taken = numbers({f.name: f.parameters for f in ops})
    yield include / "ops/numbers.h", text
    yield include / "ops/sites.h", sites(ops, taken, "ops", "op")
    for component in COMPONENTS:
        made = functions(include / component, lambda returns: returns == "sn_tensor *" or returns.removesuffix(" *") in HANDLES)
        yield include / component / "sites.h", sites(made, set(), component, "function")


def main():
    bad = 0
    for target, text in written(pathlib.Path(sys.argv[1]) / "include/sinter"):
        if "--check" not in sys.argv:
            target.write_text(text)
        elif not target.exists() or target.read_text() != text:
            print(f"{target} is not what its headers declare: run tools/call_sites.py .")
            bad = 1
    return bad


if __name__ == "__main__":
    sys.exit(main())
