/* Messages as files, given to the facts as libmilter gives them. */
#ifndef TESTS_UNIT_MESSAGE_H
#define TESTS_UNIT_MESSAGE_H

#include <stdio.h>
#include <stdlib.h>

#include "runtime/facts.h"

/* The line at s with its end taken off; *all is it with its end. */
static inline struct str
message_line(struct str s, size_t *all)
{
	size_t n = str_find(s, '\n');

	*all = n < s.n ? n + 1 : n;
	if (n > 0 && s.p[n - 1] == '\r')
		n--;
	return str_head(s, n);
}

/* One field, folded with LF; its octets, or 0 where it is none. */
static inline size_t
message_field(struct facts *f, struct str s)
{
	static char value[1 << 20];
	size_t all, at, n = 0, colon;
	struct str line = message_line(s, &all), name;

	colon = str_find(line, ':');
	if (colon == line.n)
		return 0;
	name = str_trim(str_head(line, colon));
	line = str_skip(line, colon + 1);
	if (line.n && line.p[0] == ' ')
		line = str_skip(line, 1);
	for (at = all;; at += all) {
		if (n + line.n + 1 > sizeof(value))
			break;
		if (line.n)
			memcpy(value + n, line.p, line.n);
		n += line.n;
		line = message_line(str_skip(s, at), &all);
		if (!line.n || (line.p[0] != ' ' && line.p[0] != '\t'))
			break;
		value[n++] = '\n';
	}
	if (facts_header(f, name, (struct str){ value, n }) != MILT_OK)
		return 0;
	return at;
}

/* The header of a message; the rest of it, behind the empty line. */
static inline struct str
message_header(struct facts *f, struct str s)
{
	size_t n;

	while (s.n && s.p[0] != '\r' && s.p[0] != '\n') {
		n = message_field(f, s);
		if (n == 0)
			return s;
		s = str_skip(s, n);
	}
	(void)message_line(s, &n);
	return str_skip(s, n);
}

/* A file's octets, to be freed; p is NULL where it cannot be read. */
static inline struct str
message_file(const char *path)
{
	FILE *in = fopen(path, "rb");
	char *data = NULL;
	long size = -1;
	bool ok = false;

	if (in && fseek(in, 0, SEEK_END) == 0)
		size = ftell(in);
	if (size >= 0 && fseek(in, 0, SEEK_SET) == 0)
		data = malloc((size_t)size + 1);
	if (data)
		ok = fread(data, 1, (size_t)size, in) == (size_t)size;
	if (in)
		fclose(in);
	if (!ok)
		free(data);
	return ok ? (struct str){ data, (size_t)size }
		  : (struct str){ NULL, 0 };
}

#endif
