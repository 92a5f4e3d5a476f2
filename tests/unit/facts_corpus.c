/*
 * Messages of others through the facts, and values made at random: whatever
 * comes, texts are valid UTF-8, counts agree, and nothing crashes.
 *
 * The messages are in ../shared/corpus, where they are there at all.
 */
#include "tests/unit/facts_fake.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/message.h"
#include "tests/unit/test.h"

static struct facts *f;
static size_t messages, values, unparsable;

/* ---- invariants -------------------------------------------------------- */

/* All that can be asked of one value holds together. */
static bool
value_ok(enum milt_attr attr, const struct fact_value *v)
{
	bool raw = attr == ATTR_RAW_HEADER || attr == ATTR_BODY_RAW;
	struct str folded = facts_folded(f, v);

	values++;
	if (v->type != attr_rows[attr].type || !v->text.p || !folded.p)
		return false;
	if (!raw && (!utf8_is_valid(v->text) || !utf8_is_valid(folded)))
		return false;
	if (folded.p != facts_folded(f, v).p)
		return false;
	for (enum milt_type t = TYPE_TEXT; t <= TYPE_ADDRESS; t++)
		if (!facts_key(f, v, t).p ||
		    (!raw && !utf8_is_valid(facts_key(f, v, t))))
			return false;
	return true;
}

static bool
attribute_ok(enum milt_attr attr, struct str key)
{
	struct fact_value v, again;
	enum fact_state state;
	size_t n, there = 0;

	state = facts_count(f, attr, key, &n);
	if (state == FACT_ASK || state == FACT_FAILED)
		return facts_failure(f) != NULL;
	for (size_t i = 0; i < n; i++) {
		if (facts_get(f, attr, key, i, &v) != FACT_THERE)
			continue;
		there++;
		if (!value_ok(attr, &v) ||
		    facts_get(f, attr, key, i, &again) != FACT_THERE ||
		    again.text.p != v.text.p)
			return false;
	}
	/* Parts may be missing, elements may not. */
	if (facts_get(f, attr, key, n, &v) == FACT_THERE)
		return false;
	return there <= n &&
	       (state == FACT_THERE || state == FACT_PARTIAL || there == 0);
}

/* Where an address field is there and sound, it has addresses or groups. */
static bool
all_ok(void)
{
	static const char *const keys[] = { "", "From", "to", "Received",
		"Subject", "x-none" };
	bool bad;

	for (int a = ATTR_NONE + 1; a < ATTR_COUNT; a++) {
		for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++) {
			if (k > 0 && !attr_rows[a].keyed)
				break;
			if (!attribute_ok(
				(enum milt_attr)a, str_from(keys[k]))) {
				printf("# %.*s\n", STR_ARG(attr_rows[a].name));
				return false;
			}
		}
		if (facts_malformed(f, (enum milt_attr)a, &bad) == FACT_MISSING)
			return false;
	}
	if (facts_malformed(f, ATTR_HEADER_FROM, &bad) == FACT_THERE && bad)
		unparsable++;
	else if (!attribute_ok(ATTR_HEADER_FROM, STR("")))
		return false;
	return true;
}

/* ---- messages ---------------------------------------------------------- */

static bool
message_ok(struct str s)
{
	facts_reset(f, STAGE_MAIL);
	facts_mail(f, STR("<sender@client.invalid>"), NULL, 0);
	facts_rcpt(f, STR("<recipient@server.invalid>"), NULL, 0);
	facts_rcpt_accepted(f);
	facts_body(f, message_header(f, s));
	messages++;
	return all_ok();
}

static bool
file_ok(const char *path)
{
	struct str s = message_file(path);
	bool ok = s.p && message_ok(s);

	free((char *)s.p);
	if (!ok)
		printf("# %s\n", path);
	return ok;
}

