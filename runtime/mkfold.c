/*
 * Writes the table of Unicode simple case folding as C, from what GLib knows
 * about characters.  Run by the Makefile; not part of any program.
 *
 * The table has two levels: a page number for each 256 characters, and pages
 * of differences, of which equal ones are written once.
 */
#include <glib.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { PAGE = 256, LAST = 0x110000, PAGES = LAST / PAGE };

static int32_t delta[PAGES][PAGE];
static unsigned page_of[PAGES];  /* number among the pages that are written */
static unsigned first_of[PAGES]; /* by that number */

/*
 * GLib folds fully: where that gives several characters, the simple folding is
 * the lower-case one.  U+0130 has none outside Turkish.
 */
static uint32_t
fold(uint32_t c)
{
	char utf8[6];
	uint32_t result = c;
	char *folded;

	if (c == 0x130 || !g_unichar_validate(c) || c == 0)
		return c;
	folded = g_utf8_casefold(utf8, g_unichar_to_utf8(c, utf8));
	if (g_utf8_strlen(folded, -1) == 1)
		result = g_utf8_get_char(folded);
	else
		result = g_unichar_tolower(c);
	g_free(folded);
	return result;
}

/*
 * Cherokee folds to capitals (its small letters came later), but GLib takes
 * the capitals to small letters too: of two that fold to each other the
 * capital is the form.
 */
static uint32_t
settled(uint32_t c)
{
	uint32_t f = fold(c);

	return f != c && fold(f) == c && g_unichar_isupper(c) ? c : f;
}

static unsigned
number_pages(void)
{
	unsigned n = 0;

	for (unsigned p = 0; p < PAGES; p++) {
		unsigned i = 0;

		while (i < n && memcmp(delta[first_of[i]], delta[p],
				    sizeof(delta[p])) != 0)
			i++;
		if (i == n)
			first_of[n++] = p;
		page_of[p] = i;
	}
	return n;
}

static void
print_tables(unsigned pages)
{
	puts("/* Made by runtime/mkfold.c. */\n#include \"runtime/fold.h\"\n");
	printf("static const uint8_t page_of[%d] = {", PAGES);
	for (unsigned p = 0; p < PAGES; p++)
		printf("%s%u,", p % 16 ? " " : "\n\t", page_of[p]);
	printf("\n};\n\nstatic const int32_t delta[%u][%d] = {\n", pages, PAGE);
	for (unsigned i = 0; i < pages; i++) {
		printf("\t{");
		for (unsigned k = 0; k < PAGE; k++)
			printf("%s%d,", k % 16 ? " " : "\n\t\t",
			    delta[first_of[i]][k]);
		printf("\n\t},\n");
	}
	printf("};\n\nuint32_t\nfold_character(uint32_t c)\n{\n"
	       "\tif (c >= 0x%x)\n\t\treturn c;\n"
	       "\treturn c + (uint32_t)delta[page_of[c / %d]][c %% %d];\n}\n",
	    LAST, PAGE, PAGE);
}

int
main(void)
{
	unsigned pages;

	for (uint32_t c = 0; c < LAST; c++) {
		uint32_t f = settled(c);

		if (settled(f) != f) {
			fprintf(stderr, "mkfold: U+%04X folds twice\n", c);
			return 1;
		}
		delta[c / PAGE][c % PAGE] = (int32_t)f - (int32_t)c;
	}
	pages = number_pages();
	if (pages > 256) {
		fprintf(stderr, "mkfold: %u pages do not fit\n", pages);
		return 1;
	}
	print_tables(pages);
	return ferror(stdout) || fflush(stdout) != 0;
}
