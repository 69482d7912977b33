// The object loader: code built byte by byte is relocated and runs; every malformed object is
// refused and frees what it took.
#include "runtime/object_loader.h"

#include <check.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

static sni_allocator allocator;

// An object of one .text, one .rodata, their relocations, a symbol table and its strings.
enum {
  section_null,
  section_text,
  section_rodata,
  section_rela,
  section_symbols,
  section_strings,
  n_sections
};
enum {
  symbol_null,
  symbol_answer,
  symbol_constant,
  symbol_local,
  symbol_missing,
  symbol_call,
  n_symbols
};

typedef struct object {
  Elf64_Ehdr header;
  Elf64_Shdr sections[n_sections];
  unsigned char text[64];
  unsigned char rodata[16];
  Elf64_Rela rela[2];
  Elf64_Sym symbols[n_symbols];
  char strings[64];
} object;

// int answer(void) { return constant; }   int call(void) { return answer(); }
static const unsigned char code[] = {
    0x8b, 0x05, 0, 0, 0, 0,  // mov constant(%rip), %eax
    0xc3,                    // ret
    0x90, 0xe8, 0, 0, 0, 0,  // call answer
    0xc3,
};

static Elf64_Shdr section(uint32_t type, uint64_t flags, size_t offset, size_t size,
                          uint64_t align) {
  return (Elf64_Shdr){.sh_type = type,
                      .sh_flags = flags,
                      .sh_offset = offset,
                      .sh_size = size,
                      .sh_addralign = align};
}

static Elf64_Rela relocation(uint64_t offset, uint32_t symbol, uint32_t type, int64_t addend) {
  return (Elf64_Rela){
      .r_offset = offset, .r_info = ELF64_R_INFO((uint64_t)symbol, type), .r_addend = addend};
}

static object make_object(void) {
  object o;
  memset(&o, 0, sizeof(o));
  memcpy(o.header.e_ident, ELFMAG, SELFMAG);
  o.header.e_ident[EI_CLASS] = ELFCLASS64;
  o.header.e_ident[EI_DATA] = ELFDATA2LSB;
  o.header.e_type = ET_REL;
  o.header.e_machine = EM_X86_64;
  o.header.e_shoff = offsetof(object, sections);
  o.header.e_shentsize = sizeof(Elf64_Shdr);
  o.header.e_shnum = n_sections;
  memcpy(o.text, code, sizeof(code));
  const int32_t value = 4711;
  memcpy(o.rodata + 8, &value, sizeof(value));
  o.sections[section_text] =
      section(SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, offsetof(object, text), sizeof(code), 16);
  o.sections[section_rodata] =
      section(SHT_PROGBITS, SHF_ALLOC, offsetof(object, rodata), sizeof(o.rodata), 64);
  o.sections[section_rela] = section(SHT_RELA, 0, offsetof(object, rela), sizeof(o.rela), 8);
  o.sections[section_rela].sh_link = section_symbols;
  o.sections[section_rela].sh_info = section_text;
  o.sections[section_rela].sh_entsize = sizeof(Elf64_Rela);
  o.sections[section_symbols] =
      section(SHT_SYMTAB, 0, offsetof(object, symbols), sizeof(o.symbols), 8);
  o.sections[section_symbols].sh_link = section_strings;
  o.sections[section_symbols].sh_entsize = sizeof(Elf64_Sym);
  o.sections[section_strings] =
      section(SHT_STRTAB, 0, offsetof(object, strings), sizeof(o.strings), 1);
  memcpy(o.strings, "\0answer\0missing\0call\0", 21);
  o.rela[0] = relocation(2, symbol_constant, R_X86_64_PC32, 8 - 4);
  o.rela[1] = relocation(9, symbol_answer, R_X86_64_PLT32, -4);
  const unsigned char function = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
  o.symbols[symbol_answer] =
      (Elf64_Sym){.st_name = 1, .st_info = function, .st_shndx = section_text};
  o.symbols[symbol_constant] =
      (Elf64_Sym){.st_info = ELF64_ST_INFO(STB_LOCAL, STT_SECTION), .st_shndx = section_rodata};
  o.symbols[symbol_local] = (Elf64_Sym){
      .st_name = 1, .st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC), .st_shndx = section_text};
  o.symbols[symbol_missing] =
      (Elf64_Sym){.st_name = 8, .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE)};
  o.symbols[symbol_call] =
      (Elf64_Sym){.st_name = 16, .st_info = function, .st_shndx = section_text, .st_value = 8};
  return o;
}

