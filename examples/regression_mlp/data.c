// Data sets of the demo: made by a formula or read from a CSV file, shuffled, split and
// standardised.
#include "data.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t next_random(uint64_t *state) {  // splitmix64, Steele et al. 2014
  uint64_t z = *state += 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

static double uniform(uint64_t *state) {
  return (double)(next_random(state) >> 11) * 0x1p-53;
}

static double normal(uint64_t *state) {  // Box & Muller 1958
  double radius = sqrt(-2 * log(1 - uniform(state)));
  return radius * cos(2 * 3.14159265358979323846 * uniform(state));
}

static bool table_alloc(table *t, int64_t rows, int64_t features) {
  *t = (table){.rows = rows, .features = features};
  t->x = malloc(sizeof(float) * (size_t)(rows * features));
  t->y = malloc(sizeof(float) * (size_t)rows);
  if (t->x && t->y) return true;
  table_free(t);
  return false;
}

void table_free(table *t) {
  free(t->x);
  free(t->y);
  *t = (table){0};
}

bool table_friedman(table *out, int64_t rows, uint64_t seed) {
  if (!table_alloc(out, rows, 10)) return false;
  for (int64_t i = 0; i < rows; i++) {
    float *x = out->x + i * 10;
    for (int j = 0; j < 10; j++) x[j] = (float)uniform(&seed);
    double middle = x[2] - 0.5;
    double y = 10 * sin(3.14159265358979323846 * x[0] * x[1]) + 20 * middle * middle + 10 * x[3] +
               5 * x[4];
    out->y[i] = (float)(y + normal(&seed));
  }
  return true;
}

// ---- the housing file
enum { INCOME, AGE, ROOMS, BEDROOMS, POPULATION, HOUSEHOLDS, LATITUDE, LONGITUDE, VALUE, COLUMNS };
static const char *const column_names[COLUMNS] = {
    "median_income", "housing_median_age", "total_rooms", "total_bedrooms",    "population",
    "households",    "latitude",           "longitude",   "median_house_value"};

typedef struct csv {
  const char *path;
  FILE *file;
  char *line;
  size_t line_capacity;
  int64_t line_number;
  int position[COLUMNS];  // in the file, from 0
  int file_columns;
  double *values;  // COLUMNS a row; NaN: missing
  int64_t rows, capacity;
  char *error;
  int error_capacity;
} csv;

