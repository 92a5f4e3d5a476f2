#include "runtime/why.h"

#include <stdarg.h>
#include <stdio.h>

bool
why_not(char *why, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, size, fmt, ap);
	va_end(ap);
	return false;
}
