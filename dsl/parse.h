/*
 * Inside the parser: what the grammar's actions and the driver share.  Every
 * function that makes a node puts it into the arena of the compilation.
 */
#ifndef DSL_PARSE_H
#define DSL_PARSE_H

#include "dsl/ast.h"
#include "dsl/lexer.h"

struct parser {
	struct arena *arena; /* borrowed */
	struct diags *diags; /* borrowed; NULL: say nothing */
	uint32_t source;
	struct ast_file *file;
	struct item_group *group; /* that is open, or NULL */
	struct ast_value *value;  /* result of START_VALUE */
	bool failed;              /* the last token was refused */
	bool literal;             /* texts of actions are no templates */
	void *grammar;            /* the tables' machine */
	void *inner;              /* another for the fields of templates */
};

/* Values that a list rule of the grammar collects. */
struct values {
	VEC(struct ast_value *) list;
};

struct texts {
	VEC(struct ast_template *) list;
};

/* A reply's codes, as written; kind 0 where there is none. */
struct codes {
	struct token code, xcode;
};

/* From the first byte of `a` to the last of `z`; `z` may be empty. */
struct span span2(struct token a, struct token z);

/* Of two tokens the second, or the first if the second is empty. */
struct token later(struct token a, struct token b);

/* Values. */
struct ast_value *ast_value(struct parser *, enum value_kind, struct token);
struct ast_value *ast_keyed(struct parser *, struct token first,
    struct token name, struct token key, struct token close);
struct ast_value *ast_count(struct parser *, struct token word,
    struct ast_value *of, struct token close);
struct ast_value *ast_group(struct parser *, enum value_kind, struct token name,
    struct values *, struct token close);
struct values *values_add(struct parser *, struct values *, struct ast_value *);

/* Conditions. */
struct ast_expr *ast_operator(
    struct parser *, enum compare_op, struct token first, struct token last);
struct ast_expr *ast_compare(
    struct ast_expr *op, struct ast_value *left, struct ast_value *right);
struct ast_expr *ast_unary(
    struct parser *, enum expr_kind, struct ast_value *, struct token word);
struct ast_expr *ast_state(
    struct parser *, struct token name, struct token verb);
struct ast_expr *ast_listed(struct parser *, struct ast_value *left,
    struct token first, struct token zone, struct token close);
struct ast_expr *ast_binary(struct parser *, enum expr_kind, struct ast_expr *,
    struct token op, struct ast_expr *);
struct ast_expr *ast_not(struct parser *, struct token op, struct ast_expr *);
struct ast_expr *ast_block(struct parser *, enum expr_kind, struct token word,
    struct token name, struct token open, struct ast_expr *,
    struct token close);

/*
 * A chain `a or b or c` comes from the grammar as a left spine, as deep as it
 * is long.  The result means the same and is as deep as the logarithm.
 */
struct ast_expr *ast_balance(struct parser *, struct ast_expr *);

/* Templates. */
struct ast_template *ast_template(struct parser *, struct token string);
struct texts *texts_add(struct parser *, struct texts *, struct token string);

/* Actions. */
struct ast_action *ast_action(
    struct parser *, enum milt_action, struct token first, struct token last);
/* `texts` NULL: none. */
struct ast_action *ast_reply(struct parser *, enum milt_action,
    struct token word, struct codes, struct texts *);
struct ast_action *ast_metric(
    struct parser *, struct token word, struct token name);
struct ast_action *ast_text(
    struct parser *, enum milt_action, struct token first, struct token text);
struct ast_action *ast_header(struct parser *, enum milt_action,
    struct token first, struct token second, struct token name,
    struct token value);
struct ast_action *ast_where(
    struct parser *, struct ast_action *, struct ast_expr *);
struct ast_action *ast_address(struct parser *, enum milt_action,
    struct token first, struct token second, struct token address);
struct ast_action *ast_delay(
    struct parser *, struct token word, struct ast_value *duration);
struct ast_action *ast_refused(
    struct parser *, struct token first, struct token word, struct token last);
long long ast_index(struct parser *, struct token);

/* Items. */
void ast_add(struct parser *, struct ast_item *);
struct ast_item *ast_version(struct parser *, struct token, struct ast_value *);
struct ast_item *ast_option(
    struct parser *, struct token, struct token name, struct ast_value *);
struct ast_item *ast_list(struct parser *, struct token, struct token name,
    struct token type, struct values *, struct token z);
struct ast_item *ast_list_file(struct parser *, struct token, struct token name,
    struct token type, struct token path, struct token watch);
