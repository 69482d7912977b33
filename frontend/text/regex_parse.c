// Parses RE2's dialect: what RE2 accepts is accepted, what it refuses is refused. One pass with a stack of open groups, no
// recursion; nodes come out in post-order.
#include "frontend/text/regex_parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NODES (1 << 20)
#define MAX_RANGES (1 << 21)

sn_status snt_refuse_pattern(parser *p, const char *what, const char *from, const char *to) {
  char part[48];
  size_t n = 0;
  for (const char *c = from; c < to && n < sizeof(part) - 4; c++)
    part[n++] = *c >= ' ' && *c < 0x7F ? *c : '?';
  if (n == sizeof(part) - 4) n += (size_t)sprintf(part + n, "...");
  part[n] = 0;
  p->error->at = (size_t)(from - p->start);
  (void)snprintf(p->error->text, sizeof(p->error->text), "%s: %s", what, part);
  return SN_ERR_SYNTAX;
}

static sn_status refuse_size(parser *p) {
  return snt_refuse_pattern(p, "the pattern is too large", p->start, p->end);
}

static frame *top(parser *p) {
  return &p->frames[p->depth - 1];
}

static const snt_node *last_node(const parser *p) {
  return &p->tree->nodes[p->tree->n_nodes - 1];
}

// What a node of these operands says about itself. Operands: the last `n` subtrees, the first begins at `first`.
static void sum_up(parser *p, snt_node *node, int32_t n) {
  const snt_node *nodes = p->tree->nodes;
  int32_t at = (int32_t)p->tree->n_nodes - 1;
  bool all = true, any = false;
  node->repeats = 1;
  for (; n > 0; n--) {
    all &= nodes[at].nullable;
    any |= nodes[at].nullable;
    node->asserts |= nodes[at].asserts;
    if (nodes[at].repeats > node->repeats) node->repeats = nodes[at].repeats;
    at = nodes[at].first - 1;
  }
  const bool either = node->kind == SNT_ALTERNATE;
  node->nullable = either ? any : all;
}

static sn_status add_node(parser *p, snt_node node, int32_t operands) {
  snt_tree *tree = p->tree;
  if (tree->n_nodes >= MAX_NODES) return refuse_size(p);
  sn_status status =
      snt_grow((void **)&tree->nodes, &tree->node_capacity, tree->n_nodes + 1, sizeof(snt_node));
  if (status) return status;
  sum_up(p, &node, operands);
  tree->nodes[tree->n_nodes++] = node;
  return SN_OK;
}

static sn_status push_item(parser *p, snt_node node) {
  node.first = (int32_t)p->tree->n_nodes;
  sn_status status = add_node(p, node, 0);
  if (status) return status;
  snt_node *added = &p->tree->nodes[node.first];
  added->nullable = node.nullable;
  top(p)->items++;
  return SN_OK;
}

static sn_status push_class(parser *p) {
  snt_tree *tree = p->tree;
  const snt_class *set = &p->set;
  if (set->n == 1 && set->ranges->first == set->ranges->last)
    return push_item(p, (snt_node){.kind = SNT_LITERAL, .a = (int32_t)set->ranges->first});
  if (tree->n_ranges + set->n > MAX_RANGES) return refuse_size(p);
  sn_status status = snt_grow((void **)&tree->ranges, &tree->range_capacity,
                              tree->n_ranges + set->n, sizeof(snt_range));
  if (status) return status;
  if (set->n) memcpy(tree->ranges + tree->n_ranges, set->ranges, set->n * sizeof(snt_range));
  tree->n_ranges += set->n;
  return push_item(
      p,
      (snt_node){.kind = SNT_CLASS, .a = (int32_t)(tree->n_ranges - set->n), .b = (int32_t)set->n});
}

static sn_status push_literal(parser *p, uint32_t rune) {
  p->set.n = p->set.settled = 0;
  sn_status status = snt_class_add(&p->set, rune, rune, p->flags & FOLD);
  if (status) return status;
  snt_class_settle(&p->set);
  return push_class(p);
}

static sn_status push_dot(parser *p) {
  p->set.n = p->set.settled = 0;
  const bool all = p->flags & DOT_ALL;
  sn_status status = snt_class_add(&p->set, 0, all ? SNT_MAX_RUNE : '\n' - 1, false);
  if (!status && !all) status = snt_class_add(&p->set, '\n' + 1, SNT_MAX_RUNE, false);
  if (status) return status;
  snt_class_settle(&p->set);
  return push_class(p);
}

