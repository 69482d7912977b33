// The plugin's file before it is loaded: are the ELF headers those of a shared object for this
// machine, does everything that they speak of lie inside the file, does our note name the version,
// and are the pages of code and constants those that were linked?
//
// The seal is a hash over samples of the segments that only the linker writes: neither stripping
// nor another rpath changes those. One line in each 64 KB, for a millisecond: it finds extents that
// are missing or of another build, not single bits. Invariant: nothing is mapped and each offset is
// checked before it is used, so no file can do harm here.
#include "codegen/plugin_file.h"

#include <elf.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  max_headers = 64,
  max_sections = 4096,
  max_note_bytes = 4096,
  page = 4096,
  stride = 1 << 16,
  sample = 64
};

typedef struct plugin_file {
  int fd;
  uint64_t bytes;
  char *reason;
  size_t capacity;
  Elf64_Ehdr header;
  Elf64_Phdr segments[max_headers];
  sni_llvm_plugin_note note;
  uint64_t note_at;  // its place in the file
} plugin_file;

static SNI_PRINTF(2, 3) bool fail(plugin_file *f, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  if (vsnprintf(f->reason, f->capacity, format, arguments) < 0) f->reason[0] = 0;
  va_end(arguments);
  return false;
}

static bool inside(const plugin_file *f, uint64_t offset, uint64_t bytes) {
  return offset <= f->bytes && bytes <= f->bytes - offset;
}

static bool read_at(plugin_file *f, void *out, size_t bytes, uint64_t offset) {
  if (inside(f, offset, bytes) && pread(f->fd, out, bytes, (off_t)offset) == (ssize_t)bytes)
    return true;
  return fail(f, "cut short");
}

// ---- headers
static bool check_header(plugin_file *f) {
  const unsigned char ident[] = {ELFMAG0,    ELFMAG1,     ELFMAG2,   ELFMAG3,
                                 ELFCLASS64, ELFDATA2LSB, EV_CURRENT};
  const Elf64_Ehdr *h = &f->header;
  if (f->bytes < sizeof(*h) || !read_at(f, &f->header, sizeof(f->header), 0))
    return fail(f, "too short for a library");
  if (memcmp(h->e_ident, ident, sizeof(ident)) != 0 || h->e_type != ET_DYN ||
      h->e_machine != EM_X86_64 || h->e_version != EV_CURRENT ||
      h->e_ehsize != sizeof(Elf64_Ehdr) || h->e_phentsize != sizeof(Elf64_Phdr) || !h->e_phnum ||
      h->e_phnum > max_headers || (h->e_shnum && h->e_shentsize != sizeof(Elf64_Shdr)) ||
      h->e_shnum > max_sections)
    return fail(f, "not a library for x86-64");
  return read_at(f, f->segments, h->e_phnum * sizeof(Elf64_Phdr), h->e_phoff);
}

// Segments within what is mapped: notes, relro, tables. Those of threads hold the initial bytes.
static bool lies_in_load(const plugin_file *f, const Elf64_Phdr *part) {
  const uint64_t bytes = part->p_type == PT_TLS ? part->p_filesz : part->p_memsz;
  for (int i = 0; i < f->header.e_phnum; i++) {
    const Elf64_Phdr *s = &f->segments[i];
    if (s->p_type != PT_LOAD || part->p_vaddr < s->p_vaddr) continue;
    const uint64_t at = part->p_vaddr - s->p_vaddr;
    if (at <= s->p_memsz && bytes <= s->p_memsz - at && part->p_offset - s->p_offset == at)
      return part->p_type != PT_GNU_RELRO || (s->p_flags & PF_W);
  }
  return false;
}

static bool check_segments(plugin_file *f) {
  uint64_t end = 0;
  uint32_t all = 0;
  int dynamics = 0;
  for (int i = 0; i < f->header.e_phnum; i++) {
    const Elf64_Phdr *s = &f->segments[i];
    if (!inside(f, s->p_offset, s->p_filesz)) return fail(f, "cut short");
    if (s->p_type == PT_DYNAMIC) dynamics++;
    if (s->p_type != PT_LOAD) continue;
    const uint64_t least = s->p_vaddr & ~(uint64_t)(page - 1);
    const uint32_t may = s->p_flags & (PF_R | PF_W | PF_X);
    if (!(may & PF_R) || (may & (PF_W | PF_X)) == (PF_W | PF_X) || s->p_filesz > s->p_memsz ||
        s->p_memsz > (uint64_t)1 << 40 || s->p_vaddr > (uint64_t)1 << 40 || least < end ||
        (s->p_vaddr - s->p_offset) % page)
      return fail(f, "damaged: segment %d", i);
    end = s->p_vaddr + s->p_memsz;
    all |= may;
  }
  for (int i = 0; i < f->header.e_phnum; i++) {
    const Elf64_Phdr *s = &f->segments[i];
    const bool elsewhere = s->p_type == PT_LOAD || s->p_type == PT_GNU_STACK || !s->p_memsz;
    if (!elsewhere && !lies_in_load(f, s)) return fail(f, "damaged: segment %d", i);
  }
  return all == (PF_R | PF_W | PF_X) && dynamics == 1 ? true
                                                      : fail(f, "damaged: segments are missing");
}

