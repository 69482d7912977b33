// Contexts: where tensors live, errors wait and compiled code is kept.
#ifndef SINTER_CONTEXT_H
#define SINTER_CONTEXT_H

#include <sinter/status.h>

#include <stdbool.h>

SNI_EXTERN_C_BEGIN

// Thread-compatible: one thread at a time. Contexts without a .share relation are independent. A
// thread that finds another one at work in the context is refused: it gets SN_ERR_STATE or the error
// tensor, nothing is done, and the next boundary function of either says so. A forked child may use
// those in which, and in whose siblings, no other thread was at work; they start threads anew.
typedef struct sn_context sn_context;

// Every byte of the library's own memory goes through one function, shaped like realloc:
// new_size 0 frees; ptr NULL allocates; NULL is returned on failure and ptr then stays valid.
// align is a power of two. Thread-safe: it may be called from several threads at once.
typedef struct sn_allocator {
  void *(*reallocate)(void *user, void *ptr, size_t old_size, size_t new_size, size_t align);
  void *user;
} sn_allocator;

// DEBUG: what is traced and compiled. INFO: functions that are traced again, with the reason.
// WARNING: no LLVM plugin where one was to be used; kernels that it refused; functions that are
// traced again and again. Errors are not logged: they are statuses.
typedef enum sn_log_level { SN_LOG_DEBUG, SN_LOG_INFO, SN_LOG_WARNING } sn_log_level;
// Called on the thread that logs, possibly while the library holds locks: it must not call Sinter.
// The text is valid during the call only.
typedef void (*sn_log_callback)(void *user, sn_log_level level, const char *text);

// The host's own thread pool. Must call task(task_user, i) for each i in [0, count), in any order,
// on any threads, and return when all have returned. concurrency: how many run at a time.
typedef struct sn_executor {
  void (*parallel_for)(void *user, int64_t count, void (*task)(void *task_user, int64_t i),
                       void *task_user);
  void *user;
  int concurrency;
} sn_executor;

typedef enum sn_backend {
  SN_BACKEND_AUTO,         // LLVM where its plugin loads, otherwise the interpreter
  SN_BACKEND_INTERPRETER,  // never loads LLVM
  SN_BACKEND_LLVM,         // a missing plugin is an error at the first compile
} sn_backend;

// Who computes large matmuls of floats. 1 is SN_MATMUL_OWN, too: SN_BLAS_NONE of earlier headers.
typedef enum sn_matmul_mode {
  // The same bits in every mode, at any size, on any number of threads.
  SN_MATMUL_OWN = 0,
  // In compiled functions a usable OpenBLAS: it rounds in orders of its own.
  SN_MATMUL_LIBRARY = 2,
} sn_matmul_mode;

// Zero means default, in every field.
typedef struct sn_context_options {
  size_t size;        // sizeof(sn_context_options); filled in by the macro
  sn_context *share;  // sibling: shares pool, caches, functions and variables with this context
  sn_allocator allocator;  // reallocate NULL: the C library's
  size_t memory_limit;     // bytes; 0: none. An allocation beyond it is SN_ERR_MEMORY
  int threads;             // 0: min(affinity mask, cgroup quota). 1: never starts a thread
  sn_executor executor;    // parallel_for NULL: own pool
  sn_log_callback log;     // NULL: silent
  void *log_user;
  sn_backend backend;
  sn_matmul_mode matmul;
  // Path of libsinter-llvm.so; copied. NULL: beside the library, then the folders of its rpath, of
  // LD_LIBRARY_PATH and of the system. A file that is not whole is not loaded.
  const char *plugin_path;
  const char *blas_path;  // of the OpenBLAS library; copied; NULL: the usual names
  uint64_t seed;  // of the context's random generator; siblings with equal seeds draw equal numbers
  // Every function that is traced in this context is as one of that option (function.h), and an eager op whose result holds NaN or infinities which no
  // operand holds is SN_ERR_NONFINITE (pending).
  bool debug_nonfinite;
} sn_context_options;

// Creates a context; *out_context is NULL after an error. Errors: SN_ERR_MEMORY, SN_ERR_ARGUMENT.
// There is no context yet that could hold a message: the status says everything.
SN_API SN_MUST_USE sn_status sn_context_create_opts(const sn_context_options *options,
                                                    sn_context **out_context);
