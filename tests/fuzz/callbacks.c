/*
 * libmilter's callbacks in any order, through a stand-in for libmilter.  A
 * line of the input is an event: a letter of the milter protocol and its
 * arguments, separated by tabs.
 *
 *	O negotiate    C connect NAME    H helo    M mail    R rcpt    T data
 *	L header NAME VALUE    N end of header    B body    E end of message
 *	A abort    Q close    U unknown    i macro i    P another policy
 *	F the N-th call to libmilter from here fails
 */
#include <netinet/in.h>

#include "runtime/conn.h"
#include "runtime/json.h"
#include "runtime/log.h"
#include "runtime/milter.h"
#include "runtime/trace.h"
#include "tests/fuzz/fuzz.h"

/* ---- the stand-in -------------------------------------------------------- */

struct smfi_str {
	void *private;
	char id[64];
};

static struct smfiDesc desc;
static unsigned fail_in; /* 0: never */

static int
result(void)
{
	return fail_in > 0 && --fail_in == 0 ? MI_FAILURE : MI_SUCCESS;
}

int
smfi_register(struct smfiDesc d)
{
	desc = d;
	return MI_SUCCESS;
}

int
smfi_setconn(char *name)
{
	(void)name;
	return MI_SUCCESS;
}

int
smfi_opensocket(int remove)
{
	(void)remove;
	return MI_SUCCESS;
}

int
smfi_main(void)
{
	return MI_SUCCESS;
}

int
smfi_setpriv(SMFICTX *ctx, void *p)
{
	ctx->private = p;
	return MI_SUCCESS;
}

void *
smfi_getpriv(SMFICTX *ctx)
{
	return ctx->private;
}

char *
smfi_getsymval(SMFICTX *ctx, char *name)
{
	if (result() == MI_FAILURE)
		return NULL;
	return strcmp(name, "i") == 0 ? (ctx->id[0] ? ctx->id : NULL) : name;
}

int
smfi_setsymlist(SMFICTX *ctx, int stage, char *list)
{
	(void)ctx;
	(void)stage;
	MUST(list != NULL);
	return result();
}

int
smfi_setreply(SMFICTX *ctx, char *code, char *xcode, char *text)
{
	(void)ctx;
	MUST(strlen(code) == 3 && (!xcode || xcode[0] == code[0]));
	MUST(!text || !strpbrk(text, "\r\n"));
	return result();
}

int
smfi_setmlreply(SMFICTX *ctx, const char *code, const char *xcode, ...)
{
	(void)ctx;
	MUST(strlen(code) == 3 && (!xcode || xcode[0] == code[0]));
	return result();
}

int
smfi_addheader(SMFICTX *ctx, char *name, char *value)
{
	(void)ctx;
	MUST(name[0] && value[0] && !strpbrk(name, ":\r\n"));
	return result();
}

int
smfi_insheader(SMFICTX *ctx, int index, char *name, char *value)
{
	MUST(index >= 0);
	return smfi_addheader(ctx, name, value);
}

int
smfi_chgheader(SMFICTX *ctx, char *name, int index, char *value)
{
	(void)ctx;
	MUST(name[0] && index >= 0 && (!value || value[0]));
	return result();
}

int
smfi_chgfrom(SMFICTX *ctx, char *address, char *arguments)
{
	(void)ctx;
	MUST(address[0] && !arguments);
	return result();
}

int
smfi_addrcpt(SMFICTX *ctx, char *address)
{
	(void)ctx;
	MUST(address[0]);
	return result();
}

int
smfi_delrcpt(SMFICTX *ctx, char *address)
{
	return smfi_addrcpt(ctx, address);
}

int
smfi_quarantine(SMFICTX *ctx, char *reason)
{
	(void)ctx;
	MUST(reason[0] && !strpbrk(reason, "\r\n"));
	return result();
}

int
smfi_replacebody(SMFICTX *ctx, unsigned char *body, int n)
{
	(void)ctx;
	MUST(body && n > 0);
	return result();
}

int
smfi_progress(SMFICTX *ctx)
{
	(void)ctx;
	return result();
}

/* ---- policies ------------------------------------------------------------ */

static const char *const policies[] = {
	"milt 1\n"
	"rule a { at connect when client.ip in 192.0.2.0/24 reject "
	"\"{client.ip}\""
	" }\n"
	"rule b { when recipient.local is \"bad\" reject \"{recipient}\""
	" count bad }\n"
	"shadow rule c { when header.subject contains \"x\" reject \"x\" }\n"
	"rule d { when header.subject matches /^(.*)spam/ tempfail \"{1}\" }\n"
	"rule e { when header(\"X\") exists set header \"X\" "
	"\"{header(\"X\")}\" "
	"quarantine \"{header.subject}\" log \"{sender}\" delay 1ms }\n"
	"rule h { when any header { name is \"Y\" and value matches /y+/ }"
	" and client.ip is 192.0.2.1 count h }\n"
	"rule f { when body.raw contains \"virus\" discard }\n"
	"rule g { when now.hour >= 0 add recipient \"{header.from}\" }\n",
	"milt 1\n"
	"rule a { when helo is \"bad\" tempfail 421 \"{helo}\" }\n"
	"rule b { when sender.local is \"bad\" reject \"%{sender}\" }\n"
	"rule c { when recipient.local is \"ok\" accept }\n"
	"rule d { when header(\"X\") exists replace body \"{header(\"X\")}\" "
	"remove header \"X\" set sender \"{header.from}\" }\n"
	"rule e { when macro(\"i\") exists insert header 0 \"Y\" "
	"\"{queue.id}\" }"
	"\notherwise reject \"no\"\n",
	"milt 1\n",
};
enum { POLICIES = sizeof(policies) / sizeof(*policies) };

