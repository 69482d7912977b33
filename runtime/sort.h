// Sorting numbers in place: qsort may call malloc.
#ifndef SNI_RUNTIME_SORT_H
#define SNI_RUNTIME_SORT_H

#include <stdbool.h>
#include <stdint.h>

// Shell sort. before: a strict order; to be inlined.
static inline void sni_sort(uint32_t *items, uint32_t count,
                            bool (*before)(const void *user, uint32_t a, uint32_t b),
                            const void *user) {
  for (uint32_t gap = count / 2; gap; gap = gap == 2 ? 1 : gap * 5 / 11)
    for (uint32_t i = gap; i < count; i++) {
      const uint32_t item = items[i];
      uint32_t j = i;
      for (; j >= gap && before(user, item, items[j - gap]); j -= gap) items[j] = items[j - gap];
      items[j] = item;
    }
}

#endif