static bool
folder_ok(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	bool ok = dir != NULL;

	while (dir && (e = readdir(dir))) {
		char name[4096];
		struct stat st;

		if (e->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		if (lstat(name, &st) != 0)
			ok = false;
		else if (S_ISDIR(st.st_mode))
			ok = folder_ok(name) && ok;
		else if (S_ISREG(st.st_mode))
			ok = file_ok(name) && ok;
	}
	if (dir)
		closedir(dir);
	return ok;
}

static void
test_corpus(void)
{
	static const char corpus[] = "../shared/corpus/messages.tar.xz";
	char folder[] = "/tmp/milt-corpus-XXXXXX", command[256];

	if (access(corpus, R_OK) != 0) {
		printf("# skipped: %s is not there\n", corpus);
		return;
	}
	CHECK(mkdtemp(folder) != NULL);
	snprintf(command, sizeof(command), "tar -xJf %s -C %s", corpus, folder);
	CHECK(system(command) == 0);
	CHECK(folder_ok(folder));
	CHECK(messages > 1000);
	printf("# %zu messages, %zu values, %zu without a sound From:\n",
	    messages, values, unparsable);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	CHECK(system(command) == 0);
}

/* ---- values at random -------------------------------------------------- */

static uint32_t seed = 1;

static uint32_t
pick(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static struct str
random_value(char *out, size_t room)
{
	static const char *const pieces[] = { "a", "b.example", "@", "<", ">",
		",", ";", ":", "\"", "\\", "(", ")", " ", "\n ", "\r\n\t", ".",
		"=?utf-8?q?", "=C3=BC", "=?=", "?=", "=?", "=?utf-8?b?w7w=?=",
		"=?x-y?q?a?=", "=?iso-2022-jp?b?GyRCRnw=?=", "xn--bcher-kva.",
		"b\xc3\xbc"
		"cher",
		"\xff", "\xc3", "\xef\xb7\x90", "[192.0.2.1]", "Name", "\x01",
		"Sat, 31 Jan 2026 ", "12:00:00 +0100", "group:" };
	size_t n = 0;

	for (uint32_t i = pick(24); i > 0; i--) {
		const char *p = pieces[pick(sizeof(pieces) / sizeof(*pieces))];

		if (n + strlen(p) + 1 >= room)
			break;
		memcpy(out + n, p, strlen(p));
		n += strlen(p);
		if (pick(200) == 0)
			out[n++] = 0;
	}
	return (struct str){ out, n };
}

static bool
random_ok(void)
{
	static const char *const names[] = { "From", "To", "Cc", "Sender",
		"Reply-To", "Subject", "Date", "List-Id", "Message-ID", "X",
		"" };
	char value[2048];

	facts_reset(f, STAGE_MAIL);
	facts_mail(f, random_value(value, sizeof(value)), NULL, 0);
	facts_rcpt(f, random_value(value, sizeof(value)), NULL, 0);
	facts_rcpt_accepted(f);
	facts_macro(f, STAGE_CONNECT, STR("{daemon_addr}"),
	    random_value(value, sizeof(value)));
	facts_clock(f, (long long)pick(1u << 24) * 1000000);
	for (uint32_t i = pick(12); i > 0; i--) {
		struct str v = random_value(value, sizeof(value));

		facts_header(f,
		    str_from(names[pick(sizeof(names) / sizeof(*names))]), v);
	}
	facts_body(f, random_value(value, sizeof(value)));
	return all_ok();
}

static void
test_random(void)
{
	const char *rounds = getenv("FUZZ_ROUNDS");
	long n = rounds ? atol(rounds) : 3000;
	bool ok = true;

	for (long i = 0; ok && i < n; i++) {
		if (i % 100 == 0)
			facts_reset(f, STAGE_CONNECT);
		ok = random_ok();
	}
	CHECK(ok);
}

int
main(void)
{
	f = facts_new(fake_reset());
	CHECK(f != NULL);
	test_corpus();
	test_random();
	facts_free(f);
	TEST_DONE();
}
