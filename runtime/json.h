/*
 * JSON by jansson.
 */
#ifndef RUNTIME_JSON_H
#define RUNTIME_JSON_H

#include <jansson.h>

#include "dsl/str.h"

/* A string; what is not UTF-8 is made so: JSON knows nothing else. */
json_t *json_text(struct str);

/* Members; the name is static, a value that could not be made is left out. */
void json_put(json_t *object, const char *name, json_t *value);
void json_put_text(json_t *object, const char *name, struct str);
void json_put_number(json_t *object, const char *name, unsigned long long);

/* On one line, malloc'ed; NULL with no memory.  Takes the value. */
char *json_line(json_t *);

/* A member's text, empty if there is none; is a member true? */
const char *json_member(const json_t *, const char *name);
bool json_truth(const json_t *, const char *name);

#endif
