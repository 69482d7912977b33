// Classes of characters: sets of ranges, case folding, and the groups that have names.
// Folding is Unicode's simple one: characters that fold to the same one are an orbit, and come together.
#include "frontend/text/regex_tree.h"

#include <stdlib.h>
#include <string.h>

typedef struct group {
  const char *name;
  int first, count;
} group;

#include "frontend/text/regex_tables.inc"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

// The groups of ASCII: members as ranges of first and last character.
typedef struct ascii_group {
  const char *name;
  const char *ranges;
} ascii_group;

static const ascii_group posix_groups[] = {
    {"alnum", "09AZaz"}, {"alpha", "AZaz"}, {"blank", "\t\t  "},  {"digit", "09"},
    {"graph", "!~"},     {"lower", "az"},   {"print", " ~"},      {"punct", "!/:@[`{~"},
    {"space", "\t\r  "}, {"upper", "AZ"},   {"word", "09AZaz__"}, {"xdigit", "09AFaf"},
};
static const ascii_group perl_groups[] = {
    {"d", "09"}, {"s", "\t\n\f\r  "}, {"w", "09AZaz__"}};  // \s lacks the vertical tab

sn_status snt_grow(void **items, size_t *capacity, size_t need, size_t item_size) {
  if (need <= *capacity) return SN_OK;
  size_t to = *capacity < 8 ? 16 : *capacity * 2;
  if (to < need) to = need;
  if (to > SIZE_MAX / 2 / item_size) return SN_ERR_MEMORY;
  void *grown = realloc(*items, to * item_size);
  if (!grown) return SN_ERR_MEMORY;
  *items = grown;
  *capacity = to;
  return SN_OK;
}

static int by_first(const void *a, const void *b) {
  const uint32_t x = ((const snt_range *)a)->first, y = ((const snt_range *)b)->first;
  return (x > y) - (x < y);
}

static bool in_order(const snt_class *set) {
  for (size_t i = 1; i < set->n; i++)
    if (set->ranges[i].first < set->ranges[i - 1].first) return false;
  return true;
}

void snt_class_settle(snt_class *set) {
  if (set->settled == set->n) return;
  if (!in_order(set)) qsort(set->ranges, set->n, sizeof(snt_range), by_first);
  size_t kept = 0;
  for (size_t i = 1; i < set->n; i++) {
    snt_range *last = &set->ranges[kept], next = set->ranges[i];
    if (next.first > last->last + 1)
      set->ranges[++kept] = next;
    else if (next.last > last->last)
      last->last = next.last;
  }
  set->n = set->settled = kept + 1;
}

