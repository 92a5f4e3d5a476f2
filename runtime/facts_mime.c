/* Values that come from what is inside the message. */
#include "runtime/content.h"
#include "runtime/facts_get.h"

/* A collection of which not all was looked at. */
static enum fact_state
partly(struct facts *f, const char *partial)
{
	if (!partial)
		return FACT_THERE;
	f->failure = partial;
	return FACT_PARTIAL;
}

/* Behind the last element that is there. */
static enum fact_state
beyond(struct facts *f, const char *partial)
{
	if (!partial)
		return FACT_MISSING;
	f->failure = partial;
	return FACT_FAILED;
}

static enum fact_state
number(long long n, struct fact_value *out)
{
	out->number = n;
	return FACT_THERE;
}

/* ---- the body ---------------------------------------------------------- */

enum fact_state
facts_get_text(struct facts *f, enum milt_attr attr, struct str key, size_t i,
    struct fact_value *out)
{
	struct content *c = content_of(f, NEED_TEXTS);
	const struct cell *cell;

	(void)key;
	(void)i;
	if (!c)
		return FACT_FAILED;
	cell = attr == ATTR_BODY_TEXT ? &c->text : &c->html;
	if (!cell->text.p)
		return beyond(f, c->partial);
	(void)facts_cell_value(cell, out);
	return partly(f, c->partial);
}

enum fact_state
facts_get_truncated(struct facts *f, enum milt_attr attr, struct str key,
    size_t i, struct fact_value *out)
{
	(void)attr;
	(void)key;
	(void)i;
	return number(f->body_over, out);
}

enum fact_state
facts_get_broken(struct facts *f, enum milt_attr attr, struct str key, size_t i,
    struct fact_value *out)
{
	struct content *c = content_of(f, NEED_MIME);

	(void)attr;
	(void)key;
	(void)i;
	if (!c)
		return FACT_FAILED;
	/* Where it was cut, it always looks broken. */
	return c->partial ? beyond(f, c->partial) : number(c->malformed, out);
}

/* ---- parts -------------------------------------------------------------- */

enum fact_state
facts_count_parts(
    struct facts *f, enum milt_attr attr, struct str key, size_t *out)
{
	struct content *c = content_of(f, NEED_MIME);

	(void)attr;
	(void)key;
	if (!c)
		return FACT_FAILED;
	*out = c->parts.n;
	return partly(f, c->partial);
}

enum fact_state
facts_get_part(struct facts *f, enum milt_attr attr, struct str key, size_t i,
    struct fact_value *out)
{
	struct content *c = content_of(f, NEED_MIME);
	const struct part_fact *p;

	(void)key;
	if (!c)
		return FACT_FAILED;
	if (i >= c->parts.n)
		return beyond(f, c->partial);
	p = &c->parts.v[i];
	switch ((int)attr) {
	case ATTR_PART_TYPE:
		return facts_cell_value(&p->type, out);
	case ATTR_PART_CHARSET:
		return facts_cell_value(&p->charset, out);
	case ATTR_PART_NAME:
		return facts_cell_value(&p->name, out);
	case ATTR_PART_DISPOSITION:
		return facts_cell_value(&p->disposition, out);
	case ATTR_PART_SIZE:
		return p->size < 0 ? FACT_MISSING : number(p->size, out);
	case ATTR_PART_DEPTH:
		return number(p->depth, out);
	}
	return FACT_THERE;
}

/* ---- files -------------------------------------------------------------- */

static const char *
files_partial(const struct content *c)
{
	return c->partial ? c->partial : c->files_partial;
}

enum fact_state
facts_count_files(
    struct facts *f, enum milt_attr attr, struct str key, size_t *out)
{
	struct content *c = content_of(f, NEED_FILES);

	(void)attr;
	(void)key;
	if (!c)
		return FACT_FAILED;
	*out = c->files.n;
	return partly(f, files_partial(c));
}

static enum fact_state
file_text(const struct cell *cell, const struct file_fact *file,
    struct facts *f, struct fact_value *out)
{
	if (!cell->text.p && file->too_large)
		return beyond(f, "a file is larger than what is looked at");
	return facts_cell_value(cell, out);
}

static enum fact_state
file_value(struct facts *f, enum milt_attr attr, const struct file_fact *file,
    struct fact_value *out)
{
	switch ((int)attr) {
	case ATTR_FILE_NAME:
		return facts_cell_value(&file->name, out);
	case ATTR_FILE_EXTENSION:
		return facts_cell_value(&file->extension, out);
	case ATTR_FILE_EXTENSIONS:
		return facts_cell_value(&file->extensions, out);
	case ATTR_FILE_TYPE:
		return facts_cell_value(&file->type, out);
	case ATTR_FILE_KIND:
		if (!file->kind.text.p)
			return beyond(f, "libmagic has no database");
		return facts_cell_value(&file->kind, out);
	case ATTR_FILE_SHA256:
		return file_text(&file->sha256, file, f, out);
	case ATTR_FILE_TEXT:
		return file_text(&file->text, file, f, out);
	case ATTR_FILE_SIZE:
		return number(file->size, out);
	case ATTR_FILE_DEPTH:
		return number(file->depth, out);
	case ATTR_FILE_ENCRYPTED:
		return number(file->encrypted, out);
	case ATTR_FILE_HAS_MACROS:
		return number(file->has_macros, out);
	case ATTR_FILE_TOO_LARGE:
		return number(file->too_large, out);
	case ATTR_FILE_TOO_DEEP:
		return number(file->too_deep, out);
	case ATTR_FILE_MALFORMED:
		return number(file->malformed, out);
	}
	return FACT_THERE;
}

enum fact_state
facts_get_file(struct facts *f, enum milt_attr attr, struct str key, size_t i,
    struct fact_value *out)
{
	struct content *c = content_of(f, NEED_FILES);

	(void)key;
	if (!c)
		return FACT_FAILED;
	if (i >= c->files.n)
		return beyond(f, files_partial(c));
	return file_value(f, attr, &c->files.v[i], out);
}

/* ---- URLs -------------------------------------------------------------------
 */

enum fact_state
facts_count_urls(
    struct facts *f, enum milt_attr attr, struct str key, size_t *out)
{
	struct content *c = content_of(f, NEED_TEXTS);

	(void)attr;
	(void)key;
	if (!c)
		return FACT_FAILED;
	*out = c->urls.n;
	return partly(f, c->partial ? c->partial : c->urls_partial);
}

enum fact_state
facts_get_url(struct facts *f, enum milt_attr attr, struct str key, size_t i,
    struct fact_value *out)
{
	struct content *c = content_of(f, NEED_TEXTS);
	const struct url_fact *u;

	(void)key;
	if (!c)
		return FACT_FAILED;
	if (i >= c->urls.n)
		return beyond(f, c->partial ? c->partial : c->urls_partial);
	u = &c->urls.v[i];
	switch ((int)attr) {
	case ATTR_URL_HOST:
		return facts_cell_value(&u->host, out);
	case ATTR_URL_DOMAIN:
		return facts_cell_value(&u->domain, out);
	case ATTR_URL_ORG_DOMAIN:
		return facts_cell_value(&u->org, out);
	case ATTR_URL_PATH:
		return facts_cell_value(&u->path, out);
	case ATTR_URL_TEXT:
		return facts_cell_value(&u->text, out);
	case ATTR_URL_DECEPTIVE:
		return number(u->deceptive, out);
	}
	return facts_cell_value(&u->value, out);
}
