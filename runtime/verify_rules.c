/* Rules and their actions. */
#include "runtime/safe.h"
#include "runtime/verify.h"

static bool
is_verdict(uint32_t action)
{
	return action > ACTION_NONE && action < ACTION_COUNT &&
	       action_rows[action].kind == ACTION_VERDICT;
}

static bool
is_reply(uint32_t action)
{
	return action == ACTION_REJECT || action == ACTION_TEMPFAIL;
}

static const char *
check_reply(const struct verifier *v, const struct image_action *a)
{
	unsigned class = a->action == ACTION_REJECT ? 5 : 4;

	if (a->code / 100 != class)
		return "a reply's code does not fit its verdict";
	if (a->xcode != IMAGE_NONE &&
	    (!verify_text(v, a->xcode) ||
		!xcode_is_valid(image_text(v->im, a->xcode), class)))
		return "a reply's enhanced code does not fit its code";
	if (a->text_count > LIMIT_VALUE_REPLY_LINES)
		return "a reply has too many lines";
	return NULL;
}

/* Are the operands there that the action takes? */
static bool
action_is_whole(const struct image_action *a)
{
	bool name = a->name != IMAGE_NONE, address = a->address != IMAGE_NONE;

	switch ((enum milt_action)a->action) {
	case ACTION_ACCEPT:
	case ACTION_DISCARD:
		return !name && !address && !a->text_count;
	case ACTION_REJECT:
	case ACTION_TEMPFAIL:
		return !name && !address;
	case ACTION_QUARANTINE:
	case ACTION_PREPEND_TEXT:
	case ACTION_APPEND_TEXT:
	case ACTION_REPLACE_BODY:
	case ACTION_LOG:
		return a->text_count >= 1;
	case ACTION_METRIC:
		return a->text_count == 1;
	case ACTION_ADD_HEADER:
	case ACTION_SET_HEADER:
		return name && a->text_count >= 1;
	case ACTION_INSERT_HEADER:
		return name && a->text_count >= 1 && a->index >= 0;
	case ACTION_REMOVE_HEADER:
		return name;
	case ACTION_DELAY:
		return a->milliseconds <= LIMIT_VALUE_DELAY;
	case ACTION_ADD_RECIPIENT:
	case ACTION_SET_SENDER:
		return address;
	case ACTION_REMOVE_RECIPIENT:
		return true;
	case ACTION_NONE:
	case ACTION_COUNT:
		return false;
	}
	return false;
}

/*
 * The code of candidates.  A recipient is there if the rule's condition, from
 * which it comes, names one; it is missing otherwise.
 */
const char *
verify_finders(struct verifier *v)
{
	for (uint32_t i = 0; i < v->im->count[SECTION_CANDIDATES]; i++) {
		const struct image_candidate *c = &v->im->candidates[i];
		struct place place = { .stage = (enum milt_stage)c->stage,
			.recipient = true,
			.last = true };
		const char *why;

		if (c->code == IMAGE_NONE)
			continue;
		why = verify_fragment(v, c->code, &place);
		if (why)
			return why;
	}
	return NULL;
}

static const char *
check_where(struct verifier *v, const struct image_rule *rule,
    const struct image_action *a)
{
	struct place place = { .stage = STAGE_MESSAGE,
		.recipient = rule->flags & RULE_RECIPIENT,
		.last = true };

	if (a->where == IMAGE_NONE)
		return NULL;
	if (a->action == ACTION_REMOVE_HEADER)
		place.where = ATTR_ALL_HEADERS;
	else if (a->action == ACTION_REMOVE_RECIPIENT)
		place.where = ATTR_RECIPIENTS;
	else
		return "an action has a condition that it does not take";
	return verify_fragment(v, a->where, &place);
}

/*
 * A template of an action: its facts are there when it is filled in, which is
 * for a reply `text_last`, for all else the end of the message.
 */
