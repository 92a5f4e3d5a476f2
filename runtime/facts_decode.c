/* Address lists and dates of the header, as GMime reads them. */
#include "runtime/facts_decode.h"

#include <gmime/gmime.h>
#include <pthread.h>

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
	(void)pthread_once(&once, g_mime_init);
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

/*
 * Are quotes, comments and brackets closed, and is there one address in each
 * pair of brackets?  GMime repairs that in silence.
 */
static bool
is_balanced(struct str s)
{
	bool quoted = false, angle = false, route = false;
	size_t comments = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if ((quoted || comments) && c == '\\') {
			i++;
			continue;
		}
		if (comments) {
			comments += c == '(';
			comments -= c == ')';
			continue;
		}
		if (c == '"')
			quoted = !quoted;
		if (quoted)
			continue;
		if (c == ')' || (c == '<' && angle) || (c == '>' && !angle) ||
		    (c == ',' && angle && !route))
			return false;
		comments += c == '(';
		if (c == '<') {
			angle = true;
			route = i + 1 < s.n && s.p[i + 1] == '@';
		}
		if (c == '>')
			angle = false;
		if (c == ':')
			route = false;
	}
	return !quoted && !angle && comments == 0;
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
	bool a_labels; /* A-labels were written: GMime gives U-labels */
	bool malformed;
};

static bool
add_mailbox(struct walk *w, InternetAddress *ia)
{
	InternetAddressMailbox *m = INTERNET_ADDRESS_MAILBOX(ia);
	struct arena *arena = &w->facts->message_arena;
	const char *z = w->a_labels ? internet_address_mailbox_get_idn_addr(m)
				    : internet_address_mailbox_get_addr(m);
	const char *name = internet_address_get_name(ia);
	struct address *a = ARENA_NEW(arena, struct address);
	struct str text = words_unmask(arena, z ? z : "");
	struct str display = words_unmask(arena, name ? name : "");

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

static bool
add_list(struct walk *w, InternetAddressList *list)
{
	int n = list ? internet_address_list_length(list) : 0;

	for (int i = 0; i < n; i++) {
		InternetAddress *ia =
		    internet_address_list_get_address(list, i);
		bool ok;

		if (INTERNET_ADDRESS_IS_GROUP(ia))
			ok = add_list(w, internet_address_group_get_members(
					     INTERNET_ADDRESS_GROUP(ia)));
		else
			ok = add_mailbox(w, ia);
		if (!ok)
			return false;
	}
	return true;
}

bool
decode_addresses(
    struct facts *f, struct str s, struct address_vec *out, bool *malformed)
{
	struct walk w = { .facts = f, .out = out, .a_labels = has_a_label(s) };
	GMimeParserOptions *options;
	InternetAddressList *list;
	bool ok, warned = false;
	char *z;

	if (s.n == 0 || memchr(s.p, 0, s.n) || count_colons(s) > MAX_COLONS) {
		*malformed = true;
		return true;
	}
	facts_init();
	options = g_mime_parser_options_new();
	/*
	 * Loose, so that what a reader may be shown is seen: strict mode drops
	 * addresses in silence.  Names with an unquoted @ or dot are common.
	 */
	g_mime_parser_options_set_address_compliance_mode(
	    options, GMIME_RFC_COMPLIANCE_LOOSE);
	g_mime_parser_options_set_allow_addresses_without_domain(options, TRUE);
	g_mime_parser_options_set_warning_callback(
	    options, note_warning, &warned);
	z = words_mask(s);
	list = internet_address_list_parse(options, z);
	ok = add_list(&w, list);
	if (!list || warned || w.malformed || !is_balanced(s))
		*malformed = true;
	if (list)
		g_object_unref(list);
	g_mime_parser_options_free(options);
	g_free(z);
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
