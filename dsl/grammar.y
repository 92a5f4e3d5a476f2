// The grammar of .milt files.  Actions build nodes and do nothing else: the
// functions are in dsl/ast*.c, their contracts in dsl/parse.h.  Errors are the
// driver's affair (dsl/parse.c).

%name           grammar
%token_prefix   TOKEN_
%token_type     { struct token }
%extra_argument { struct parser *ps }
%stack_size     2000
%syntax_error   { ps->failed = true; }
%stack_overflow { ps->failed = true; }

%include {
#include <assert.h>

#include "dsl/parse.h"

/* The template fetches `ps` where it does not need it. */
#pragma GCC diagnostic ignored "-Wunused-variable"

#define YYNOERRORRECOVERY 1
#define NONE ((struct token){ 0 })
#define NO_CODES ((struct codes){ NONE, NONE })
}

// What the lexer makes of a word depends on the word alone.  A keyword for
// which the grammar has no use is a WORD, but for those that would make a
// mistake hard to explain: and or not is in when unless, and the verdicts.

%fallback WORD
	SCORED
	ABSENT ADD ALWAYS ANY APPEND AT BODY BY CALL CLAIM CONTAINS COUNT
	DEFAULT DELAY DELAYS DISTINCT DNS EFFECT ENDS EVERY EXACTLY EXCEEDED
	EXISTS EXPECT FAILURE FILE FOR FROM GIVEN GREYLIST GROUP HEADER IGNORE
	INCLUDE INSERT JS KEEP KEY KNOWS LET LIKE LIMIT LIST LISTED LOG MACRO MALFORMED
	MAP MATCHES MAY MEMORY MESSAGE MILT NEEDS NEVER NO NOW OF ON OPTION OTHERWISE
	PER PREPEND QUARANTINE RAW RECIPIENT REMEMBER REMOVE REPLACE RULE SCORE
	SENDER SET SHADOW STARTS TEST TEXT TIMEOUT TO UNDER WATCH WHERE WINDOW
	WITH.

%token ACCEPT REJECT TEMPFAIL DISCARD AND OR NOT IS IN WHEN UNLESS.

// ---- what is read ----------------------------------------------------------
// A file; the rest of a file from inside a group on (after an error there); or
// a value alone (from the braces of a template).

input ::= START_FILE items.
input ::= START_GROUP group_items group_end items.
input ::= START_VALUE value(V).           { ps->value = V; }

items ::= .
items ::= items item(I).                  { ast_add(ps, I); }
items ::= items group.

%type item { struct ast_item * }
%type rule { struct item_rule * }

item(I) ::= rule(R).                      { I = &R->item; }

item(I) ::= MILT(A) atom(V).              { I = ast_version(ps, A, V); }
item(I) ::= OPTION(A) WORD(N) literal(V). { I = ast_option(ps, A, N, V); }
item(I) ::= INCLUDE(A) STRING(P).         { I = ast_include(ps, A, P); }
item(I) ::= OTHERWISE(A) verdict(V).      { I = ast_otherwise(ps, A, V); }

item(I) ::= LIST(A) name(N) OF WORD(T) LB members(M) RB(Z).
	{ I = ast_list(ps, A, N, T, M, Z); }
item(I) ::= LIST(A) name(N) OF WORD(T) FROM STRING(P).
	{ I = ast_list_file(ps, A, N, T, P, NONE); }
item(I) ::= LIST(A) name(N) OF WORD(T) FROM STRING(P) WATCH(W).
	{ I = ast_list_file(ps, A, N, T, P, W); }

item(I) ::= LET(A) name(N) EQ condition(C).
	{ I = ast_let(ps, A, N, C); }

// ---- rules and groups ------------------------------------------------------

// Nonterminals without a %type are tokens.
why(W) ::= .                              { W = NONE; }
why(W) ::= STRING(W).

