#include "addon/compat_callbacks.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/un.h>

#include "addon/compat_peer.h"
#include "runtime/resume.h"

static unsigned long flags; /* written before libmilter's threads start */

static _Atomic unsigned long peers; /* that are open */
static _Atomic unsigned inside;     /* threads in callbacks */

static struct peer *
peer_of(SMFICTX *ctx)
{
	return smfi_getpriv(ctx);
}

static sfsistat
on_event(SMFICTX *ctx, enum compat_kind kind, const struct str *texts, size_t n)
{
	struct peer *p = peer_of(ctx);
	sfsistat s;

	inside++;
	if (p && kind == COMPAT_MAIL)
		p->failed_message = false;
	if (p && kind_is_of_message(kind))
		p->in_message = true;
	if (!p || p->failed || p->failed_message)
		s = peer_put_off(p, kind);
	else
		s = peer_ask(ctx, p, kind, peer_event(p, ctx, kind, texts, n));
	if (p && kind == COMPAT_EOM)
		p->in_message = p->failed_message = false;
	inside--;
	return s;
}

/* ---- peers --------------------------------------------------------------- */

/* What was agreed earlier on this connection, if anything was. */
static struct peer *
peer_new(SMFICTX *ctx)
{
	static _Atomic uint64_t last;
	struct peer *p = calloc(1, sizeof(*p));
	struct agreement agreed;

	(void)smfi_setpriv(ctx, p);
	if (!p)
		return NULL;
	peers++;
	p->id = ++last;
	p->actions = flags;
	if (resume_find(ctx, 0, &agreed)) {
		p->actions = agreed.actions;
		p->steps = agreed.steps;
	}
	return p;
}

/* Also where there is none. */
static void
peer_end(SMFICTX *ctx)
{
	struct peer *p = peer_of(ctx);

	(void)smfi_setpriv(ctx, NULL);
	if (!p)
		return;
	peer_post(p, COMPAT_CLOSE);
	free(p);
	peers--;
}

/* ---- callbacks ----------------------------------------------------------- */

static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long f0, unsigned long f1, unsigned long f2,
    unsigned long f3, unsigned long *p0, unsigned long *p1, unsigned long *p2,
    unsigned long *p3)
{
	unsigned long wanted[4] = { 0 };
	struct compat_event *e;
	struct peer *p;
	sfsistat s = SMFIS_CONTINUE;

	inside++;
	peer_end(ctx);
	p = peer_new(ctx);
	if (p) {
		e = peer_event(p, ctx, COMPAT_NEGOTIATE, NULL, 0);
		if (e) {
			e->actions = f0;
			e->offer[0] = f1;
			e->offer[1] = f2;
			e->offer[2] = f3;
		}
		s = peer_negotiate(p, e, wanted);
	}
	if (p && s == SMFIS_ALL_OPTS) {
		p->actions = f0;
		p->steps = f1 & SMFIP_SKIP;
	} else if (p) {
		p->actions = wanted[0];
		p->steps = wanted[1];
	}
	*p0 = wanted[0];
	*p1 = wanted[1];
	*p2 = *p3 = 0;
	inside--;
	return s;
}

/* Family, address and port; the text is in `room`. */
static struct str
address_of(const struct sockaddr *sa, char room[128], struct str *family,
    unsigned *port)
{
	const struct sockaddr_in *in = (const void *)sa;
	const struct sockaddr_in6 *in6 = (const void *)sa;
	const struct sockaddr_un *un = (const void *)sa;

	*family = STR("unknown");
	*port = 0;
	room[0] = 0;
	if (sa && sa->sa_family == AF_INET) {
		*family = STR("inet");
		*port = ntohs(in->sin_port);
		inet_ntop(AF_INET, &in->sin_addr, room, 128);
	} else if (sa && sa->sa_family == AF_INET6) {
		*family = STR("inet6");
		*port = ntohs(in6->sin6_port);
		inet_ntop(AF_INET6, &in6->sin6_addr, room, 128);
	} else if (sa && sa->sa_family == AF_UNIX) {
		*family = STR("unix");
		return (struct str){ un->sun_path,
			strnlen(un->sun_path, sizeof(un->sun_path)) };
	}
	return str_from(room);
}