// Whether a segment maps the section to where it belongs, with its rights.
static bool is_mapped(const plugin_file *f, const Elf64_Shdr *section) {
  for (int i = 0; i < f->header.e_phnum; i++) {
    const Elf64_Phdr *s = &f->segments[i];
    const bool bytes = section->sh_type != SHT_NOBITS;
    const uint64_t room = bytes ? s->p_filesz : s->p_memsz, at = section->sh_addr - s->p_vaddr;
    if (s->p_type != PT_LOAD || section->sh_addr < s->p_vaddr || at > room ||
        section->sh_size > room - at)
      continue;
    return (!bytes || section->sh_offset - s->p_offset == at) &&
           !(section->sh_flags & SHF_WRITE) == !(s->p_flags & PF_W) &&
           (!(section->sh_flags & SHF_EXECINSTR) || (s->p_flags & PF_X));
  }
  return false;
}

// The segments that point at a section of their own are that section.
static bool is_pointed_at(const plugin_file *f, const Elf64_Shdr *section) {
  if (section->sh_type != SHT_DYNAMIC) return true;
  for (int i = 0; i < f->header.e_phnum; i++) {
    const Elf64_Phdr *s = &f->segments[i];
    if (s->p_type == PT_DYNAMIC)
      return s->p_offset == section->sh_offset && s->p_vaddr == section->sh_addr &&
             s->p_filesz == section->sh_size && s->p_memsz == section->sh_size;
  }
  return false;
}

static bool has_segment(const plugin_file *f, uint32_t type) {
  for (int i = 0; i < f->header.e_phnum; i++)
    if (f->segments[i].p_type == type) return true;
  return false;
}

// Their headers say once more what the segments say, and lie at the end of a library, so that a cut
// takes them first.
static bool check_sections(plugin_file *f) {
  int dynamics = 0;
  for (int i = 0; i < f->header.e_shnum; i++) {
    Elf64_Shdr s;
    if (!read_at(f, &s, sizeof(s), f->header.e_shoff + (uint64_t)i * sizeof(s))) return false;
    if (s.sh_type != SHT_NOBITS && s.sh_type != SHT_NULL && !inside(f, s.sh_offset, s.sh_size))
      return fail(f, "cut short");
    const bool is_bss_of_threads = s.sh_type == SHT_NOBITS && (s.sh_flags & SHF_TLS);
    if ((s.sh_flags & SHF_ALLOC) && !is_bss_of_threads && !is_mapped(f, &s))
      return fail(f, "damaged: section %d", i);
    if ((s.sh_flags & SHF_TLS) && !has_segment(f, PT_TLS))
      return fail(f, "damaged: segments are missing");
    if (!is_pointed_at(f, &s)) return fail(f, "damaged: the dynamic segment");
    dynamics += s.sh_type == SHT_DYNAMIC;
  }
  return dynamics == 1 || !f->header.e_shnum ? true : fail(f, "damaged: sections are missing");
}

static bool in_segments(const plugin_file *f, uint64_t address, uint64_t bytes) {
  for (int i = 0; i < f->header.e_phnum; i++) {
    const Elf64_Phdr *s = &f->segments[i];
    if (s->p_type == PT_LOAD && address >= s->p_vaddr && address - s->p_vaddr <= s->p_memsz &&
        bytes <= s->p_memsz - (address - s->p_vaddr))
      return true;
  }
  return false;
}

// The tables that the loader follows, and the sizes of those that have one.
static bool check_dynamic(plugin_file *f) {
  const Elf64_Phdr *d = f->segments;
  while (d->p_type != PT_DYNAMIC) d++;
  struct {
    uint64_t address, bytes;
  } tables[] = {[0] = {0, 0}, {0, 0}, {0, 0}, {0, sizeof(Elf64_Sym)}, {0, 16}};
  Elf64_Dyn entry = {.d_tag = DT_NULL};
  uint64_t i = 0, n = d->p_filesz / sizeof(entry);
  for (; i < n; i++) {
    if (!read_at(f, &entry, sizeof(entry), d->p_offset + i * sizeof(entry))) return false;
    const uint64_t value = entry.d_un.d_val;
    if (entry.d_tag == DT_NULL) break;
    if (entry.d_tag == DT_STRTAB) tables[0].address = value;
    if (entry.d_tag == DT_STRSZ) tables[0].bytes = value;
    if (entry.d_tag == DT_RELA) tables[1].address = value;
    if (entry.d_tag == DT_RELASZ) tables[1].bytes = value;
    if (entry.d_tag == DT_JMPREL) tables[2].address = value;
    if (entry.d_tag == DT_PLTRELSZ) tables[2].bytes = value;
    if (entry.d_tag == DT_SYMTAB) tables[3].address = value;
    if (entry.d_tag == DT_GNU_HASH || entry.d_tag == DT_HASH) tables[4].address = value;
  }
  if (i == n || !tables[0].address || !tables[3].address || !tables[4].address)
    return fail(f, "damaged: the dynamic segment");
  for (size_t t = 0; t < SNI_COUNT_OF(tables); t++)
    if (tables[t].address && !in_segments(f, tables[t].address, tables[t].bytes))
      return fail(f, "damaged: the dynamic segment");
  return true;
}

