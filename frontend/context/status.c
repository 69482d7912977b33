// Names and meanings of statuses, the version: static text alone.
#include <sinter/status.h>

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
