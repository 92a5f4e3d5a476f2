/* What the image asks of its host: needs, options and macros. */
#include "runtime/verify.h"

static bool
is_choice(uint32_t option, int64_t value)
{
	for (size_t i = 0; i < choice_row_count; i++)
		if (choice_rows[i].option == option &&
		    choice_rows[i].choice == value)
			return true;
	return false;
}

static bool
option_is_valid(const struct verifier *v, uint32_t option)
{
	const struct option_row *row = &option_rows[option];
	int64_t value = v->im->needs->options[option];
	uint32_t text = v->im->needs->option_texts[option];

	if (row->kind != OPTION_TEXT && text != IMAGE_NONE)
		return false;
	switch (row->kind) {
	case OPTION_NUMBER:
	case OPTION_SIZE:
		return value >= row->min && value <= row->max;
	case OPTION_CHOICE:
		return is_choice(option, value);
	case OPTION_TEXT:
		if (text == IMAGE_NONE)
			return true;
		return verify_text(v, text) &&
		       v->im->texts[text].length >= row->min &&
		       v->im->texts[text].length <= row->max;
	}
	return false;
}

/* One letter, or a name in braces; no blanks and no NUL. */
static bool
is_macro_name(struct str s)
{
	if (s.n != 1 && (s.n < 3 || s.p[0] != '{' || s.p[s.n - 1] != '}'))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return true;
}

/* The clock is asked before the first fact that depends on it. */
static const char *
check_clock(const struct milt_image *im)
{
	if (im->needs->flags & NEED_CLOCK)
		return NULL;
	for (uint32_t i = 0; i < im->count[SECTION_REFS]; i++)
		if (attr_rows[im->refs[i].attr].source == SOURCE_CLOCK ||
		    im->refs[i].attr == ATTR_HEADER_DATE_AGE)
			return "the clock is needed and is not asked";
	return NULL;
}

/* The parse needs the whole message, and the sources build on one another. */
uint32_t
image_content_needs(enum milt_source source)
{
	uint32_t flags = NEED_HEADERS | NEED_BODY | NEED_MIME;

	switch (source) {
	case SOURCE_ARG:
	case SOURCE_MACRO:
	case SOURCE_HEADER:
	case SOURCE_BODY:
	case SOURCE_SIZES:
	case SOURCE_CLOCK:
	case SOURCE_AUTHRES:
		return 0;
	case SOURCE_PARTS:
		return flags;
	case SOURCE_TEXTS:
		return flags | NEED_TEXTS;
	case SOURCE_URLS:
		return flags | NEED_TEXTS | NEED_URLS;
	case SOURCE_FILES:
		return flags | NEED_FILES;
	case SOURCE_KINDS:
		return flags | NEED_FILES | NEED_KINDS;
	case SOURCE_DIGESTS:
		return flags | NEED_FILES | NEED_DIGESTS;
	case SOURCE_FILE_TEXTS:
		return flags | NEED_FILES | NEED_FILE_TEXTS;
	}
	return flags;
}

/* What no flag announces is not read. */
static const char *
check_content(const struct milt_image *im)
{
	uint32_t needs = 0;

	for (uint32_t i = 0; i < im->count[SECTION_REFS]; i++)
		needs |=
		    image_content_needs(attr_rows[im->refs[i].attr].source);
	for (uint32_t i = 0; i < im->count[SECTION_LOOPS]; i++)
		needs |=
		    image_content_needs(attr_rows[im->loops[i].attr].source);
	return needs & ~im->needs->flags ? "a part of the message is needed "
					   "and is not read"
					 : NULL;
}

const char *
verify_needs(struct verifier *v)
{
	const struct milt_image *im = v->im;
	const struct image_needs *needs = im->needs;
	uint32_t flags = NEED_HELO | NEED_HEADERS | NEED_BODY | NEED_SIZES |
			 NEED_CLOCK | NEED_MIME | NEED_TEXTS | NEED_FILES |
			 NEED_KINDS | NEED_DIGESTS | NEED_FILE_TEXTS |
			 NEED_URLS | NEED_JS;
	uint64_t slots = 0;

	if (im->count[SECTION_NEEDS] != 1)
		return "the needs are missing";
	if (needs->flags & ~flags || needs->answers >> STAGE_COUNT)
		return "the needs are malformed";
	for (int i = 0; i < MEMO_CLASSES; i++)
		slots += needs->memo[i];
	/* A slot that no instruction writes is of no use. */
	if (slots > im->count[SECTION_CODE])
		return "the memo is larger than the code";
	if (needs->loops != im->count[SECTION_LOOPS])
		return "the number of loops is wrong";
	for (uint32_t i = 0; i < OPTION_COUNT; i++)
		if (!option_is_valid(v, i))
			return "an option is out of its bounds";
	for (uint32_t i = 0; i < im->count[SECTION_MACROS]; i++)
		if (im->macros[i].stage >= STAGE_COUNT ||
		    !verify_text(v, im->macros[i].name) ||
		    !is_macro_name(image_text(im, im->macros[i].name)))
			return "a macro is malformed";
	if (check_clock(im))
		return check_clock(im);
	return check_content(im);
}
