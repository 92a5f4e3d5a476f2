/* Values that come from the session, the envelope and macros. */
#include "runtime/facts_get.h"

enum fact_state
facts_get_client(struct facts *f, enum milt_attr attr, struct str key, size_t i,
    struct fact_value *out)
{
	(void)key;
	(void)i;
	if (attr == ATTR_CLIENT_NAME)
		return facts_cell_value(&f->client_name, out);
	if (attr == ATTR_CLIENT_ORG_DOMAIN)
		return facts_cell_value(
		    facts_org(f, &f->client_name, &f->client_org), out);
	if (attr == ATTR_HELO)
		return facts_cell_value(&f->helo, out);
	if (attr == ATTR_HELO_ORG_DOMAIN)
		return facts_cell_value(
		    facts_org(f, &f->helo, &f->helo_org), out);
	if (!f->has_ip)
		return FACT_MISSING;
	if (attr == ATTR_CLIENT_NETWORK)
		out->range = ip_network(f->client_ip);
	else
		out->range = (struct ip_range){ f->client_ip, f->client_ip };
	if (attr != ATTR_CLIENT_PORT)
		return FACT_THERE;
	out->number = f->client_port;
	return f->client_port ? FACT_THERE : FACT_MISSING;
}

/* ---- macros ------------------------------------------------------------ */

/* All digits. */
static bool
parse_number(struct str s, long long *out)
{
	long long n = 0;

	if (s.n == 0 || s.n > 18)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		n = n * 10 + (s.p[i] - '0');
	}
	*out = n;
	return true;
}

/* Also as in an address literal: [192.0.2.1], [IPv6:2001:db8::1]. */
static bool
parse_address(struct str s, struct ip_range *out)
{
	if (s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']')
		s = (struct str){ s.p + 1, s.n - 2 };
	if (!ip_parse(s, &out->first))
		return false;
	out->last = out->first;
	return true;
}

/* The text of a macro as a value of the type of *out. */
static enum fact_state
typed(const struct cell *c, struct fact_value *out)
{
	bool ok;

	if (!c)
		return FACT_MISSING;
	switch (out->type) {
	case TYPE_IP:
		return parse_address(c->text, &out->range) ? FACT_THERE
							   : FACT_MISSING;
	case TYPE_NUMBER:
	case TYPE_SIZE:
		ok = parse_number(c->text, &out->number);
		return ok ? FACT_THERE : FACT_MISSING;
	case TYPE_NONE:
	case TYPE_TEXT:
	case TYPE_DOMAIN:
	case TYPE_ADDRESS:
	case TYPE_NETWORK:
	case TYPE_DURATION:
	case TYPE_TIME:
	case TYPE_DATE:
	case TYPE_WEEKDAY:
	case TYPE_RESULT:
	case TYPE_BOOLEAN:
	case TYPE_RECORD:
	case TYPE_COUNT:
		break;
	}
	return facts_cell_value(c, out);
}

enum fact_state
facts_get_macro(struct facts *f, enum milt_attr attr, struct str key, size_t i,
    struct fact_value *out)
{
	(void)i;
	if (attr != ATTR_MACRO)
		key = attr_rows[attr].macro;
	return typed(facts_find_macro(f, key), out);
}

/* Postfix says "unknown" where there is no name. */
enum fact_state
facts_get_reverse_name(struct facts *f, enum milt_attr attr, struct str key,
    size_t i, struct fact_value *out)
{
	enum fact_state state = facts_get_macro(f, attr, key, i, out);

	if (state == FACT_THERE && str_eq_ascii(out->text, STR("unknown")))
		return FACT_MISSING;
	return state;
}

/*
 * Postfix names the subject of a certificate that it trusts alone; Sendmail
 * says what became of the verification.
 */
enum fact_state
facts_get_tls_verified(struct facts *f, enum milt_attr attr, struct str key,
    size_t i, struct fact_value *out)
{
	const struct cell *verify = facts_find_macro(f, STR("verify"));

	(void)attr;
	(void)key;
	(void)i;
	out->number = facts_find_macro(f, STR("cert_subject")) ||
		      (verify && str_eq(verify->text, STR("OK")));
	out->text = out->number ? STR("yes") : STR("no");
	if (!out->number && !facts_find_macro(f, STR("tls_version")))
		return FACT_MISSING;
	return FACT_THERE;
}

/* ---- the clock --------------------------------------------------------- */

enum fact_state
facts_get_clock(struct facts *f, enum milt_attr attr, struct str key, size_t i,
    struct fact_value *out)
{
	const struct clock *c = f->clock;

	(void)key;
	(void)i;
	if (!c)
		return FACT_ASK;
	if (attr == ATTR_NOW) {
		out->number = c->now;
		return FACT_THERE;
	}
	c = facts_local_clock(f);
	out->number = attr == ATTR_NOW_HOUR      ? c->hour
		      : attr == ATTR_NOW_WEEKDAY ? c->weekday
						 : c->date;
	return FACT_THERE;
}

/* ---- parameters and sizes ---------------------------------------------- */

static struct cells
parameters(const struct facts *f, enum milt_attr attr)
{
	const struct message *m = f->message;

	if (m && attr == ATTR_SENDER_PARAMETERS)
		return m->parameters;
	if (m && m->recipient)
		return m->recipient->parameters;
	return (struct cells){ NULL, 0 };
}

enum fact_state
facts_count_parameters(
    struct facts *f, enum milt_attr attr, struct str key, size_t *out)
{
	(void)key;
	*out = parameters(f, attr).n;
	return FACT_THERE;
}

enum fact_state
facts_get_parameter(struct facts *f, enum milt_attr attr, struct str key,
    size_t i, struct fact_value *out)
{
	struct cells p = parameters(f, attr);

	(void)key;
	return i < p.n ? facts_cell_value(&p.v[i], out) : FACT_MISSING;
}

enum fact_state
facts_get_size(struct facts *f, enum milt_attr attr, struct str key, size_t i,
    struct fact_value *out)
{
	const struct message *m = f->message;

	(void)key;
	(void)i;
	if (!m || (attr == ATTR_DECLARED_SIZE && !m->has_declared_size))
		return FACT_MISSING;
	if (attr == ATTR_DECLARED_SIZE)
		out->number = m->declared_size;
	else if (attr == ATTR_BODY_SIZE)
		out->number = m->body_size;
	else /* an empty line stands between header and body */
		out->number = m->header_size + 2 + m->body_size;
	return FACT_THERE;
}
