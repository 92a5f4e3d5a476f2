#include <stdlib.h>

#include "compiler/lint.h"

enum { PER_LIST = 20 }; /* warnings; a generated list may have thousands */

/* An entry in normal form; for networks a range. */
struct entry {
	struct str key;
	struct ip_range range;
	const struct list_entry *ast;
};

struct entries {
	struct compilation *c;
	const struct item_list *list;
	struct entry *v;
	size_t n;
	unsigned warned;
};

static int
by_key(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	size_t n = x->key.n < y->key.n ? x->key.n : y->key.n;
	int d = n ? memcmp(x->key.p, y->key.p, n) : 0;

	if (d || x->key.n != y->key.n)
		return d ? d : x->key.n < y->key.n ? -1 : 1;
	return x->ast < y->ast ? -1 : 1;
}

/*
 * IPv4 first, which no IPv6 network holds though it may lie around it; then
 * the wider one.
 */
static int
by_range(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int d = ip_is_v4(y->range.first) - ip_is_v4(x->range.first);

	if (!d)
		d = ip_compare(x->range.first, y->range.first);
	if (!d)
		d = ip_compare(y->range.last, x->range.last);
	return d ? d : x->ast < y->ast ? -1 : 1;
}

static struct diag *
warn(struct entries *e, enum diag_id id, const struct list_entry *at,
    const char *fmt, struct str a, struct str b)
{
	if (++e->warned > PER_LIST)
		return NULL;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	return diag_at(&e->c->diags, id, at->span, fmt, STR_ARG(a), STR_ARG(b));
#pragma GCC diagnostic pop
}

/* The one that is written later is the one too many. */
static void
warn_duplicate(struct entries *e, const struct entry *a, const struct entry *b)
{
	const struct list_entry *first = a->ast < b->ast ? a->ast : b->ast;
	const struct list_entry *second = a->ast < b->ast ? b->ast : a->ast;
	struct diag *d = warn(e, D_LIST_DUPLICATE, second,
	    "`%.*s` stands in the list already%.*s", second->text, STR(""));

	if (d)
		diag_label(&e->c->diags, d, first->span, "here");
}

static void
warn_covered(struct entries *e, const struct entry *a, const struct entry *b)
{
	struct diag *d = warn(e, D_LIST_OVERLAP, b->ast,
	    "`%.*s` is covered by `%.*s`", b->ast->text, a->ast->text);

	if (d)
		diag_label(&e->c->diags, d, a->ast->span, "covers it");
}

static void
lint_networks(struct entries *e)
{
	size_t widest = 0;

	qsort(e->v, e->n, sizeof(*e->v), by_range);
	for (size_t i = 1; i < e->n; i++) {
		const struct entry *w = &e->v[widest], *x = &e->v[i];

		if (ip_compare(w->range.first, x->range.first) == 0 &&
		    ip_compare(w->range.last, x->range.last) == 0)
			warn_duplicate(e, w, x);
		else if (network_holds(&w->range, &x->range))
			warn_covered(e, w, x);
		else
			widest = i;
	}
}

