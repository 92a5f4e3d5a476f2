/* Where to listen, as it is written. */
#ifndef RUNTIME_SOCKET_SPEC_H
#define RUNTIME_SOCKET_SPEC_H

#include <stdbool.h>
#include <stddef.h>

enum socket_kind { SOCKET_UNIX, SOCKET_INET, SOCKET_INET6, SOCKET_GIVEN };

struct socket_spec {
	enum socket_kind kind;
	const char *path; /* unix: begins with /, fits; borrowed */
	char host[512];   /* inet: `*` is any address; empty: loopback */
	char port[6];     /* inet: 1 to 65535 */
	int fd;           /* given */
};

/*
 *	unix:/path, local:/path, /path
 *	inet:port@host, inet:host:port, inet:port (loopback); inet6: likewise,
 *		with a numeric IPv6 host:port as [host]:port
 *	fd:N    an open, listening socket
 * On failure false, with a sentence in `why`.
 */
bool socket_spec_parse(
    const char *text, struct socket_spec *out, char *why, size_t why_size);

#endif
