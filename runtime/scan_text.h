/*
 * Candidates among the tests of a probe for texts (`contains` and the like):
 * each text has a literal, which the scan of a value must find.
 */
#ifndef RUNTIME_SCAN_TEXT_H
#define RUNTIME_SCAN_TEXT_H

#include "dsl/status.h"
#include "runtime/image.h"

struct scan_cache;
struct scan_table;

/* Is there a literal of the text with which a test of that opcode compares? */
bool scan_text_usable(uint8_t op, struct str text);

/* A table for each PROBE_TEXTS in im->scan->texts.  MILT_NO_MEMORY. */
enum milt_status scan_texts_build(struct milt_image *im);
void scan_texts_free(struct milt_image *im);

/*
 * The probe's patterns, counted from its first, that the text may hold: the
 * cache's hits, and those of table->residual.  False with no memory.
 */
bool scan_texts(struct scan_cache *, const struct scan_table *,
    const struct image_probe *, struct str text);

#endif