static const struct entry *
find(const struct entries *e, struct str key)
{
	size_t low = 0, high = e->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		struct str k = e->v[mid].key;
		size_t n = k.n < key.n ? k.n : key.n;
		int d = memcmp(k.p, key.p, n);

		if (!d && k.n == key.n)
			return &e->v[mid];
		if (d < 0 || (!d && k.n < key.n))
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* With `in` a domain and one below it are both needed. */
static bool
is_used_with_in(const struct compilation *c, const struct item_list *list)
{
	for (size_t i = 0; i < c->ir->nodes.n; i++) {
		const struct ir_node *n = c->ir->nodes.v[i];

		if (n->kind == NODE_TEST && n->op == OPC_IN &&
		    n->right_list->item == list)
			return true;
	}
	return false;
}

static void
lint_parents(struct entries *e)
{
	for (size_t i = 0; i < e->n; i++) {
		struct str rest = e->v[i].key;
		size_t dot;

		while ((dot = str_find(rest, '.')) < rest.n) {
			const struct entry *parent;

			rest = str_skip(rest, dot + 1);
			parent = find(e, rest);
			if (!parent)
				continue;
			warn_covered(e, parent, &e->v[i]);
			break;
		}
	}
}

static void
lint_domains(struct entries *e)
{
	for (size_t i = 0; i < e->n; i++) {
		if (domain_is_suffix(e->v[i].key))
			warn(e, D_LIST_SUFFIX, e->v[i].ast,
			    "`%.*s` is a public suffix: anybody may register "
			    "domains below it%.*s",
			    e->v[i].ast->text, STR(""));
	}
	if (!is_used_with_in(e->c, e->list))
		lint_parents(e);
}

/* Of an address the domain. */
static void
lint_scripts(struct entries *e)
{
	for (size_t i = 0; i < e->n; i++) {
		struct str domain = e->v[i].key, label;

		for (size_t k = domain.n; k-- > 0;)
			if (domain.p[k] == '@')
				domain = str_skip(domain, k + 1);
		label = domain_mixed_label(&e->c->arena, domain);
		if (label.n)
			warn(e, D_LIST_SCRIPTS, e->v[i].ast,
			    "`%.*s` mixes scripts in the label `%.*s`",
			    e->v[i].ast->text, label);
	}
}

static void
lint_duplicates(struct entries *e)
{
	qsort(e->v, e->n, sizeof(*e->v), by_key);
	for (size_t i = 1; i < e->n; i++)
		if (str_eq(e->v[i - 1].key, e->v[i].key))
			warn_duplicate(e, &e->v[i - 1], &e->v[i]);
}

static struct str
entry_key(struct compilation *c, enum milt_type type, struct str text)
{
	struct mailbox m;

	if (type == TYPE_DOMAIN)
		return domain_normal(&c->arena, text);
	if (type != TYPE_ADDRESS)
		return text_fold(&c->arena, text);
	m = mailbox_parse(&c->arena, text);
	return mailbox_normal(&c->arena, &m,
	    c->ir->options[OPTION_LOCAL_PARTS] == LOCAL_PARTS_EXACT);
}

static void
lint_list(struct compilation *c, struct item_list *list)
{
	struct entries e = { .c = c, .list = list };

	e.v = ARENA_ARRAY(&c->arena, list->entries.n + 1, struct entry);
	for (size_t i = 0; i < list->entries.n; i++) {
		const struct list_entry *le = &list->entries.v[i];
		struct entry *x = &e.v[e.n++];
		bool masked = false;

		x->ast = le;
		if (list->type != TYPE_NETWORK) {
			x->key = entry_key(c, list->type, le->text);
			continue;
		}
		(void)network_parse(le->text, &x->range, &masked);
		if (masked)
			warn(&e, D_HOST_BITS, le,
			    "`%.*s` has bits set behind its prefix; it is read "
			    "as %.*s",
			    le->text, network_print(&c->arena, x->range));
	}
	if (!e.n)
		diag_at(&c->diags, D_LIST_EMPTY, list->item.name.span,
		    "list `%.*s` is empty: nothing is in it",
		    STR_ARG(list->item.name.text));
	if (list->type == TYPE_NETWORK) {
		lint_networks(&e);
		return;
	}
	lint_duplicates(&e);
	if (list->type == TYPE_DOMAIN || list->type == TYPE_ADDRESS)
		lint_scripts(&e);
	if (list->type == TYPE_DOMAIN)
		lint_domains(&e);
}

void
lint_lists(struct compilation *c)
{
	struct policy_items items = policy_items(c);

	for (size_t i = 0; i < items.n; i++)
		if (items.v[i]->kind == ITEM_LIST)
			lint_list(c, (struct item_list *)items.v[i]);
}
