/* Authentication results: of the fields of option authserv-id alone. */
#include "runtime/facts_get.h"

#include "runtime/authres.h"

/* A domain and its registrable domain. */
struct named_domain {
	struct cell domain, org;
};

struct authres_facts {
	VEC(uint8_t) results[AUTHRES_COUNT]; /* enum milt_result */
	VEC(struct named_domain) domains[AUTHRES_COUNT];
	struct cell policy;
};

/* ---- whose fields -------------------------------------------------------- */

static struct str
authserv_id(struct facts *f)
{
	uint32_t text = f->image->needs->option_texts[OPTION_AUTHSERV_ID];
	const struct cell *name = facts_find_macro(f, STR("j"));

	if (text != IMAGE_NONE && image_text(f->image, text).n)
		return image_text(f->image, text);
	return name ? name->text : STR("");
}

/*
 * As written, or as A-labels.  No other form of the name is believed: who
 * removes forged fields must find them by what is believed.
 */
static bool
is_ours(struct facts *f, struct str id, struct str ours)
{
	return id.n && ours.n &&
	       (str_eq_ascii(id, ours) ||
		   str_eq_ascii(id, domain_normal(&f->message_arena, ours)));
}

/* ---- reading ------------------------------------------------------------- */

static bool
add_domain(struct facts *f, struct authres_facts *x, enum authres_method method,
    struct str domain)
{
	struct named_domain d = { .domain = { .text = domain,
				      .arena = &f->message_arena } };

	return domain.n == 0 ||
	       vec_push(&f->message_arena, &x->domains[method], d);
}

static bool
passes(const struct authres_facts *x, enum authres_method method)
{
	for (size_t i = 0; i < x->results[method].n; i++)
		if (x->results[method].v[i] == RESULT_PASS)
			return true;
	return false;
}

/* Where SPF passed for some domains these are the ones. */
static bool
add_spf(struct facts *f, struct authres_facts *x, const struct authres *r)
{
	bool passed = passes(x, AUTHRES_SPF);

	if (passed && r->result != RESULT_PASS)
		return true;
	if (!passed && r->result == RESULT_PASS)
		x->domains[AUTHRES_SPF].n = 0;
	return add_domain(f, x, AUTHRES_SPF, r->domain);
}

static bool
add_result(struct facts *f, struct authres_facts *x, const struct authres *r)
{
	struct arena *a = &f->message_arena;

	if (r->method == AUTHRES_SPF && !add_spf(f, x, r))
		return false;
	if (!vec_push(a, &x->results[r->method], (uint8_t)r->result))
		return false;
	switch (r->method) {
	case AUTHRES_DKIM:
		return r->result != RESULT_PASS ||
		       add_domain(f, x, AUTHRES_DKIM, r->domain);
	case AUTHRES_DMARC:
		if (r->policy.n && !x->policy.text.p)
			x->policy =
			    (struct cell){ .text = r->policy, .arena = a };
		return true;
	case AUTHRES_SPF:
	case AUTHRES_ARC:
	case AUTHRES_COUNT:
		break;
	}
	return true;
}

/* False with no memory. */
static bool
read_field(struct facts *f, struct authres_facts *x, struct str value)
{
	struct authres_reader r;
	struct authres result;

	if (!is_ours(
		f, authres_open(&r, &f->message_arena, value), authserv_id(f)))
		return true;
	while (authres_next(&r, &result))
		if (!add_result(f, x, &result))
			return false;
	return !r.failed;
}

/* The value of a tag of a tag list (RFC 6376 3.2), or {NULL, 0}. */
static struct str
tag_value(struct str list, char tag)
{
	while (list.n) {
		struct str item = str_head(list, str_find(list, ';'));
		size_t eq = str_find(item, '=');

		list = str_skip(list, item.n + (item.n < list.n));
		if (eq < item.n && str_eq(str_trim(str_head(item, eq)),
				       (struct str){ &tag, 1 }))
			return str_trim(str_skip(item, eq + 1));
	}
	return (struct str){ NULL, 0 };
}

/* RFC 8617 4.2.1: instances are 1 to 50. */
static int
instance(struct str s)
{
	int n = 0;

	if (s.n == 0 || s.n > 2)
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -1;
		n = n * 10 + (s.p[i] - '0');
	}
	return n;
}

