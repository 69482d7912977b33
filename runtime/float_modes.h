// The host's floating-point modes are put aside while kernels run: they rely on round-to-nearest,
// denormals and masked traps.
#ifndef SNI_RUNTIME_FLOAT_MODES_H
#define SNI_RUNTIME_FLOAT_MODES_H

#if defined(__x86_64__)
#include <xmmintrin.h>

// Sets the default modes of MXCSR; returns what to give to sni_leave_float_modes, on the same
// thread.
static inline unsigned sni_enter_float_modes(void) {
  const unsigned default_modes = 0x1F80, exception_flags = 0x3F;
  unsigned host = _mm_getcsr();
  if ((host & ~exception_flags) != default_modes) _mm_setcsr(default_modes);
  return host;
}
static inline void sni_leave_float_modes(unsigned host) {
  if (_mm_getcsr() != host) _mm_setcsr(host);
}
#else
static inline unsigned sni_enter_float_modes(void) {
  return 0;
}
static inline void sni_leave_float_modes(unsigned host) {
  (void)host;
}
#endif

#endif
