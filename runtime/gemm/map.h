// Where the elements of one side of a product lie when two strides do not say it: along each of the two
// directions there may be several axes (windows of an image: its rows and columns, then those of the
// window), and what lies outside of ranges is 0. Copies walk such a side straight from memory.
#ifndef SNI_RUNTIME_GEMM_MAP_H
#define SNI_RUNTIME_GEMM_MAP_H

#include "runtime/gemm/kernels.h"

enum {
  SNI_GEMM_AXES = 4,
  SNI_GEMM_RANGES = 16,  // most of a map
};

// Axes outermost first; their index counts row-major. The extent of the outermost is not asked.
// Each field has 8 bytes: emitted code knows them by number.
typedef struct sni_gemm_axes {
  int64_t count;  // 1 .. SNI_GEMM_AXES
  int64_t extent[SNI_GEMM_AXES];
  int64_t step[SNI_GEMM_AXES];  // bytes
} sni_gemm_axes;

// 0 <= offset + steps of own + steps of k < extent, or the element is 0.
typedef struct sni_gemm_range {
  int64_t extent, offset;
  int64_t own[SNI_GEMM_AXES], k[SNI_GEMM_AXES];
} sni_gemm_range;

typedef struct sni_gemm_map {
  sni_gemm_axes own;  // of a: its rows; of b: its columns
  sni_gemm_axes k;
  int64_t
      own_first;  // the index along own that the side begins with; its address is that of index 0
  int64_t n_ranges;
  const sni_gemm_range *ranges;
} sni_gemm_map;

// Narrows [*first, *end), first >= 0, to the i with 0 <= value + i * step < extent: an interval, since
// the form is monotone.
void sni_gemm_inside(int64_t value, int64_t step, int64_t extent, int64_t *first, int64_t *end);

// Whether two strides say it after all: the steps along own and k, and the address of index own_first.
bool sni_gemm_map_is_plain(const sni_gemm_map *map, const char *from, const char **out_from,
                           int64_t *out_own, int64_t *out_k);

// to[k][own], to_k bytes from k to k, neighbours of `size` bytes along own up to the end of a panel; the next panel is to_panel
// bytes behind.
void sni_gemm_copy_block(const sni_gemm_map *map, const char *from, int64_t size,
                         sni_gemm_copy_function copy, char *to, int64_t to_k, int64_t panel,
                         int64_t to_panel, int64_t own, int64_t n_own, int64_t k, int64_t n_k);
// to[own][k], to_own bytes from row to row, neighbours of `size` bytes along k. The innermost step of k is
// that of neighbours too, of from_size bytes; copy: where that is another size, else NULL.
void sni_gemm_copy_rows(const sni_gemm_map *map, const char *from, int64_t from_size,
                        sni_gemm_copy_function copy, int64_t size, char *to, int64_t to_own,
                        int64_t own, int64_t n_own, int64_t k, int64_t n_k);

#endif