rule(R) ::= RULE(A) name(N) why(W) LB body(B) RB(Z).
	{ R = ast_rule(ps, NONE, A, N, W, B, Z); }
rule(R) ::= SHADOW(S) RULE(A) name(N) why(W) LB body(B) RB(Z).
	{ R = ast_rule(ps, S, A, N, W, B, Z); }

%type body  { struct item_rule * }
body(B) ::= .                             { B = ast_rule_body(ps); }
body(B) ::= body(B) AT(A) WORD(S).        { ast_rule_at(ps, B, A, S); }
body(B) ::= body(B) WHEN(A) condition(C). { ast_rule_guard(ps, B, A, C); }
body(B) ::= body(B) UNLESS(A) condition(C).
					  { ast_rule_guard(ps, B, A, C); }
body(B) ::= body(B) action(X).            { vec_push(ps->arena,
						&B->actions, X); }

rule(R) ::= JS(J) RULE(A) name(N) why(W) LB js_body(B) RB(Z).
	{ R = ast_rule(ps, J, A, N, W, B, Z); }

%type js_body       { struct item_rule * }
%type verdict_words { struct values * }
%type failure_verdict { struct ast_action * }
js_body(B) ::= .                          { B = ast_js_body(ps); }
js_body(B) ::= js_body(B) AT(A) WORD(S).  { ast_rule_at(ps, B, A, S); }
js_body(B) ::= js_body(B) WHEN(A) condition(C).
					  { ast_rule_guard(ps, B, A, C); }
js_body(B) ::= js_body(B) UNLESS(A) condition(C).
					  { ast_rule_guard(ps, B, A, C); }
js_body(B) ::= js_body(B) CALL(A) STRING(S). { ast_js_call(ps, B, A, S); }
js_body(B) ::= js_body(B) FENCE(F).       { ast_js_code(ps, B, F); }
js_body(B) ::= js_body(B) TIMEOUT(A) ATOM(D). { ast_js_timeout(ps, B, A, D); }
js_body(B) ::= js_body(B) ON(A) FAILURE failure_verdict(X).
	{ ast_js_failure(ps, B, A, X, NONE); }
js_body(B) ::= js_body(B) ON(A) FAILURE IGNORE(Z).
	{ ast_js_failure(ps, B, A, NULL, Z); }
js_body(B) ::= js_body(B) MAY(A) verdict_words(L). { ast_js_may(ps, B, A, L); }
js_body(B) ::= js_body(B) NEEDS(A) BODY(Z). { ast_js_needs(ps, B, A, Z); }
failure_verdict(X) ::= verdict(X).
failure_verdict(X) ::= REJECT(A) codes(C).
	{ X = ast_reply(ps, ACTION_REJECT, A, C, NULL); }
failure_verdict(X) ::= TEMPFAIL(A) codes(C).
	{ X = ast_reply(ps, ACTION_TEMPFAIL, A, C, NULL); }
verdict_words(L) ::= verdict_word(T).
	{ L = values_add(ps, NULL, ast_value(ps, VALUE_NAME, T)); }
verdict_words(L) ::= verdict_words(L) COMMA verdict_word(T).
	{ L = values_add(ps, L, ast_value(ps, VALUE_NAME, T)); }

group ::= group_open group_items group_end.
group_open ::= group_head(G) LB(A).       { ast_group_open(ps, G, A); }
group_end ::= RB(Z).                      { ast_group_close(ps, Z); }

%type group_head { struct item_group * }
group_head(G) ::= GROUP(A) name(N) why(W). { G = ast_group_head(ps, A, N, W); }
group_head(G) ::= group_head(G) WHEN(A) condition(C).
					  { ast_group_guard(ps, G, A, C); }
group_head(G) ::= group_head(G) UNLESS(A) condition(C).
					  { ast_group_guard(ps, G, A, C); }

group_items ::= .
group_items ::= group_items rule(R).      { ast_group_add(ps, R); }

// ---- conditions ------------------------------------------------------------
// or < and < not < comparison.

