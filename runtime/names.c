// Names and meanings of statuses, names and sizes of dtypes, the version: static text alone.
#include <sinter/tensor.h>

#ifndef SINTER_VERSION
#define SINTER_VERSION "0.0.0"
#endif

const char *sn_status_name(sn_status status) {
  switch (status) {
#define SNI_X(name, value, meaning) \
  case SN_##name:                   \
    return "SN_" #name;
    SN_STATUS_LIST(SNI_X)
#undef SNI_X
  }
  return "SN_ERR_UNKNOWN";
}

const char *sn_status_meaning(sn_status status) {
  switch (status) {
#define SNI_X(name, value, meaning) \
  case SN_##name:                   \
    return meaning;
    SN_STATUS_LIST(SNI_X)
#undef SNI_X
  }
  return "not a status of this library";
}

const char *sn_version(void) {
  return SINTER_VERSION;
}

size_t sn_dtype_size(sn_dtype dtype) {
  static const uint8_t sizes[SN_DTYPE_COUNT] = {
#define SNI_X(name, text, bytes, ctype) [SN_##name] = sizeof(ctype),
      SN_DTYPE_LIST(SNI_X)
#undef SNI_X
  };
  if (dtype == SN_STRING) return sizeof(uint64_t);
  return (unsigned)dtype < SN_DTYPE_COUNT ? sizes[dtype] : 0;
}

const char *sn_dtype_name(sn_dtype dtype) {
  static const char *const names[SN_DTYPE_COUNT] = {
#define SNI_X(name, text, bytes, ctype) [SN_##name] = text,
      SN_DTYPE_LIST(SNI_X)
#undef SNI_X
  };
  if (dtype == SN_STRING) return "string";
  return (unsigned)dtype < SN_DTYPE_COUNT ? names[dtype] : "?";
}
