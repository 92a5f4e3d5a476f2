#include "runtime/milter.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/conn.h"
#include "runtime/log.h"
#include "runtime/metrics.h"
#include "runtime/negotiate.h"
#include "runtime/resume.h"

static unsigned long session_limit = (unsigned long)-1;

/* ---- callbacks ----------------------------------------------------------- */

static struct conn *
conn_of(SMFICTX *ctx)
{
	return smfi_getpriv(ctx);
}

/* What makes a session; otherwise a static sentence that says why not. */
static const char *
prepare(struct conn *c, unsigned long offered, unsigned long *actions)
{
	if (conn_count() > session_limit)
		return "the limit on open descriptors is reached";
	if (!c->policy)
		return "there is no policy";
	if (!negotiate_actions(c->policy, offered, actions))
		return "the MTA does not permit the changes of the policy";
	c->session = milt_session_new(c->policy->image);
	return c->session ? NULL : "not enough memory";
}

/*
 * A connection that cannot be served is not dropped: without a session each
 * event that matters is answered with a tempfail.
 */
static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
    unsigned long f2, unsigned long f3, unsigned long *pactions,
    unsigned long *psteps, unsigned long *pf2, unsigned long *pf3)
{
	struct conn *c = conn_of(ctx);
	const char *why;

	(void)f2;
	(void)f3;
	*pactions = *psteps = *pf2 = *pf3 = 0;
	conn_free(c);
	c = conn_new();
	(void)smfi_setpriv(ctx, c);
	why = c ? prepare(c, actions, pactions) : "not enough memory";
	if (why) {
		*pactions = 0;
		metric_add(METRIC_PUT_OFF);
		log_say(LEVEL_ERROR, "a connection is put off: %s", why);
		return SMFIS_CONTINUE;
	}
	*psteps = c->steps = negotiate_steps(c->policy, steps);
	negotiate_macros(ctx, c->policy, actions);
	log_say(LEVEL_DEBUG,
	    "%lu connections; offered actions %#lx, steps %#lx; asked for "
	    "%#lx, %#lx",
	    conn_count(), actions, steps, *pactions, *psteps);
	return SMFIS_CONTINUE;
}

/* The address in IPv6 form; false for local sockets and unknown families. */
static bool
client_address(const _SOCK_ADDR *sa, struct ip *ip, unsigned *port)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const struct sockaddr *any = (const struct sockaddr *)sa;

	*port = 0;
	if (!any)
		return false;
	if (any->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)sa;

		memcpy(ip->b, mapped, sizeof(mapped));
		memcpy(ip->b + sizeof(mapped), &in->sin_addr, 4);
		*port = ntohs(in->sin_port);
		return true;
	}
	if (any->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const void *)sa;

		memcpy(ip->b, &in->sin6_addr, sizeof(ip->b));
		*port = ntohs(in->sin6_port);
		return true;
	}
	return false;
}

static bool
is_local_client(struct str host, bool has_ip, struct ip ip, unsigned port)
{
	static const uint8_t loopback6[16] = { [15] = 1 };

	if (port != 0 || !str_eq_ascii(host, STR("localhost")))
		return false;
	return !has_ip || (ip_is_v4(ip) && ip.b[12] == 127) ||
	       memcmp(ip.b, loopback6, sizeof(loopback6)) == 0;
}

/* A new client on a connection that has negotiated; see resume.h. */
static struct conn *
resume(SMFICTX *ctx)
{
	struct conn *c = conn_new();
	struct agreement agreed;

	if (c && c->policy && resume_find(ctx, c->policy->serial, &agreed)) {
		c->steps = agreed.steps;
		c->session = milt_session_new(c->policy->image);
	}
	if (c && c->session) {
		(void)smfi_setpriv(ctx, c);
		return c;
	}
	metric_add(METRIC_PUT_OFF);
	log_say(LEVEL_ERROR, "a connection is put off: what was negotiated on "
			     "it is no longer known");
	conn_free(c);
	return NULL;
}