static bool fail(csv *in, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool fail(csv *in, const char *format, ...) {
  va_list args;
  va_start(args, format);
  (void)vsnprintf(in->error, (size_t)in->error_capacity, format, args);
  va_end(args);
  return false;
}

// The next line without its line ending; false at the end of the file.
static bool next_line(csv *in) {
  ssize_t length = getline(&in->line, &in->line_capacity, in->file);
  if (length < 0) return false;
  in->line_number++;
  while (length > 0 && strchr("\r\n", in->line[length - 1])) in->line[--length] = 0;
  return true;
}

static bool read_header(csv *in) {
  if (!next_line(in))
    return ferror(in->file) ? fail(in, "%s: %s", in->path, strerror(errno))
                            : fail(in, "%s:1: the file is empty", in->path);
  for (int c = 0; c < COLUMNS; c++) in->position[c] = -1;
  char *rest = in->line;
  for (char *cell; (cell = strsep(&rest, ",")); in->file_columns++)
    for (int c = 0; c < COLUMNS; c++)
      if (!strcmp(cell, column_names[c])) in->position[c] = in->file_columns;
  for (int c = 0; c < COLUMNS; c++)
    if (in->position[c] < 0)
      return fail(in, "%s:1: there is no column \"%s\"", in->path, column_names[c]);
  return true;
}

static bool read_cell(csv *in, int column, const char *cell, double *out) {
  int number = in->position[column] + 1;
  char *end;
  *out = strtod(cell, &end);
  if (!*cell && column == BEDROOMS) {
    *out = NAN;
    return true;
  }
  if (!*cell)
    return fail(in, "%s:%lld: column %d (%s): the cell is empty", in->path,
                (long long)in->line_number, number, column_names[column]);
  if (*end || !isfinite(*out))
    return fail(in, "%s:%lld: column %d (%s): \"%s\" is not a number", in->path,
                (long long)in->line_number, number, column_names[column], cell);
  if (column == HOUSEHOLDS && *out <= 0)
    return fail(in, "%s:%lld: column %d (%s): %s is not greater than 0", in->path,
                (long long)in->line_number, number, column_names[column], cell);
  return true;
}

static bool read_row(csv *in) {
  if (in->rows == in->capacity) {
    int64_t capacity = in->capacity ? 2 * in->capacity : 1024;
    double *values = realloc(in->values, sizeof(double) * (size_t)(capacity * COLUMNS));
    if (!values) return fail(in, "out of memory");
    in->values = values;
    in->capacity = capacity;
  }
  double *row = in->values + in->rows * COLUMNS;
  int n = 0;
  char *rest = in->line;
  for (char *cell; (cell = strsep(&rest, ",")); n++)
    for (int c = 0; c < COLUMNS; c++)
      if (in->position[c] == n && !read_cell(in, c, cell, &row[c])) return false;
  if (n != in->file_columns)
    return fail(in, "%s:%lld: column %d: the line has %d cells, the header %d", in->path,
                (long long)in->line_number, n < in->file_columns ? n + 1 : in->file_columns + 1, n,
                in->file_columns);
  in->rows++;
  return true;
}

static int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

// Puts the median of the known bedrooms where they are missing.
static bool fill_bedrooms(csv *in) {
  double *known = malloc(sizeof(double) * (size_t)in->rows);
  if (!known) return fail(in, "out of memory");
  int64_t n = 0;
  for (int64_t i = 0; i < in->rows; i++) {
    double value = in->values[i * COLUMNS + BEDROOMS];
    if (!isnan(value)) known[n++] = value;
  }
  qsort(known, (size_t)n, sizeof(double), compare_doubles);
  double median = n ? (known[(n - 1) / 2] + known[n / 2]) / 2 : 0;
  for (int64_t i = 0; i < in->rows; i++) {
    double *value = &in->values[i * COLUMNS + BEDROOMS];
    if (isnan(*value)) *value = median;
  }
  free(known);
  return true;
}

static bool make_features(const csv *in, table *out) {
  if (!table_alloc(out, in->rows, 8)) return false;
  for (int64_t i = 0; i < in->rows; i++) {
    const double *v = in->values + i * COLUMNS;
    double x[8] = {v[INCOME],
                   v[AGE],
                   v[ROOMS] / v[HOUSEHOLDS],
                   v[BEDROOMS] / v[HOUSEHOLDS],
                   v[POPULATION],
                   v[POPULATION] / v[HOUSEHOLDS],
                   v[LATITUDE],
                   v[LONGITUDE]};
    for (int j = 0; j < 8; j++) out->x[i * 8 + j] = (float)x[j];
    out->y[i] = (float)(v[VALUE] / 100000);
  }
  return true;
}

bool table_read_housing(table *out, const char *path, char *error, int capacity) {
  csv in = {.path = path, .error = error, .error_capacity = capacity};
  bool ok = false;
  in.file = fopen(path, "r");
  if (!in.file) return fail(&in, "%s: %s", path, strerror(errno));
  if (!read_header(&in)) goto done;
  while (next_line(&in))
    if (*in.line && !read_row(&in)) goto done;
  if (ferror(in.file)) {
    fail(&in, "%s: %s", path, strerror(errno));
    goto done;
  }
  if (in.rows < 64) {
    fail(&in, "%s: %lld rows are too few: 64 at least", path, (long long)in.rows);
    goto done;
  }
  if (!fill_bedrooms(&in)) goto done;
  ok = make_features(&in, out);
  if (!ok) fail(&in, "out of memory");
done:
  (void)fclose(in.file);
  free(in.line);
  free(in.values);
  return ok;
}

// ---- shuffling and splitting
void table_shuffle(table *t, uint64_t *state) {  // Fisher & Yates
  for (int64_t i = t->rows - 1; i > 0; i--) {
    int64_t k = (int64_t)(next_random(state) % (uint64_t)(i + 1));
    float *a = t->x + i * t->features, *b = t->x + k * t->features;
    for (int64_t j = 0; j < t->features; j++) {
      float swapped = a[j];
      a[j] = b[j];
      b[j] = swapped;
    }
    float swapped = t->y[i];
    t->y[i] = t->y[k];
    t->y[k] = swapped;
  }
}

static table part(const table *all, int64_t first, int64_t rows) {
  return (table){all->x + first * all->features, all->y + first, rows, all->features};
}

static void standardise(table *all, const table *train) {
  for (int64_t j = 0; j < all->features; j++) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < train->rows; i++) sum += train->x[i * train->features + j];
    double mean = sum / (double)train->rows;
    for (int64_t i = 0; i < train->rows; i++) {
      double d = train->x[i * train->features + j] - mean;
      squares += d * d;
    }
    double deviation = sqrt(squares / (double)train->rows);
    double scale = deviation > 0 ? 1 / deviation : 1;
    for (int64_t i = 0; i < all->rows; i++) {
      float *x = &all->x[i * all->features + j];
      *x = (float)((*x - mean) * scale);
    }
  }
}

void dataset_split(dataset *out, table *all, uint64_t seed) {
  table_shuffle(all, &seed);
  int64_t train = all->rows * 9 / 16, valid = all->rows * 3 / 16;
  out->all = *all;
  out->train = part(all, 0, train);
  out->valid = part(all, train, valid);
  out->test = part(all, train + valid, all->rows - train - valid);
  standardise(&out->all, &out->train);
  *all = (table){0};
}