static sn_status load_bytes(const void *bytes, size_t size, sni_diag *diag, sni_code **out_code) {
  memset(diag, 0, sizeof(*diag));
  return sni_code_load(&allocator, diag, bytes, size, out_code);
}

static void expect_refusal(const object *o, const char *words) {
  sni_diag diag;
  sni_code *loaded = (sni_code *)&diag;
  ck_assert_int_eq(load_bytes(o, sizeof(*o), &diag, &loaded), SN_ERR_COMPILE);
  ck_assert_ptr_null(loaded);
  ck_assert_msg(strstr(diag.text, words) != NULL, "'%s' is not in '%s'", words, diag.text);
  ck_assert_uint_eq(allocator.bytes, 0);
}

typedef int (*int_function)(void);
static int call_symbol(const sni_code *loaded, const char *name) {
  int_function function;
  *(void **)&function = sni_code_symbol(loaded, name);
  ck_assert(function != NULL);
  return function();
}

START_TEST(code_runs_and_is_released) {
  object o = make_object();
  sni_diag diag;
  sni_code *loaded;
  ck_assert_msg(load_bytes(&o, sizeof(o), &diag, &loaded) == SN_OK, "%s", diag.text);
  ck_assert_int_eq(call_symbol(loaded, "answer"), 4711);
  ck_assert_int_eq(call_symbol(loaded, "call"), 4711);
  ck_assert_ptr_null(sni_code_symbol(loaded, "missing"));
  ck_assert_ptr_null(sni_code_symbol(loaded, ""));
  ck_assert_uint_eq(sni_code_bytes(loaded), 4096);
  sni_code_release(loaded);
  sni_code_release(NULL);
  ck_assert_uint_eq(allocator.bytes, 0);
}
END_TEST

START_TEST(objects_need_no_alignment) {
  object o = make_object();
  sni_diag diag;
  sni_code *loaded;
  char *bytes = malloc(sizeof(o) + 1);
  memcpy(bytes + 1, &o, sizeof(o));
  ck_assert_int_eq(load_bytes(bytes + 1, sizeof(o), &diag, &loaded), SN_OK);
  free(bytes);  // nothing of it is kept
  ck_assert_int_eq(call_symbol(loaded, "answer"), 4711);
  sni_code_release(loaded);
}
END_TEST

START_TEST(absolute_addresses) {
  object o = make_object();
  const unsigned char move[] = {
      0x48, 0xb8, 0, 0,    0,    0,   0,
      0,    0,    0, 0x8b, 0x00, 0xc3};  // mov $constant, %rax; mov (%rax), %eax; ret
  memcpy(o.text, move, sizeof(move));
  o.sections[section_text].sh_size = sizeof(o.text);
  o.rela[0] = relocation(2, symbol_constant, R_X86_64_64, 8);
  o.rela[1] = relocation(32, symbol_answer, R_X86_64_PC64, 0);
  sni_diag diag;
  sni_code *loaded;
  ck_assert_msg(load_bytes(&o, sizeof(o), &diag, &loaded) == SN_OK, "%s", diag.text);
  ck_assert_int_eq(call_symbol(loaded, "answer"), 4711);
  sni_code_release(loaded);
}
END_TEST

START_TEST(zeroed_sections_take_no_bytes_of_the_object) {
  object o = make_object();
  o.sections[section_rodata] = section(SHT_NOBITS, SHF_ALLOC, UINT64_MAX / 2, 100000, 64);
  sni_diag diag;
  sni_code *loaded;
  ck_assert_msg(load_bytes(&o, sizeof(o), &diag, &loaded) == SN_OK, "%s", diag.text);
  ck_assert_int_eq(call_symbol(loaded, "answer"), 0);
  ck_assert_uint_ge(sni_code_bytes(loaded), 100000);
  sni_code_release(loaded);
}
END_TEST

START_TEST(external_symbols_are_named) {
  object o = make_object();
  o.rela[1] = relocation(9, symbol_missing, R_X86_64_PLT32, -4);
  expect_refusal(&o, "external symbol 'missing'");
}
END_TEST