%type condition { struct ast_expr * }
%type ors       { struct ast_expr * }
%type ands      { struct ast_expr * }
%type nots      { struct ast_expr * }
%type primary   { struct ast_expr * }
%type operator  { struct ast_expr * }

condition(C) ::= ors(A).                  { C = ast_balance(ps, A); }

ors(E)  ::= conjunction(E).
ors(E)  ::= ors(A) OR(O) conjunction(B).  { E = ast_binary(ps, EXPR_OR, A, O,
						B); }
%type conjunction { struct ast_expr * }
conjunction(E) ::= ands(A).               { E = ast_balance(ps, A); }

ands(E) ::= nots(E).
ands(E) ::= ands(A) AND(O) nots(B).       { E = ast_binary(ps, EXPR_AND, A, O,
						B); }
nots(E) ::= primary(E).
nots(E) ::= NOT(O) nots(A).               { E = ast_not(ps, O, A); }

primary(E) ::= LP(A) condition(C) RP(Z).    { E = C;
					    E->span = span2(A, Z); }
primary(E) ::= ANY(A) WORD(N) LB(O) condition(C) RB(Z).
	{ E = ast_block(ps, EXPR_ANY, A, N, O, C, Z); }
primary(E) ::= EVERY(A) WORD(N) LB(O) condition(C) RB(Z).
	{ E = ast_block(ps, EXPR_EVERY, A, N, O, C, Z); }
primary(E) ::= NO(A) WORD(N) LB(O) condition(C) RB(Z).
	{ E = ast_block(ps, EXPR_NO, A, N, O, C, Z); }

primary(E) ::= value(V).                  { E = ast_unary(ps, EXPR_VALUE, V,
						NONE); }
primary(E) ::= value(V) EXISTS(W).        { E = ast_unary(ps, EXPR_EXISTS, V,
						W); }
primary(E) ::= value(V) ABSENT(W).        { E = ast_unary(ps, EXPR_ABSENT, V,
						W); }
primary(E) ::= value(V) MALFORMED(W).     { E = ast_unary(ps, EXPR_MALFORMED,
						V, W); }
primary(E) ::= value(L) operator(O) value(R).
					  { E = ast_compare(O, L, R); }
primary(E) ::= value(L) member_operator(O) set(R).
					  { E = ast_compare(O, L, R); }

%type member_operator { struct ast_expr * }
%type set { struct ast_value * }
set(S) ::= value(S).
set(S) ::= LB(A) members(M) RB(Z).        { S = ast_group(ps, VALUE_SET, A, M,
						Z); }

operator(O) ::= IS(A).                    { O = ast_operator(ps, OP_IS, A, A); }
operator(O) ::= IS(A) NOT(Z).             { O = ast_operator(ps, OP_IS, A, Z);
					    O->negated = true; }
operator(O) ::= NE(A).                    { O = ast_operator(ps, OP_IS, A, A);
					    O->negated = true; }
operator(O) ::= IS(A) EXACTLY(Z).         { O = ast_operator(ps, OP_IS, A, Z);
					    O->exactly = true; }
operator(O) ::= IS(A) NOT EXACTLY(Z).     { O = ast_operator(ps, OP_IS, A, Z);
					    O->negated = O->exactly = true; }
operator(O) ::= text_operator(O).
operator(O) ::= text_operator(O) EXACTLY(Z).
					  { O->exactly = true;
					    O->op_span.end = Z.span.end; }
operator(O) ::= LT(A).                    { O = ast_operator(ps, OP_LT, A, A); }
operator(O) ::= LE(A).                    { O = ast_operator(ps, OP_LE, A, A); }
operator(O) ::= GT(A).                    { O = ast_operator(ps, OP_GT, A, A); }
operator(O) ::= GE(A).                    { O = ast_operator(ps, OP_GE, A, A); }

