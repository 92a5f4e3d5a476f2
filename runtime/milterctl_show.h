/* What milterctl makes of the answers, on standard output. */
#ifndef RUNTIME_MILTERCTL_SHOW_H
#define RUNTIME_MILTERCTL_SHOW_H

#include "runtime/json.h"

void show_status(const json_t *answer);
void show_rules(const json_t *answer);
void show_transaction(const json_t *line);

#endif