static sfsistat
on_connect(SMFICTX *ctx, char *hostname, _SOCK_ADDR *sa)
{
	uint64_t since = conn_clock();
	struct conn *c = conn_of(ctx);
	struct str host = str_from(hostname);
	struct ip ip = { 0 };
	unsigned port;
	bool has_ip;

	if (!c)
		c = resume(ctx);
	if (!c || !c->session)
		return conn_put_off(c, ctx, EVENT_CONNECT);
	has_ip = client_address(sa, &ip, &port);
	c->local = is_local_client(host, has_ip, ip, port);
	milt_session_begin(c->session, STAGE_CONNECT);
	/* A name in brackets is the address: nobody verified a name. */
	conn_note(c, STAGE_CONNECT,
	    facts_client(milt_session_facts(c->session), host,
		host.n > 0 && host.p[0] != '[', has_ip ? &ip : NULL, port));
	return conn_conclude(c, ctx, EVENT_CONNECT, STAGE_CONNECT, since);
}

static sfsistat
on_helo(SMFICTX *ctx, char *argument)
{
	uint64_t since = conn_clock();
	struct conn *c = conn_of(ctx);

	if (!c || !c->session)
		return conn_put_off(c, ctx, EVENT_HELO);
	conn_end_message(c);
	milt_session_begin(c->session, STAGE_HELO);
	conn_note(c, STAGE_HELO,
	    facts_helo(milt_session_facts(c->session), str_from(argument)));
	return conn_conclude(c, ctx, EVENT_HELO, STAGE_HELO, since);
}

typedef enum milt_status give_path(struct facts *, struct str path,
    const struct str *parameters, size_t count);

static enum milt_status
give_arguments(struct conn *c, char **argv, give_path *give)
{
	struct facts *f = milt_session_facts(c->session);
	struct str few[8], *parameters = few;
	enum milt_status s;
	size_t n = 0;

	if (!argv || !argv[0])
		return give(f, STR(""), NULL, 0);
	while (argv[n + 1])
		n++;
	if (n > sizeof(few) / sizeof(*few))
		parameters = malloc(n * sizeof(*parameters));
	if (!parameters)
		return MILT_NO_MEMORY;
	for (size_t i = 0; i < n; i++)
		parameters[i] = str_from(argv[i + 1]);
	s = give(f, str_from(argv[0]), parameters, n);
	if (parameters != few)
		free(parameters);
	return s;
}

static sfsistat
on_mail(SMFICTX *ctx, char **argv)
{
	uint64_t since = conn_clock();
	struct conn *c = conn_of(ctx);

	if (!c || !c->session)
		return conn_put_off(c, ctx, EVENT_MAIL);
	conn_begin_message(c);
	milt_session_begin(c->session, STAGE_MAIL);
	conn_note(c, STAGE_MAIL, give_arguments(c, argv, facts_mail));
	return conn_conclude(c, ctx, EVENT_MAIL, STAGE_MAIL, since);
}

static sfsistat
on_rcpt(SMFICTX *ctx, char **argv)
{
	uint64_t since = conn_clock();
	struct conn *c = conn_of(ctx);

	if (!c || !c->session || !c->in_message)
		return conn_put_off(c, ctx, EVENT_RCPT);
	milt_session_begin(c->session, STAGE_RCPT);
	if (give_arguments(c, argv, facts_rcpt) != MILT_OK)
		return conn_conclude_lost_recipient(c, ctx, since);
	return conn_conclude(c, ctx, EVENT_RCPT, STAGE_RCPT, since);
}

static sfsistat
on_data(SMFICTX *ctx)
{
	uint64_t since = conn_clock();
	struct conn *c = conn_of(ctx);

	if (!c || !c->session || !c->in_message)
		return conn_put_off(c, ctx, EVENT_DATA);
	/* What was refused for one recipient decides at the end. */
	if (c->held)
		return conn_continue(c, ctx, EVENT_DATA);
	milt_session_begin(c->session, STAGE_DATA);
	return conn_conclude(c, ctx, EVENT_DATA, STAGE_DATA, since);
}

static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
	uint64_t since = conn_clock();
	struct conn *c = conn_of(ctx);

	if (!c || !c->session || !c->in_message)
		return conn_put_off(c, ctx, EVENT_HEADER);
	if (!c->headers)
		milt_session_begin(c->session, STAGE_HEADERS);
	c->headers = true;
	conn_note(c, STAGE_HEADERS,
	    facts_header(milt_session_facts(c->session), str_from(name),
		str_from(value)));
	conn_gathered(c, since);
	return conn_continue(c, ctx, EVENT_HEADER);
}

