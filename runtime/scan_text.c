#include "runtime/scan_text.h"

#include <stdlib.h>

#include "runtime/scan_cache.h"
#include "runtime/scan_check.h"

/* ---- the literal of a text ------------------------------------------------
 */

/* Where the rarest LITERAL_BYTES of a piece begin. */
static size_t
rarest(struct str piece)
{
	uint8_t folded[LITERAL_BYTES];
	unsigned best = 0;
	size_t at = 0;

	for (size_t i = 0; i + LITERAL_BYTES <= piece.n; i++) {
		unsigned r;

		for (size_t k = 0; k < LITERAL_BYTES; k++)
			folded[k] = literal_fold((uint8_t)piece.p[i + k]);
		r = literal_rarity(folded, LITERAL_BYTES);
		if (r <= best)
			continue;
		best = r;
		at = i;
	}
	return at;
}

/*
 * The literal of a piece of which the value holds all, at its begin or end if
 * that is said; false if it is too short.
 */
static bool
piece_literal(struct str piece, bool begins, bool ends, struct literal *out)
{
	size_t n = piece.n < LITERAL_BYTES ? piece.n : LITERAL_BYTES;
	size_t at = begins ? 0 : ends ? piece.n - n : rarest(piece);

	if (n < GRAM_SHORTEST)
		return false;
	*out = literal_empty();
	for (size_t i = 0; i < n; i++)
		out->text[i] = literal_fold((uint8_t)piece.p[at + i]);
	out->n = (uint32_t)n;
	if (begins)
		out->before = NEAR_EDGE;
	if (ends && at + n == piece.n)
		out->after[0] = NEAR_EDGE;
	return true;
}

/*
 * The next piece of a glob, as it is in the value, at most LITERAL_BYTES of it;
 * *at moves behind it and the wildcard that ends it.  *whole: all of it is
 * there.
 */
static struct str
glob_piece(struct str glob, size_t *at, char room[LITERAL_BYTES], bool *whole)
{
	size_t n = 0;

	*whole = true;
	for (; *at < glob.n && glob.p[*at] != '*' && glob.p[*at] != '?';
	     (*at)++) {
		if (glob.p[*at] == '\\' && *at + 1 < glob.n)
			(*at)++;
		if (n < LITERAL_BYTES)
			room[n++] = glob.p[*at];
		else
			*whole = false;
	}
	return (struct str){ room, n };
}

/* The rarest piece. */
static bool
glob_literal(struct str glob, struct literal *out)
{
	char room[LITERAL_BYTES];
	unsigned best = 0;
	bool found = false;

	for (size_t at = 0; at < glob.n; at++) {
		bool begins = at == 0, whole;
		struct str piece = glob_piece(glob, &at, room, &whole);
		struct literal l;
		unsigned r;

		if (!piece_literal(piece, begins, whole && at >= glob.n, &l))
			continue;
		r = literal_rarity(l.text, l.n);
		if (found && r <= best)
			continue;
		best = r;
		*out = l;
		found = true;
	}
	return found;
}

static bool
text_literal(uint8_t op, struct str text, struct literal *out)
{
	switch (op) {
	case OPC_STARTS:
	case OPC_STARTS_EXACT:
		return piece_literal(text, true, false, out);
	case OPC_ENDS:
	case OPC_ENDS_EXACT:
		return piece_literal(text, false, true, out);
	case OPC_LIKE:
	case OPC_LIKE_EXACT:
		return glob_literal(text, out);
	}
	return piece_literal(text, false, false, out);
}

bool
scan_text_usable(uint8_t op, struct str text)
{
	struct literal l;

	return text_literal(op, text, &l);
}

/* ---- tables ---------------------------------------------------------------
 */

static struct scan_table *
build_table(const struct milt_image *im, const struct image_probe *p)
{
	struct scan_table *t = scan_table_new();
	struct scan_entry *entries =
	    calloc((size_t)p->count + 1, sizeof(*entries));
	uint32_t n = 0;
	bool ok = t && entries;

	if (ok) {
		t->residual =
		    calloc((size_t)p->count + 1, sizeof(*t->residual));
		ok = t->residual != NULL;
	}
	for (uint32_t i = 0; ok && i < p->count; i++) {
		struct str text =
		    image_text(im, im->patterns[p->first + i].what);

		if (text_literal(p->form, text, &entries[n].literal)) {
			entries[n].regex = i;
			entries[n++].also = IMAGE_NONE;
		} else {
			t->residual[t->residual_count++] = i;
		}
	}
	ok = ok && scan_table_fill(t, entries, n);
	free(entries);
	if (ok)
		return t;
	scan_table_free(t);
	return NULL;
}

enum milt_status
scan_texts_build(struct milt_image *im)
{
	uint32_t count = im->count[SECTION_PROBES];
	struct scan_table **texts = calloc((size_t)count + 1, sizeof(*texts));

	if (!texts)
		return MILT_NO_MEMORY;
	im->scan->texts = texts;
	for (uint32_t i = 0; i < count; i++) {
		if (im->probes[i].kind != PROBE_TEXTS)
			continue;
		texts[i] = build_table(im, &im->probes[i]);
		if (!texts[i])
			return MILT_NO_MEMORY;
	}
	return MILT_OK;
}

void
scan_texts_free(struct milt_image *im)
{
	for (uint32_t i = 0; im->scan->texts && i < im->count[SECTION_PROBES];
	     i++)
		scan_table_free(im->scan->texts[i]);
	free(im->scan->texts);
}

/* ---- scanning -------------------------------------------------------------
 */

static void
found(void *of, const struct scan_owner *owner, size_t at, uint32_t size)
{
	struct scan_cache *c = of;

	if (scan_can_be(c->table, owner, &c->place, at, size) &&
	    !scan_cache_hit(c, owner->regex))
		c->failed = true;
}

bool
scan_texts(struct scan_cache *c, const struct scan_table *t,
    const struct image_probe *p, struct str text)
{
	c->hit_count = 0;
	c->failed = false;
	c->table = t;
	c->place = scan_place(text);
	if (!scan_cache_regexes(c, p->count))
		return false;
	scan_table_run(t, text, found, c);
	return !c->failed;
}
