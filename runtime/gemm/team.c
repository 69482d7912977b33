// Segments of k over threads. As many as there is room for are summed side by side, each to a place of
// its own, then added to those before them, one after the other.
//
// Invariant: that is what one thread does with each sum, so how many threads there are, and which has
// which segment, leaves no trace.
#include "runtime/gemm/team.h"

#include "runtime/float_modes.h"

enum {
  line = 64,
  least_work = 1 << 17,  // multiply-adds of a chunk: what a claim costs is a few per cent
  most_chunks = 4,       // of a thread
};

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static int64_t pitch_of(const sni_gemm *g) {
  return (g->n * g->size + line - 1) / line * line;
}

static int64_t segments_of(const sni_gemm *g) {
  return (g->k - 1) / g->segment + 1;
}

// Segments that have room at once, beside the sum of all where that is not in c.
static int64_t places_of(const sni_gemm *g) {
  const double one = (double)g->m * (double)g->n * (double)g->size;
  if (one > (double)g->team->partial_bytes) return 0;
  return (int64_t)g->team->partial_bytes / (g->m * pitch_of(g)) - !g->c;
}

// Of so many segments.
static int64_t chunks_of(const sni_gemm *g, int64_t segments) {
  const double work = (double)g->m * (double)g->n * (double)g->segment;
  const double fitting = work * (double)segments / least_work;
  const int64_t most = least((int64_t)g->team->threads * most_chunks, segments);
  return fitting < (double)most ? (int64_t)fitting : most;
}

bool sni_gemm_share(sni_gemm *g) {
  if (!g->team || !g->segment || g->k <= g->segment || g->goes_on) return false;
  if (chunks_of(g, least(places_of(g), segments_of(g))) < 2) return false;
  g->shared = true;
  g->streams = false;
  g->rectangle_rows = g->m;
  g->rectangle_columns = g->band = g->n;
  g->sums = g->c ? g->c : g->team->partials;
  g->sums_row = g->c ? g->c_row : pitch_of(g);
  return true;
}

typedef struct round {
  const sni_gemm *g;
  int64_t first;  // segment
  char *places;
} round_of_segments;

static char *place_of(const round_of_segments *r, int64_t i) {
  return r->places + i * r->g->m * pitch_of(r->g);
}

// The first of all is where the sums will be.
static void sum_segments(void *user, int thread, int64_t begin, int64_t end) {
  const round_of_segments *r = user;
  const sni_gemm *g = r->g;
  const unsigned modes = sni_enter_float_modes();
  char *scratch = g->scratch + (size_t)thread * g->team->scratch_stride;
  for (int64_t i = begin; i < end; i++) {
    const bool first = r->first + i == 0;
    sni_gemm_run_segment(g, (r->first + i) * g->segment, first ? g->sums : place_of(r, i),
                         first ? g->sums_row : pitch_of(g), scratch);
  }
  sni_leave_float_modes(modes);
}

void sni_gemm_sum_shared(sni_gemm *g) {
  const int64_t segments = segments_of(g), places = places_of(g);
  round_of_segments r = {.g = g, .places = g->team->partials + (g->c ? 0 : g->m * pitch_of(g))};
  for (; r.first < segments; r.first += places) {
    const int64_t count = least(places, segments - r.first), chunks = chunks_of(g, count);
    sni_thread_pool_run(g->team->pool, g->team->threads, count, chunks < 1 ? 1 : chunks, false,
                        sum_segments, &r);
    for (int64_t i = r.first == 0; i < count; i++)
      sni_gemm_add(g, g->sums, g->sums_row, place_of(&r, i), pitch_of(g));
  }
}
