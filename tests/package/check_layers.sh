#!/bin/sh
# check_layers.sh SOURCE: each folder includes only itself and lower ones, and the library neither ends nor surprises its host.
set -eu
cd "$1"
bad=0

# complain MATCHES RULE
complain() {
  [ -z "$1" ] || { printf '%s:\n%s\n' "$2" "$1"; bad=1; }
}

components='structures|text'  # libraries over the public headers
allowed=
for layer in runtime graph codegen passes frontend; do
  allowed="$allowed${allowed:+|}$layer"
  [ -d "$layer" ] || continue
  complain "$(grep -rnE --include='*.[ch]' '^[[:space:]]*#[[:space:]]*include[[:space:]]+"' "$layer" |
    grep -vE "^frontend/($components)/" | grep -vE "include[[:space:]]+\"($allowed)/" || true)" "$layer/ may include only ($allowed)/ and <sinter/...>"
done
for component in $(echo "$components" | tr '|' ' '); do
  complain "$(grep -rnE --include='*.[ch]' '^[[:space:]]*#[[:space:]]*include[[:space:]]+"' "frontend/$component" |
    grep -vE "include[[:space:]]+\"frontend/$component/" || true)" "frontend/$component/ may include only itself and <sinter/...>"
  complain "$(grep -rnE --include='*.[ch]' "include[[:space:]]+[\"<](frontend/$component/|sinter/$component)" runtime graph codegen passes frontend include/sinter/*.h include/sinter/ops |
    grep -vE "^(frontend/($components)/|include/sinter/($components)\.h)" || true)" "the core may not include $component"
done
complain "$(grep -rnE '^[[:space:]]*#[[:space:]]*include' include | grep -vE '<(sinter/([a-z]+/)?[a-z_]+\.h|std[a-z]+\.h|initializer_list)>' || true)" \
  "public headers include only each other and the standard headers std*.h"
complain "$(grep -rnE --include='*.c' '\b(abort|exit|_exit|quick_exit|atexit|printf|puts|perror|getenv|setenv|putenv|system|popen|fork)[[:space:]]*\(' \
  runtime graph codegen passes frontend | grep -vE ':[0-9]+:[[:space:]]*//' || true)" \
  "the library calls nothing that ends the process, prints or reads the environment"
complain "$(grep -rlE --include='*.[ch]' '#[[:space:]]*include[[:space:]]+".*\.c"' runtime graph codegen passes frontend || true)" \
  "no file includes a .c file"
exit $bad
