/* Asking for facts: one row for each attribute says who answers. */
#include "runtime/facts_get.h"

/* A row with neither part nor count is a single value. */
struct row {
	facts_getter *get;
	facts_counter *count; /* collections */
	unsigned holder;      /* addresses: enum holder */
	enum part part;
};

#define ADDRESS(ID, holder, part) \
	[ATTR_##ID] = { facts_get_address, facts_count_address, holder, part }
#define ADDRESS_PARTS(ID, holder)                        \
	ADDRESS(ID, holder, PART_ADDRESS),               \
	    ADDRESS(ID##_ADDRESS, holder, PART_ADDRESS), \
	    ADDRESS(ID##_LOCAL, holder, PART_LOCAL),     \
	    ADDRESS(ID##_DOMAIN, holder, PART_DOMAIN),   \
	    ADDRESS(ID##_ORG_DOMAIN, holder, PART_ORG)
#define ENVELOPE(ID, holder)                                              \
	ADDRESS_PARTS(ID, holder), ADDRESS(ID##_USER, holder, PART_USER), \
	    ADDRESS(ID##_DETAIL, holder, PART_DETAIL)
#define HEADER_FIELD(ID, holder) \
	ADDRESS_PARTS(ID, holder), ADDRESS(ID##_NAME, holder, PART_NAME)
#define ONE(ID, get) [ATTR_##ID] = { get, NULL, 0, 0 }
#define MANY(ID, get, count) [ATTR_##ID] = { get, count, 0, 0 }

static const struct row rows[ATTR_COUNT] = {
	ONE(CLIENT_IP, facts_get_client),
	ONE(CLIENT_PORT, facts_get_client),
	ONE(CLIENT_NAME, facts_get_client),
	ONE(CLIENT_ORG_DOMAIN, facts_get_client),
	ONE(CLIENT_REVERSE_NAME, facts_get_reverse_name),
	ONE(CLIENT_NETWORK, facts_get_client),
	ONE(DAEMON_NAME, facts_get_macro),
	ONE(DAEMON_IP, facts_get_macro),
	ONE(DAEMON_PORT, facts_get_macro),
	ONE(MTA_NAME, facts_get_macro),
	ONE(MTA_VERSION, facts_get_macro),
	ONE(NOW, facts_get_clock),
	ONE(NOW_HOUR, facts_get_clock),
	ONE(NOW_WEEKDAY, facts_get_clock),
	ONE(NOW_DATE, facts_get_clock),
	ONE(HELO, facts_get_client),
	ONE(HELO_ORG_DOMAIN, facts_get_client),
	ONE(TLS_PROTOCOL, facts_get_macro),
	ONE(TLS_CIPHER, facts_get_macro),
	ONE(TLS_BITS, facts_get_macro),
	ONE(TLS_VERIFIED, facts_get_tls_verified),
	ONE(TLS_CLIENT_SUBJECT, facts_get_macro),
	ONE(TLS_CLIENT_ISSUER, facts_get_macro),
	ENVELOPE(SENDER, HOLDER_SENDER),
	MANY(SENDER_PARAMETERS, facts_get_parameter, facts_count_parameters),
	ONE(DECLARED_SIZE, facts_get_size),
	ONE(SASL_USERNAME, facts_get_macro),
	ONE(SASL_METHOD, facts_get_macro),
	ONE(SASL_SENDER, facts_get_macro),
	ENVELOPE(RECIPIENT, HOLDER_RECIPIENT),
	MANY(RECIPIENT_PARAMETERS, facts_get_parameter, facts_count_parameters),
	ENVELOPE(RECIPIENTS, HOLDER_RECIPIENTS),
	ONE(QUEUE_ID, facts_get_macro),
	MANY(HEADER, facts_get_header, facts_count_header),
	MANY(RAW_HEADER, facts_get_header, facts_count_header),
	MANY(ALL_HEADERS, facts_get_field, facts_count_fields),
	MANY(ALL_HEADERS_NAME, facts_get_field, facts_count_fields),
	MANY(ALL_HEADERS_VALUE, facts_get_field, facts_count_fields),
	HEADER_FIELD(HEADER_FROM, HOLDER_FIELDS + FIELD_FROM),
	HEADER_FIELD(HEADER_SENDER, HOLDER_FIELDS + FIELD_SENDER),
	HEADER_FIELD(HEADER_REPLY_TO, HOLDER_FIELDS + FIELD_REPLY_TO),
	HEADER_FIELD(HEADER_TO, HOLDER_FIELDS + FIELD_TO),
	HEADER_FIELD(HEADER_CC, HOLDER_FIELDS + FIELD_CC),
	ONE(HEADER_SUBJECT, facts_get_named),
	ONE(HEADER_MESSAGE_ID, facts_get_named),
	ONE(HEADER_DATE, facts_get_date),
	ONE(HEADER_DATE_AGE, facts_get_date),
	ONE(HEADER_LIST_ID, facts_get_named),
	MANY(SPF, facts_get_result, facts_count_results),
	MANY(SPF_DOMAIN, facts_get_result_domain, facts_count_results),
	MANY(SPF_ORG_DOMAIN, facts_get_result_domain, facts_count_results),
	MANY(DKIM, facts_get_result, facts_count_results),
	MANY(DKIM_DOMAIN, facts_get_result_domain, facts_count_results),
	MANY(DKIM_ORG_DOMAIN, facts_get_result_domain, facts_count_results),
	MANY(DMARC, facts_get_result, facts_count_results),
	ONE(DMARC_POLICY, facts_get_result_policy),
	MANY(ARC, facts_get_result, facts_count_results),
	ONE(ARC_DOMAIN, facts_get_result_domain),
	ONE(ARC_ORG_DOMAIN, facts_get_result_domain),
	ONE(BODY_RAW, facts_get_body),
	ONE(BODY_SIZE, facts_get_size),
	ONE(MESSAGE_SIZE, facts_get_size),
	ONE(MESSAGE_MALFORMED, facts_get_broken),
	ONE(BODY_TEXT, facts_get_text),
	ONE(BODY_HTML, facts_get_text),
	ONE(BODY_TRUNCATED, facts_get_truncated),
	MANY(PART, facts_get_part, facts_count_parts),
	MANY(PART_TYPE, facts_get_part, facts_count_parts),
	MANY(PART_CHARSET, facts_get_part, facts_count_parts),
	MANY(PART_NAME, facts_get_part, facts_count_parts),
	MANY(PART_DISPOSITION, facts_get_part, facts_count_parts),
	MANY(PART_SIZE, facts_get_part, facts_count_parts),
	MANY(PART_DEPTH, facts_get_part, facts_count_parts),
	MANY(FILE, facts_get_file, facts_count_files),
	MANY(FILE_NAME, facts_get_file, facts_count_files),
	MANY(FILE_EXTENSION, facts_get_file, facts_count_files),
	MANY(FILE_EXTENSIONS, facts_get_file, facts_count_files),
	MANY(FILE_TYPE, facts_get_file, facts_count_files),
	MANY(FILE_KIND, facts_get_file, facts_count_files),
	MANY(FILE_SIZE, facts_get_file, facts_count_files),
	MANY(FILE_SHA256, facts_get_file, facts_count_files),
	MANY(FILE_TEXT, facts_get_file, facts_count_files),
	MANY(FILE_ENCRYPTED, facts_get_file, facts_count_files),
	MANY(FILE_HAS_MACROS, facts_get_file, facts_count_files),
	MANY(FILE_DEPTH, facts_get_file, facts_count_files),
	MANY(FILE_TOO_LARGE, facts_get_file, facts_count_files),
	MANY(FILE_TOO_DEEP, facts_get_file, facts_count_files),
	MANY(FILE_MALFORMED, facts_get_file, facts_count_files),
	MANY(URL, facts_get_url, facts_count_urls),
	MANY(URL_HOST, facts_get_url, facts_count_urls),
	MANY(URL_DOMAIN, facts_get_url, facts_count_urls),
	MANY(URL_ORG_DOMAIN, facts_get_url, facts_count_urls),
	MANY(URL_PATH, facts_get_url, facts_count_urls),
	MANY(URL_TEXT, facts_get_url, facts_count_urls),
	MANY(URL_DECEPTIVE, facts_get_url, facts_count_urls),
	ONE(MACRO, facts_get_macro),
};

enum fact_state
facts_cell_value(const struct cell *c, struct fact_value *out)
{
	if (!c || !c->text.p)
		return FACT_MISSING;
	out->text = c->text;
	out->memo = c;
	return FACT_THERE;
}

unsigned
facts_holder(enum milt_attr attr, enum part *part)
{
	*part = rows[attr].part;
	return rows[attr].holder;
}

enum fact_state
facts_get(struct facts *f, enum milt_attr attr, struct str key, size_t i,
    struct fact_value *out)
{
	struct fact_value v = { .type = attr_rows[attr].type,
		.text = { "", 0 } };
	enum fact_state state;

	if (!rows[attr].get || (i > 0 && !attr_rows[attr].many))
		return FACT_MISSING;
	state = rows[attr].get(f, attr, key, i, &v);
	if (state == FACT_THERE || state == FACT_PARTIAL)
		*out = v;
	return state;
}

enum fact_state
facts_count(struct facts *f, enum milt_attr attr, struct str key, size_t *out)
{
	struct fact_value v;
	enum fact_state state;

	*out = 0;
	if (attr_rows[attr].many && rows[attr].count)
		return rows[attr].count(f, attr, key, out);
	state = facts_get(f, attr, key, 0, &v);
	*out = state == FACT_THERE || state == FACT_PARTIAL;
	return state;
}

enum fact_state
facts_malformed(struct facts *f, enum milt_attr attr, bool *out)
{
	*out = false;
	if (rows[attr].holder >= HOLDER_FIELDS) {
		struct addresses *a =
		    facts_addresses(f, rows[attr].holder - HOLDER_FIELDS);

		if (!a)
			return FACT_FAILED;
		*out = a->malformed;
	} else if (rows[attr].get == facts_get_date) {
		struct named *date = facts_date(f);

		if (!date)
			return FACT_FAILED;
		*out = date->malformed;
	}
	return FACT_THERE;
}