static sn_status push_assertion(parser *p, snt_assertion which) {
  return push_item(
      p, (snt_node){.kind = SNT_ASSERT, .a = (int32_t)which, .nullable = true, .asserts = true});
}

static sn_status open_group(parser *p, const char *at, int group) {
  sn_status status = snt_grow((void **)&p->frames, &p->frame_capacity, p->depth + 1, sizeof(frame));
  if (status) return status;
  const int32_t next = (int32_t)p->tree->n_nodes;
  p->frames[p->depth++] = (frame){.at = (size_t)(at - p->start),
                                  .flags = p->flags,
                                  .group = group,
                                  .first_item = next,
                                  .first_alternative = next};
  return SN_OK;
}

static sn_status end_alternative(parser *p) {
  const frame *f = top(p);
  if (f->items == 1) return SN_OK;
  if (f->items == 0) return add_node(p, (snt_node){.kind = SNT_EMPTY, .first = f->first_item}, 0);
  return add_node(p, (snt_node){.kind = SNT_CONCAT, .first = f->first_item, .a = f->items},
                  f->items);
}

static sn_status next_alternative(parser *p) {
  sn_status status = end_alternative(p);
  frame *f = top(p);
  f->alternatives++;
  f->items = 0;
  f->first_item = (int32_t)p->tree->n_nodes;
  return status;
}

// One node for the group is left, which is not yet an item of the group around it.
static sn_status close_group(parser *p) {
  sn_status status = end_alternative(p);
  const frame f = *top(p);
  if (!status && f.alternatives)
    status = add_node(
        p, (snt_node){.kind = SNT_ALTERNATE, .first = f.first_alternative, .a = f.alternatives + 1},
        f.alternatives + 1);
  if (!status && f.group)
    status =
        add_node(p, (snt_node){.kind = SNT_CAPTURE, .first = f.first_alternative, .a = f.group}, 1);
  p->flags = f.flags;
  p->depth--;
  return status;
}

// At "(?P<" or "(?<". Names are not kept: nobody asks for them.
static sn_status open_named(parser *p) {
  const char *from = p->at, *name = from + (from[2] == 'P' ? 4 : 3);
  const char *close = memchr(name, '>', (size_t)(p->end - name));
  if (!close || close == name)
    return snt_refuse_pattern(p, "a group without a name", from, close ? close + 1 : p->end);
  for (const char *c = name; c < close;) {
    uint32_t rune;
    c += snt_rune_decode(c, (size_t)(close - c), &rune);
    if (!snt_is_name_character(rune))
      return snt_refuse_pattern(p, "a group with an invalid name", from, close + 1);
  }
  p->at = close + 1;
  return open_group(p, from, ++p->tree->groups);
}

static unsigned flag_of(char c) {
  return c == 'i' ? FOLD : c == 's' ? DOT_ALL : c == 'm' ? MULTI_LINE : c == 'U' ? SWAP_GREED : 0;
}

// At "(?": flags for the rest of the group around, or a group that is not captured, with flags.
static sn_status parse_flags(parser *p) {
  const char *from = p->at;
  unsigned flags = p->flags;
  bool off = false, need = false;  // need: a flag must follow the -
  for (p->at += 2; p->at < p->end; p->at++) {
    const char c = *p->at;
    const unsigned flag = flag_of(c);
    if (flag) {
      flags = off ? flags & ~flag : flags | flag;
      need = false;
    } else if (c == '-' && !off) {
      off = need = true;
    } else if ((c == ':' || c == ')') && !need) {
      p->at++;
      sn_status status = c == ':' ? open_group(p, from, 0) : SN_OK;
      p->flags = flags;
      return status;
    } else {
      break;
    }
  }
  const char *to = p->at < p->end ? p->at + 1 : p->end;
  return snt_refuse_pattern(
      p, "groups of this kind are not there (look-around, references, atomic)", from, to);
}

static sn_status parse_open(parser *p) {
  if (snt_peek(p, 1) != '?') {
    const char *at = p->at++;
    return open_group(p, at, ++p->tree->groups);
  }
  const char a = snt_peek(p, 2), b = snt_peek(p, 3);
  const bool behind = a == '<' && (b == '=' || b == '!') && snt_left(p) > 4;
  if ((a == 'P' && b == '<' && snt_left(p) > 4) || (a == '<' && snt_left(p) > 3 && !behind))
    return open_named(p);
  return parse_flags(p);
}

