/*
 * Decisions and notes as JSON: for logs and traces.
 */
#ifndef RUNTIME_DECISION_JSON_H
#define RUNTIME_DECISION_JSON_H

#include "runtime/decision.h"
#include "runtime/json.h"

/* New values.  Long texts are cut, of many recipients some are left out. */
json_t *decision_json(const struct decision_record *);
json_t *note_json(
    struct milt_session *, struct str queue_id, const struct milt_note *);

/* shadow, ignored or log. */
const char *note_word(enum milt_note_kind);

json_t *question_json(const struct question_record *);

/* The recipients that a decision is about: at RCPT the current one. */
size_t decision_recipients(const struct decision_record *);
struct str decision_recipient(const struct decision_record *, size_t i);

#endif
