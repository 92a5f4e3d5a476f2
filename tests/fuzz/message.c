/*
 * Any bytes as a message, under a policy that asks for every attribute: the
 * first octet says how large the chunks of the body are.
 */
#include "runtime/edits.h"
#include "tests/fuzz/fuzz.h"

static struct milt_image *image;

static void
make_image(void)
{
	struct arena arena;
	struct str policy = STR("milt 1\n");
	size_t size;
	void *bytes;

	arena_init(&arena, 0, NULL);
	for (int i = ATTR_NONE + 1; i < ATTR_COUNT; i++)
		if (attr_rows[i].example.n && attr_rows[i].name.n)
			policy = arena_printf(&arena,
			    "%.*srule r%d { when %.*s add header \"X\" "
			    "\"y\" }\n",
			    STR_ARG(policy), i, STR_ARG(attr_rows[i].example));
	policy = arena_printf(&arena,
	    "%.*srule m { when body.raw matches /(?<w>v.r[a-z]+)/i and "
	    "header.subject like \"*x*\"\n"
	    "set header \"S\" \"{w} {header.from} {header.subject}\"\n"
	    "log \"{header.to.name} {message.size}\" }\n",
	    STR_ARG(policy));
	bytes = fuzz_compile(policy, &size);
	MUST(milt_image_load(bytes, size, &image, NULL) == MILT_OK);
	free(bytes);
	arena_free(&arena);
}

/* As libmilter hands it over: NUL-free name and value, lines by LF alone. */
static void
give_field(struct facts *f, struct str line)
{
	size_t colon = str_find(line, ':');

	if (colon < line.n)
		(void)facts_header(
		    f, str_head(line, colon), str_skip(line, colon + 1));
}

static struct str
give_header(struct facts *f, struct str text)
{
	while (text.n > 0 && text.p[0] != '\n') {
		size_t end = 0;

		do
			end += str_find(str_skip(text, end), '\n') + 1;
		while (end < text.n &&
		       (text.p[end] == ' ' || text.p[end] == '\t'));
		if (end > text.n)
			end = text.n;
		give_field(f, str_head(text, end - (text.p[end - 1] == '\n')));
		text = str_skip(text, end);
	}
	return str_skip(text, text.n > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data + 1, size - 1 };
	struct milt_session *s;
	const struct edit *edits;
	struct facts *f;
	size_t n;

	if (size == 0)
		return 0;
	if (!image)
		make_image();
	s = milt_session_new(image);
	MUST(s != NULL);
	f = milt_session_facts(s);
	milt_session_begin(s, STAGE_MAIL);
	(void)facts_mail(f, STR("<a@example.net>"), NULL, 0);
	(void)fuzz_answer(s);
	milt_session_begin(s, STAGE_RCPT);
	(void)facts_rcpt(f, STR("<b@example.org>"), NULL, 0);
	(void)fuzz_answer(s);
	milt_session_begin(s, STAGE_HEADERS);
	text = give_header(f, text);
	(void)fuzz_answer(s);
	milt_session_begin(s, STAGE_MESSAGE);
	while (text.n > 0) {
		n = data[0] && data[0] < text.n ? data[0] : text.n;
		(void)facts_body(f, str_head(text, n));
		text = str_skip(text, n);
	}
	if (fuzz_answer(s).kind == ANSWER_ACCEPT)
		(void)milt_edits(s, &edits, &n);
	milt_session_free(s);
	return 0;
}
