#include "tests/bench/workload.h"

#include <stdlib.h>

enum { HIT_EACH = 10, SUBJECT_WORDS = 8, LINE = 70, MIXED = 30 };

const char *const workload_names[WORK_COUNT] = { "subjects", "residual",
	"networks", "senders", "bodies", "mixed" };

static const char *const common[] = { "the", "your", "account", "free", "money",
	"meeting", "please", "invoice", "update", "order", "with", "about",
	"now", "offer", "new", "team", "status", "weekly", "report", "from",
	"best", "today", "for", "and", "news", "payment", "security", "notice",
	"help", "online", "service", "project", "minutes", "final", "review",
	"change", "document", "shipping", "customer", "support" };
enum { COMMON = sizeof(common) / sizeof(*common) };

uint64_t
workload_mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* A word of so many syllables that no other number has. */
static const char *
word(char room[32], unsigned number, unsigned syllables)
{
	static const char consonants[] = "bcdfghklmnprstvw", vowels[] = "aeio";
	unsigned x = (number * 2654435761u) >> 4, n = 0;

	for (unsigned i = 0; i < syllables; i++, x /= 64) {
		room[n++] = consonants[x % 16];
		room[n++] = vowels[x / 16 % 4];
	}
	room[n] = '\0';
	return room;
}

static const char *
common_word(uint64_t n)
{
	return common[workload_mix(n) % COMMON];
}

/* ---- regexes ---------------------------------------------------------- */

enum shape {
	SHAPE_WORD,
	SHAPE_SHORT,
	SHAPE_COMMON,
	SHAPE_TEN,
	SHAPE_OBFUSCATED,
	SHAPE_CLASS,
	SHAPE_LEADING,
	SHAPE_ANCHOR,
	SHAPES
};

static void
put_obfuscated(const char *w, FILE *f)
{
	static const char *const other[] = { ['a'] = "[a4@]",
		['e'] = "[e3]",
		['i'] = "[i1!|]",
		['o'] = "[o0]" };

	for (; *w; w++) {
		if (strchr("aeio", *w))
			fputs(other[(unsigned char)*w], f);
		else
			fputc(*w, f);
	}
}

static void
put_ten(unsigned rule, FILE *f)
{
	char w[32];

	for (unsigned i = 0; i < 10; i++)
		fprintf(f, "%s%s", i ? "|" : "", word(w, rule * 16 + i, 4));
}

/* A regex in slashes that the sample of the rule matches. */
static void
put_regex(unsigned rule, FILE *f)
{
	char w[32];

	fputc('/', f);
	switch ((enum shape)(rule % SHAPES)) {
	case SHAPE_WORD:
		fprintf(f, "\\b%s\\b", word(w, rule * 16, 4));
		break;
	case SHAPE_SHORT:
		fprintf(f, "\\b%s-?\\d%u\\b", word(w, rule * 16, 2), rule % 10);
		break;
	case SHAPE_COMMON:
		fprintf(f, "\\b%s\\b.*\\b%s", common_word(rule),
		    word(w, rule * 16, 4));
		break;
	case SHAPE_TEN:
		fputc('(', f);
		put_ten(rule, f);
		fputc(')', f);
		break;
	case SHAPE_OBFUSCATED:
		put_obfuscated(word(w, rule * 16, 4), f);
		break;
	case SHAPE_CLASS:
		fprintf(f, "[a-z]{2}\\d{3,}-%s", word(w, rule * 16, 3));
		break;
	case SHAPE_LEADING:
		fprintf(
		    f, ".*%s.*%s", word(w, rule * 16, 3), common_word(rule));
		break;
	case SHAPE_ANCHOR:
		fprintf(f, "^.{0,40}%s", word(w, rule * 16, 4));
		break;
	case SHAPES:
		break;
	}
	fputs("/i", f);
}