// Destroys the context and every tensor that it still owns. NULL is accepted. Siblings live on;
// functions and variables of the family die with their last reference. What is left of the context's
// own may still be ended, released and destroyed: scopes, frames, tapes, kept tensors, functions,
// runners. Results that were not kept are gone: they must not be used any more. In one of its callbacks it is refused: SN_ERR_STATE (pending), the context lives on.
SN_API void sn_context_destroy(sn_context *context);

// Boundary function: returns and clears the pending error. The message stays until the next error.
// Errors: the pending one; SN_ERR_ARGUMENT for NULL.
SN_API SN_MUST_USE sn_status sn_check(sn_context *context);
// Text of the latest error of this context ("" if there was none): op, shapes, dtypes, rule and
// file:line. Borrowed; valid until the next error or the context's end.
SN_API const char *sn_error_message(const sn_context *context);
// Status of the pending error (SN_OK if none), without clearing it.
SN_API sn_status sn_pending_error(const sn_context *context);
// Records an error of the caller's own (a callback's, say), as a failing op does: behind the text its
// message has the line of this call, or of the outermost open frame. Returns status. Keeps an error
// already pending.
SN_API sn_status sn_fail(sn_context *context, sn_status status, const char *format, ...)
    SNI_PRINTF(3, 4);
// The same, for a function that is given its caller's line; file NULL: no line.
SN_API sn_status sn_fail_at(sn_context *context, sn_status status, const char *file, int line,
                            const char *format, ...) SNI_PRINTF(5, 6);
#define sn_fail(context, status, ...) sn_fail_at(context, status, __FILE__, __LINE__, __VA_ARGS__)

typedef struct sn_memory_stats {
  size_t size;           // in: sizeof(sn_memory_stats)
  size_t bytes;          // held now through the allocator, by the whole family
  size_t peak_bytes;     // highest value of bytes
  size_t cached_bytes;   // of these: free buffers kept for reuse
  uint64_t allocations;  // calls of the allocator that asked for memory
} sn_memory_stats;
// Fills as much of *out_stats as its size says.
SN_API void sn_context_memory(const sn_context *context, sn_memory_stats *out_stats);
// Gives back to the allocator what is kept for reuse alone: free buffers, what this context keeps of
// eager ops (each is prepared anew, in some microseconds, when it is next called), and compiled
// kernels that no function uses any more.
SN_API void sn_context_trim(sn_context *context);

// At most so many threads, the calling one included, work on each call that begins in this context from
// now on: sn_call, eager ops, runners made later with threads 0. 0, or more than the context was created
// with: all of those. Siblings have limits of their own. The same bits with any number. For one call set it
// before and back to 0 behind. Errors: SN_ERR_ARGUMENT (pending; negative).
SN_API void sn_context_set_threads(sn_context *context, int threads);

// What this process runs on: filled strings live as long as the context.
typedef struct sn_system_info {
  size_t size;  // in: sizeof(sn_system_info)
  const char *cpu_name;
  const char *cpu_features;  // space-separated
  int vector_bits;           // widest vector registers used for f32
  int threads;               // that the context was created with
  const char *llvm_version;  // NULL: no plugin; llvm_status says why
  const char *llvm_status;   // "loaded" or the reason it is not
  const char *blas_name;     // NULL: none usable
  const char *blas_core;     // core type that OpenBLAS runs
  const char *blas_status;   // "loaded" or the reason it is not used
  int64_t cache_bytes[3];    // L1d, L2, L3; 0 unknown
} sn_system_info;
// Loads the LLVM plugin, and OpenBLAS where .matmul asks for it, if that has not happened yet, to tell
// what they are.
SN_API void sn_context_system_info(sn_context *context, sn_system_info *out_info);

// Scopes own op results: a result belongs to the innermost open scope of its context, else to the
// context. A handle ends its own scope or nothing: ended twice, after a scope around it, or after
// its context, it does no harm.
typedef struct sn_scope {
  struct sni_anchor *anchor;
  uint32_t mark, generation;
} sn_scope;
// Opens a scope; without memory for it there is none, and results go to the one around.
SN_API sn_scope sn_scope_begin(sn_context *context);
// The same for a handle that is sure to be ended, as that of SN_SCOPE, which calls it.
SN_API sn_scope sn_scope_guard(sn_context *context);
// Ends the scope and those still open inside it: results that were not kept or escaped die, and
// using one from then on is SN_ERR_STATE (for as long as its memory has not come to be another
// result: a hundred results or so; sn_context_trim gives it away at once). A scope that was opened
// around a callback cannot end in it: SN_ERR_STATE (pending).
SN_API void sn_scope_end(sn_scope scope);

