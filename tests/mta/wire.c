#include "tests/mta/mta.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { PACKET_MAX = 2 * MTA_CHUNK, OUT_MAX = 256 * 1024 };

const struct mta_offer mta_offer_postfix = { 6, SMFI_CURR_ACTS,
	SMFI_CURR_PROT };

void
bytes_add(struct bytes *b, const void *data, size_t n)
{
	if (n > b->cap - b->n) {
		size_t cap = b->cap ? b->cap : 512;

		while (cap < b->n + n)
			cap *= 2;
		b->p = realloc(b->p, cap);
		if (!b->p)
			abort();
		b->cap = cap;
	}
	if (n)
		memcpy(b->p + b->n, data, n);
	b->n += n;
}

void
bytes_free(struct bytes *b)
{
	free(b->p);
	*b = (struct bytes){ 0 };
}

bool
mta_fail(struct mta *m, const char *fmt, ...)
{
	va_list ap;

	if (m->state == MTA_BROKEN)
		return false;
	va_start(ap, fmt);
	vsnprintf(m->error, sizeof(m->error), fmt, ap);
	va_end(ap);
	if (m->fd >= 0)
		close(m->fd);
	m->fd = -1;
	m->state = MTA_BROKEN;
	return false;
}

static long long
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static int
connect_unix(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(a.sun_path))
		return -1;
	strcpy(a.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
connect_inet(const char *port_at_host)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list, *a;
	char port[16];
	const char *at = strchr(port_at_host, '@');
	int fd = -1;

	if (!at || (size_t)(at - port_at_host) >= sizeof(port))
		return -1;
	snprintf(
	    port, sizeof(port), "%.*s", (int)(at - port_at_host), port_at_host);
	if (getaddrinfo(at + 1, port, &hints, &list) != 0)
		return -1;
	for (a = list; a && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(list);
	return fd;
}

void
mta_set_timeout(struct mta *m, int timeout)
{
	struct timeval t = { timeout / 1000, timeout % 1000 * 1000 };

	m->timeout = timeout;
	setsockopt(m->fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(m->fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
}

bool
mta_open(struct mta *m, const char *where, int timeout)
{
	*m = (struct mta){ .fd = -1, .timeout = timeout };
	arena_init(&m->fixed, 0, NULL);
	arena_init(&m->arena, 0, NULL);
	if (strncmp(where, "unix:", 5) == 0)
		m->fd = connect_unix(where + 5);
	else if (strncmp(where, "inet:", 5) == 0)
		m->fd = connect_inet(where + 5);
	if (m->fd < 0)
		return mta_fail(
		    m, "cannot connect to %s: %s", where, strerror(errno));
	mta_set_timeout(m, timeout);
	m->state = MTA_OPEN;
	return true;
}

void
mta_close(struct mta *m)
{
	if (m->fd >= 0)
		close(m->fd);
	m->fd = -1;
	m->state = MTA_CLOSED;
	arena_free(&m->fixed);
	arena_free(&m->arena);
	bytes_free(&m->out);
	bytes_free(&m->in);
	m->edits = NULL;
	m->edit_count = m->edit_cap = 0;
}

static bool
write_all(struct mta *m, const char *p, size_t n)
{
	long long deadline = now_ms() + m->timeout;

	if (m->fd < 0)
		return false;
	if (m->tap)
		bytes_add(m->tap, p, n);
	while (n > 0) {
		ssize_t w = send(m->fd, p, n, MSG_NOSIGNAL);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return mta_fail(m, "write: %s", strerror(errno));
		p += w;
		n -= (size_t)w;
		if (n > 0 && now_ms() > deadline)
			return mta_fail(m, "write: deadline");
	}
	return true;
}

bool
mta_flush(struct mta *m)
{
	bool ok;

	if (m->out.n == 0)
		return m->fd >= 0;
	ok = write_all(m, m->out.p, m->out.n);
	m->out.n = 0;
	return ok;
}

bool
mta_raw(struct mta *m, const void *data, size_t n)
{
	return (m->out.n == 0 || mta_flush(m)) && write_all(m, data, n);
}

bool
mta_put(struct mta *m, char command, const struct str *parts, size_t count)
{
	size_t length = 1;
	uint32_t wire;

	if (m->fd < 0)
		return false;
	for (size_t i = 0; i < count; i++)
		length += parts[i].n;
	wire = htonl((uint32_t)length);
	bytes_add(&m->out, &wire, sizeof(wire));
	bytes_add(&m->out, &command, 1);
	for (size_t i = 0; i < count; i++)
		bytes_add(&m->out, parts[i].p, parts[i].n);
	return m->out.n < OUT_MAX || mta_flush(m);
}

/* Exactly n bytes before the deadline; 0 at once at the end of the stream. */
static bool
read_all(struct mta *m, char *p, size_t n, long long deadline)
{
	while (n > 0) {
		ssize_t r = recv(m->fd, p, n, 0);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return mta_fail(m, "read: %s",
			    errno == EAGAIN ? "deadline" : strerror(errno));
		if (r == 0)
			return mta_fail(m, "read: closed by the filter");
		p += r;
		n -= (size_t)r;
		if (n > 0 && now_ms() > deadline)
			return mta_fail(m, "read: deadline");
	}
	return true;
}

bool
mta_read(struct mta *m, char *command, struct str *data)
{
	long long deadline = now_ms() + m->timeout;
	char head[5];
	uint32_t length;

	if (!mta_flush(m) || !read_all(m, head, 5, deadline))
		return false;
	memcpy(&length, head, 4);
	length = ntohl(length);
	if (length < 1 || length > PACKET_MAX)
		return mta_fail(m, "packet of %u bytes", length);
	m->in.n = 0;
	if (length > m->in.cap)
		bytes_add(&m->in, NULL, 0);
	if (length > m->in.cap) {
		free(m->in.p);
		m->in.cap = length;
		m->in.p = malloc(length);
		if (!m->in.p)
			abort();
	}
	if (!read_all(m, m->in.p, length - 1, deadline))
		return false;
	m->in.n = length - 1;
	*command = head[4];
	*data = (struct str){ m->in.p, m->in.n };
	return true;
}

bool
mta_is_closed_by_peer(struct mta *m)
{
	long long deadline = now_ms() + m->timeout;
	char sink[4096];
	ssize_t r;

	if (m->fd < 0 || !mta_flush(m))
		return true;
	do
		r = recv(m->fd, sink, sizeof(sink), 0);
	while (r > 0 && now_ms() < deadline);
	return r == 0 || (r < 0 && errno == ECONNRESET);
}

static uint32_t
get_long(struct str *s)
{
	uint32_t v;

	memcpy(&v, s->p, 4);
	*s = str_skip(*s, 4);
	return ntohl(v);
}

static bool
read_lists(struct mta *m, struct str data)
{
	while (data.n > 0) {
		uint32_t list;
		size_t n;

		if (data.n < 5)
			return mta_fail(m, "macro list is cut");
		list = get_long(&data);
		n = str_find(data, '\0');
		if (n == data.n)
			return mta_fail(m, "macro list does not end");
		if (list >= MTA_LISTS)
			return mta_fail(m, "macro list %u", list);
		if (m->has_list[list])
			return mta_fail(m, "macro list %u twice", list);
		m->has_list[list] = m->has_lists = true;
		m->lists[list] = arena_dup(&m->fixed, str_head(data, n));
		data = str_skip(data, n + 1);
	}
	return true;
}

bool
mta_negotiate(struct mta *m, const struct mta_offer *offer)
{
	uint32_t words[3] = { htonl(offer->version), htonl(offer->actions),
		htonl(offer->protocol) };
	struct str data = { (const char *)words, sizeof(words) };
	char command;

	m->offer = *offer;
	if (!mta_put(m, SMFIC_OPTNEG, &data, 1) ||
	    !mta_read(m, &command, &data))
		return false;
	if (command != SMFIC_OPTNEG || data.n < MILTER_OPTLEN)
		return mta_fail(m, "negotiation answered by '%c' of %zu bytes",
		    command, data.n);
	m->version = get_long(&data);
	m->actions = get_long(&data);
	m->protocol = get_long(&data);
	if (m->version > offer->version)
		return mta_fail(m, "protocol version %u", m->version);
	if (m->actions & ~offer->actions)
		return mta_fail(m, "actions 0x%x were not offered",
		    m->actions & ~offer->actions);
	if (!read_lists(m, data))
		return false;
	m->state = MTA_READY;
	return true;
}
