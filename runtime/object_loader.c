// Loads relocatable ELF objects (x86-64) of our own code generators: sections that are to be in
// memory are laid out in one mapping, copied, relocated and made read-execute.
//
// Invariant: the object's bytes are hostile until proven otherwise. Headers are copied out before
// use (the bytes may be unaligned), every offset is checked against its container, and nothing of
// the object is followed as a pointer. Source: System V ABI, AMD64 supplement 1.0, chapter 4
// (relocation types and their formulas).
#include "runtime/object_loader.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { page_bytes = 4096, max_sections = 4096 };
static const uint64_t max_mapping = 1ull << 30;

typedef struct code_symbol {
  const char *name;  // in the code's own copy of the string table
  void *address;
} code_symbol;

struct sni_code {
  sni_allocator *allocator;
  char *pages;
  size_t page_bytes;
  code_symbol *symbols;  // sorted by name
  size_t n_symbols, symbols_bytes;
  char *names;
  size_t names_bytes;
};

typedef struct loader {
  sni_allocator *allocator;
  sni_diag *diag;
  const char *object;
  size_t bytes;
  Elf64_Ehdr header;
  Elf64_Shdr *sections;
  uint64_t *placed;  // offset of each section in the mapping; not_placed for those that stay out
  size_t n_sections;
  size_t symbol_section;  // 0: none
  sni_code *code;
} loader;
static const uint64_t not_placed = UINT64_MAX;

static sn_status malformed(const loader *l, const char *what) {
  return sni_fail(l->diag, SN_ERR_COMPILE, "malformed object code: %s", what);
}

static bool in_object(const loader *l, uint64_t offset, uint64_t size) {
  return offset <= l->bytes && size <= l->bytes - offset;
}

static sn_status read_header(loader *l) {
  Elf64_Ehdr *h = &l->header;
  if (l->bytes < sizeof(*h)) return malformed(l, "no ELF header");
  memcpy(h, l->object, sizeof(*h));
  if (memcmp(h->e_ident, ELFMAG, SELFMAG) != 0 || h->e_ident[EI_CLASS] != ELFCLASS64 ||
      h->e_ident[EI_DATA] != ELFDATA2LSB || h->e_type != ET_REL || h->e_machine != EM_X86_64)
    return malformed(l, "not a relocatable ELF object for x86-64");
  if (h->e_shentsize != sizeof(Elf64_Shdr) || h->e_shnum < 1 || h->e_shnum > max_sections ||
      !in_object(l, h->e_shoff, (uint64_t)h->e_shnum * sizeof(Elf64_Shdr)))
    return malformed(l, "its section table");
  return SN_OK;
}

static sn_status read_sections(loader *l) {
  const size_t count = l->header.e_shnum;
  l->sections = sni_alloc(l->allocator, count * sizeof(Elf64_Shdr));
  l->placed = sni_alloc(l->allocator, count * sizeof(uint64_t));
  l->n_sections = count;
  if (!l->sections || !l->placed)
    return sni_fail_memory(l->diag, count * sizeof(Elf64_Shdr), "sections of object code");
  memcpy(l->sections, l->object + l->header.e_shoff, count * sizeof(Elf64_Shdr));
  for (size_t i = 0; i < count; i++) {
    const Elf64_Shdr *s = &l->sections[i];
    l->placed[i] = not_placed;
    if (i == 0 || s->sh_type == SHT_NULL) continue;  // never read: section 0 means "none"
    if (s->sh_type != SHT_NOBITS && !in_object(l, s->sh_offset, s->sh_size))
      return malformed(l, "a section outside the object");
    if (s->sh_type == SHT_SYMTAB) {
      if (l->symbol_section) return malformed(l, "two symbol tables");
      l->symbol_section = i;
    }
  }
  return SN_OK;
}

// Gives every section that is to be in memory its place; returns the size of the mapping.
static sn_status place_sections(loader *l, uint64_t *out_bytes) {
  uint64_t end = 0;
  for (size_t i = 1; i < l->n_sections; i++) {
    const Elf64_Shdr *s = &l->sections[i];
    if (!(s->sh_flags & SHF_ALLOC) || s->sh_type == SHT_NULL) continue;
    if (s->sh_size == 0) {
      l->placed[i] = end;
      continue;
    }
    if (s->sh_type != SHT_PROGBITS && s->sh_type != SHT_NOBITS && s->sh_type != SHT_X86_64_UNWIND)
      return malformed(l, "a section of a type that needs a full linker");
    if (s->sh_flags & (SHF_WRITE | SHF_TLS | SHF_COMPRESSED)) return malformed(l, "writable data");
    const uint64_t align = s->sh_addralign ? s->sh_addralign : 1;
    if ((align & (align - 1)) || align > page_bytes) return malformed(l, "a section's alignment");
    end = (end + align - 1) & ~(align - 1);
    if (s->sh_size > max_mapping || end > max_mapping - s->sh_size)
      return malformed(l, "it is too large");
    l->placed[i] = end;
    end += s->sh_size;
  }
  if (!end) return malformed(l, "no code");
  *out_bytes = (end + page_bytes - 1) & ~(uint64_t)(page_bytes - 1);
  return SN_OK;
}

