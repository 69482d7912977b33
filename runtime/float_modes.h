// The host's floating-point modes are put aside while kernels run, while code is made, and where
// numbers are converted: those rely on round-to-nearest, denormals and masked traps.
#ifndef SNI_RUNTIME_FLOAT_MODES_H
#define SNI_RUNTIME_FLOAT_MODES_H

#include <fenv.h>

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

// Keeps the computation of x between an enter and a leave: to the compiler, modes are no operands.
#if defined(__x86_64__)
#define SNI_PIN_FLOAT(x) __asm__ volatile("" : "+x"(x))
#else
#define SNI_PIN_FLOAT(x) __asm__ volatile("" : "+m"(x))
#endif

// To nearest, ties to even, whatever the host has set.
static inline float sni_float_of(double value) {
  const unsigned host = sni_enter_float_modes();
  SNI_PIN_FLOAT(value);
  float rounded = (float)value;
  SNI_PIN_FLOAT(rounded);
  sni_leave_float_modes(host);
  return rounded;
}

// And back: a host that takes denormals for zeros would lose them.
static inline double sni_double_of(float value) {
  const unsigned host = sni_enter_float_modes();
  SNI_PIN_FLOAT(value);
  double wide = (double)value;
  SNI_PIN_FLOAT(wide);
  sni_leave_float_modes(host);
  return wide;
}

// The same for numbers as text: the C library's conversions ask for the rounding mode, and on x86
// find it in the older unit.
typedef struct sni_text_modes {
  int direction;
  unsigned modes;
} sni_text_modes;
static inline sni_text_modes sni_enter_text_modes(void) {
  const sni_text_modes host = {fegetround(), sni_enter_float_modes()};
  if (host.direction != FE_TONEAREST) (void)fesetround(FE_TONEAREST);
  return host;
}
static inline void sni_leave_text_modes(sni_text_modes host) {
  if (host.direction != FE_TONEAREST) (void)fesetround(host.direction);
  sni_leave_float_modes(host.modes);
}

#endif