static void
put_sample(unsigned rule, FILE *f)
{
	char w[32];

	switch ((enum shape)(rule % SHAPES)) {
	case SHAPE_WORD:
	case SHAPE_OBFUSCATED:
	case SHAPE_TEN:
	case SHAPE_ANCHOR:
		fputs(word(w, rule * 16, 4), f);
		return;
	case SHAPE_SHORT:
		fprintf(f, "%s-7%u", word(w, rule * 16, 2), rule % 10);
		return;
	case SHAPE_COMMON:
		fprintf(f, "%s %s", common_word(rule), word(w, rule * 16, 4));
		return;
	case SHAPE_CLASS:
		fprintf(f, "xy4711-%s", word(w, rule * 16, 3));
		return;
	case SHAPE_LEADING:
		fprintf(f, "%s %s", word(w, rule * 16, 3), common_word(rule));
		return;
	case SHAPES:
		return;
	}
}

/* ---- rules ------------------------------------------------------------ */

static void
put_network(unsigned rule, FILE *f)
{
	fprintf(f, "10.%u.%u.0/24", rule / 256 % 256, rule % 256);
}

static void
put_domain(unsigned rule, FILE *f)
{
	char w[32];

	fprintf(f, "%s.example", word(w, rule * 16, 4));
}

static void
put_mixed(unsigned rule, FILE *f)
{
	char w[32];
	unsigned kind = rule % MIXED;

	if (kind < 8) {
		fprintf(f, "header.subject matches ");
		put_regex(rule, f);
	} else if (kind < 14) {
		fprintf(f, "client.ip in { ");
		put_network(rule, f);
		fprintf(f, " }");
	} else if (kind < 20) {
		fprintf(f, "sender.domain is \"");
		put_domain(rule, f);
		fprintf(f, "\"");
	} else if (kind < 24) {
		fprintf(f,
		    "helo under \"%s.example\" and sender.local is "
		    "\"%s\"",
		    word(w, rule * 16, 3), common_word(rule));
	} else if (kind < 27) {
		fprintf(f, "header(\"X-Mailer\") is \"%s %u\"",
		    word(w, rule * 16, 3), rule);
	} else if (kind < 29) {
		fprintf(f, "header.from.domain is \"");
		put_domain(rule, f);
		fprintf(f, "\" and sender.domain is not \"client.example\"");
	} else {
		fprintf(f, "body.raw matches ");
		put_regex(rule, f);
	}
}

static void
put_condition(enum workload w, unsigned rule, FILE *f)
{
	switch (w) {
	case WORK_SUBJECTS:
	case WORK_RESIDUAL:
		fprintf(f, "header.subject matches ");
		if (w == WORK_RESIDUAL && rule % 100 == 5)
			fprintf(f, "/^[a-m]+ [^ ]*\\d{%u}$/i", 3 + rule / 100);
		else
			put_regex(rule, f);
		return;
	case WORK_NETWORKS:
		fprintf(f, "client.ip in { ");
		put_network(rule, f);
		fprintf(f, " }");
		return;
	case WORK_SENDERS:
		fprintf(f, "sender.domain is \"");
		put_domain(rule, f);
		fprintf(f, "\"");
		return;
	case WORK_BODIES:
		fprintf(f, "body.raw matches ");
		put_regex(rule, f);
		return;
	case WORK_MIXED:
		put_mixed(rule, f);
		return;
	case WORK_COUNT:
		return;
	}
}

void
workload_policy(enum workload w, unsigned rules, FILE *f)
{
	fprintf(f, "milt 1\n");
	for (unsigned i = 0; i < rules; i++) {
		fprintf(f, "rule r%u { when ", i);
		put_condition(w, i, f);
		fprintf(f, "\n  reject 550 5.7.1 \"rule %u\" }\n", i);
	}
}

/* ---- messages --------------------------------------------------------- */

static struct str
print_to(void (*print)(unsigned, FILE *), unsigned number, const char *before,
    const char *after)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	if (!f)
		abort();
	fputs(before, f);
	print(number, f);
	fputs(after, f);
	fclose(f);
	return (struct str){ text, n };
}

static void
put_words(unsigned seed, FILE *f)
{
	for (unsigned i = 0; i < SUBJECT_WORDS; i++)
		fprintf(f, "%s%s", i ? " " : "",
		    common_word((uint64_t)seed * 64 + i));
}