// Of ranges that are sorted and apart, the first that ends at `rune` or behind it.
static size_t find_range(const snt_range *ranges, size_t n, uint32_t rune) {
  size_t low = 0, high = n;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (ranges[middle].last < rune)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

// Settles when there is twice as much as after the last time: with what is left out because it is there already, a class costs
// no more memory for being said twice.
static sn_status append(snt_class *set, uint32_t first, uint32_t last) {
  const size_t at = find_range(set->ranges, set->settled, first);
  if (at < set->settled && set->ranges[at].first <= first && set->ranges[at].last >= last)
    return SN_OK;
  if (set->n >= 2 * set->settled + 4096) snt_class_settle(set);
  sn_status status = snt_grow((void **)&set->ranges, &set->capacity, set->n + 1, sizeof(snt_range));
  if (status) return status;
  set->ranges[set->n++] = (snt_range){first, last};
  return SN_OK;
}

// The first row of the orbits whose character is `rune` or a later one.
static size_t orbit_from(uint32_t rune) {
  size_t low = 0, high = COUNT(fold_orbits);
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (fold_orbits[middle].first < rune)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static sn_status add_orbit(snt_class *set, uint32_t rune, snt_range without) {
  for (uint32_t next = fold_orbits[orbit_from(rune)].last; next != rune;
       next = fold_orbits[orbit_from(next)].last) {
    if (next >= without.first && next <= without.last) continue;
    sn_status status = append(set, next, next);
    if (status) return status;
  }
  return SN_OK;
}

sn_status snt_class_add(snt_class *set, uint32_t first, uint32_t last, bool fold) {
  sn_status status = append(set, first, last);
  if (!fold) return status;
  const snt_range range = {first, last};
  for (size_t i = orbit_from(first);
       !status && i < COUNT(fold_orbits) && fold_orbits[i].first <= last; i++)
    status = add_orbit(set, fold_orbits[i].first, range);
  return status;
}

sn_status snt_class_negate(snt_class *set) {
  snt_class_settle(set);
  uint32_t next = 0;  // the first character that is not yet dealt with
  size_t kept = 0;
  for (size_t i = 0; i < set->n; i++) {
    const snt_range range = set->ranges[i];
    if (range.first > next) set->ranges[kept++] = (snt_range){next, range.first - 1};
    next = range.last + 1;
  }
  set->n = set->settled = kept;
  if (next > SNT_MAX_RUNE) return SN_OK;
  sn_status status = append(set, next, SNT_MAX_RUNE);
  set->settled = set->n;
  return status;
}

static const group *find_group(const char *name, size_t length) {
  for (size_t i = 0; i < COUNT(unicode_groups); i++) {
    const char *own = unicode_groups[i].name;
    if (strlen(own) == length && memcmp(own, name, length) == 0) return &unicode_groups[i];
  }
  return NULL;
}

static sn_status add_unicode(snt_class *set, const char *name, size_t length, bool fold,
                             bool *known) {
  if (length == 3 && memcmp(name, "Any", 3) == 0) {
    *known = true;
    return snt_class_add(set, 0, SNT_MAX_RUNE, fold);
  }
  const group *g = find_group(name, length);
  *known = g != NULL;
  sn_status status = SN_OK;
  for (int i = 0; g && !status && i < g->count; i++) {
    const snt_range range = group_ranges[g->first + i];
    status = snt_class_add(set, range.first, range.last, fold);
  }
  return status;
}

static sn_status add_ascii(snt_class *set, const ascii_group *groups, size_t n, const char *name,
                           size_t length, bool fold, bool *known) {
  sn_status status = SN_OK;
  for (size_t i = 0; i < n; i++) {
    if (strlen(groups[i].name) != length || memcmp(groups[i].name, name, length) != 0) continue;
    *known = true;
    for (const char *r = groups[i].ranges; !status && *r; r += 2)
      status = snt_class_add(set, (uint8_t)r[0], (uint8_t)r[1], fold);
  }
  return status;
}

static sn_status add_posix(snt_class *set, const char *name, size_t length, bool fold,
                           bool *known) {
  const snt_range ascii = {0, 0x7F}, control = {0, 0x1F};
  if (length == 5 && memcmp(name, "ascii", 5) == 0) {
    *known = true;
    return snt_class_add(set, ascii.first, ascii.last, fold);
  }
  if (length == 5 && memcmp(name, "cntrl", 5) == 0) {
    *known = true;
    sn_status status = snt_class_add(set, control.first, control.last, fold);
    return status ? status : snt_class_add(set, 0x7F, 0x7F, fold);
  }
  return add_ascii(set, posix_groups, COUNT(posix_groups), name, length, fold, known);
}

// The group is added to a class of its own first, so that what is negated is the folded group.
sn_status snt_class_add_group(snt_class *set, snt_group_kind kind, const char *name, size_t length,
                              bool negate, bool fold, bool *known) {
  snt_class own = {0};
  sn_status status;
  *known = false;
  if (kind == SNT_GROUP_UNICODE)
    status = add_unicode(&own, name, length, fold, known);
  else if (kind == SNT_GROUP_POSIX)
    status = add_posix(&own, name, length, fold, known);
  else
    status = add_ascii(&own, perl_groups, COUNT(perl_groups), name, length, fold, known);
  if (!status && *known && negate) status = snt_class_negate(&own);
  snt_class_settle(&own);
  for (size_t i = 0; !status && i < own.n; i++)
    status = append(set, own.ranges[i].first, own.ranges[i].last);
  free(own.ranges);
  return status;
}

static bool in_group(const char *name, uint32_t rune) {
  const group *g = find_group(name, strlen(name));
  const snt_range *ranges = group_ranges + g->first;
  const size_t at = find_range(ranges, (size_t)g->count, rune);
  return at < (size_t)g->count && ranges[at].first <= rune;
}

bool snt_is_name_character(uint32_t rune) {
  static const char names[][3] = {"Lu", "Ll", "Lt", "Lm", "Lo", "Nl", "Mn", "Mc", "Nd", "Pc"};
  for (size_t i = 0; i < COUNT(names); i++)
    if (in_group(names[i], rune)) return true;
  return false;
}

size_t snt_rune_decode(const char *data, size_t length, uint32_t *rune) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  if (length == 0) return 0;
  const uint8_t lead = (uint8_t)data[0];
  const size_t size = lead < 0x80   ? 1
                      : lead < 0xC0 ? 0
                      : lead < 0xE0 ? 2
                      : lead < 0xF0 ? 3
                      : lead < 0xF8 ? 4
                                    : 0;
  if (size == 0 || size > length) return 0;
  uint32_t code = size == 1 ? lead : lead & (0x7Fu >> size);
  for (size_t i = 1; i < size; i++) {
    if (((uint8_t)data[i] & 0xC0) != 0x80) return 0;
    code = code << 6 | ((uint8_t)data[i] & 0x3F);
  }
  if (code < least[size] || code > SNT_MAX_RUNE) return 0;
  *rune = code;
  return size;
}

size_t snt_rune_encode(uint32_t rune, uint8_t out[4]) {
  const size_t size = rune < 0x80 ? 1 : rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4;
  for (size_t i = size; i-- > 1; rune >>= 6) out[i] = (uint8_t)(0x80 | (rune & 0x3F));
  out[0] = (uint8_t)(size == 1 ? rune : rune | (0xF00u >> size & 0xFF));
  return size;
}
