#include "client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { REPLY_SECONDS = 120 };

void
die(const char *what)
{
	fflush(stdout);
	perror(what);
	exit(2);
}

void
client_open(struct client *c, const char *port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(port)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval tv = { .tv_sec = REPLY_SECONDS };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	signal(SIGPIPE, SIG_IGN);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0)
		die("connect");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	int copy = dup(fd);
	if (copy < 0)
		die("dup");
	c->in = fdopen(fd, "r");
	c->out = fdopen(copy, "w");
	if (!c->in || !c->out)
		die("fdopen");
	c->closed = false;
	c->text[0] = 0;
}

void
client_close(struct client *c)
{
	fclose(c->in);
	fclose(c->out);
	c->in = c->out = NULL;
}

static void
print_line(struct client *c, const char *command, const char *line, size_t n)
{
	if (!c->print)
		return;
	fprintf(c->print, "%s\t", command);
	fwrite(line, 1, n, c->print);
	putc('\n', c->print);
	fflush(c->print);
}

/* Appends a line without its code to the text of the reply, as far as it fits.
 */
static void
keep_line(struct client *c, const char *line, size_t n)
{
	size_t used = strlen(c->text);
	size_t skip = n < 4 ? n : 4;

	if (used + (n - skip) + 2 > sizeof(c->text))
		return;
	if (used)
		c->text[used++] = '\n';
	memcpy(c->text + used, line + skip, n - skip);
	c->text[used + n - skip] = 0;
}

int
client_reply(struct client *c, const char *command)
{
	char *line = NULL;
	size_t room = 0;
	int code = 0;

	c->text[0] = 0;
	for (;;) {
		ssize_t n = getline(&line, &room, c->in);

		if (n <= 0) {
			print_line(c, command, "closed", 6);
			c->closed = true;
			code = 0;
			break;
		}
		while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
			line[--n] = 0;
		print_line(c, command, line, (size_t)n);
		keep_line(c, line, (size_t)n);
		code = atoi(line);
		if (n < 4 || line[3] != '-')
			break;
	}
	free(line);
	if (code == 421)
		c->closed = true;
	return code;
}

int
client_say(struct client *c, const char *line)
{
	fprintf(c->out, "%s\r\n", line);
	fflush(c->out);
	return client_reply(c, line);
}

static int
say_parts(struct client *c, const char *a, const char *b, const char *d,
    const char *e)
{
	char *line = NULL;

	if (asprintf(&line, "%s%s%s%s", a, b, d, e) < 0)
		die("memory");
	int code = client_say(c, line);
	free(line);
	return code;
}

int
client_verb(struct client *c, const char *verb, const char *word)
{
	return say_parts(c, verb, " ", word, "");
}

int
client_path(struct client *c, const char *verb, const char *address)
{
	return address[0] == '<' ? say_parts(c, verb, ":", address, "")
				 : say_parts(c, verb, ":<", address, ">");
}

void
client_text(struct client *c, const char *text, size_t n, bool as_it_is)
{
	int last = '\n';

	for (size_t i = 0; i < n; last = text[i++]) {
		if (last == '\n' && text[i] == '.')
			putc('.', c->out);
		if (text[i] == '\n' && last != '\r' && !as_it_is)
			putc('\r', c->out);
		putc(text[i], c->out);
	}
	if (last != '\n')
		fputs("\r\n", c->out);
}

int
client_end(struct client *c)
{
	fputs(".\r\n", c->out);
	fflush(c->out);
	return client_reply(c, ".");
}
