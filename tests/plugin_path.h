// Where the build folder's plugin lies: a variable, so that the objects of tests are the same in each folder.
#ifndef SINTER_TESTS_PLUGIN_PATH_H
#define SINTER_TESTS_PLUGIN_PATH_H

extern const char sinter_plugin_path[];
#define SINTER_PLUGIN_PATH sinter_plugin_path

#endif
