// Sinter: a graph-compiling JIT runtime for tensors. The one header to include.
#ifndef SINTER_SINTER_H
#define SINTER_SINTER_H

#include <sinter/composite.h>
#include <sinter/context.h>
#include <sinter/control.h>
#include <sinter/dlpack.h>
#include <sinter/function.h>
#include <sinter/gradient.h>
#include <sinter/graph.h>
#include <sinter/host.h>
#include <sinter/npy.h>
#include <sinter/op_info.h>
#include <sinter/ops.h>
#include <sinter/status.h>
#include <sinter/string.h>
#include <sinter/tensor.h>
#include <sinter/variable.h>
#include <sinter/vectorize.h>

#endif