%type text_operator { struct ast_expr * }
text_operator(O) ::= CONTAINS(A).         { O = ast_operator(ps, OP_CONTAINS,
						A, A); }
text_operator(O) ::= STARTS(A) WITH(Z).   { O = ast_operator(ps,
						OP_STARTS_WITH, A, Z); }
text_operator(O) ::= ENDS(A) WITH(Z).     { O = ast_operator(ps, OP_ENDS_WITH,
						A, Z); }
text_operator(O) ::= LIKE(A).             { O = ast_operator(ps, OP_LIKE, A,
						A); }

member_operator(O) ::= IN(A).             { O = ast_operator(ps, OP_IN, A, A); }
member_operator(O) ::= IN(A) EXACTLY(Z).  { O = ast_operator(ps, OP_IN, A, Z);
					    O->exactly = true; }
member_operator(O) ::= NOT(A) IN(Z).      { O = ast_operator(ps, OP_IN, A, Z);
					    O->negated = true; }
member_operator(O) ::= NOT(A) IN EXACTLY(Z).
					  { O = ast_operator(ps, OP_IN, A, Z);
					    O->negated = O->exactly = true; }
member_operator(O) ::= UNDER(A).          { O = ast_operator(ps, OP_UNDER, A,
						A); }
member_operator(O) ::= NOT(A) UNDER(Z).   { O = ast_operator(ps, OP_UNDER, A,
						Z);
					    O->negated = true; }

primary(E) ::= value(L) MATCHES(A) regex(R).
	{ E = ast_compare(ast_operator(ps, OP_MATCHES, A, A), L, R); }
%type regex { struct ast_value * }
regex(V) ::= REGEX(T).                    { V = ast_value(ps, VALUE_REGEX, T); }

primary(E) ::= WORD(N) EXCEEDED(V).       { E = ast_state(ps, N, V); }
primary(E) ::= WORD(N) KNOWS(V).          { E = ast_state(ps, N, V); }
primary(E) ::= WORD(N) DELAYS(V).         { E = ast_state(ps, N, V); }
primary(E) ::= value(L) LISTED(A) IN STRING(Z).
	{ E = ast_listed(ps, L, A, Z, Z); }
primary(E) ::= value(L) LISTED(A) IN STRING(S) WITH LB members RB(Z).
	{ E = ast_listed(ps, L, A, S, Z); }

// ---- values ----------------------------------------------------------------

%type value   { struct ast_value * }
%type atom    { struct ast_value * }
%type literal { struct ast_value * }
%type member  { struct ast_value * }
%type members { struct values * }
%type word    { struct ast_value * }

atom(V)    ::= ATOM(T).                   { V = ast_value(ps, VALUE_ATOM, T); }
atom(V)    ::= SIGNED(T).                 { V = ast_value(ps, VALUE_ATOM, T); }

value(V)   ::= atom(V).
value(V)   ::= WORD(T).                   { V = ast_value(ps, VALUE_NAME, T); }
value(V)   ::= STRING(T).                 { V = ast_value(ps, VALUE_STRING,
						T); }
value(V)   ::= ADDRESS(T).                { V = ast_value(ps, VALUE_ADDRESS,
						T); }
value(V)   ::= WORD(N) LP STRING(K) RP(Z). { V = ast_keyed(ps, N, N, K, Z); }
value(V)   ::= RAW(A) WORD(N) LP STRING(K) RP(Z).
					  { V = ast_keyed(ps, A, N, K, Z); }
value(V)   ::= COUNT(A) LP value(C) RP(Z). { V = ast_count(ps, A, C, Z); }
value(V)   ::= WORD(N) LSB arguments(A) RSB(Z).
					  { V = ast_group(ps, VALUE_INDEX, N,
						A, Z); }
value(V)   ::= WORD(N) LP argument(A) RP(Z).
					  { V = ast_group(ps, VALUE_CALL, N,
						values_add(ps, NULL, A), Z); }