/* Lines of words, of the size that the number asks for. */
static struct str
make_body(unsigned i, unsigned hit, bool is_hit, size_t size)
{
	struct bytes out = { 0 };
	uint64_t n = (uint64_t)i << 32;

	while (out.n < size) {
		size_t line = out.n;

		while (out.n < line + LINE) {
			const char *w = common_word(n++);

			bytes_add(&out, w, strlen(w));
			bytes_add(&out, " ", 1);
		}
		bytes_add(&out, "\r\n", 2);
		if (is_hit && line <= size / 2 && out.n > size / 2) {
			struct str s = print_to(put_sample, hit, "", "\r\n");

			bytes_add(&out, s.p, s.n);
		}
	}
	return (struct str){ out.p, out.n };
}

static struct str
make_client(unsigned i, unsigned hit, bool is_hit)
{
	char *text = NULL;
	uint64_t x = workload_mix(i);

	if (asprintf(&text, "%u.%u.%u.%u", is_hit ? 10 : 100 + (int)(x % 90),
		is_hit ? hit / 256 % 256 : (unsigned)(x >> 8) % 256,
		is_hit ? hit % 256 : (unsigned)(x >> 16) % 256,
		(unsigned)(x >> 24) % 256) < 0)
		abort();
	return str_from(text);
}

static size_t
body_size(enum workload w, unsigned i)
{
	static const size_t sizes[] = { 5000, 5000, 5000, 10000, 20000, 20000,
		50000, 200000 };

	return w == WORK_BODIES ? sizes[i % 8] : 2048;
}

void
workload_message(
    enum workload w, unsigned rules, unsigned i, struct work_message *out)
{
	unsigned hit = (unsigned)(workload_mix(i + 1) % rules);
	bool is_hit = i % HIT_EACH == 0;
	bool subject = w == WORK_SUBJECTS || w == WORK_RESIDUAL ||
		       (w == WORK_MIXED && hit % MIXED < 8);
	bool sender =
	    w == WORK_SENDERS ||
	    (w == WORK_MIXED && hit % MIXED >= 14 && hit % MIXED < 20);
	bool client = w == WORK_NETWORKS ||
		      (w == WORK_MIXED && hit % MIXED >= 8 && hit % MIXED < 14);
	static const struct mta_pair first[] = {
		{ STR("Received"), STR("from client.example (client.example "
				       "[192.0.2.7])\n\tby mx.example.org") },
		{ STR("Date"), STR("Sat, 31 Jan 2026 12:00:00 +0000") },
		{ STR("From"), STR("Sender <sender@client.example>") },
		{ STR("To"), STR("Recipient <recipient@example.com>") },
		{ STR("Message-Id"), STR("<1234567890@client.example>") },
		{ STR("MIME-Version"), STR("1.0") },
		{ STR("X-Mailer"), STR("Mailer 1.2") },
		{ STR("Content-Type"), STR("text/plain; charset=utf-8") },
		{ STR("X-Other"), STR("some value that is not looked at") },
	};
	enum { FIELDS = sizeof(first) / sizeof(*first) };
	struct mta_pair *headers = calloc(FIELDS + 1, sizeof(*headers));
	struct mta_address *to = calloc(1, sizeof(*to));

	if (!headers || !to)
		abort();
	memcpy(headers, first, sizeof(first));
	headers[FIELDS] = (struct mta_pair){ STR("Subject"),
		is_hit && subject ? print_to(put_sample, hit, "", " now")
				  : print_to(put_words, i, "", "") };
	to->path = STR("<recipient@example.com>");
	out->client = make_client(i, hit, is_hit && client);
	out->message = (struct mta_message){
		.sender = { is_hit && sender
				? print_to(put_domain, hit, "<user@", ">")
				: print_to(
				      put_domain, 1u << 24 | i, "<user@x", ">"),
		    NULL, 0 },
		.recipients = to,
		.recipient_count = 1,
		.queue_id = STR("4XyZ123456z9aB"),
		.headers = headers,
		.header_count = FIELDS + 1,
		.body = make_body(
		    i, hit, is_hit && w == WORK_BODIES, body_size(w, i)),
	};
}
