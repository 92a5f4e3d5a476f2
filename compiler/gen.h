/*
 * The tables of the language for people, in a form: Markdown or man.
 */
#ifndef COMPILER_GEN_H
#define COMPILER_GEN_H

#include "dsl/str.h"

enum { GEN_COLUMNS = 8 }; /* at most */

/* How a table of `columns` cells a row is printed. */
struct form {
	void (*begin)(const char *const *head, size_t columns);
	void (*row)(const struct str *cells, size_t columns);
	void (*end)(void);
};

/* Prints the table of that name; false, and says so, if there is none. */
bool gen_table(const char *name, const struct form *);

#endif
