/* Listen sockets: modes, stale and live ones, what is refused. */
#include "runtime/socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/test.h"

static const struct listen_options usual = {
	.mode = 0660, .uid = (uid_t)-1, .gid = (gid_t)-1
};
static char dir[] = "/tmp/milt-socket.XXXXXX";
static char path[64], spec[80], why[300];

static struct listener
open_it(const char *what, const struct listen_options *o)
{
	struct listener l;

	why[0] = 0;
	if (!listener_open(what, o, &l, why, sizeof(why)))
		l.fd = -1;
	return l;
}

static bool
can_connect(const char *to)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	bool ok;

	strcpy(sa.sun_path, to);
	ok = connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0;
	close(fd);
	return ok;
}

static unsigned
mode_of(const char *of)
{
	struct stat st;

	return lstat(of, &st) == 0 ? st.st_mode & 07777 : 0;
}

static bool
says(const char *part)
{
	if (strstr(why, part))
		return true;
	printf("# it says: %s\n", why);
	return false;
}

static void
test_modes(void)
{
	struct listen_options o = usual;
	struct listener l = open_it(spec, &usual);

	CHECK(l.fd > 2);
	CHECK(mode_of(path) == 0660);
	CHECK(can_connect(path));
	CHECK(fcntl(l.fd, F_GETFL) & O_NONBLOCK);
	CHECK(fcntl(l.fd, F_GETFD) & FD_CLOEXEC);
	listener_unlink(&l);
	CHECK(access(path, F_OK) < 0);
	close(l.fd);
	o.mode = 0606;
	umask(077);
	l = open_it(path, &o);
	CHECK(l.fd > 2);
	CHECK(mode_of(path) == 0606);
	CHECK(umask(022) == 077);
	if (geteuid() == 0) {
		struct stat st;

		close(l.fd);
		o.uid = 65534;
		o.gid = 12;
		l = open_it(spec, &o);
		CHECK(lstat(path, &st) == 0 && st.st_uid == 65534 &&
		      st.st_gid == 12);
	}
	listener_unlink(&l);
	close(l.fd);
}

static void
test_stale_and_live(void)
{
	struct listener first = open_it(spec, &usual), second;

	CHECK(first.fd > 2);
	second = open_it(spec, &usual);
	CHECK(second.fd < 0);
	CHECK(says("another process listens on unix:"));
	CHECK(can_connect(path));
	/* Nobody behind it any more: the name alone is left. */
	close(first.fd);
	CHECK(!can_connect(path));
	/* The clock of files is coarse. */
	(void)poll(NULL, 0, 20);
	second = open_it(spec, &usual);
	CHECK(second.fd > 2);
	CHECK(can_connect(path));
	/* Whoever was there before does not take the new one away. */
	listener_unlink(&first);
	CHECK(can_connect(path));
	listener_unlink(&second);
	CHECK(access(path, F_OK) < 0);
	close(second.fd);
}

