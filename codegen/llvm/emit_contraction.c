#include "codegen/llvm/emit.h"
bool sni_emit_contraction_unit(sni_emitter *e, LLVMValueRef m_first, LLVMValueRef m_last,
                               LLVMValueRef n_first, LLVMValueRef n_last){
  (void)m_first;(void)m_last;(void)n_first;(void)n_last;
  return sni_fail_emission(e,"contraction");
}