START_TEST(malformed_headers_are_refused) {
  object o = make_object();
  sni_diag diag;
  sni_code *loaded;
  for (size_t size = 0; size < sizeof(o); size++) {  // cut off anywhere
    ck_assert_int_eq(load_bytes(&o, size, &diag, &loaded), SN_ERR_COMPILE);
    ck_assert_uint_eq(allocator.bytes, 0);
  }
  o.header.e_machine = EM_AARCH64;
  expect_refusal(&o, "x86-64");
  o = make_object();
  o.header.e_shoff = UINT64_MAX - 8;
  expect_refusal(&o, "section table");
  o = make_object();
  o.header.e_shnum = 0;
  expect_refusal(&o, "section table");
}
END_TEST

// A make_object() with one field changed.
#define EXPECT_REFUSAL(field, value, words) \
  do {                                      \
    object changed = make_object();         \
    changed.field = (value);                \
    expect_refusal(&changed, words);        \
  } while (0)

START_TEST(each_field_of_the_header_counts) {
  EXPECT_REFUSAL(header.e_ident[EI_MAG0], 'E', "x86-64");
  EXPECT_REFUSAL(header.e_ident[EI_MAG3], 0, "x86-64");
  EXPECT_REFUSAL(header.e_ident[EI_CLASS], ELFCLASS32, "x86-64");
  EXPECT_REFUSAL(header.e_ident[EI_DATA], ELFDATA2MSB, "x86-64");
  EXPECT_REFUSAL(header.e_type, ET_EXEC, "x86-64");
  EXPECT_REFUSAL(header.e_machine, EM_386, "x86-64");
  EXPECT_REFUSAL(header.e_shentsize, sizeof(Elf64_Shdr) - 1, "section table");
  EXPECT_REFUSAL(header.e_shentsize, sizeof(Elf64_Shdr) + 1, "section table");
  EXPECT_REFUSAL(header.e_shnum, sizeof(object) / sizeof(Elf64_Shdr), "section table");
  EXPECT_REFUSAL(header.e_shoff, sizeof(object) - 8, "section table");
}
END_TEST

// The table itself would fit into the bytes.
START_TEST(sections_are_bounded_in_number) {
  enum { count = 4097 };
  const size_t size = sizeof(Elf64_Ehdr) + count * sizeof(Elf64_Shdr);
  object o = make_object();
  char *bytes = calloc(size, 1);
  sni_diag diag;
  sni_code *loaded;
  o.header.e_shoff = sizeof(Elf64_Ehdr);
  o.header.e_shnum = count;
  memcpy(bytes, &o.header, sizeof(o.header));
  ck_assert_int_eq(load_bytes(bytes, size, &diag, &loaded), SN_ERR_COMPILE);
  ck_assert_msg(strstr(diag.text, "section table") != NULL, "%s", diag.text);
  free(bytes);
}
END_TEST

START_TEST(each_field_of_a_section_counts) {
  EXPECT_REFUSAL(sections[section_text].sh_offset, sizeof(object) - sizeof(code) + 1, "outside");
  EXPECT_REFUSAL(sections[section_text].sh_size, sizeof(object), "outside");
  EXPECT_REFUSAL(sections[section_rodata].sh_type, SHT_SYMTAB, "two symbol tables");
  EXPECT_REFUSAL(sections[section_rodata].sh_addralign, 8192, "alignment");
  EXPECT_REFUSAL(sections[section_rodata].sh_addralign, UINT64_MAX, "alignment");
  EXPECT_REFUSAL(sections[section_rodata].sh_flags, SHF_ALLOC | SHF_TLS, "writable");
  EXPECT_REFUSAL(sections[section_rodata].sh_flags, SHF_ALLOC | SHF_COMPRESSED, "writable");
  EXPECT_REFUSAL(sections[section_text].sh_flags, SHF_ALLOC, "function outside code");
  EXPECT_REFUSAL(sections[section_symbols].sh_entsize, sizeof(Elf64_Sym) - 1, "symbol table");
  EXPECT_REFUSAL(sections[section_symbols].sh_size, sizeof(Elf64_Sym) * n_symbols - 1,
                 "symbol table");
  EXPECT_REFUSAL(sections[section_symbols].sh_link, n_sections, "symbol table");
  EXPECT_REFUSAL(sections[section_symbols].sh_link, UINT32_MAX, "symbol table");
  EXPECT_REFUSAL(sections[section_symbols].sh_link, section_rodata, "symbol table");
  {  // section 0 is none, whatever it says of itself
    object o = make_object();
    o.sections[section_null] = section(SHT_STRTAB, 0, 1 << 30, 64, 1);
    o.sections[section_symbols].sh_link = section_null;
    expect_refusal(&o, "symbol table");
  }
  // Each of them is small enough, their sum is not.
  object o = make_object();
  o.sections[section_rodata] = section(SHT_NOBITS, SHF_ALLOC, 0, 1 << 30, 1);
  expect_refusal(&o, "too large");
  o = make_object();
  o.sections[section_text].sh_flags = o.sections[section_rodata].sh_flags = 0;
  expect_refusal(&o, "no code");
}
END_TEST