// An argument that is not a text in quotes alone: those make keys.
%type argument  { struct ast_value * }
%type arguments { struct values * }
argument(V)  ::= WORD(T).                 { V = ast_value(ps, VALUE_NAME, T); }
argument(V)  ::= ADDRESS(T).              { V = ast_value(ps, VALUE_ADDRESS,
						T); }
argument(V)  ::= atom(V).
argument(V)  ::= WORD(N) LP STRING(K) RP(Z). { V = ast_keyed(ps, N, N, K, Z); }
arguments(L) ::= value(V).                { L = values_add(ps, NULL, V); }
arguments(L) ::= arguments(L) COMMA value(V). { L = values_add(ps, L, V); }

literal(V) ::= word(V).
literal(V) ::= atom(V).
literal(V) ::= STRING(T).                 { V = ast_value(ps, VALUE_STRING,
						T); }
literal(V) ::= ADDRESS(T).                { V = ast_value(ps, VALUE_ADDRESS,
						T); }

word(V) ::= WORD(T).                      { V = ast_value(ps, VALUE_NAME, T); }
word(V) ::= verdict_word(T).              { V = ast_value(ps, VALUE_NAME, T); }

verdict_word(W) ::= ACCEPT(W).
verdict_word(W) ::= REJECT(W).
verdict_word(W) ::= TEMPFAIL(W).
verdict_word(W) ::= DISCARD(W).

members(L) ::= .                          { L = values_add(ps, NULL, NULL); }
members(L) ::= members(L) member(V).      { L = values_add(ps, L, V); }
member(V)  ::= literal(V).
member(V)  ::= hard_word(T).              { V = ast_value(ps, VALUE_NAME, T); }

name(N) ::= WORD(N).
name(N) ::= verdict_word(N).
name(N) ::= joining_word(N).

hard_word(W) ::= joining_word(W).
hard_word(W) ::= WHEN(W).
hard_word(W) ::= UNLESS(W).
joining_word(W) ::= AND(W).
joining_word(W) ::= OR(W).
joining_word(W) ::= NOT(W).
joining_word(W) ::= IS(W).
joining_word(W) ::= IN(W).

// ---- actions ---------------------------------------------------------------

%type action  { struct ast_action * }
%type verdict { struct ast_action * }
%type effect  { struct ast_action * }
%type codes   { struct codes }
%type texts   { struct texts * }

action(X) ::= verdict(X).
action(X) ::= effect(X).

verdict(X) ::= ACCEPT(A).                 { X = ast_action(ps, ACTION_ACCEPT,
						A, A); }
verdict(X) ::= DISCARD(A).                { X = ast_action(ps, ACTION_DISCARD,
						A, A); }
verdict(X) ::= REJECT(A) codes(C) texts(T).
	{ X = ast_reply(ps, ACTION_REJECT, A, C, T); }
verdict(X) ::= TEMPFAIL(A) codes(C) texts(T).
	{ X = ast_reply(ps, ACTION_TEMPFAIL, A, C, T); }

codes(C) ::= .                            { C = NO_CODES; }
codes(C) ::= ATOM(A).                     { C = (struct codes){ A, NONE }; }
codes(C) ::= ATOM(A) ATOM(B).             { C = (struct codes){ A, B }; }
texts(L) ::= STRING(T).                   { L = texts_add(ps, NULL, T); }
texts(L) ::= texts(L) STRING(T).          { L = texts_add(ps, L, T); }

effect(X) ::= QUARANTINE(A) STRING(T).
	{ X = ast_text(ps, ACTION_QUARANTINE, A, T); }
effect(X) ::= LOG(A) STRING(T).
	{ X = ast_text(ps, ACTION_LOG, A, T); }
effect(X) ::= DELAY(A) atom(V).
	{ X = ast_delay(ps, A, V); }
effect(X) ::= COUNT(A) WORD(N).
	{ X = ast_metric(ps, A, N); }
