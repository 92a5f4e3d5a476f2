/* Who answers for which attribute.  Private to runtime/facts*.c. */
#ifndef RUNTIME_FACTS_GET_H
#define RUNTIME_FACTS_GET_H

#include "runtime/facts_state.h"

/*
 * Getters get *out with the attribute's type and an empty text, and fill in
 * what they know.
 */
typedef enum fact_state facts_getter(struct facts *, enum milt_attr,
    struct str key, size_t i, struct fact_value *out);
typedef enum fact_state facts_counter(
    struct facts *, enum milt_attr, struct str key, size_t *out);

/* Where addresses are held. */
enum holder {
	HOLDER_NONE,
	HOLDER_SENDER,
	HOLDER_RECIPIENT,
	HOLDER_RECIPIENTS,
	HOLDER_FIELDS, /* and enum address_field added to it */
};

/* Holder and part of an attribute that is (part of) an address. */
unsigned facts_holder(enum milt_attr, enum part *);

/* The text of a cell; missing where there is none. */
enum fact_state facts_cell_value(const struct cell *, struct fact_value *out);

/* facts_envelope.c */
facts_getter facts_get_client, facts_get_reverse_name, facts_get_macro,
    facts_get_clock, facts_get_tls_verified, facts_get_parameter,
    facts_get_size;
facts_counter facts_count_parameters;

/* facts_content.c */
facts_getter facts_get_address, facts_get_header, facts_get_field,
    facts_get_named, facts_get_date, facts_get_body;
facts_counter facts_count_address, facts_count_header, facts_count_fields;

/* facts_authres.c */
facts_getter facts_get_result, facts_get_result_domain, facts_get_result_policy;
facts_counter facts_count_results;

/* facts_mime.c */
facts_getter facts_get_text, facts_get_truncated, facts_get_broken,
    facts_get_part, facts_get_file, facts_get_url;
facts_counter facts_count_parts, facts_count_files, facts_count_urls;

#endif
