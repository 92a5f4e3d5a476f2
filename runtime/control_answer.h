/*
 * What the control socket answers.  New values; NULL with no memory.
 */
#ifndef RUNTIME_CONTROL_ANSWER_H
#define RUNTIME_CONTROL_ANSWER_H

#include <jansson.h>

json_t *control_status(void);
json_t *control_rules(void);
json_t *control_reload(void);

#endif
