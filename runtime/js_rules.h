/* The js rules of an image, for JavaScript (addon/lib/hooks.mjs). */
#ifndef RUNTIME_JS_RULES_H
#define RUNTIME_JS_RULES_H

#include "runtime/image.h"
#include "runtime/json.h"

/*
 * An array of objects: `index` in the image, `name`, `source` and `line` of the
 * rule, and either `file` and `function`, or `code` and its `codeLine`.
 */
json_t *js_rules_json(const struct milt_image *);

#endif
