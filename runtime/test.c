/* The tests: one comparison of a value with a constant or another value. */
#include <assert.h>

#include "runtime/match.h"
#include "runtime/scan.h"
#include "runtime/sets.h"
#include "runtime/value.h"

static enum truth
fail(struct interp *ip, const char *what)
{
	ip->failure = what;
	return ERROR_;
}

static enum truth
no_memory(struct interp *ip)
{
	return fail(ip, "the message holds more than fits into memory");
}

static bool
is_text(enum milt_type type)
{
	return type == TYPE_TEXT || type == TYPE_DOMAIN || type == TYPE_ADDRESS;
}

/* ---- forms of a value; false with no memory --------------------------- */

static bool
form_exact(struct interp *ip, const struct fact_value *v, struct str *out)
{
	*out = value_text(ip, v);
	return out->p != NULL;
}

static bool
form_folded(struct interp *ip, const struct fact_value *v, struct str *out)
{
	if (is_text(v->type))
		*out = facts_folded(ip->facts, v);
	else
		*out = text_fold(facts_arena(ip->facts), value_text(ip, v));
	return out->p || v->text.n == 0;
}

bool
value_form(
    struct interp *ip, const struct fact_value *v, bool exact, struct str *out)
{
	return (exact ? form_exact : form_folded)(ip, v, out);
}

bool
value_key(struct interp *ip, const struct fact_value *v, enum milt_type as,
    struct str *out)
{
	if (!is_text(v->type))
		return form_folded(ip, v, out);
	*out = facts_key(ip->facts, v, as);
	return out->p || v->text.n == 0;
}

/* ---- operators on two texts ------------------------------------------- */

static bool
contains(struct str text, struct str part)
{
	return part.n == 0 ||
	       (text.n >= part.n && memmem(text.p, text.n, part.p, part.n));
}

/* Keys of domains: is `a` equal to `b` or below it? */
static bool
is_under(struct str a, struct str b)
{
	return b.n && str_ends(a, b) &&
	       (a.n == b.n || a.p[a.n - b.n - 1] == '.');
}

static bool
compare_texts(enum opcode op, struct str a, struct str b)
{
	switch ((int)op) {
	case OPC_IS_EXACT:
	case OPC_IS_EXACT_REF:
		return str_eq(a, b);
	case OPC_CONTAINS:
	case OPC_CONTAINS_EXACT:
	case OPC_CONTAINS_REF:
		return contains(a, b);
	case OPC_STARTS:
	case OPC_STARTS_EXACT:
	case OPC_STARTS_REF:
		return str_starts(a, b);
	case OPC_ENDS:
	case OPC_ENDS_EXACT:
	case OPC_ENDS_REF:
		return str_ends(a, b);
	case OPC_LIKE:
	case OPC_LIKE_EXACT:
		return glob_match(b, a);
	}
	assert(!"no operator on texts");
	return false;
}

static bool
compare_numbers(enum opcode op, long long a, long long b)
{
	switch ((int)op) {
	case OPC_EQ:
		return a == b;
	case OPC_LT:
	case OPC_LT_REF:
		return a < b;
	case OPC_LE:
	case OPC_LE_REF:
		return a <= b;
	case OPC_GT:
	case OPC_GT_REF:
		return a > b;
	case OPC_GE:
	case OPC_GE_REF:
		return a >= b;
	}
	assert(!"no operator on numbers");
	return false;
}

/* ---- with a constant -------------------------------------------------- */

/* The key of an address or network: its first, or first and last address. */
static bool
range_is(const struct ip_range *range, struct str key)
{
	assert(key.n == 16 || key.n == 32);
	return memcmp(range->first.b, key.p, 16) == 0 &&
	       memcmp(range->last.b, key.p + key.n - 16, 16) == 0;
}

static enum truth
test_is(struct interp *ip, const struct fact_value *v, struct str want)
{
	struct str key;

	if (value_is_range(v))
		return truth_of(want.n >= 16 && range_is(&v->range, want));
	if (!value_key(ip, v, v->type, &key))
		return no_memory(ip);
	return truth_of(str_eq(key, want));
}

