#include "compiler/lint.h"

/* Does the condition ask for the null sender, in the positive? */
static const struct ir_node *
null_sender(const struct ir_node *n, bool positive)
{
	const struct ir_node *found = NULL;

	/* Chains grow to the left, as long as the policy is. */
	while (!found && (n->kind == NODE_AND || n->kind == NODE_OR)) {
		found = null_sender(n->b, positive);
		n = n->a;
	}
	if (found)
		return found;
	switch (n->kind) {
	case NODE_AND:
	case NODE_OR:
		return NULL;
	case NODE_NOT:
		return null_sender(n->a, !positive);
	case NODE_TEST:
		if (positive && n->op == OPC_IS && n->right_text.n == 0 &&
		    (n->left.attr == ATTR_SENDER ||
			n->left.attr == ATTR_SENDER_ADDRESS))
			return n;
		if (!positive && n->op == OPC_EXISTS &&
		    (n->left.attr == ATTR_SENDER_DOMAIN ||
			n->left.attr == ATTR_SENDER_LOCAL))
			return n;
		return NULL;
	case NODE_CONST:
	case NODE_EACH:
		break;
	}
	return NULL;
}

/* Is one of the things it asks for something that <> is not? */
static bool
excludes_null_sender(const struct ir_node *n, bool positive)
{
	bool whole;

	for (; n->kind == (positive ? NODE_AND : NODE_OR); n = n->a)
		if (excludes_null_sender(n->b, positive))
			return true;
	if (n->kind == NODE_NOT)
		return excludes_null_sender(n->a, !positive);
	if (n->kind != NODE_TEST)
		return false;
	whole =
	    n->left.attr == ATTR_SENDER || n->left.attr == ATTR_SENDER_ADDRESS;
	if (!positive)
		return whole && n->op == OPC_IS && n->right_text.n == 0;
	if (whole)
		return n->op == OPC_IS && n->right_text.n > 0;
	return n->left.attr == ATTR_SENDER_DOMAIN ||
	       n->left.attr == ATTR_SENDER_LOCAL;
}

/* Equal tests are one node: the first of them may stand in another rule. */
static struct span
span_in(const struct ir_rule *r, const struct ir_node *n)
{
	struct span all = r->ast ? r->ast->item.span : r->span;

	return n->span.source == all.source && n->span.begin >= all.begin &&
		       n->span.end <= all.end
		   ? n->span
		   : r->span;
}

void
lint_null_sender(struct compilation *c, const struct ir_rule *r)
{
	const struct ir_node *n = NULL;
	struct diag *d;

	if (lint_is_refusal(r) && !r->shadow)
		n = null_sender(r->condition, true);
	if (!n || excludes_null_sender(r->condition, true))
		return;
	d = diag_at(&c->diags, D_NULL_SENDER, span_in(r, n),
	    "rule `%.*s` refuses mail from <>: bounces and notices are lost",
	    STR_ARG(r->name));
	diag_help(&c->diags, d,
	    "RFC 5321 4.5.5: mail from <> must be taken; refuse it for "
	    "recipients that never send, at most");
}
