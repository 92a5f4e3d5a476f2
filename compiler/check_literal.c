#include "compiler/passes.h"

static bool
has_letter(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] >= 'a' && s.p[i] <= 'z') ||
		    (s.p[i] >= 'A' && s.p[i] <= 'Z') || (s.p[i] & 0x80))
			return true;
	return false;
}

/* A domain that nobody would take for a badly written address. */
static bool
is_clear_domain(struct str s)
{
	size_t dot = s.n;

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '.')
			dot = i;
	return dot < s.n && has_letter(str_skip(s, dot)) && domain_is_valid(s);
}

static bool
is_network(struct str s)
{
	struct ip_range range;
	bool masked;

	return network_parse(s, &range, &masked);
}

static bool
is_unsigned(struct str s, bool (*parse)(struct str, long long *))
{
	long long n;

	return parse(s, &n) && n >= 0;
}

/* Is the text that of a value of `type`? */
static bool
text_fits(enum milt_type type, struct str s)
{
	struct ip ip;
	long long n;

	switch (type) {
	case TYPE_TEXT:
		return utf8_is_valid(s);
	case TYPE_DOMAIN:
		return domain_is_valid(s) && !is_network(s);
	case TYPE_ADDRESS:
		return s.n == 0 || str_eq(s, STR("<>")) || mailbox_is_valid(s);
	case TYPE_NETWORK:
		return is_network(s);
	case TYPE_IP:
		return ip_parse(s, &ip);
	case TYPE_NUMBER:
		return literal_number(s, &n);
	case TYPE_SIZE:
		return is_unsigned(s, literal_size);
	case TYPE_DURATION:
		return literal_duration(s, &n);
	case TYPE_TIME:
		return time_parse(s, &n);
	case TYPE_DATE:
		return date_parse(s, &n);
	case TYPE_WEEKDAY:
		return literal_weekday(s, &n);
	case TYPE_RESULT:
		return literal_result(s, &n);
	case TYPE_BOOLEAN:
		return literal_boolean(s, &n);
	case TYPE_NONE:
	case TYPE_RECORD:
	case TYPE_COUNT:
		break;
	}
	return false;
}

/*
 * Is a literal so written a value of `type`, if its text is?  `bare`: in
 * braces and behind `in` and `under`.
 */
static bool
kind_fits(enum milt_type type, enum value_kind kind, bool bare)
{
	switch (type) {
	case TYPE_TEXT:
		return kind == VALUE_STRING ||
		       (bare && (kind == VALUE_NAME || kind == VALUE_ATOM));
	case TYPE_DOMAIN:
		return kind == VALUE_STRING ||
		       (bare && (kind == VALUE_NAME || kind == VALUE_ATOM));
	case TYPE_ADDRESS:
		return kind == VALUE_STRING || kind == VALUE_ADDRESS ||
		       (bare && (kind == VALUE_NAME || kind == VALUE_ATOM));
	case TYPE_NETWORK:
	case TYPE_IP:
		return kind == VALUE_STRING || kind == VALUE_NAME ||
		       kind == VALUE_ATOM;
	case TYPE_NUMBER:
	case TYPE_SIZE:
	case TYPE_DURATION:
		return kind == VALUE_ATOM;
	case TYPE_TIME:
	case TYPE_DATE:
		return kind == VALUE_STRING;
	case TYPE_WEEKDAY:
	case TYPE_RESULT:
	case TYPE_BOOLEAN:
		return kind == VALUE_NAME;
	case TYPE_NONE:
	case TYPE_RECORD:
	case TYPE_COUNT:
		break;
	}
	return false;
}

/* What a literal looks like, whatever is wanted. */
static enum milt_type
looks_like(const struct ast_value *v)
{
	switch (v->kind) {
	case VALUE_ADDRESS:
		return TYPE_ADDRESS;
	case VALUE_STRING:
		return is_clear_domain(v->text) ? TYPE_DOMAIN : TYPE_TEXT;
	case VALUE_NAME:
		if (is_network(v->text))
			return TYPE_NETWORK;
		return is_clear_domain(v->text) ? TYPE_DOMAIN : TYPE_NONE;
	case VALUE_ATOM:
		for (int t = TYPE_NONE + 1; t < TYPE_COUNT; t++)
			if ((t == TYPE_NUMBER || t == TYPE_IP ||
				t == TYPE_NETWORK || t == TYPE_SIZE ||
				t == TYPE_DURATION || t == TYPE_DATE) &&
			    text_fits((enum milt_type)t, v->text))
				return (enum milt_type)t;
		return is_clear_domain(v->text) ? TYPE_DOMAIN : TYPE_NONE;
	case VALUE_KEYED:
	case VALUE_COUNT:
	case VALUE_REGEX:
	case VALUE_SET:
	case VALUE_INDEX:
	case VALUE_CALL:
		break;
	}
	return TYPE_NONE;
}

/* Values of these types are written alike: a mistake is one in the writing. */
static bool
written_alike(enum milt_type want, enum milt_type got)
{
	bool number = got == TYPE_NUMBER;

	if (want == got)
		return true;
	switch (want) {
	case TYPE_NETWORK:
	case TYPE_IP:
		return got == TYPE_IP || got == TYPE_NETWORK ||
		       got == TYPE_TEXT;
	case TYPE_SIZE:
	case TYPE_DURATION:
		return number;
	case TYPE_DOMAIN:
	case TYPE_ADDRESS:
		return got == TYPE_TEXT || got == TYPE_DOMAIN;
	case TYPE_TIME:
	case TYPE_DATE:
		return got == TYPE_TEXT || got == TYPE_DATE;
	case TYPE_WEEKDAY:
	case TYPE_RESULT:
	case TYPE_BOOLEAN:
		return got == TYPE_TEXT || number;
	case TYPE_TEXT:
	case TYPE_NUMBER:
	case TYPE_NONE:
	case TYPE_RECORD:
	case TYPE_COUNT:
		break;
	}
	return false;
}