static enum truth
test_text(struct interp *ip, const struct image_insn *in,
    const struct fact_value *v, bool exact)
{
	struct str text;

	if (!value_form(ip, v, exact, &text))
		return no_memory(ip);
	return truth_of(
	    compare_texts(in->op, text, image_text(ip->image, in->b)));
}

static enum truth
test_in(struct interp *ip, const struct image_list *list,
    const struct fact_value *v)
{
	struct str key;

	switch (list->type) {
	case TYPE_NETWORK:
		return truth_of(value_is_range(v) &&
				set_has_range(ip->image, list, &v->range));
	case TYPE_NUMBER:
		return truth_of(set_has_number(ip->image, list, v->number));
	}
	if (!value_key(ip, v, (enum milt_type)list->type, &key))
		return no_memory(ip);
	return truth_of(set_has_key(ip->image, list, key));
}

static enum truth
test_under(struct interp *ip, const struct image_list *list,
    const struct fact_value *v)
{
	struct str key;

	if (!value_key(ip, v, TYPE_DOMAIN, &key))
		return no_memory(ip);
	return truth_of(set_has_under(ip->image, list, key));
}

/* Only the regexes that the scan of the value names are tried. */
static enum match_result
match_indexed(struct interp *ip, uint32_t subject, uint32_t regex,
    const struct fact_value *v)
{
	struct scan_result candidates;
	uint32_t first;

	if (!scan_value(ip, subject, v, &candidates))
		return MATCH_NO_MEMORY;
	if (!scan_has(&candidates, regex, &first))
		return MATCH_NO;
	return match_windows(ip->image, regex, candidates.subject, ip->scratch,
	    candidates.windows, first);
}

static enum match_result
match_plain(struct interp *ip, const struct image_ref *ref, uint32_t regex,
    const struct fact_value *v)
{
	struct str subject = value_subject(
	    ip, ref->attr, v, ip->image->regexes[regex].flags & REGEX_BYTES);

	if (!subject.p)
		return MATCH_NO_MEMORY;
	return match_run(ip->image, regex, subject, ip->scratch, NULL, 0);
}

static enum truth
test_match(
    struct interp *ip, const struct image_insn *in, const struct fact_value *v)
{
	uint32_t subject =
	    scan_subject(ip->image, in->a, ip->image->regexes[in->b].flags);

	switch (ip->plain || subject == IMAGE_NONE
		    ? match_plain(ip, &ip->image->refs[in->a], in->b, v)
		    : match_indexed(ip, subject, in->b, v)) {
	case MATCH_NO:
		return FALSE_;
	case MATCH_YES:
		return TRUE_;
	case MATCH_LIMIT:
		return fail(ip, "a regular expression took too many steps");
	case MATCH_NO_MEMORY:
		return no_memory(ip);
	}
	return no_memory(ip);
}

/* ---- with another value ----------------------------------------------- */

static enum truth
test_is_ref(
    struct interp *ip, const struct fact_value *a, const struct fact_value *b)
{
	struct str x, y;

	if (value_is_range(a))
		return truth_of(
		    ip_compare(a->range.first, b->range.first) == 0 &&
		    ip_compare(a->range.last, b->range.last) == 0);
	if (!is_text(a->type))
		return truth_of(a->number == b->number);
	if (!value_key(ip, a, a->type, &x) || !value_key(ip, b, a->type, &y))
		return no_memory(ip);
	return truth_of(str_eq(x, y));
}