static sn_status map_sections(loader *l, uint64_t bytes) {
  void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) {
    if (errno == EACCES || errno == EPERM)
      return sni_fail(l->diag, SN_ERR_UNSUPPORTED, "the system refuses memory for code");
    return sni_fail_memory(l->diag, bytes, "code");
  }
  l->code->pages = pages;
  l->code->page_bytes = bytes;
  for (size_t i = 1; i < l->n_sections; i++) {
    const Elf64_Shdr *s = &l->sections[i];
    if (l->placed[i] == not_placed || s->sh_type == SHT_NOBITS || !s->sh_size) continue;
    memcpy(l->code->pages + l->placed[i], l->object + s->sh_offset, s->sh_size);
  }
  return SN_OK;
}

// The string table that belongs to the symbols, as a copy with an ending 0 of our own.
static sn_status read_names(loader *l, const Elf64_Shdr *symbols) {
  if (symbols->sh_entsize != sizeof(Elf64_Sym) || symbols->sh_size % sizeof(Elf64_Sym) != 0 ||
      symbols->sh_link == SHN_UNDEF || symbols->sh_link >= l->n_sections ||
      l->sections[symbols->sh_link].sh_type != SHT_STRTAB)
    return malformed(l, "its symbol table");
  const Elf64_Shdr *strings = &l->sections[symbols->sh_link];
  sni_code *code = l->code;
  code->names_bytes = strings->sh_size + 1;
  code->names = sni_alloc(l->allocator, code->names_bytes);
  if (!code->names) return sni_fail_memory(l->diag, code->names_bytes, "names of object code");
  memcpy(code->names, l->object + strings->sh_offset, strings->sh_size);
  code->names[strings->sh_size] = 0;
  return SN_OK;
}

static sn_status read_symbol(const loader *l, uint64_t number, Elf64_Sym *out_symbol) {
  const Elf64_Shdr *table = &l->sections[l->symbol_section];
  if (number >= table->sh_size / sizeof(Elf64_Sym)) return malformed(l, "no such symbol");
  memcpy(out_symbol, l->object + table->sh_offset + number * sizeof(Elf64_Sym),
         sizeof(*out_symbol));
  if (out_symbol->st_name >= l->code->names_bytes) return malformed(l, "a symbol's name");
  return SN_OK;
}

// Where a symbol lies in the mapping.
static sn_status symbol_place(const loader *l, const Elf64_Sym *symbol, uint64_t *out_place) {
  const char *name = l->code->names + symbol->st_name;
  if (symbol->st_shndx == SHN_UNDEF)
    return sni_fail(l->diag, SN_ERR_COMPILE, "object code needs the external symbol '%.100s'",
                    name);
  if (symbol->st_shndx >= l->n_sections || l->placed[symbol->st_shndx] == not_placed)
    return malformed(l, "a symbol outside code and constants");
  if (symbol->st_value > l->sections[symbol->st_shndx].sh_size)
    return malformed(l, "a symbol beyond its section");
  *out_place = l->placed[symbol->st_shndx] + symbol->st_value;
  return SN_OK;
}

static sn_status relocate(const loader *l, const Elf64_Shdr *target, uint64_t target_place,
                          const Elf64_Rela *rela) {
  Elf64_Sym symbol;
  uint64_t place = 0;
  SNI_TRY(read_symbol(l, ELF64_R_SYM(rela->r_info), &symbol));
  SNI_TRY(symbol_place(l, &symbol, &place));
  const uint32_t type = (uint32_t)ELF64_R_TYPE(rela->r_info);
  const bool wide = type == R_X86_64_64 || type == R_X86_64_PC64;
  if (!wide && type != R_X86_64_PC32 && type != R_X86_64_PLT32)
    return sni_fail(l->diag, SN_ERR_COMPILE, "object code has a relocation of unknown type %u",
                    type);
  const uint64_t width = wide ? 8 : 4;
  if (target->sh_size < width || rela->r_offset > target->sh_size - width)
    return malformed(l, "a relocation outside its section");
  char *at = l->code->pages + target_place + rela->r_offset;
  const uint64_t symbol_address = (uint64_t)(uintptr_t)(l->code->pages + place);
  uint64_t value = symbol_address + (uint64_t)rela->r_addend;
  if (type != R_X86_64_64) value -= (uint64_t)(uintptr_t)at;
  if (wide) {
    memcpy(at, &value, sizeof(value));
    return SN_OK;
  }
  const int64_t distance = (int64_t)value;
  if (distance < INT32_MIN || distance > INT32_MAX) return malformed(l, "a relocation's distance");
  const int32_t narrow = (int32_t)distance;
  memcpy(at, &narrow, sizeof(narrow));
  return SN_OK;
}