START_TEST(each_field_of_a_symbol_counts) {
  EXPECT_REFUSAL(symbols[symbol_answer].st_name, 65, "name");
  EXPECT_REFUSAL(symbols[symbol_answer].st_name, UINT32_MAX, "name");
  EXPECT_REFUSAL(symbols[symbol_call].st_shndx, n_sections, "outside code and constants");
  EXPECT_REFUSAL(symbols[symbol_call].st_shndx, section_strings, "outside code and constants");
  EXPECT_REFUSAL(symbols[symbol_constant].st_shndx, section_rela, "outside code and constants");
  EXPECT_REFUSAL(symbols[symbol_call].st_value, sizeof(code), "function outside code");
  EXPECT_REFUSAL(symbols[symbol_call].st_value, sizeof(code) + 1, "beyond its section");
  EXPECT_REFUSAL(symbols[symbol_call].st_value, UINT64_MAX, "beyond its section");
}
END_TEST

// The last name ends where the table ends: the loader's copy ends it.
START_TEST(a_name_may_lack_its_end) {
  object o = make_object();
  sni_diag diag;
  sni_code *loaded;
  memset(o.strings + 20, 'x', sizeof(o.strings) - 20);
  o.sections[section_strings].sh_size = 20;
  ck_assert_msg(load_bytes(&o, sizeof(o), &diag, &loaded) == SN_OK, "%s", diag.text);
  ck_assert_int_eq(call_symbol(loaded, "call"), 4711);
  sni_code_release(loaded);
  o.symbols[symbol_call].st_name = 21;
  expect_refusal(&o, "name");
}
END_TEST

START_TEST(each_field_of_relocations_counts) {
  EXPECT_REFUSAL(sections[section_rela].sh_type, SHT_REL, "its relocations");
  EXPECT_REFUSAL(sections[section_rela].sh_entsize, sizeof(Elf64_Rel), "its relocations");
  EXPECT_REFUSAL(sections[section_rela].sh_size, sizeof(Elf64_Rela) * 2 - 1, "its relocations");
  EXPECT_REFUSAL(sections[section_rela].sh_link, section_strings, "its relocations");
  EXPECT_REFUSAL(sections[section_rela].sh_link, 0, "its relocations");
  EXPECT_REFUSAL(sections[section_rela].sh_info, n_sections, "relocations of no section");
  EXPECT_REFUSAL(sections[section_rela].sh_info, UINT32_MAX, "relocations of no section");
  EXPECT_REFUSAL(sections[section_text].sh_type, SHT_NOBITS, "its relocations");
  EXPECT_REFUSAL(sections[section_text].sh_size, 3, "outside its section");
  EXPECT_REFUSAL(rela[0].r_offset, sizeof(code) - 3, "outside its section");
  EXPECT_REFUSAL(rela[0], relocation(sizeof(code) - 7, symbol_constant, R_X86_64_64, 0),
                 "outside its section");
  EXPECT_REFUSAL(rela[0], relocation(sizeof(code) - 7, symbol_constant, R_X86_64_PC64, 0),
                 "outside its section");
  EXPECT_REFUSAL(rela[0], relocation(2, n_symbols, R_X86_64_PC32, 0), "no such symbol");
  EXPECT_REFUSAL(rela[0].r_addend, INT64_C(1) << 31, "distance");
  EXPECT_REFUSAL(rela[0].r_addend, -(INT64_C(1) << 32), "distance");
}
END_TEST