effect(X) ::= ADD(A) HEADER(W) STRING(N) STRING(V).
	{ X = ast_header(ps, ACTION_ADD_HEADER, A, W, N, V); }
effect(X) ::= INSERT(A) HEADER(W) ATOM(I) STRING(N) STRING(V).
	{ X = ast_header(ps, ACTION_INSERT_HEADER, A, W, N, V);
	  X->index = ast_index(ps, I); }
effect(X) ::= SET(A) HEADER(W) STRING(N) STRING(V).
	{ X = ast_header(ps, ACTION_SET_HEADER, A, W, N, V); }
effect(X) ::= REMOVE(A) HEADER(W) STRING(N).
	{ X = ast_header(ps, ACTION_REMOVE_HEADER, A, W, N, NONE); }
effect(X) ::= REMOVE(A) HEADER(W) STRING(N) WHERE condition(C).
	{ X = ast_where(ps, ast_header(ps, ACTION_REMOVE_HEADER, A, W, N, NONE),
	      C); }
effect(X) ::= ADD(A) RECIPIENT(W) target(T).
	{ X = ast_address(ps, ACTION_ADD_RECIPIENT, A, W, T); }
effect(X) ::= REMOVE(A) RECIPIENT(Z).
	{ X = ast_action(ps, ACTION_REMOVE_RECIPIENT, A, Z); }
effect(X) ::= REMOVE(A) RECIPIENT(Z) WHERE condition(C).
	{ X = ast_where(ps, ast_action(ps, ACTION_REMOVE_RECIPIENT, A, Z),
	      C); }
effect(X) ::= SET(A) SENDER(W) target(T).
	{ X = ast_address(ps, ACTION_SET_SENDER, A, W, T); }
effect(X) ::= REPLACE(A) BODY(W) texts(T).
	{ X = ast_reply(ps, ACTION_REPLACE_BODY, A, NO_CODES, T);
	  X->word = span2(A, W); }
effect(X) ::= PREPEND(A) TEXT(W) texts(T).
	{ X = ast_reply(ps, ACTION_PREPEND_TEXT, A, NO_CODES, T);
	  X->word = span2(A, W); }
effect(X) ::= APPEND(A) TEXT(W) texts(T).
	{ X = ast_reply(ps, ACTION_APPEND_TEXT, A, NO_CODES, T);
	  X->word = span2(A, W); }

target(T) ::= ADDRESS(T).
target(T) ::= STRING(T).

effect(X) ::= REMEMBER(A) WORD(Z).          { X = ast_refused(ps, A, A, Z); }
effect(X) ::= SCORED(A) SIGNED(Z).          { X = ast_refused(ps, A, A, Z); }

// ---- tests -----------------------------------------------------------------

item(I) ::= TEST(A) STRING(N) LB test_body(B) RB(Z).
	{ I = ast_test(ps, A, N, B, Z); }

%type test_body    { struct item_test * }
%type fact         { struct ast_fact * }
%type fact_values  { struct values * }
%type fact_value   { struct ast_value * }

test_body(B) ::= .                        { B = ast_test_body(ps); }
test_body(B) ::= test_body(B) fact(F).    { ast_test_fact(ps, B, F); }
test_body(B) ::= test_body(B) expect(A) expectation(E).
					  { ast_test_expect(ps, B, A, E);
					    ps->literal = false; }
expect(A) ::= EXPECT(A).                  { ps->literal = true; }

// Of several values only the first may be a bare word: the next word begins
// the next fact.
fact(F) ::= WORD(N) fact_values(V).
	{ F = ast_fact(ps, FACT_ATTRIBUTE, N, N, V); }
fact(F) ::= SENDER(N) fact_values(V).
	{ F = ast_fact(ps, FACT_ATTRIBUTE, N, N, V); }
fact(F) ::= RECIPIENT(N) fact_values(V).
	{ F = ast_fact(ps, FACT_RECIPIENT, N, N, V); }