static sn_status parse_close(parser *p) {
  if (p->depth == 1) return snt_refuse_pattern(p, "a ) without its (", p->at, p->at + 1);
  p->at++;
  sn_status status = close_group(p);
  top(p)->items++;
  return status;
}

// Of a repetition of a repetition, both *, + or ? and read with the same flags, one is left.
static bool join_repeats(snt_node *inner, int min, int max, bool lazy, unsigned flags) {
  const bool plain = max < 0 ? min <= 1 : min == 0 && max == 1;
  const bool same = inner->kind == SNT_REPEAT && inner->lazy == lazy && inner->flags == flags;
  if (!plain || !same || inner->a > 1 || inner->b > 1 || (inner->a == inner->b)) return false;
  if (inner->a == min && inner->b == max) return true;
  inner->a = 0;
  inner->b = -1;
  inner->nullable = true;
  return true;
}

static sn_status add_repeat(parser *p, snt_node node, const char *from) {
  const snt_node operand = *last_node(p);
  node.first = operand.first;
  sn_status status = add_node(p, node, 1);
  if (status) return status;
  snt_node *added = &p->tree->nodes[p->tree->n_nodes - 1];
  added->nullable = operand.nullable || node.a == 0;
  if (node.b < 0 && operand.nullable && operand.asserts) p->tree->empty_rounds = true;
  const int times = node.b < 0 ? node.a : node.b;
  const int product = times > 1 ? operand.repeats * times : operand.repeats;
  added->repeats = (uint16_t)(product > SNT_MAX_REPEAT ? SNT_MAX_REPEAT + 1 : product);
  if ((node.a > 1 || node.b > 1) && product > SNT_MAX_REPEAT)
    return snt_refuse_pattern(p, "more than 1000 repetitions, one within another", from, p->at);
  return SN_OK;
}

static sn_status push_repeat(parser *p, int min, int max, const char *from) {
  if (top(p)->items == 0)
    return snt_refuse_pattern(p, "nothing is there to be repeated", from, p->at);
  const bool lazy = snt_peek(p, 0) == '?', swapped = p->flags & SWAP_GREED;
  if (lazy) p->at++;
  snt_node *last = &p->tree->nodes[p->tree->n_nodes - 1];
  if (join_repeats(last, min, max, lazy != swapped, p->flags)) return SN_OK;
  const snt_node node = {
      .kind = SNT_REPEAT, .lazy = lazy != swapped, .flags = (uint8_t)p->flags, .a = min, .b = max};
  return add_repeat(p, node, from);
}

// A count without a leading zero; false too where it is too long for one.
static bool parse_count(const char **at, const char *end, int *out) {
  const char *c = *at;
  int n = 0;
  if (c == end || *c < '0' || *c > '9') return false;
  if (*c == '0' && end - c > 1 && c[1] >= '0' && c[1] <= '9') return false;
  for (; c < end && *c >= '0' && *c <= '9'; c++) {
    if (n >= 100000000) return false;
    n = n * 10 + (*c - '0');
  }
  *at = c;
  *out = n;
  return true;
}

// At a brace: {n} {n,} {n,m}. What is something else is text.
static bool parse_counts(parser *p, int *min, int *max) {
  const char *at = p->at + 1;
  if (!parse_count(&at, p->end, min)) return false;
  *max = *min;
  if (at < p->end && *at == ',') {
    at++;
    *max = -1;
    if (at < p->end && *at != '}' && !parse_count(&at, p->end, max)) return false;
  }
  if (at == p->end || *at != '}') return false;
  p->at = at + 1;
  return true;
}

static sn_status parse_braces(parser *p, bool *repeat) {
  const char *from = p->at;
  int min, max;
  *repeat = parse_counts(p, &min, &max);
  if (!*repeat) {
    p->at++;
    return push_literal(p, '{');
  }
  if ((max >= 0 && max < min) || min > SNT_MAX_REPEAT || max > SNT_MAX_REPEAT)
    return snt_refuse_pattern(p, "counts of repetitions are 0 to 1000 and rise", from, p->at);
  return push_repeat(p, min, max, from);
}