/* The seal of the highest instance, in a chain that passed. */
static bool
read_sealer(struct facts *f, struct authres_facts *x)
{
	struct str best = { NULL, 0 };
	const struct index *seals;
	int last = 0;

	if (!passes(x, AUTHRES_ARC))
		return true;
	if (!facts_fields(f, STR("ARC-Seal"), &seals))
		return false;
	for (size_t i = 0; seals && i < seals->n; i++) {
		struct str s = facts_field_value(
		    f, &f->message->header->fields.v[seals->fields[i]]);

		if (!s.p)
			return false;
		if (instance(tag_value(s, 'i')) <= last)
			continue;
		last = instance(tag_value(s, 'i'));
		best = tag_value(s, 'd');
	}
	return add_domain(f, x, AUTHRES_ARC, best);
}

/* NULL with f->failure set. */
static struct authres_facts *
results_of(struct facts *f)
{
	struct message *m = f->message;
	struct authres_facts *x;
	const struct index *fields;

	if (m && m->header && m->header->authres)
		return m->header->authres;
	x = ARENA_NEW(&f->message_arena, struct authres_facts);
	if (!facts_fields(f, STR("Authentication-Results"), &fields))
		return NULL;
	f->failure = facts_no_memory;
	for (size_t i = 0; x && fields && i < fields->n; i++) {
		struct str s = facts_field_value(
		    f, &m->header->fields.v[fields->fields[i]]);

		if (!s.p || !read_field(f, x, s))
			return NULL;
	}
	if (!x || !read_sealer(f, x))
		return NULL;
	if (m && m->header)
		m->header->authres = x;
	return x;
}

/* ---- asking -------------------------------------------------------------- */

static enum authres_method
method_of(enum milt_attr attr)
{
	if (attr == ATTR_SPF || attr == ATTR_SPF_DOMAIN ||
	    attr == ATTR_SPF_ORG_DOMAIN)
		return AUTHRES_SPF;
	if (attr == ATTR_DKIM || attr == ATTR_DKIM_DOMAIN ||
	    attr == ATTR_DKIM_ORG_DOMAIN)
		return AUTHRES_DKIM;
	return attr == ATTR_DMARC ? AUTHRES_DMARC : AUTHRES_ARC;
}

enum fact_state
facts_count_results(
    struct facts *f, enum milt_attr attr, struct str key, size_t *out)
{
	const struct authres_facts *x = results_of(f);

	(void)key;
	if (!x)
		return FACT_FAILED;
	*out = attr_rows[attr].type == TYPE_RESULT
		   ? x->results[method_of(attr)].n
		   : x->domains[method_of(attr)].n;
	return FACT_THERE;
}

enum fact_state
facts_get_result(struct facts *f, enum milt_attr attr, struct str key, size_t i,
    struct fact_value *out)
{
	const struct authres_facts *x = results_of(f);

	(void)key;
	if (!x)
		return FACT_FAILED;
	if (i >= x->results[method_of(attr)].n)
		return FACT_MISSING;
	out->number = x->results[method_of(attr)].v[i];
	return FACT_THERE;
}

enum fact_state
facts_get_result_domain(struct facts *f, enum milt_attr attr, struct str key,
    size_t i, struct fact_value *out)
{
	struct authres_facts *x = results_of(f);
	struct named_domain *d;

	(void)key;
	if (!x)
		return FACT_FAILED;
	if (i >= x->domains[method_of(attr)].n)
		return FACT_MISSING;
	d = &x->domains[method_of(attr)].v[i];
	if (attr == ATTR_SPF_DOMAIN || attr == ATTR_DKIM_DOMAIN ||
	    attr == ATTR_ARC_DOMAIN)
		return facts_cell_value(&d->domain, out);
	return facts_cell_value(facts_org(f, &d->domain, &d->org), out);
}

enum fact_state
facts_get_result_policy(struct facts *f, enum milt_attr attr, struct str key,
    size_t i, struct fact_value *out)
{
	const struct authres_facts *x = results_of(f);

	(void)attr;
	(void)key;
	(void)i;
	return x ? facts_cell_value(&x->policy, out) : FACT_FAILED;
}