fact(F) ::= MACRO(A) STRING(N) STRING(V).
	{ F = ast_fact_text(ps, FACT_MACRO, A, N, V); }
fact(F) ::= HEADER(A) STRING(N) STRING(V).
	{ F = ast_fact_text(ps, FACT_HEADER, A, N, V); }
fact(F) ::= BODY(A) STRING(V).
	{ F = ast_fact_text(ps, FACT_BODY, A, NONE, V); }
fact(F) ::= MESSAGE(A) BLOCK(V).
	{ F = ast_fact_text(ps, FACT_MESSAGE, A, NONE, V); }
fact(F) ::= MESSAGE(A) FILE STRING(V).
	{ F = ast_fact_text(ps, FACT_MESSAGE_FILE, A, NONE, V); }
fact(F) ::= GIVEN(A) NOW STRING(V).
	{ F = ast_fact_text(ps, FACT_GIVEN_NOW, A, NONE, V); }
fact(F) ::= GIVEN(A) DNS(N) WORD STRING(V) dns_answer.
	{ F = ast_fact_text(ps, FACT_GIVEN, A, N, V); }
fact(F) ::= given_js(A) name(N) failure_verdict(X).
	{ F = ast_given_js(ps, A, N, X, NONE);
	  ps->literal = false; }
fact(F) ::= given_js(A) name(N) WORD(W).
	{ F = ast_given_js(ps, A, N, NULL, W);
	  ps->literal = false; }
given_js(A) ::= GIVEN(A) JS.              { ps->literal = true; }
fact(F) ::= GIVEN(A) WORD(N) word(V).
	{ F = ast_fact(ps, FACT_GIVEN, A, N, values_add(ps, NULL, V)); }

fact_values(L) ::= word(V).               { L = values_add(ps, NULL, V); }
fact_values(L) ::= fact_value(V).         { L = values_add(ps, NULL, V); }
fact_values(L) ::= fact_values(L) fact_value(V).
					  { L = values_add(ps, L, V); }
fact_value(V) ::= atom(V).
fact_value(V) ::= STRING(T).              { V = ast_value(ps, VALUE_STRING,
						T); }
fact_value(V) ::= ADDRESS(T).             { V = ast_value(ps, VALUE_ADDRESS,
						T); }

dns_answer ::= WORD.
dns_answer ::= dns_data.
dns_data   ::= dns_datum.
dns_data   ::= dns_data dns_datum.
dns_datum  ::= ATOM.
dns_datum  ::= STRING.

%type expectation { struct ast_expect * }
%type outcome     { struct ast_expect * }

expectation(E) ::= outcome(E).
expectation(E) ::= TEXT(A) STRING(T).     { E = ast_expect_text(ps, A, T); }
expectation(E) ::= effect(X).             { E = ast_expect_effect(ps, X); }
expectation(E) ::= NO(A) EFFECT(Z).       { E = ast_expect(ps,
						EXPECT_NO_EFFECT, A, Z); }
expectation(E) ::= SHADOW(A) name(N).     { E = ast_expect(ps, EXPECT_SHADOW,
						A, N);
					    ast_expect_by(E, N, false); }

outcome(E) ::= verdict_word(V) codes(C).  { E = ast_expect_verdict(ps, V, C); }
outcome(E) ::= outcome(E) BY name(N).     { ast_expect_by(E, N, false); }
outcome(E) ::= outcome(E) BY DEFAULT(N).  { ast_expect_by(E, N, true); }
outcome(E) ::= outcome(E) AT WORD(S).     { ast_expect_at(E, S); }
outcome(E) ::= outcome(E) FOR ADDRESS(V). { ast_expect_for(ps, E, V); }

// ---- designed, and refused until they are built ----------------------------

item(I) ::= MAP(A) name(N) OF WORD TO WORD LB pairs RB(Z).
	{ I = ast_reserved(ps, A, A, N, Z); }