static enum truth
test_refs(struct interp *ip, const struct image_insn *in,
    const struct fact_value *a, const struct fact_value *b)
{
	struct str x, y;

	switch (in->op) {
	case OPC_IS_REF:
		return test_is_ref(ip, a, b);
	case OPC_IS_EXACT_REF:
		if (!form_exact(ip, a, &x) || !form_exact(ip, b, &y))
			return no_memory(ip);
		return truth_of(compare_texts(in->op, x, y));
	case OPC_CONTAINS_REF:
	case OPC_STARTS_REF:
	case OPC_ENDS_REF:
		if (!form_folded(ip, a, &x) || !form_folded(ip, b, &y))
			return no_memory(ip);
		return truth_of(compare_texts(in->op, x, y));
	case OPC_UNDER_REF:
		if (!value_key(ip, a, TYPE_DOMAIN, &x) ||
		    !value_key(ip, b, TYPE_DOMAIN, &y))
			return no_memory(ip);
		return truth_of(is_under(x, y));
	}
	return truth_of(compare_numbers(in->op, a->number, b->number));
}

/* ---- all -------------------------------------------------------------- */

static enum truth
test_malformed(struct interp *ip, const struct image_ref *ref)
{
	bool malformed = false;
	enum fact_state state =
	    facts_malformed(ip->facts, ref->attr, &malformed);

	if (state == FACT_FAILED)
		return fail(ip, facts_failure(ip->facts));
	if (state == FACT_ASK)
		ip->asking = true;
	return truth_of(state == FACT_THERE && malformed);
}

static enum truth
test_value(
    struct interp *ip, const struct image_insn *in, const struct fact_value *v)
{
	const struct milt_image *im = ip->image;

	switch (in->op) {
	case OPC_EXISTS:
		return TRUE_;
	case OPC_YES:
		return truth_of(v->number != 0);
	case OPC_IS:
		return test_is(ip, v, image_text(im, in->b));
	case OPC_IS_EXACT:
	case OPC_CONTAINS_EXACT:
	case OPC_STARTS_EXACT:
	case OPC_ENDS_EXACT:
	case OPC_LIKE_EXACT:
		return test_text(ip, in, v, true);
	case OPC_CONTAINS:
	case OPC_STARTS:
	case OPC_ENDS:
	case OPC_LIKE:
		return test_text(ip, in, v, false);
	case OPC_MATCH:
		return test_match(ip, in, v);
	case OPC_IN:
		return test_in(ip, &im->lists[in->b], v);
	case OPC_UNDER:
		return test_under(ip, &im->lists[in->b], v);
	}
	return truth_of(compare_numbers(in->op, v->number, im->numbers[in->b]));
}

/*
 * There may be more of the value than was looked at: what holds is certain,
 * what does not is not.  A count can only grow.
 */
static enum truth
test_partial(struct interp *ip, const struct image_insn *in, enum truth result)
{
	bool count = ip->image->refs[in->a].from == REF_COUNT;
	bool certain = result == TRUE_;

	if (result == ERROR_)
		return result;
	if (count && (in->op == OPC_LT || in->op == OPC_LE))
		certain = result == FALSE_;
	else if (count)
		certain &= in->op == OPC_GT || in->op == OPC_GE;
	return certain ? result : fail(ip, facts_failure(ip->facts));
}

enum truth
test_run(struct interp *ip, const struct image_insn *in, const size_t *at)
{
	const struct milt_image *im = ip->image;
	struct fact_value a, b;
	enum fact_state left, right;

	if (in->op == OPC_MALFORMED)
		return test_malformed(ip, &im->refs[in->a]);
	left = value_load(ip, &im->refs[in->a], at, &a);
	if (left != FACT_THERE && left != FACT_PARTIAL)
		return left == FACT_FAILED ? ERROR_ : FALSE_;
	if (in->op < OPC_IS_REF) {
		enum truth result = test_value(ip, in, &a);

		return left == FACT_PARTIAL ? test_partial(ip, in, result)
					    : result;
	}
	right = value_load(ip, &im->refs[in->b], at, &b);
	if (right != FACT_THERE && right != FACT_PARTIAL)
		return right == FACT_FAILED ? ERROR_ : FALSE_;
	if (left == FACT_PARTIAL || right == FACT_PARTIAL)
		return fail(ip, facts_failure(ip->facts));
	return test_refs(ip, in, &a, &b);
}

enum truth
test_list(struct interp *ip, const struct image_list *list, bool under,
    const struct fact_value *v)
{
	return under ? test_under(ip, list, v) : test_in(ip, list, v);
}