static sfsistat
on_eoh(SMFICTX *ctx)
{
	uint64_t since = conn_clock();
	struct conn *c = conn_of(ctx);

	if (!c || !c->session || !c->in_message)
		return conn_put_off(c, ctx, EVENT_EOH);
	if (!c->headers)
		milt_session_begin(c->session, STAGE_HEADERS);
	c->headers = true;
	if (c->held)
		return conn_continue(c, ctx, EVENT_EOH);
	return conn_conclude(c, ctx, EVENT_EOH, STAGE_HEADERS, since);
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *chunk, size_t n)
{
	uint64_t since = conn_clock();
	struct conn *c = conn_of(ctx);
	struct milt_answer a = { .kind = ANSWER_CONTINUE };

	if (!c || !c->session || !c->in_message)
		return conn_put_off(c, ctx, EVENT_BODY);
	if (c->held || c->failed_message ||
	    (!c->body && milt_session_skip_body(c->session)))
		a.kind = ANSWER_SKIP;
	if (!c->body)
		milt_session_begin(c->session, STAGE_MESSAGE);
	c->body = true;
	if (a.kind == ANSWER_CONTINUE)
		conn_note(c, STAGE_MESSAGE,
		    facts_body(milt_session_facts(c->session),
			(struct str){ (char *)chunk, n }));
	conn_gathered(c, since);
	return reply_give(ctx, EVENT_BODY, c->steps, &a);
}

static sfsistat
on_eom(SMFICTX *ctx)
{
	uint64_t since = conn_clock();
	struct conn *c = conn_of(ctx);

	if (!c || !c->session || !c->in_message)
		return conn_put_off(c, ctx, EVENT_EOM);
	if (!c->body)
		milt_session_begin(c->session, STAGE_MESSAGE);
	return conn_conclude_message(c, ctx, since);
}

static sfsistat
on_abort(SMFICTX *ctx)
{
	struct conn *c = conn_of(ctx);

	if (c)
		conn_end_message(c);
	return SMFIS_CONTINUE;
}

/* May run under a lock of libmilter: frees, and waits for nothing. */
static sfsistat
on_close(SMFICTX *ctx)
{
	struct conn *c = conn_of(ctx);

	if (c && c->session)
		resume_keep(
		    ctx, &(struct agreement){
			     .policy = c->policy->serial, .steps = c->steps });
	(void)smfi_setpriv(ctx, NULL);
	conn_free(c);
	return SMFIS_CONTINUE;
}

static sfsistat
on_unknown(SMFICTX *ctx, const char *command)
{
	struct conn *c = conn_of(ctx);

	(void)command;
	return conn_continue(c, ctx, EVENT_UNKNOWN);
}

/* ---- public -------------------------------------------------------------- */

unsigned long
milter_sessions(void)
{
	return conn_count();
}

unsigned long
milter_messages(void)
{
	return conn_messages();
}

void
milter_limit(unsigned long limit)
{
	session_limit = limit;
}

bool
milter_open(int fd, const char **why)
{
	/* All callbacks, always: what is not registered is skipped for the
	 * whole process, whatever a session negotiates. */
	struct smfiDesc callbacks = {
		.xxfi_name = (char *)"milt",
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = SMFI_CURR_ACTS,
		.xxfi_connect = on_connect,
		.xxfi_helo = on_helo,
		.xxfi_envfrom = on_mail,
		.xxfi_envrcpt = on_rcpt,
		.xxfi_header = on_header,
		.xxfi_eoh = on_eoh,
		.xxfi_body = on_body,
		.xxfi_eom = on_eom,
		.xxfi_abort = on_abort,
		.xxfi_close = on_close,
		.xxfi_unknown = on_unknown,
		.xxfi_data = on_data,
		.xxfi_negotiate = on_negotiate,
	};

	return milter_attach(callbacks, fd, why);
}

bool
milter_attach(struct smfiDesc callbacks, int fd, const char **why)
{
	char name[32];

	snprintf(name, sizeof(name), "fd:%d", fd);
	if (smfi_register(callbacks) != MI_SUCCESS) {
		*why = "libmilter does not take our callbacks";
		return false;
	}
	if (smfi_setconn(name) != MI_SUCCESS ||
	    smfi_opensocket(false) != MI_SUCCESS) {
		*why = "this libmilter cannot use a socket that is open "
		       "already (fd:N, as in Debian's)";
		return false;
	}
	return true;
}

void
milter_serve(void)
{
	(void)smfi_main();
}
