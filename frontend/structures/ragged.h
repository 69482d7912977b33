// What the files of ragged tensors share.
#ifndef SINTER_STRUCTURES_RAGGED_INTERNAL_H
#define SINTER_STRUCTURES_RAGGED_INTERNAL_H

#include <sinter/structures.h>

enum { SNS_RAGGED_PARTS = 8 };

struct sn_ragged {
  sn_object object;
  sn_tensor *parts[SNS_RAGGED_PARTS];  // flat values; splits of each level, outermost first; NULL
};

extern const sn_object_class sns_ragged_class;

// The result of a failed function, in an open frame.
static inline sn_ragged *sns_no_ragged(sn_context *c) {
  return sn_object_error(c, &sns_ragged_class);
}
static inline sn_ragged *sns_ragged_new(sn_context *c, sn_tensor *const *parts) {
  return sn_object_create(c, &sns_ragged_class, parts);
}
static inline bool sns_ragged_ok(sn_context *c, const sn_ragged *r, const char *name) {
  return sn_object_check(c, r, &sns_ragged_class, name);
}

#endif
