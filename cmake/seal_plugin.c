// Run on the plugin when it has been linked: writes the seal by which the core knows a whole file.
#include "codegen/plugin_file.h"

#include <stdio.h>

int main(int argc, char **argv) {
  char reason[300];
  if (argc != 2) return 2;
  if (sni_plugin_file_seal(argv[1], reason, sizeof(reason)) &&
      sni_plugin_file_check(argv[1], reason, sizeof(reason)))
    return 0;
  fprintf(stderr, "%s\n", reason);
  return 1;
}
