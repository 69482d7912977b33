// Runs a fuzz target where there is no libFuzzer: every file of the corpus as it is, then a fixed
// number of pseudo-random mutations of them. Bounded and repeatable: the same inputs in every run.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_INPUTS 256
#define MAX_BYTES 65536

typedef struct input {
  uint8_t *data;
  size_t size;
} input;

static uint64_t next_random(uint64_t *state) {  // xorshift64*, Vigna 2014
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return *state * 0x2545F4914F6CDD1Dull;
}

static int read_corpus(const char *folder, input *inputs) {
  DIR *dir = opendir(folder);
  if (!dir) return 0;
  int n = 0;
  for (const struct dirent *entry; n < MAX_INPUTS && (entry = readdir(dir));) {
    char path[4096];
    if (entry->d_name[0] == '.') continue;
    (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
    FILE *file = fopen(path, "rb");
    if (!file) continue;
    uint8_t *data = malloc(MAX_BYTES);
    if (data) {
      inputs[n].data = data;
      inputs[n++].size = fread(data, 1, MAX_BYTES, file);
    }
    (void)fclose(file);
  }
  (void)closedir(dir);
  return n;
}

// One of: change bytes, drop a range, repeat a range, splice the tail of another input.
static size_t mutate(uint8_t *out, const input *base, const input *other, uint64_t *state) {
  size_t size = base->size;
  if (size) memcpy(out, base->data, size);
  int rounds = 1 + (int)(next_random(state) % 4);
  for (int r = 0; r < rounds && size > 0; r++) {
    size_t at = next_random(state) % size;
    size_t length = 1 + next_random(state) % 16;
    if (length > size - at) length = size - at;
    switch (next_random(state) % 5) {
      case 0:
        out[at] = (uint8_t)next_random(state);
        break;
      case 1:
        out[at] ^= (uint8_t)(1u << next_random(state) % 8);
        break;
      case 2:
        memmove(out + at, out + at + length, size - at - length);
        size -= length;
        break;
      case 3:
        if (size + length > MAX_BYTES) break;
        memmove(out + at + length, out + at, size - at);
        size += length;
        break;
      default: {
        size_t from = other->size ? next_random(state) % other->size : 0;
        size_t tail = other->size - from;
        if (tail > MAX_BYTES - at) tail = MAX_BYTES - at;
        if (tail) memcpy(out + at, other->data + from, tail);
        size = at + tail;
      }
    }
  }
  return size;
}

// One exact-size heap block per input, so that a read past its end is seen by a sanitizer.
static int run(const uint8_t *data, size_t size) {
  uint8_t *copy = malloc(size ? size : 1);
  if (!copy) return 1;
  if (size) memcpy(copy, data, size);
  int result = LLVMFuzzerTestOneInput(copy, size);
  free(copy);
  return result;
}

int main(int argc, char **argv) {
  static input inputs[MAX_INPUTS + 1];
  static uint8_t mutated[MAX_BYTES];
  int n = argc > 1 ? read_corpus(argv[1], inputs) : 0;
  long mutations = argc > 2 ? atol(argv[2]) : 5000;
  uint64_t state = 0x9E3779B97F4A7C15ull;
  (void)run(mutated, 0);
  for (int i = 0; i < n; i++) (void)run(inputs[i].data, inputs[i].size);
  for (long i = 0; i < mutations && n > 0; i++) {
    const input *base = &inputs[next_random(&state) % (uint64_t)n];
    const input *other = &inputs[next_random(&state) % (uint64_t)n];
    (void)run(mutated, mutate(mutated, base, other, &state));
  }
  (void)printf("%d inputs, %ld mutations\n", n, n ? mutations : 0);
  for (int i = 0; i < n; i++) free(inputs[i].data);
  return n > 0 ? 0 : 1;
}