static sfsistat
on_connect(SMFICTX *ctx, char *host, struct sockaddr *sa)
{
	struct peer *p = peer_of(ctx);
	struct compat_event *e;
	char room[128];
	unsigned port;
	struct str texts[3];
	sfsistat s;

	inside++;
	if (!p)
		p = peer_new(ctx);
	texts[0] = str_from(host);
	texts[1] = address_of(sa, room, &texts[2], &port);
	if (!p || p->failed) {
		s = peer_put_off(p, COMPAT_CONNECT);
	} else {
		e = peer_event(p, ctx, COMPAT_CONNECT, texts, 3);
		if (e)
			e->port = port;
		s = peer_ask(ctx, p, COMPAT_CONNECT, e);
	}
	inside--;
	return s;
}

static sfsistat
on_helo(SMFICTX *ctx, char *name)
{
	return on_event(
	    ctx, COMPAT_HELO, &(struct str){ name, strlen(name) }, 1);
}

static sfsistat
on_arguments(SMFICTX *ctx, enum compat_kind kind, char **argv)
{
	struct str few[16] = { { 0 } }, *texts = few;
	size_t n = 0;
	sfsistat s;

	while (argv && argv[n])
		n++;
	if (n > sizeof(few) / sizeof(*few))
		texts = malloc(n * sizeof(*texts));
	if (!texts)
		return peer_put_off(peer_of(ctx), kind);
	for (size_t i = 0; i < n; i++)
		texts[i] = str_from(argv[i]);
	s = on_event(ctx, kind, texts, n);
	if (texts != few)
		free(texts);
	return s;
}

static sfsistat
on_mail(SMFICTX *ctx, char **argv)
{
	return on_arguments(ctx, COMPAT_MAIL, argv);
}

static sfsistat
on_rcpt(SMFICTX *ctx, char **argv)
{
	return on_arguments(ctx, COMPAT_RCPT, argv);
}

static sfsistat
on_data(SMFICTX *ctx)
{
	return on_event(ctx, COMPAT_DATA, NULL, 0);
}

static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
	struct str texts[] = { str_from(name), str_from(value) };

	return on_event(ctx, COMPAT_HEADER, texts, 2);
}

static sfsistat
on_eoh(SMFICTX *ctx)
{
	return on_event(ctx, COMPAT_EOH, NULL, 0);
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *chunk, size_t n)
{
	return on_event(ctx, COMPAT_BODY, &(struct str){ (char *)chunk, n }, 1);
}

static sfsistat
on_eom(SMFICTX *ctx)
{
	return on_event(ctx, COMPAT_EOM, NULL, 0);
}

static sfsistat
on_unknown(SMFICTX *ctx, const char *line)
{
	struct str text = str_from(line);

	return on_event(ctx, COMPAT_UNKNOWN, &text, 1);
}

/* Also comes where there is no message, and twice. */
static sfsistat
on_abort(SMFICTX *ctx)
{
	struct peer *p = peer_of(ctx);

	if (p && p->in_message)
		peer_post(p, COMPAT_ABORT);
	if (p)
		p->in_message = p->failed_message = false;
	return SMFIS_CONTINUE;
}

/* May run under a lock of libmilter, and may be the first and only event. */
static sfsistat
on_close(SMFICTX *ctx)
{
	struct peer *p = peer_of(ctx);

	if (p)
		resume_keep(ctx, &(struct agreement){ .actions = p->actions,
				     .steps = p->steps });
	peer_end(ctx);
	return SMFIS_CONTINUE;
}

/* ---- public -------------------------------------------------------------- */

struct smfiDesc
callbacks_new(unsigned long wanted)
{
	flags = wanted;
	return (struct smfiDesc){
		.xxfi_name = (char *)"milt",
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = wanted,
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
}

unsigned long
callbacks_peers(void)
{
	return peers;
}

bool
callbacks_run(void)
{
	return inside > 0;
}