START_TEST(malformed_sections_are_refused) {
  object o = make_object();
  o.sections[section_rodata].sh_offset = UINT64_MAX - 4;
  expect_refusal(&o, "outside");
  o = make_object();
  o.sections[section_rodata].sh_addralign = 3;
  expect_refusal(&o, "alignment");
  o = make_object();
  o.sections[section_rodata] = section(SHT_NOBITS, SHF_ALLOC, 0, UINT64_MAX, 1);
  expect_refusal(&o, "too large");
  o = make_object();
  o.sections[section_rodata].sh_flags |= SHF_WRITE;
  expect_refusal(&o, "writable");
  o = make_object();
  o.sections[section_rodata].sh_type = SHT_INIT_ARRAY;
  expect_refusal(&o, "linker");
  o = make_object();
  o.sections[section_symbols].sh_type = SHT_NULL;
  expect_refusal(&o, "no symbols");
  o = make_object();
  o.sections[section_symbols].sh_link = 77;
  expect_refusal(&o, "symbol table");
  o = make_object();
  o.sections[section_strings].sh_size = 4;
  expect_refusal(&o, "name");
}
END_TEST

START_TEST(malformed_relocations_are_refused) {
  object o = make_object();
  o.rela[0].r_offset = sizeof(code) - 3;
  expect_refusal(&o, "outside its section");
  o = make_object();
  o.rela[0].r_offset = UINT64_MAX;
  expect_refusal(&o, "outside its section");
  o = make_object();
  o.rela[0].r_addend = INT64_MAX;
  expect_refusal(&o, "distance");
  o = make_object();
  o.rela[0] = relocation(2, 99, R_X86_64_PC32, 0);
  expect_refusal(&o, "no such symbol");
  o = make_object();
  o.rela[0] = relocation(2, symbol_constant, R_X86_64_GOTPCREL, 0);
  expect_refusal(&o, "unknown type 9");
  o = make_object();
  o.symbols[symbol_constant].st_shndx = SHN_ABS;
  expect_refusal(&o, "outside code and constants");
  o = make_object();
  o.symbols[symbol_constant].st_value = 17;
  expect_refusal(&o, "beyond its section");
  o = make_object();
  o.symbols[symbol_call].st_shndx = section_rodata;
  expect_refusal(&o, "function outside code");
  o = make_object();
  o.sections[section_rela].sh_info = 99;
  expect_refusal(&o, "relocations");
}
END_TEST

START_TEST(memory_may_run_out_anywhere) {
  object o = make_object();
  sni_diag diag;
  sni_code *loaded;
  bool loaded_once = false;
  for (size_t limit = 1; limit < 4096; limit += 7) {
    sni_allocator_init(&allocator, NULL, limit);
    const sn_status status = load_bytes(&o, sizeof(o), &diag, &loaded);
    ck_assert(status == SN_OK || status == SN_ERR_MEMORY);
    ck_assert((status == SN_OK) == (loaded != NULL));
    loaded_once |= status == SN_OK;
    sni_code_release(loaded);
    ck_assert_uint_eq(allocator.bytes, 0);
  }
  ck_assert(loaded_once);
}
END_TEST

static void set_up(void) {
  sni_allocator_init(&allocator, NULL, 0);
}

int main(void) {
  Suite *suite = suite_create("object loader");
  TCase *tests = tcase_create("objects");
  tcase_add_checked_fixture(tests, set_up, NULL);
  tcase_add_test(tests, code_runs_and_is_released);
  tcase_add_test(tests, objects_need_no_alignment);
  tcase_add_test(tests, absolute_addresses);
  tcase_add_test(tests, zeroed_sections_take_no_bytes_of_the_object);
  tcase_add_test(tests, external_symbols_are_named);
  tcase_add_test(tests, malformed_headers_are_refused);
  tcase_add_test(tests, each_field_of_the_header_counts);
  tcase_add_test(tests, sections_are_bounded_in_number);
  tcase_add_test(tests, each_field_of_a_section_counts);
  tcase_add_test(tests, each_field_of_a_symbol_counts);
  tcase_add_test(tests, a_name_may_lack_its_end);
  tcase_add_test(tests, each_field_of_relocations_counts);
  tcase_add_test(tests, malformed_sections_are_refused);
  tcase_add_test(tests, malformed_relocations_are_refused);
  tcase_add_test(tests, memory_may_run_out_anywhere);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
