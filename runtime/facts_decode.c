/* Address lists and dates of the header, as GMime reads them. */
#include "runtime/facts_decode.h"

#include <pthread.h>

#include "runtime/mime.h"
#include "runtime/mime_names.h"

enum {
	MAX_DATE = 1000,
	/*
	 * Each colon may open a group inside a group, for which GMime takes
	 * some of the thread's stack.
	 */
	MAX_COLONS = 1000,
};

void
facts_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	/* Fails for an unusable thread attribute alone; there is none. */
	(void)pthread_once(&once, mime_init);
}

static void
note_warning(gint64 offset, GMimeParserWarning code, const gchar *item,
    gpointer malformed)
{
	(void)offset;
	(void)item;
	/* The one that says that the list does not parse. */
	if (code == GMIME_WARN_INVALID_ADDRESS_LIST)
		*(bool *)malformed = true;
}

/* Where a scan of an address list is. */
struct scan {
	bool quoted, angle, route;
	size_t comments; /* nested */
	bool sound;      /* brackets pair, one address in each pair */
};

static void
scan_bracket(struct scan *x, char c, char next)
{
	if ((c == '<' && x->angle) || (c == '>' && !x->angle) ||
	    (c == ',' && x->angle && !x->route))
		x->sound = false;
	if (c == '<') {
		x->angle = true;
		x->route = next == '@';
	}
	if (c == '>')
		x->angle = false;
	if (c == ':')
		x->route = false;
}

static void
put_hidden(GString *out, char c)
{
	if (c == '(' || c == ')' || c == '\\')
		words_hide(out, c);
	else
		g_string_append_c(out, c);
}

/*
 * A copy of the list in which each parenthesis belongs to a comment and has
 * its partner, NULL where a quote or a comment is not closed: GMime (3.2.13)
 * leaks memory where it finds an open comment, and where it repairs a list it
 * looks for them anywhere.  *sound: nothing else that it repairs in silence.
 */
static char *
guard(struct str s, bool *sound)
{
	GString *out = g_string_sized_new(s.n);
	struct scan x = { .sound = true };
	bool closed = true;

	for (size_t i = 0; closed && i < s.n; i++) {
		char c = s.p[i];

		if (x.comments && c == '\\') {
			if (++i < s.n)
				put_hidden(out, s.p[i]);
		} else if (x.quoted && c == '\\' && i + 1 < s.n) {
			g_string_append_c(out, c);
			put_hidden(out, s.p[++i]);
		} else if (x.quoted && c != '"') {
			put_hidden(out, c);
		} else {
			g_string_append_c(out, c);
			if (c == ')')
				closed = x.comments-- > 0;
			else if (c == '(')
				x.comments++;
			else if (!x.comments && c == '"')
				x.quoted = !x.quoted;
			else if (!x.comments)
				scan_bracket(
				    &x, c, i + 1 < s.n ? s.p[i + 1] : 0);
		}
	}
	*sound = x.sound && !x.angle;
	return g_string_free(out, !closed || x.quoted || x.comments);
}

static size_t
count_colons(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == ':';
	return n;
}

static bool
has_a_label(struct str s)
{
	for (size_t i = 0; i + 4 <= s.n; i++)
		if (str_eq_ascii(str_head(str_skip(s, i), 4), STR("xn--")))
			return true;
	return false;
}

/* What a walk through a list collects. */
struct walk {
	struct facts *facts;
	struct address_vec *out;
	const char *group; /* around the address; NULL: none */
	bool a_labels;     /* A-labels were written: GMime gives U-labels */
	bool malformed;
};

/* One blank for each run of white space, of any kind, as readers show it. */
static struct str
with_single_blanks(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);
	const char *at = s.p, *end = s.p + s.n;
	size_t n = 0;

	if (!p)
		return (struct str){ NULL, 0 };
	while (at < end) {
		const char *next = g_utf8_next_char(at);

		if (!g_unichar_isspace(g_utf8_get_char(at))) {
			memcpy(p + n, at, (size_t)(next - at));
			n += (size_t)(next - at);
		} else if (n && p[n - 1] != ' ') {
			p[n++] = ' ';
		}
		at = next;
	}
	return (struct str){ p, n };
}