// Behind "\Q": all characters to "\E" or the end are themselves.
static sn_status parse_quoted(parser *p) {
  sn_status status = SN_OK;
  while (!status && p->at < p->end) {
    uint32_t rune = 0;
    if (p->at[0] == '\\' && snt_peek(p, 1) == 'E') {
      p->at += 2;
      break;
    }
    p->at += snt_rune_decode(p->at, snt_left(p), &rune);
    status = push_literal(p, rune);
  }
  return status;
}

static sn_status parse_backslash(parser *p) {
  static const struct {
    char letter;
    snt_assertion which;
  } assertions[] = {
      {'b', SNT_WORD_EDGE}, {'B', SNT_NO_WORD_EDGE}, {'A', SNT_TEXT_BEGIN}, {'z', SNT_TEXT_END}};
  const char letter = snt_peek(p, 1);
  for (size_t i = 0; i < sizeof(assertions) / sizeof(assertions[0]); i++) {
    if (letter != assertions[i].letter) continue;
    p->at += 2;
    return push_assertion(p, assertions[i].which);
  }
  if (letter == 'C' || letter == 'Q') {
    p->at += 2;
    return letter == 'Q' ? parse_quoted(p) : push_item(p, (snt_node){.kind = SNT_ANY_BYTE});
  }
  bool is_class;
  uint32_t rune;
  sn_status status = snt_parse_class_escape(p, &is_class);
  if (status) return status;
  if (is_class) return push_class(p);
  status = snt_parse_escape(p, &rune);
  return status ? status : push_literal(p, rune);
}

static sn_status parse_text(parser *p) {
  uint32_t rune = 0;
  p->at += snt_rune_decode(p->at, snt_left(p), &rune);
  return push_literal(p, rune);
}

// *repeat: it was the mark of a repetition.
static sn_status parse_one(parser *p, bool *repeat) {
  const char *from = p->at;
  const bool lines = p->flags & MULTI_LINE;
  sn_status status;
  *repeat = false;
  switch (*from) {
    case '(':
      return parse_open(p);
    case ')':
      return parse_close(p);
    case '[':
      status = snt_parse_class(p);
      return status ? status : push_class(p);
    case '\\':
      return parse_backslash(p);
    case '{':
      return parse_braces(p, repeat);
    case '*':
    case '+':
    case '?':
      *repeat = true;
      p->at++;
      return push_repeat(p, *from == '+', *from == '?' ? 1 : -1, from);
    case '|':
      p->at++;
      return next_alternative(p);
    case '^':
      p->at++;
      return push_assertion(p, lines ? SNT_LINE_BEGIN : SNT_TEXT_BEGIN);
    case '$':
      p->at++;
      return push_assertion(p, lines ? SNT_LINE_END : SNT_TEXT_END);
    case '.':
      p->at++;
      return push_dot(p);
    default:
      return parse_text(p);
  }
}

static sn_status parse_all(parser *p) {
  const char *repeat_before = NULL;  // the mark of the repetition right before
  sn_status status = open_group(p, p->start, 0);
  while (!status && p->at < p->end) {
    const char *from = p->at;
    bool repeat;
    status = parse_one(p, &repeat);
    if (!status && repeat && repeat_before)
      return snt_refuse_pattern(p, "a repetition of a repetition", repeat_before, p->at);
    repeat_before = repeat ? from : NULL;
  }
  if (status) return status;
  if (p->depth > 1) {
    const char *from = p->start + top(p)->at;
    return snt_refuse_pattern(p, "a ( without its )", from, p->end);
  }
  return close_group(p);
}

static sn_status check_utf8(parser *p) {
  uint32_t rune;
  for (const char *c = p->start; c < p->end;) {
    const size_t size = snt_rune_decode(c, (size_t)(p->end - c), &rune);
    if (size == 0) return snt_refuse_pattern(p, "invalid UTF-8", c, c + 1);
    c += size;
  }
  return SN_OK;
}

sn_status snt_tree_parse(sn_text pattern, snt_tree *out, snt_regex_error *error) {
  parser p = {.tree = out, .error = error};
  p.start = p.at = pattern.data ? pattern.data : "";
  p.end = p.start + pattern.length;
  *out = (snt_tree){0};
  sn_status status = check_utf8(&p);
  if (!status) status = parse_all(&p);
  free(p.frames);
  free(p.set.ranges);
  if (status) snt_tree_deinit(out);
  return status;
}

void snt_tree_deinit(snt_tree *tree) {
  free(tree->nodes);
  free(tree->ranges);
  *tree = (snt_tree){0};
}
