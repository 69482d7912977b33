// Sinter::text, a library over the core: functions of strings. The one header to include of it.
#ifndef SINTER_TEXT_H
#define SINTER_TEXT_H

#include <sinter/structures.h>

#include <sinter/text/convert.h>
#include <sinter/text/regex.h>
#include <sinter/text/text.h>
#include <sinter/text/unicode.h>

#include <sinter/text/sites.h>

#endif
