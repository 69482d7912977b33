// Data sets of the demo: Friedman #1, or the California housing CSV; shuffled, split, standardised.
#ifndef REGRESSION_MLP_DATA_H
#define REGRESSION_MLP_DATA_H

#include <stdbool.h>
#include <stdint.h>

typedef struct table {
  float *x;  // [rows, features]
  float *y;  // [rows]
  int64_t rows, features;
} table;

// The three parts point into one table.
typedef struct dataset {
  table all, train, valid, test;
} dataset;

// Friedman #1 (Friedman 1991): x uniform in [0, 1), y = 10 sin(pi x0 x1) + 20 (x2 - 1/2)^2 + 10 x3
// + 5 x4 + noise. False without memory.
bool table_friedman(table *out, int64_t rows, uint64_t seed);
// Reads the housing file. On failure false, and why in error: "FILE:LINE: column 5
// (total_bedrooms): "x" is not a number".
bool table_read_housing(table *out, const char *path, char *error, int capacity);
void table_free(table *t);

// Shuffles the rows, makes the first 9/16 the train set, the next 3/16 the validation set and the
// rest the test set, and standardises the features with the train set's mean and standard
// deviation. Takes the table over.
void dataset_split(dataset *out, table *all, uint64_t seed);
void table_shuffle(table *t, uint64_t *state);

#endif