// Frames name composed functions: an op, a layer or a loss that is written outside the library, over
// the public API. While one is open, an error in it is named by it and by the frames inside it, the
// outermost first ("encoder: dense: sn_matmul: ..."), and has one line, as the nodes of a trace have
// that are made in it: that of the outermost frame, or that of its caller where a macro of the
// function's name brings it, as the ops' do:
//
//   static sn_tensor *dense(sn_tensor *x, sn_tensor *w, sn_tensor *b) {
//     SN_FRAME(sn_context_of(x), "dense");
//     return sn_relu(sn_add(sn_matmul(x, w), b));
//   }
//   #define dense(x, w, b) SN_AT(dense(x, w, b))
//
// In a callback none is open but those that are begun in it. A handle is as harmless as a scope's.
typedef struct sn_frame {
  struct sni_anchor *anchor;
  uint32_t depth, generation;
} sn_frame;
// Opens a frame. name and file are borrowed (literals). Of more than 32 that are open at a time the
// inner ones have no name.
SN_API sn_frame sn_frame_begin(sn_context *context, const char *name, const char *file, int line);
// Ends the frame and those still open inside it.
SN_API void sn_frame_end(sn_frame frame);

#define SNI_CONCAT2(a, b) a##b
#define SNI_CONCAT(a, b) SNI_CONCAT2(a, b)
SNI_EXTERN_C_END

#ifdef __cplusplus
struct sni_scope_guard {
  sn_scope scope;
  explicit sni_scope_guard(sn_context *context) : scope(sn_scope_guard(context)) {}
  ~sni_scope_guard() { sn_scope_end(scope); }
  sni_scope_guard(const sni_scope_guard &) = delete;
  sni_scope_guard &operator=(const sni_scope_guard &) = delete;
};
#define SN_SCOPE(context) sni_scope_guard SNI_CONCAT(sni_scope_, __LINE__)(context)
struct sni_frame_guard {
  sn_frame frame;
  sni_frame_guard(sn_context *context, const char *name, const char *file, int line)
      : frame(sn_frame_begin(context, name, file, line)) {}
  ~sni_frame_guard() { sn_frame_end(frame); }
  sni_frame_guard(const sni_frame_guard &) = delete;
  sni_frame_guard &operator=(const sni_frame_guard &) = delete;
};
#define SN_FRAME_AT(context, name, file, line) \
  sni_frame_guard SNI_CONCAT(sni_frame_, __LINE__)(context, name, file, line)
static inline sn_status sn_context_create(sn_context **out_context,
                                          sn_context_options options = sn_context_options()) {
  options.size = sizeof(options);
  return sn_context_create_opts(&options, out_context);
}
#else
static inline void sni_scope_cleanup(sn_scope *scope) {
  sn_scope_end(*scope);
}
// A declaration: break, return, continue and goto all end the scope.
#define SN_SCOPE(context)                                                                         \
  __attribute__((cleanup(sni_scope_cleanup), unused)) sn_scope SNI_CONCAT(sni_scope_, __LINE__) = \
      sn_scope_guard(context)
static inline void sni_frame_cleanup(sn_frame *frame) {
  sn_frame_end(*frame);
}
#define SN_FRAME_AT(context, name, file, line)                                                    \
  __attribute__((cleanup(sni_frame_cleanup), unused)) sn_frame SNI_CONCAT(sni_frame_, __LINE__) = \
      sn_frame_begin(context, name, file, line)
// sn_context_create(&context, .threads = 2, ...)
#define sn_context_create(...) SNI_CONTEXT_CREATE(__VA_ARGS__, .size = sizeof(sn_context_options))
#define SNI_CONTEXT_CREATE(out, ...) sn_context_create_opts(&(sn_context_options){__VA_ARGS__}, out)
#endif
// A declaration, as SN_SCOPE: the frame of the block that it stands in. _AT: for a function that is
// given its caller's line.
#define SN_FRAME(context, name) SN_FRAME_AT(context, name, __FILE__, __LINE__)

#endif
