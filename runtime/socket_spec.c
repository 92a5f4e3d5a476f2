#include "runtime/socket_spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/why.h"

struct attempt {
	const char *text;
	struct socket_spec *out;
	char *why;
	size_t why_size;
};

static bool
parse_number(const char *s, unsigned long max, unsigned long *out)
{
	char *end;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	*out = strtoul(s, &end, 10);
	return *end == 0 && errno == 0 && *out <= max;
}

static bool
parse_unix(const struct attempt *t, const char *path)
{
	enum { ROOM = sizeof(((struct sockaddr_un *)0)->sun_path) };

	if (path[0] != '/')
		return why_not(t->why, t->why_size,
		    "%s: the path of a socket begins with /", t->text);
	if (strlen(path) >= ROOM)
		return why_not(t->why, t->why_size,
		    "%s: the path has more than %d octets", t->text, ROOM - 1);
	t->out->kind = SOCKET_UNIX;
	t->out->path = path;
	return true;
}

/* Splits `port@host`, `host:port`, `[host]:port` or `port`, in place. */
static bool
split_host(char *text, const char **host, const char **port)
{
	char *at = strchr(text, '@');
	char *colon = strrchr(text, ':');
	size_t n;

	if (at) {
		*at = 0;
		*port = text;
		*host = at + 1;
	} else if (colon) {
		*colon = 0;
		*host = text;
		*port = colon + 1;
	} else {
		*port = text;
		*host = "";
		return true;
	}
	n = strlen(*host);
	if (n > 2 && (*host)[0] == '[' && (*host)[n - 1] == ']') {
		((char *)*host)[n - 1] = 0;
		++*host;
	}
	return **host != 0;
}

static bool
parse_inet(const struct attempt *t, const char *rest, enum socket_kind kind)
{
	struct socket_spec *out = t->out;
	const char *host, *port;
	char text[sizeof(out->host)];
	unsigned long number;

	if ((size_t)snprintf(text, sizeof(text), "%s", rest) >= sizeof(text) ||
	    !split_host(text, &host, &port))
		return why_not(
		    t->why, t->why_size, "%s: write inet:PORT@HOST", t->text);
	if (!parse_number(port, 65535, &number) || number == 0)
		return why_not(t->why, t->why_size,
		    "%s: the port is a number from 1 to 65535", t->text);
	out->kind = kind;
	snprintf(out->host, sizeof(out->host), "%s", host);
	snprintf(out->port, sizeof(out->port), "%lu", number);
	return true;
}

static bool
parse_given(const struct attempt *t, const char *rest)
{
	unsigned long number;

	if (!parse_number(rest, 1000000, &number))
		return why_not(
		    t->why, t->why_size, "%s: write fd:NUMBER", t->text);
	if (number <= STDERR_FILENO)
		return why_not(t->why, t->why_size,
		    "%s: descriptors 0 to 2 are taken", t->text);
	t->out->kind = SOCKET_GIVEN;
	t->out->fd = (int)number;
	return true;
}

static const char *
after(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

bool
socket_spec_parse(
    const char *text, struct socket_spec *out, char *why, size_t why_size)
{
	struct attempt t = { text, out, why, why_size };
	const char *rest;

	*out = (struct socket_spec){ .fd = -1 };
	if (text[0] == '/')
		return parse_unix(&t, text);
	if ((rest = after(text, "unix:")) || (rest = after(text, "local:")))
		return parse_unix(&t, rest);
	if ((rest = after(text, "inet:")))
		return parse_inet(&t, rest, SOCKET_INET);
	if ((rest = after(text, "inet6:")))
		return parse_inet(&t, rest, SOCKET_INET6);
	if ((rest = after(text, "fd:")))
		return parse_given(&t, rest);
	return why_not(t.why, t.why_size,
	    "`%s`: write unix:/PATH, inet:PORT@HOST, inet6:PORT@HOST "
	    "or fd:NUMBER",
	    text);
}