struct ast_item *ast_let(
    struct parser *, struct token, struct token name, struct ast_expr *);
struct ast_item *ast_include(struct parser *, struct token, struct token path);
struct ast_item *ast_otherwise(
    struct parser *, struct token, struct ast_action *);
struct ast_item *ast_reserved(struct parser *, struct token first,
    struct token word, struct token name, struct token z);

struct item_rule *ast_rule_body(struct parser *);
void ast_rule_at(
    struct parser *, struct item_rule *, struct token word, struct token stage);
void ast_rule_guard(
    struct parser *, struct item_rule *, struct token word, struct ast_expr *);
/* `first` is `shadow` or `js`, or of kind 0. */
struct item_rule *ast_rule(struct parser *, struct token first,
    struct token word, struct token name, struct token why,
    struct item_rule *body, struct token z);
struct item_group *ast_group_head(
    struct parser *, struct token word, struct token name, struct token why);
void ast_group_guard(
    struct parser *, struct item_group *, struct token word, struct ast_expr *);
void ast_group_open(struct parser *, struct item_group *, struct token open);
void ast_group_add(struct parser *, struct item_rule *);
void ast_group_close(struct parser *, struct token z);

/* `word`, or what it stands for, was said before. */
void ast_report_twice(struct parser *, struct token word, struct span first);

/* js rules. */
struct item_rule *ast_js_body(struct parser *);
void ast_js_call(
    struct parser *, struct item_rule *, struct token word, struct token call);
void ast_js_code(struct parser *, struct item_rule *, struct token fence);
void ast_js_timeout(
    struct parser *, struct item_rule *, struct token word, struct token time);
/* `verdict` NULL: ignore. */
void ast_js_failure(struct parser *, struct item_rule *, struct token word,
    struct ast_action *verdict, struct token ignore);
void ast_js_may(
    struct parser *, struct item_rule *, struct token word, struct values *);
void ast_js_needs(
    struct parser *, struct item_rule *, struct token word, struct token z);

/* Tests. */
struct item_test *ast_test_body(struct parser *);
struct ast_item *ast_test(struct parser *, struct token word,
    struct token title, struct item_test *, struct token z);
void ast_test_fact(struct parser *, struct item_test *, struct ast_fact *);
void ast_test_expect(struct parser *, struct item_test *, struct token word,
    struct ast_expect *);
struct ast_fact *ast_fact(struct parser *, enum fact_kind, struct token first,
    struct token name, struct values *);
struct ast_fact *ast_fact_text(struct parser *, enum fact_kind,
    struct token first, struct token name, struct token value);
/* `verdict` NULL: `word`. */
struct ast_fact *ast_given_js(struct parser *, struct token first,
    struct token name, struct ast_action *verdict, struct token word);
struct ast_expect *ast_expect(
    struct parser *, enum expect_kind, struct token first, struct token last);
struct ast_expect *ast_expect_verdict(
    struct parser *, struct token verdict, struct codes);
struct ast_expect *ast_expect_by(
    struct ast_expect *, struct token rule, bool by_default);
struct ast_expect *ast_expect_at(struct ast_expect *, struct token stage);
struct ast_expect *ast_expect_for(
    struct parser *, struct ast_expect *, struct token address);
struct ast_expect *ast_expect_text(
    struct parser *, struct token word, struct token text);
struct ast_expect *ast_expect_effect(struct parser *, struct ast_action *);

/*
 * A reply's code and enhanced code.  One alone may be either; of two the first
 * is the reply code.  What is not given stays untouched.
 */
void read_codes(struct parser *, struct codes, unsigned *code,
    struct span *code_span, struct str *xcode, struct span *xcode_span);

/* The action that a verdict's word names. */
enum milt_action verdict_action(struct token word);

/*
 * The value that a text is, if it is one; `map` gives the place of each of
 * its bytes in the source.  NULL, and nothing said, if it is none.
 */
struct ast_value *parse_value(
    struct parser *, struct str text, const uint32_t *map);

/*
 * The parser that lemon makes of dsl/grammar.y.  A stack deeper than brackets
 * within LIMIT_NESTING can make it is a refused token.
 */
void *grammar_new(struct arena *);
void grammarInit(void *);
void grammarFinalize(void *);
void grammar(void *, int kind, struct token, struct parser *);

/*
 * Would the parser, in its present state, shift `token` in the end?  With
 * `soft` a keyword may also stand for an ordinary word.
 */
bool grammar_accepts(const void *, int token, bool soft);

/* Token kinds are below it. */
extern const int grammar_tokens;

#endif