static bool
add_mailbox(struct walk *w, InternetAddress *ia)
{
	InternetAddressMailbox *m = INTERNET_ADDRESS_MAILBOX(ia);
	struct arena *arena = &w->facts->message_arena;
	const char *z = w->a_labels ? internet_address_mailbox_get_idn_addr(m)
				    : internet_address_mailbox_get_addr(m);
	const char *own = internet_address_get_name(ia);
	const char *name = own && *own ? own : w->group;
	struct address *a = ARENA_NEW(arena, struct address);
	struct str text = words_unmask(arena, z ? z : "");
	struct str display = words_unmask(arena, name ? name : "");

	if (display.p)
		display = utf8_make_valid(arena, display);
	if (display.p)
		display = with_single_blanks(arena, display);
	if (!a || !text.p || !display.p ||
	    !facts_header_address(w->facts, a, text, str_trim(display)))
		return false;
	/* An address has a local part and a domain (RFC 5322 3.4.1). */
	if (!a->part[PART_DOMAIN].text.p || !a->part[PART_LOCAL].text.n) {
		w->malformed = true;
		return true;
	}
	return vec_push(arena, w->out, a);
}

static bool add_list(struct walk *, InternetAddressList *);

static bool
add_group(struct walk *w, InternetAddress *ia)
{
	const char *outer = w->group;
	bool ok;

	w->group = internet_address_get_name(ia);
	ok = add_list(
	    w, internet_address_group_get_members(INTERNET_ADDRESS_GROUP(ia)));
	w->group = outer;
	return ok;
}

static bool
add_list(struct walk *w, InternetAddressList *list)
{
	int n = list ? internet_address_list_length(list) : 0;

	for (int i = 0; i < n; i++) {
		InternetAddress *ia =
		    internet_address_list_get_address(list, i);
		bool ok;

		if (INTERNET_ADDRESS_IS_GROUP(ia))
			ok = add_group(w, ia);
		else
			ok = add_mailbox(w, ia);
		if (!ok)
			return false;
	}
	return true;
}

/* The list as GMime reads it; false with no memory. */
static bool
parse_list(struct walk *w, const char *z)
{
	GMimeParserOptions *options = g_mime_parser_options_new();
	InternetAddressList *list;
	bool ok;

	/*
	 * Loose, so that what a reader may be shown is seen: strict mode drops
	 * addresses in silence.  Names with an unquoted @ or dot are common.
	 */
	g_mime_parser_options_set_address_compliance_mode(
	    options, GMIME_RFC_COMPLIANCE_LOOSE);
	g_mime_parser_options_set_allow_addresses_without_domain(options, TRUE);
	g_mime_parser_options_set_warning_callback(
	    options, note_warning, &w->malformed);
	mime_names_enter();
	list = internet_address_list_parse(options, z);
	mime_names_leave(strlen(z));
	ok = add_list(w, list);
	if (list)
		g_object_unref(list);
	else
		w->malformed = true;
	g_mime_parser_options_free(options);
	return ok;
}

bool
decode_addresses(
    struct facts *f, struct str s, struct address_vec *out, bool *malformed)
{
	struct walk w = { .facts = f, .out = out, .a_labels = has_a_label(s) };
	bool ok = true, sound = false;
	char *words, *z;

	if (s.n == 0 || memchr(s.p, 0, s.n) || count_colons(s) > MAX_COLONS) {
		*malformed = true;
		return true;
	}
	facts_init();
	words = words_mask(s);
	z = guard(str_from(words), &sound);
	if (z)
		ok = parse_list(&w, z);
	if (!z || !sound || w.malformed)
		*malformed = true;
	g_free(z);
	g_free(words);
	return ok;
}

bool
decode_date(struct str s, long long *out)
{
	char text[MAX_DATE + 1];
	GDateTime *date;

	if (s.n > MAX_DATE || memchr(s.p, 0, s.n))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = 0;
	date = g_mime_utils_header_decode_date(text);
	if (!date)
		return false;
	*out = (long long)g_date_time_to_unix(date) * 1000;
	g_date_time_unref(date);
	return true;
}