static enum diag_id
literal_diag(enum milt_type type)
{
	switch (type) {
	case TYPE_DOMAIN:
		return D_BAD_DOMAIN;
	case TYPE_ADDRESS:
		return D_BAD_ADDRESS;
	case TYPE_NETWORK:
	case TYPE_IP:
		return D_BAD_NETWORK;
	case TYPE_NUMBER:
		return D_BAD_NUMBER;
	case TYPE_SIZE:
		return D_BAD_SIZE;
	case TYPE_DURATION:
		return D_BAD_DURATION;
	case TYPE_TIME:
		return D_BAD_TIME;
	case TYPE_DATE:
		return D_BAD_DATE;
	case TYPE_WEEKDAY:
		return D_BAD_WEEKDAY;
	case TYPE_RESULT:
		return D_BAD_RESULT;
	case TYPE_BOOLEAN:
		return D_BAD_BOOLEAN;
	case TYPE_TEXT:
	case TYPE_NONE:
	case TYPE_RECORD:
	case TYPE_COUNT:
		break;
	}
	return D_TYPE_MISMATCH;
}

static const char *
literal_help(enum milt_type type)
{
	switch (type) {
	case TYPE_TEXT:
		return "text stands in quotes";
	case TYPE_DOMAIN:
		return "a domain is written \"example.com\"";
	case TYPE_ADDRESS:
		return "an address is written <amy@example.com>, the null "
		       "sender <>";
	case TYPE_NETWORK:
		return "a network is written 192.0.2.0/24 or 2001:db8::/32";
	case TYPE_IP:
		return "an address is written 192.0.2.1 or 2001:db8::1";
	case TYPE_NUMBER:
		return "a number is written in digits";
	case TYPE_SIZE:
		return "the units are B, KB, MB and GB: 10MB";
	case TYPE_DURATION:
		return "the units are ms, s, m, h, d and w: 30d";
	case TYPE_TIME:
		return "a time is written \"2026-01-31T12:00:00Z\" or "
		       "\"2026-01-31\"";
	case TYPE_DATE:
		return "a date is written \"2026-01-31\"";
	case TYPE_WEEKDAY:
		return "the days are mon, tue, wed, thu, fri, sat and sun";
	case TYPE_RESULT:
		return "the results are pass, fail, softfail, neutral, none, "
		       "temperror and permerror";
	case TYPE_BOOLEAN:
		return "write yes or no";
	case TYPE_NONE:
	case TYPE_RECORD:
	case TYPE_COUNT:
		break;
	}
	return "";
}

static struct diag *
report_literal(struct checker *k, enum diag_id id, struct span at,
    struct str words, enum milt_type type)
{
	struct diag *d = diag_at(k->diags, id, at, "`%.*s` is not %.*s",
	    STR_ARG(words), STR_ARG(type_rows[type].phrase));

	diag_help(k->diags, d, "%s", literal_help(type));
	return d;
}

struct str
literal_words(const struct ast_value *v)
{
	enum milt_type like = looks_like(v);

	return like == TYPE_NONE ? STR("a word") : type_rows[like].phrase;
}

bool
check_literal(struct checker *k, struct ast_value *v, struct span at,
    enum milt_type type, bool bare, const struct ast_value *subject)
{
	if (kind_fits(type, v->kind, bare) && text_fits(type, v->text)) {
		v->type = type;
		return true;
	}

	enum milt_type like = looks_like(v);
	enum diag_id id = literal_diag(type);

	v->bad = true;
	if (!utf8_is_valid(v->text)) /* the lexer has said so */
		return false;
	if (subject && like != TYPE_NONE && !written_alike(type, like))
		report_mismatch(k, subject, v, at);
	else if (id == D_TYPE_MISMATCH && subject)
		report_mismatch(k, subject, v, at);
	else
		report_literal(k, id == D_TYPE_MISMATCH ? D_FACT_VALUES : id,
		    at, source_words(k->c, at), type);
	return false;
}

/* Of what stands in the policy itself the lexer has said so. */
static void
report_encoding(
    struct checker *k, const struct item_list *list, const struct list_entry *e)
{
	struct diag *d;

	if (!list->from_file)
		return;
	d = diag_at(k->diags, D_ENCODING, e->span, "the line is not UTF-8");
	diag_help(k->diags, d, "save the file in UTF-8");
}

void
check_list_entries(struct checker *k, const struct item_list *list)
{
	for (size_t i = 0; i < list->entries.n; i++) {
		const struct list_entry *e = &list->entries.v[i];
		bool number = list->type == TYPE_NUMBER;
		enum value_kind kind =
		    number && e->kind == VALUE_NAME ? VALUE_ATOM : e->kind;

		if (kind_fits(list->type, kind, true) &&
		    text_fits(list->type, e->text))
			continue;
		if (!utf8_is_valid(e->text)) {
			report_encoding(k, list, e);
			continue;
		}

		struct diag *d = report_literal(k, D_LIST_ENTRY, e->span,
		    source_words(k->c, e->span), list->type);

		diag_label(k->diags, d, list->type_name.span, "list of %.*s",
		    STR_ARG(type_rows[list->type].plural));
	}
}