/* One with a full queue is alive. */
static void
test_busy(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), client[4];

	strcpy(sa.sun_path, path);
	CHECK(bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
	CHECK(listen(fd, 0) == 0);
	for (int i = 0; i < 4; i++) {
		client[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(client[i], (struct sockaddr *)&sa, sizeof(sa));
	}
	CHECK(open_it(spec, &usual).fd < 0);
	CHECK(says("another process"));
	for (int i = 0; i < 4; i++)
		close(client[i]);
	close(fd);
	unlink(path);
	/* So is one that takes datagrams. */
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK(bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
	CHECK(open_it(spec, &usual).fd < 0);
	CHECK(says("another process"));
	close(fd);
	unlink(path);
}

static void
test_refused_paths(void)
{
	char other[80], long_spec[200] = "unix:/tmp/";
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	close(fd);
	CHECK(open_it(spec, &usual).fd < 0);
	CHECK(says("is not a socket"));
	CHECK(access(path, F_OK) == 0);
	unlink(path);
	CHECK(symlink("/tmp/nothing-here", path) == 0);
	CHECK(open_it(spec, &usual).fd < 0);
	CHECK(says("is not a socket"));
	unlink(path);
	memset(long_spec + strlen(long_spec), 'x', 110);
	CHECK(open_it(long_spec, &usual).fd < 0);
	CHECK(says("more than 107 octets"));
	snprintf(other, sizeof(other), "unix:%s/none/s", dir);
	CHECK(open_it(other, &usual).fd < 0);
	CHECK(says("No such file or directory"));
	CHECK(open_it("unix:relative", &usual).fd < 0);
	CHECK(says("begins with /"));
	CHECK(open_it("nonsense", &usual).fd < 0);
	CHECK(says("write unix:/PATH"));
	CHECK(open_it("", &usual).fd < 0);
}

/* The longest path that fits. */
static void
test_longest_path(void)
{
	struct listener l;
	char longest[200];

	snprintf(longest, sizeof(longest), "%s/", dir);
	memset(longest + strlen(longest), 'x', 200 - strlen(longest));
	longest[107] = 0;
	l = open_it(longest, &usual);
	CHECK(l.fd > 2);
	CHECK(can_connect(longest));
	listener_unlink(&l);
	CHECK(access(longest, F_OK) < 0);
	close(l.fd);
}

static unsigned
port_of(int fd)
{
	struct sockaddr_in in = { 0 };
	socklen_t n = sizeof(in);

	return getsockname(fd, (struct sockaddr *)&in, &n) == 0
		   ? ntohs(in.sin_port)
		   : 0;
}

/* A port that is free at the moment. */
static unsigned
free_port(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	unsigned port;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)bind(fd, (struct sockaddr *)&in, sizeof(in));
	port = port_of(fd);
	close(fd);
	return port;
}

static void
test_inet(void)
{
	static const char *const forms[] = { "inet:%u@127.0.0.1",
		"inet:127.0.0.1:%u", "inet:[127.0.0.1]:%u", "inet:%u",
		"inet:%u@localhost" };
	static const char *const world[] = { "inet:8899@0.0.0.0", "inet:8899@*",
		"inet:0.0.0.0:8899", "inet6:8899@::", "inet6:[::]:8899",
		"inet6:8899@::ffff:192.0.2.1" };
	static const char *const bad[] = { "inet:", "inet:0@127.0.0.1",
		"inet:65536@127.0.0.1", "inet:smtp@127.0.0.1", "inet:@",
		"inet:8899@", "inet:-1@127.0.0.1",
		"inet:8899@no.such.invalid" };
	unsigned port = free_port();
	char text[80];
	struct listener l;

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		snprintf(text, sizeof(text), forms[i], port);
		l = open_it(text, &usual);
		CHECK(l.fd > 2 && port_of(l.fd) == port);
		CHECK(l.path[0] == 0);
		CHECK(open_it(text, &usual).fd < 0);
		CHECK(says("another process listens on inet:"));
		close(l.fd);
	}
	for (size_t i = 0; i < sizeof(world) / sizeof(*world); i++) {
		CHECK(open_it(world[i], &usual).fd < 0);
		CHECK(says("--allow-world"));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(open_it(bad[i], &usual).fd < 0);
	{
		struct listen_options o = usual;

		o.can = "read the metrics";
		CHECK(open_it(world[0], &o).fd < 0);
		CHECK(says("is not a loopback address: who reaches it can "
			   "read the metrics; --allow-world permits it"));
		o.allow_world = true;
		snprintf(text, sizeof(text), "inet:%u@0.0.0.0", port);
		l = open_it(text, &o);
		CHECK(l.fd > 2);
		close(l.fd);
	}
}

static void
test_given(void)
{
	struct listener l = open_it(spec, &usual), given;
	char text[32];
	int plain = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(text, sizeof(text), "fd:%d", l.fd);
	given = open_it(text, &usual);
	CHECK(given.fd == l.fd);
	listener_unlink(&given);
	CHECK(can_connect(path));
	snprintf(text, sizeof(text), "fd:%d", plain);
	CHECK(open_it(text, &usual).fd < 0);
	CHECK(says("not a listening socket"));
	close(plain);
	CHECK(open_it(text, &usual).fd < 0);
	CHECK(open_it("fd:1", &usual).fd < 0);
	CHECK(open_it("fd:x", &usual).fd < 0);
	CHECK(open_it("fd:", &usual).fd < 0);
	listener_unlink(&l);
	close(l.fd);
}

static int
listening(const struct sockaddr *sa, socklen_t n)
{
	int fd = socket(sa->sa_family, SOCK_STREAM, 0);

	CHECK(bind(fd, sa, n) == 0 && listen(fd, 1) == 0);
	return fd;
}

static bool
has_ipv6(void)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	bool ok;

	in6.sin6_addr = in6addr_loopback;
	ok = fd >= 0 && bind(fd, (void *)&in6, sizeof(in6)) == 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

/* `what`: why it is refused without --allow-world; NULL: it is not. */
static void
given_is(int fd, const char *what)
{
	struct listen_options o = usual;
	char text[32];

	snprintf(text, sizeof(text), "fd:%d", fd);
	CHECK((open_it(text, &o).fd == fd) == !what);
	CHECK(!what || says(what));
	CHECK(!what || says("who reaches it can speak as the MTA; "
			    "--allow-world permits it"));
	o.allow_world = true;
	CHECK(open_it(text, &o).fd == fd);
	close(fd);
}

/* One that was handed over is as open as one that we make may be. */
static void
test_given_to_the_world(void)
{
	static const char other[] = "is not bound to a loopback address";
	static const char mode[] = "that every user may write to";
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const struct sockaddr *sa = (const void *)&un;
	int fd;

	given_is(listening((void *)&in, sizeof(in)), other);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	given_is(listening((void *)&in, sizeof(in)), NULL);
	if (has_ipv6()) {
		given_is(listening((void *)&in6, sizeof(in6)), other);
		in6.sin6_addr = in6addr_loopback;
		given_is(listening((void *)&in6, sizeof(in6)), NULL);
	}
	strcpy(un.sun_path, path);
	for (unsigned m = 0; m <= 2; m += 2) {
		fd = listening(sa, sizeof(un));
		CHECK(chmod(path, 0660 | m) == 0);
		given_is(fd, m ? mode : NULL);
		unlink(path);
	}
	fd = listening(sa, sizeof(un));
	unlink(path);
	given_is(fd, "whose mode cannot be seen");
	memcpy(un.sun_path, "\0milt-test", 10);
	given_is(listening(sa, (socklen_t)sizeof(un)), "has an abstract name");
}

/* The descriptor stays, and is never ready again. */
static void
test_retire(void)
{
	struct listener l = open_it(spec, &usual);
	struct pollfd p = { .fd = l.fd, .events = POLLIN };

	CHECK(can_connect(path));
	while (accept(l.fd, NULL, NULL) >= 0)
		;
	CHECK(listener_retire(&l));
	CHECK(!can_connect(path));
	CHECK(poll(&p, 1, 0) == 0);
	CHECK(accept(l.fd, NULL, NULL) < 0);
	listener_unlink(&l);
	close(l.fd);
}

int
main(void)
{
	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/s", dir);
	snprintf(spec, sizeof(spec), "unix:%s", path);
	test_modes();
	test_stale_and_live();
	test_busy();
	test_refused_paths();
	test_longest_path();
	test_inet();
	test_given();
	test_given_to_the_world();
	test_retire();
	CHECK(rmdir(dir) == 0);
	TEST_DONE();
}
