// Sinter::structures, a library over the core: what is made of several tensors. The one header to include of it.
#ifndef SINTER_STRUCTURES_H
#define SINTER_STRUCTURES_H

#include <sinter/sinter.h>

#include <sinter/structures/queue.h>
#include <sinter/structures/ragged.h>
#include <sinter/structures/sets.h>
#include <sinter/structures/sparse.h>
#include <sinter/structures/table.h>
#include <sinter/structures/tensor_array.h>

#include <sinter/structures/sites.h>

#endif