item(I) ::= MAP(A) name(N) OF WORD TO WORD FROM STRING(Z).
	{ I = ast_reserved(ps, A, A, N, Z); }
item(I) ::= MAP(A) name(N) OF WORD TO WORD FROM STRING WATCH(Z).
	{ I = ast_reserved(ps, A, A, N, Z); }
pairs ::= .
pairs ::= pairs literal EQ literal.

item(I) ::= LIMIT(A) name(N) LB ATOM measure PER ATOM for RB(Z).
	{ I = ast_reserved(ps, A, A, N, Z); }
measure ::= WORD.
measure ::= DISTINCT value.
for ::= .
for ::= FOR keys.
keys ::= value.
keys ::= keys COMMA value.

item(I) ::= MEMORY(A) name(N) LB KEY keys KEEP ATOM RB(Z).
	{ I = ast_reserved(ps, A, A, N, Z); }
item(I) ::= GREYLIST(A) name(N) LB DELAY ATOM WINDOW ATOM KEEP ATOM for RB(Z).
	{ I = ast_reserved(ps, A, A, N, Z); }
item(I) ::= SCORE(A) name(N).
	{ I = ast_reserved(ps, A, A, N, N); }
item(I) ::= CLAIM(A) name(N) LB promise verdict_word WHEN condition RB(Z).
	{ I = ast_reserved(ps, A, A, N, Z); }
promise ::= NEVER.
promise ::= ALWAYS.

%code {
const int grammar_tokens = YYNTOKEN;

void *
grammar_new(struct arena *arena)
{
	return ARENA_NEW(arena, struct yyParser);
}

/*
 * The stack as it would be after some reductions: the lower `kept` entries of
 * the parser's own, and `pushed` ones above them.
 */
struct imagined {
	const struct yyParser *parser;
	size_t kept, pushed;
	YYACTIONTYPE above[64];
};

static YYACTIONTYPE
imagined_top(const struct imagined *s)
{
	return s->pushed ? s->above[s->pushed - 1]
			 : s->parser->yystack[s->kept - 1].stateno;
}

static bool
imagine_reduction(struct imagined *s, unsigned rule)
{
	size_t pop = (size_t)-yyRuleInfoNRhs[rule];
	size_t above = pop < s->pushed ? pop : s->pushed;
	YYACTIONTYPE act;

	s->pushed -= above;
	s->kept -= pop - above;
	if (s->pushed == sizeof(s->above) / sizeof(*s->above))
		return false;
	act = yy_find_reduce_action(imagined_top(s),
	    (YYCODETYPE)yyRuleInfoLhs[rule]);
	if (act > YY_MAX_SHIFT && act <= YY_MAX_SHIFTREDUCE)
		act += YY_MIN_REDUCE - YY_MIN_SHIFTREDUCE;
	s->above[s->pushed++] = act;
	return true;
}

static YYACTIONTYPE
find_action(YYACTIONTYPE state, YYCODETYPE look, bool soft)
{
	int i = yy_shift_ofst[state] + look;

	if (yy_lookahead[i] == look)
		return yy_action[i];
	return soft ? yy_find_shift_action(look, state) : YY_ERROR_ACTION;
}

bool
grammar_accepts(const void *parser, int token, bool soft)
{
	struct imagined s = { .parser = parser };

	s.kept = (size_t)(s.parser->yytos - s.parser->yystack) + 1;
	for (;;) {
		YYACTIONTYPE act = imagined_top(&s);

		if (act == YY_ACCEPT_ACTION)
			return true;
		if (act <= YY_MAX_SHIFT)
			act = find_action(act, (YYCODETYPE)token, soft);
		if (act < YY_MIN_REDUCE)
			return act <= YY_MAX_SHIFTREDUCE ||
			       act == YY_ACCEPT_ACTION;
		if (!imagine_reduction(&s, act - YY_MIN_REDUCE))
			return false;
	}
}
}
