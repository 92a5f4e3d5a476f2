#include "tests/property/writer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void
put(struct writer *w, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(w->text + w->n, sizeof(w->text) - w->n, format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(w->text) - w->n)
		abort();
	w->n += (size_t)n;
}