static const char *
check_template(const struct verifier *v, const struct image_rule *rule,
    uint32_t template, bool reply)
{
	const struct template_use *use;

	if (template >= v->im->count[SECTION_TEMPLATES])
		return "an action has no text";
	use = &v->uses[template];
	if (use->recipient && !(rule->flags & RULE_RECIPIENT))
		return "a text names a recipient that is not there";
	if (reply && use->from > rule->text_last)
		return "a reply is not known at its stage";
	return NULL;
}

static const char *
check_action(struct verifier *v, const struct image_rule *rule,
    const struct image_action *a)
{
	const char *why = NULL;

	if (a->action >= ACTION_COUNT || !action_is_whole(a))
		return "an action is malformed";
	if (!verify_range(v, SECTION_TEMPLATES, a->texts, a->text_count))
		return "an action's texts lie outside their section";
	if (!verify_spend(v, a->text_count + 1, sizeof(*a)))
		return "the actions share too much";
	if (is_reply(a->action))
		why = check_reply(v, a);
	for (uint32_t i = 0; !why && i < a->text_count; i++)
		why =
		    check_template(v, rule, a->texts + i, is_reply(a->action));
	if (!why && a->name != IMAGE_NONE)
		why = check_template(v, rule, a->name, false);
	if (!why && a->address != IMAGE_NONE)
		why = check_template(v, rule, a->address, false);
	return why ? why : check_where(v, rule, a);
}

/*
 * One verdict, that of the rule; a shadow rule gives none, whatever stands
 * among its actions.
 */
static const char *
check_actions(struct verifier *v, const struct image_rule *rule)
{
	uint32_t verdicts = 0, verdict = ACTION_NONE;

	if (!verify_range(v, SECTION_ACTIONS, rule->first, rule->count))
		return "a rule's actions lie outside their section";
	for (uint32_t i = 0; i < rule->count; i++) {
		const struct image_action *a = &v->im->actions[rule->first + i];
		const char *why = check_action(v, rule, a);

		if (why)
			return why;
		if (is_verdict(a->action)) {
			verdicts++;
			verdict = a->action;
		}
	}
	if (verdicts > 1)
		return "a rule has two verdicts";
	if (rule->verdict != verdict &&
	    !(rule->flags & RULE_SHADOW && rule->verdict == ACTION_NONE))
		return "a rule's verdict is not among its actions";
	return NULL;
}

/* The code of its stages; *last is the latest of them. */
static const char *
check_fragments(struct verifier *v, const struct image_rule *rule, int *last)
{
	*last = -1;
	for (int s = 0; s < STAGE_COUNT; s++)
		if (rule->fragments[s] != IMAGE_NONE)
			*last = s;
	if (*last < 0)
		return "a rule has no condition";
	for (int s = 0; s <= *last; s++) {
		struct place place = { .stage = (enum milt_stage)s,
			.recipient = rule->flags & RULE_RECIPIENT,
			.last = s == *last };
		const char *why;

		if (rule->fragments[s] == IMAGE_NONE)
			continue;
		why = verify_fragment(v, rule->fragments[s], &place);
		if (why)
			return why;
	}
	return NULL;
}

static const char *
check_captures(struct verifier *v, const struct image_rule *rule,
    const struct image_js *js)
{
	if (!verify_range(v, SECTION_CAPTURES, js->captures, js->capture_count))
		return "a js rule's captures lie outside their section";
	if (!verify_spend(v, js->capture_count, sizeof(struct image_capture)))
		return "the js rules share too many captures";
	for (uint32_t i = 0; i < js->capture_count; i++) {
		const struct image_capture *c =
		    &v->im->captures[js->captures + i];
		const char *why = check_template(v, rule, c->template, false);

		if (why)
			return why;
		if (!verify_text(v, c->name) ||
		    v->uses[c->template].from > rule->known)
			return "a capture is malformed";
	}
	return NULL;
}