static unsigned next_policy;

static enum milt_status
compile(const char *path, FILE *diagnostics, struct policy_text *out)
{
	(void)path;
	(void)diagnostics;
	out->image = fuzz_compile(str_from(policies[next_policy]), &out->size);
	return MILT_OK;
}

static void
set_policy(unsigned i)
{
	struct policy *p;

	next_policy = i % POLICIES;
	MUST(policy_load("/dev/null", compile, stderr, &p) == MILT_OK);
	policy_set(p);
	(void)policy_reap();
}

/* ---- events -------------------------------------------------------------- */

enum { ARGUMENTS = 8, BYTES = 4096 };

struct event {
	char command;
	char *argv[ARGUMENTS + 1]; /* into text */
	char text[BYTES];
};

static void
read_event(struct event *e, struct str line)
{
	size_t n = 0;
	char *p;

	memset(e, 0, sizeof(*e));
	e->command = line.p[0];
	line = str_head(str_skip(line, 1), BYTES - 1);
	if (line.n)
		memcpy(e->text, line.p, line.n);
	for (p = e->text; n < ARGUMENTS; p++) {
		e->argv[n++] = p;
		p = strchr(p, '\t');
		if (!p)
			break;
		*p = 0;
	}
}

static void
negotiate(SMFICTX *ctx, const struct event *e)
{
	unsigned long steps = e->argv[0][0] == '-' ? 0 : 0x1fffff, got[4];

	MUST(desc.xxfi_negotiate(ctx, SMFI_CURR_ACTS, steps, 0, 0, &got[0],
		 &got[1], &got[2], &got[3]) == SMFIS_CONTINUE);
	MUST((got[0] & ~SMFI_CURR_ACTS) == 0 && (got[1] & ~steps) == 0);
}

static sfsistat
play(SMFICTX *ctx, struct event *e)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(0xc0000201) };
	char *second = e->argv[1] ? e->argv[1] : e->text;

	switch (e->command) {
	case 'O':
		negotiate(ctx, e);
		return SMFIS_CONTINUE;
	case 'C':
		return desc.xxfi_connect(
		    ctx, e->argv[0], e->argv[1] ? NULL : (_SOCK_ADDR *)&in);
	case 'H':
		return desc.xxfi_helo(ctx, e->argv[0]);
	case 'M':
		return desc.xxfi_envfrom(ctx, e->argv);
	case 'R':
		return desc.xxfi_envrcpt(ctx, e->argv);
	case 'T':
		return desc.xxfi_data(ctx);
	case 'L':
		return desc.xxfi_header(ctx, e->argv[0], second);
	case 'N':
		return desc.xxfi_eoh(ctx);
	case 'B':
		return desc.xxfi_body(
		    ctx, (unsigned char *)e->argv[0], strlen(e->argv[0]));
	case 'E':
		return desc.xxfi_eom(ctx);
	case 'A':
		return desc.xxfi_abort(ctx);
	case 'Q':
		return desc.xxfi_close(ctx);
	case 'U':
		return desc.xxfi_unknown(ctx, e->argv[0]);
	case 'i':
		snprintf(ctx->id, sizeof(ctx->id), "%s", e->argv[0]);
		break;
	case 'P':
		set_policy((unsigned char)e->text[0]);
		break;
	case 'F':
		fail_in = (unsigned char)e->text[0];
		break;
	}
	return SMFIS_CONTINUE;
}

/* What libmilter takes as a return value at an event. */
static bool
may_return(char command, sfsistat r)
{
	switch (r) {
	case SMFIS_CONTINUE:
	case SMFIS_REJECT:
	case SMFIS_TEMPFAIL:
		return true;
	case SMFIS_ACCEPT:
		return command != 'U';
	case SMFIS_DISCARD:
		return strchr("MRTLNBE", command) != NULL;
	case SMFIS_NOREPLY:
		return strchr("CHMRTULNB", command) != NULL;
	case SMFIS_SKIP:
		return command == 'B';
	}
	return false;
}

/* Everybody is traced, and what is told is valid JSON. */
static void
read_traces(struct tracer *t)
{
	bool over = false;
	char *line;

	while ((line = trace_next(t, 0, &over))) {
		json_t *o = json_loads(line, 0, NULL);

		MUST(json_is_array(json_object_get(o, "rules")));
		json_decref(o);
		free(line);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct smfi_str ctx = { 0 };
	const char *why;
	struct event e;
	struct trace_filter all = { 0 };
	struct tracer *tracer = trace_open(&all, 1000000);

	MUST(tracer);
	if (!desc.xxfi_negotiate) {
		log_open(LOG_TO_SYSLOG, LOG_PLAIN, false);
		MUST(milter_open(3, &why));
	}
	set_policy(0);
	fail_in = 0;
	while (text.n > 0) {
		size_t n = str_find(text, '\n');

		if (n > 0) {
			read_event(&e, str_head(text, n));
			MUST(may_return(e.command, play(&ctx, &e)));
		}
		text = str_skip(text, n < text.n ? n + 1 : n);
	}
	(void)desc.xxfi_close(&ctx);
	read_traces(tracer);
	trace_close(tracer);
	MUST(ctx.private == NULL && conn_count() == 0);
	return 0;
}
