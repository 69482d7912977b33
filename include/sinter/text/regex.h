// Regular expressions over strings, in RE2's dialect: no look-around, no references back; time linear in the text, whatever the pattern. What is not
// valid UTF-8 in a text is matched by no character but by \C alone. Results are of the scope's; in eager mode, in functions and in loops alike.
//
// Errors of all functions: SN_ERR_SYNTAX (a pattern or rewrite that RE2 refuses: the message says what, and at which byte; in a trace where the function is called), SN_ERR_DTYPE
// (no strings), SN_ERR_ARGUMENT (NULL), SN_ERR_MEMORY. No gradients.
#ifndef SINTER_TEXT_REGEX_H
#define SINTER_TEXT_REGEX_H

#include <sinter/text/text.h>

SNI_EXTERN_C_BEGIN

// bool, t's shape: whether all of a string matches. Source: tf.strings.regex_full_match.
SN_API sn_tensor *sn_regex_full_match(sn_tensor *t, const char *pattern);
// bool, t's shape: whether a part of a string matches.
SN_API sn_tensor *sn_regex_search(sn_tensor *t, const char *pattern);
typedef struct sn_regex_replace_options {
  size_t size;      // sizeof(sn_regex_replace_options); filled in by the macros
  bool only_first;  // of each string, the leftmost; else all, from the left on
} sn_regex_replace_options;
// Matches become the rewrite, in which \1 to \9 are what groups matched, \0 is the match, \\ a backslash. An empty match right behind another match is none. Source: tf.strings.regex_replace.
SN_API sn_tensor *sn_regex_replace_opts(sn_tensor *t, const char *pattern, const char *rewrite,
                                        const sn_regex_replace_options *options);
// The rewrite of each string's leftmost match alone: "\\1" is the first group; "" of a string without a match. Source: RE2::Extract.
SN_API sn_tensor *sn_regex_extract(sn_tensor *t, const char *pattern, const char *rewrite);
// The rewrites of all matches, from the left on: rows as those of sn_string_split.
SN_API sn_ragged *sn_regex_extract_all(sn_tensor *t, const char *pattern, const char *rewrite);
// What stands between matches that are not empty: rows as those of sn_string_split, n + 1 pieces where there are n. Source: re.split of Python, of a pattern without
// groups.
SN_API sn_ragged *sn_regex_split(sn_tensor *t, const char *pattern);

SNI_EXTERN_C_END
#endif
