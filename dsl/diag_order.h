/* The order in which diagnostics are shown. */
#ifndef DSL_DIAG_ORDER_H
#define DSL_DIAG_ORDER_H

#include "dsl/diag.h"

/* By file and place; those without a place first.  Equals keep their order. */
void diags_sort(struct diags *);

#endif