static sn_status relocate_sections(const loader *l) {
  for (size_t i = 1; i < l->n_sections; i++) {
    const Elf64_Shdr *s = &l->sections[i];
    if (s->sh_type != SHT_RELA && s->sh_type != SHT_REL) continue;
    if (s->sh_info >= l->n_sections) return malformed(l, "relocations of no section");
    const Elf64_Shdr *target = &l->sections[s->sh_info];
    const uint64_t place = l->placed[s->sh_info];
    if (place == not_placed || s->sh_size == 0) continue;
    if (s->sh_type == SHT_REL || s->sh_entsize != sizeof(Elf64_Rela) ||
        s->sh_size % sizeof(Elf64_Rela) != 0 || target->sh_type == SHT_NOBITS ||
        !l->symbol_section || s->sh_link != l->symbol_section)
      return malformed(l, "its relocations");
    for (uint64_t offset = 0; offset < s->sh_size; offset += sizeof(Elf64_Rela)) {
      Elf64_Rela rela;
      memcpy(&rela, l->object + s->sh_offset + offset, sizeof(rela));
      SNI_TRY(relocate(l, target, place, &rela));
    }
  }
  return SN_OK;
}

static int compare_symbols(const void *a, const void *b) {
  return strcmp(((const code_symbol *)a)->name, ((const code_symbol *)b)->name);
}

// Remembers the global functions; local and undefined symbols are nobody's business.
static sn_status list_symbols(loader *l) {
  const Elf64_Shdr *table = &l->sections[l->symbol_section];
  sni_code *code = l->code;
  const uint64_t count = table->sh_size / sizeof(Elf64_Sym);
  if (!count) return SN_OK;
  code->symbols_bytes = count * sizeof(code_symbol);
  code->symbols = sni_alloc(l->allocator, code->symbols_bytes);
  if (!code->symbols)
    return sni_fail_memory(l->diag, code->symbols_bytes, "symbols of object code");
  for (uint64_t i = 0; i < count; i++) {
    Elf64_Sym symbol;
    uint64_t place = 0;
    SNI_TRY(read_symbol(l, i, &symbol));
    if (ELF64_ST_BIND(symbol.st_info) != STB_GLOBAL || ELF64_ST_TYPE(symbol.st_info) != STT_FUNC ||
        symbol.st_shndx == SHN_UNDEF)
      continue;
    SNI_TRY(symbol_place(l, &symbol, &place));
    if (!(l->sections[symbol.st_shndx].sh_flags & SHF_EXECINSTR) ||
        symbol.st_value >= l->sections[symbol.st_shndx].sh_size)
      return malformed(l, "a function outside code");
    code->symbols[code->n_symbols++] =
        (code_symbol){code->names + symbol.st_name, code->pages + place};
  }
  qsort(code->symbols, code->n_symbols, sizeof(code_symbol), compare_symbols);
  return SN_OK;
}

static sn_status make_executable(const loader *l) {
  if (mprotect(l->code->pages, l->code->page_bytes, PROT_READ | PROT_EXEC) == 0) return SN_OK;
  if (errno == ENOMEM) return sni_fail_memory(l->diag, l->code->page_bytes, "code");
  return sni_fail(l->diag, SN_ERR_UNSUPPORTED, "the system refuses executable memory");
}

static sn_status load(loader *l) {
  uint64_t bytes = 0;
  SNI_TRY(read_header(l));
  SNI_TRY(read_sections(l));
  SNI_TRY(place_sections(l, &bytes));
  if (!l->symbol_section) return malformed(l, "no symbols");
  SNI_TRY(read_names(l, &l->sections[l->symbol_section]));
  SNI_TRY(map_sections(l, bytes));
  SNI_TRY(relocate_sections(l));
  SNI_TRY(list_symbols(l));
  return make_executable(l);
}

sn_status sni_code_load(sni_allocator *allocator, sni_diag *diag, const void *object, size_t bytes,
                        sni_code **out_code) {
  *out_code = NULL;
  sni_code *code = sni_alloc_zeroed(allocator, sizeof(sni_code));
  if (!code) return sni_fail_memory(diag, sizeof(sni_code), "code");
  code->allocator = allocator;
  loader l = {.allocator = allocator, .diag = diag, .object = object, .bytes = bytes, .code = code};
  const sn_status status = load(&l);
  sni_free(allocator, l.sections, l.n_sections * sizeof(Elf64_Shdr));
  sni_free(allocator, l.placed, l.n_sections * sizeof(uint64_t));
  if (status) {
    sni_code_release(code);
    return status;
  }
  *out_code = code;
  return SN_OK;
}

void sni_code_release(sni_code *code) {
  if (!code) return;
  if (code->pages) munmap(code->pages, code->page_bytes);
  sni_free(code->allocator, code->symbols, code->symbols_bytes);
  sni_free(code->allocator, code->names, code->names_bytes);
  sni_free(code->allocator, code, sizeof(sni_code));
}

void *sni_code_symbol(const sni_code *code, const char *name) {
  const code_symbol key = {name, NULL};
  const code_symbol *found = code->n_symbols ? bsearch(&key, code->symbols, code->n_symbols,
                                                       sizeof(code_symbol), compare_symbols)
                                             : NULL;
  return found ? found->address : NULL;
}

size_t sni_code_bytes(const sni_code *code) {
  return code->page_bytes;
}
