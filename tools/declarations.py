"""The public functions and structs, as include/sinter/ declares them: the one parser of the headers, for the tools beside it."""
import re


class Function:
    """A function: its header (subject; is_op: one of ops/), what it returns ("sn_tensor *"), name, parameters (texts), comment; must_use: whether
    its result must be used."""

    def __init__(self, header, text, comment):
        code, _, own = text.partition("//")
        self.subject, self.is_op = header.stem, header.parent.name == "ops"
        self.must_use = "SN_MUST_USE" in code
        code = re.sub(r"\s*SNI_PRINTF\(\d, \d\)|SN_MUST_USE ", "", code).removeprefix("SN_API ")
        self.declaration = re.sub(r"\s+", " ", code.strip().rstrip(";"))
        self.returns, self.name, inside = re.match(r"(.*?)\b(sn_\w+)\((.*)\)$", self.declaration).groups()
        self.returns = self.returns.strip()
        self.parameters = split_parameters(inside)
        self.comment = own.strip() or " ".join(comment)

    @property
    def shown(self):
        return self.name.removesuffix("_opts")


def split_parameters(inside):
    """Texts of parameters; a comma inside of a function pointer's parentheses divides nothing."""
    parts, depth = [""], 0
    for letter in inside:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [] if parts == ["void"] else [part.strip() for part in parts]


def functions(header):
    """The functions of a header, each with the comment above its block or behind it."""
    comment, in_code, lines, i = [], False, header.read_text().split("\n"), 0
    while i < len(lines):
        line = lines[i]
        if line.startswith("// ----") or not line.strip():
            comment, in_code = [], False
        elif line.startswith("//"):
            if in_code:
                comment, in_code = [], False
            comment.append(line[2:].strip())
        elif line.startswith("SN_API "):
            text = line
            while ";" not in text.split("//")[0]:
                i += 1
                text += " " + lines[i].strip()
            yield Function(header, text, comment)
            in_code = True
        else:
            in_code = True
        i += 1


def structs(text):
    """(name, [(type, name, dims)]) of each struct of the kind that is given by value or filled in by the caller."""
    text = re.sub(r"//[^\n]*", "", text)
    for match in re.finditer(r"typedef struct (sn_\w+) \{(.*?)\n\} \1;", text, re.S):
        fields = []
        for line in " ".join(match[2].split()).split(";"):
            if not line.strip():
                continue
            if "(" in line:
                fields.append(("function", re.search(r"\(\*(\w+)\)", line)[1], ""))
                continue
            first, *others = line.strip().split(",")
            kind, name = re.match(r"(.*?[ *])(\w+(?:\[\w+\])*)$", first).groups()
            for item in [name, *others]:
                star, word, dims = re.match(r"\s*(\*?)(\w+)((?:\[\w+\])*)$", item).groups()
                fields.append((kind.strip() + star if not kind.endswith("*") else kind.strip(), word, dims))
        yield match[1], fields


def headers(source):
    """Every header with declarations, the ops' behind the others; not those that are written from them."""
    folder = source / "include/sinter"
    written = {"sites.h", "numbers.h"}
    return sorted(folder.glob("*.h")) + sorted(h for h in (folder / "ops").glob("*.h") if h.name not in written)
