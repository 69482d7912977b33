// One element of any dtype on the host, exactly: constants, fills, folding, text and what is read.
#ifndef SNI_RUNTIME_SCALAR_H
#define SNI_RUNTIME_SCALAR_H

#include "runtime/dtype.h"

// f holds the floats (each dtype's values are doubles) and the real parts of complex numbers, i the
// integers and bool (0 or 1); of u64 the bits.
typedef struct sni_scalar {
  sn_dtype dtype;
  union {
    struct {
      double f;
      double im;  // of complex numbers alone
    };
    int64_t i;
  };
} sni_scalar;
// Room for an element of any dtype.
typedef struct sni_element {
  _Alignas(8) unsigned char bytes[16];
} sni_element;

// Element i of row-major data, and back. Storing rounds floats to nearest, whatever modes the host
// has set, and wraps integers.
sni_scalar sni_scalar_load(sn_dtype dtype, const void *data, int64_t i);
void sni_scalar_store(sni_scalar value, void *data, int64_t i);
// As the op CAST: floats to integers truncate and saturate, NaN gives 0; integers wrap; to bool:
// != 0; what becomes a float is rounded once, and so is each part of what becomes complex. Of a complex
// number that becomes a real one the real part is left.
sni_scalar sni_scalar_cast(sni_scalar value, sn_dtype dtype);
// The same of a number that the dtype need not have.
sni_scalar sni_scalar_of(sn_dtype dtype, double value);
// Nearly: integers of more than 53 bits are rounded. Of a complex one the real part.
double sni_scalar_value(sni_scalar value);
// The least and the greatest of a dtype that is ordered: infinities, the ends of the integers, false and true.
sni_scalar sni_scalar_least(sn_dtype dtype);
sni_scalar sni_scalar_greatest(sn_dtype dtype);

#endif