/* A function of a file, or code. */
static bool
js_has_code(const struct verifier *v, const struct image_js *js)
{
	if (js->code != IMAGE_NONE)
		return verify_text(v, js->code) && js->file == IMAGE_NONE &&
		       js->function == IMAGE_NONE;
	return verify_text(v, js->file) && verify_text(v, js->function);
}

static const char *
check_js(struct verifier *v, const struct image_rule *rule)
{
	uint32_t verdicts = 1u << ACTION_ACCEPT | 1u << ACTION_REJECT |
			    1u << ACTION_TEMPFAIL | 1u << ACTION_DISCARD;
	const struct image_js *js;

	if (!(rule->flags & RULE_JS))
		return rule->js == IMAGE_NONE ? NULL
					      : "a rule asks without being js";
	if (rule->js >= v->im->count[SECTION_JS])
		return "a js rule has no question";
	js = &v->im->js[rule->js];
	if (js->rule >= v->im->count[SECTION_RULES] ||
	    &v->im->rules[js->rule] != rule)
		return "a question is another rule's";
	if (rule->flags & RULE_SHADOW || !js_has_code(v, js) || !js->timeout ||
	    js->flags & ~(uint32_t)JS_BODY || !js->may || js->may & ~verdicts ||
	    !(v->im->needs->flags & NEED_JS))
		return "a js rule is malformed";
	if (js->flags & JS_BODY && rule->known < STAGE_MESSAGE)
		return "a js rule is asked before the body is there";
	if (rule->flags & RULE_RECIPIENT && rule->known != STAGE_RCPT)
		return "a recipient's js rule is not asked at its stage";
	return check_captures(v, rule, js);
}

static const char *
check_rule(struct verifier *v, const struct image_rule *rule)
{
	uint32_t flags = RULE_SHADOW | RULE_RECIPIENT | RULE_PINNED | RULE_JS;
	const char *why;
	int last;

	if (!verify_text(v, rule->name) || !verify_text(v, rule->why) ||
	    !verify_text(v, rule->file))
		return "a rule has no name";
	if (rule->flags & ~flags || rule->zero[0] || rule->zero[1] ||
	    rule->zero[2] || rule->pin >= STAGE_COUNT ||
	    rule->text_last >= STAGE_COUNT || rule->known >= STAGE_COUNT ||
	    (rule->verdict != ACTION_NONE && !is_verdict(rule->verdict)))
		return "a rule is malformed";
	why = check_fragments(v, rule, &last);
	if (why)
		return why;
	if (rule->known < last ||
	    (rule->flags & RULE_PINNED && rule->known < rule->pin) ||
	    (is_reply(rule->verdict) && rule->known < rule->text_last))
		return "a rule is known before its facts are";
	why = check_js(v, rule);
	return why ? why : check_actions(v, rule);
}

static const char *
check_otherwise(const struct milt_image *im)
{
	const struct image_rule *rule;
	const struct image_insn *code;

	if (im->count[SECTION_RULES] == 0)
		return "there is no rule";
	rule = &im->rules[im->count[SECTION_RULES] - 1];
	if (rule->verdict == ACTION_NONE ||
	    rule->flags & (RULE_SHADOW | RULE_JS) ||
	    rule->fragments[STAGE_CONNECT] == IMAGE_NONE)
		return "the last rule gives no verdict";
	for (int s = STAGE_CONNECT + 1; s < STAGE_COUNT; s++)
		if (rule->fragments[s] != IMAGE_NONE)
			return "the last rule has a condition";
	code = &im->code[rule->fragments[STAGE_CONNECT]];
	if (code[0].op != OPC_CONST || code[0].a != TRUE_ ||
	    code[1].op != OPC_HALT || code[1].r != code[0].r)
		return "the last rule has a condition";
	return NULL;
}

const char *
verify_rules(struct verifier *v)
{
	const char *why = NULL;

	for (uint32_t i = 0; !why && i < v->im->count[SECTION_RULES]; i++)
		why = check_rule(v, &v->im->rules[i]);
	return why ? why : check_otherwise(v->im);
}