// ---- our note
static bool find_note(plugin_file *f) {
  for (int i = 0; i < f->header.e_phnum; i++) {
    const Elf64_Phdr *s = &f->segments[i];
    if (s->p_type != PT_NOTE || s->p_filesz > max_note_bytes) continue;
    for (uint64_t at = 0; at + sizeof(f->note) <= s->p_filesz; at += 4) {  // whatever the alignment
      if (!read_at(f, &f->note, sizeof(f->note), s->p_offset + at)) return false;
      const sni_llvm_plugin_note wanted = SNI_LLVM_PLUGIN_NOTE(0);
      if (memcmp(&f->note, &wanted, offsetof(sni_llvm_plugin_note, version)) != 0) continue;
      f->note_at = s->p_offset + at;
      return true;
    }
  }
  return fail(f, "not a plugin of Sinter");
}

static bool make_seal(plugin_file *f, uint64_t *out_seal) {
  uint64_t seal = 1;
  for (int i = 0; i < f->header.e_phnum; i++) {
    const Elf64_Phdr *s = &f->segments[i];
    // The first segment has the headers, names and rpath; the writable one the dynamic segment.
    if (s->p_type != PT_LOAD || !s->p_offset || (s->p_flags & PF_W)) continue;
    seal = sni_hash_mix(seal, s->p_filesz);
    for (uint64_t at = 0; at + sample <= s->p_filesz; at += stride) {
      uint64_t words[sample / 8];
      if (!read_at(f, words, sizeof(words), s->p_offset + at)) return false;
      for (size_t k = 0; k < SNI_COUNT_OF(words); k++) seal = sni_hash_mix(seal, words[k]);
    }
  }
  *out_seal = seal;
  return true;
}

static bool check_seal(plugin_file *f) {
  uint64_t seal;
  if (!f->note.seal[0] && !f->note.seal[1])
    return true;  // nobody sealed it: a plugin of another build
  if (!make_seal(f, &seal)) return false;
  return !memcmp(&seal, f->note.seal, sizeof(seal)) ? true
                                                    : fail(f, "damaged: not what was linked");
}

// ---- the whole
static bool examine(plugin_file *f, const char *path, int flags) {
  struct stat about;
  f->fd = open(path, flags | O_CLOEXEC);
  if (f->fd < 0) return fail(f, "cannot be opened");
  if (fstat(f->fd, &about) || !S_ISREG(about.st_mode)) return fail(f, "not a file");
  f->bytes = (uint64_t)about.st_size;
  return check_header(f) && check_segments(f) && check_sections(f) && check_dynamic(f) &&
         find_note(f);
}

static void prefix_reason(plugin_file *f, const char *path) {
  char what[200];
  snprintf(what, sizeof(what), "%.199s", f->reason);
  snprintf(f->reason, f->capacity, "%.*s: %s", (int)(f->capacity > 260 ? f->capacity - 210 : 60),
           path, what);
}

bool sni_plugin_file_check(const char *path, char *reason, size_t capacity) {
  plugin_file f = {.fd = -1, .reason = reason, .capacity = capacity};
  bool ok = examine(&f, path, O_RDONLY);
  if (ok && f.note.version != SNI_LLVM_PLUGIN_VERSION) {
    snprintf(reason, capacity, "plugin is version %u, this library needs %d", f.note.version,
             SNI_LLVM_PLUGIN_VERSION);
    close(f.fd);
    return false;
  }
  ok = ok && check_seal(&f);
  if (f.fd >= 0) close(f.fd);
  if (!ok) prefix_reason(&f, path);
  return ok;
}

bool sni_plugin_file_seal(const char *path, char *reason, size_t capacity) {
  plugin_file f = {.fd = -1, .reason = reason, .capacity = capacity};
  bool ok = examine(&f, path, O_RDWR);
  // The note lies in the first segment, which is not part of the seal.
  uint64_t seal = 0;
  ok = ok && make_seal(&f, &seal);
  memcpy(f.note.seal, &seal, sizeof(seal));
  if (ok && pwrite(f.fd, &f.note, sizeof(f.note), (off_t)f.note_at) != (ssize_t)sizeof(f.note))
    ok = fail(&f, "cannot be written");
  if (f.fd >= 0 && close(f.fd)) ok = ok && fail(&f, "cannot be written");
  if (!ok) prefix_reason(&f, path);
  return ok;
}
