#include "dsl/lexer.h"

#include <stdlib.h>

#include "dsl/ast.h"
#include "grammar.h"

struct keyword {
	struct str word;
	int kind;
};

static const struct keyword keywords[] = {
#define KEYWORD(id, word) { STR(word), TOKEN_##id },
#include "dsl/keywords.def"
#undef KEYWORD
};

enum { KEYWORD_COUNT = sizeof(keywords) / sizeof(*keywords) };

static int
compare_keyword(const void *key, const void *row)
{
	const struct str *a = key;
	const struct str *b = &((const struct keyword *)row)->word;
	int c = memcmp(a->p, b->p, a->n < b->n ? a->n : b->n);

	return c ? c : (a->n > b->n) - (a->n < b->n);
}

int
word_kind(struct str word)
{
	const struct keyword *k = bsearch(
	    &word, keywords, KEYWORD_COUNT, sizeof(*keywords), compare_keyword);

	return k ? k->kind : TOKEN_WORD;
}

struct str
keyword_text(int kind)
{
	for (size_t i = 0; i < KEYWORD_COUNT; i++)
		if (keywords[i].kind == kind)
			return keywords[i].word;
	return STR("");
}
