#include "dsl/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dsl/tables.h"

enum { CHUNK = 65536 };

static void
add_lines(struct arena *arena, struct source *s)
{
	vec_push(arena, &s->lines, 0);
	for (size_t i = 0; i < s->text.n; i++)
		if (s->text.p[i] == '\n')
			vec_push(arena, &s->lines, (uint32_t)(i + 1));
}

/* `text` lives in the arena, with a NUL behind it. */
static uint32_t
add(struct sources *sources, struct str path, struct str text)
{
	struct source *s = ARENA_NEW(sources->arena, struct source);

	s->path = arena_dup(sources->arena, path);
	s->text = text;
	add_lines(sources->arena, s);
	vec_push(sources->arena, &sources->list, s);
	return (uint32_t)(sources->list.n - 1);
}

/* The lexer wants a NUL behind the text, so it is copied. */
uint32_t
source_add(struct sources *sources, struct str path, struct str text)
{
	return add(sources, path, arena_dup(sources->arena, text));
}

/* All of fd into malloc'ed bytes. */
static enum milt_status
read_all(int fd, char **out, size_t *size)
{
	size_t n = 0, cap = 0;
	char *bytes = NULL;

	for (;;) {
		ssize_t got;

		if (n == cap) {
			char *more = realloc(bytes, cap * 2 + CHUNK);

			if (!more) {
				free(bytes);
				return MILT_NO_MEMORY;
			}
			bytes = more;
			cap = cap * 2 + CHUNK;
		}
		got = read(fd, bytes + n, cap - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			if (got == 0)
				break;
			free(bytes);
			return MILT_SYSTEM;
		}
		n += (size_t)got;
		if (n > LIMIT_VALUE_SOURCE_BYTES) {
			free(bytes);
			errno = EFBIG;
			return MILT_SYSTEM;
		}
	}
	*out = bytes;
	*size = n;
	return MILT_OK;
}

/* Would arena_dup of n bytes jump?  Then what was malloc'ed would leak. */
static bool
arena_has_room(const struct arena *a, size_t n)
{
	return !a->limit || (n < a->limit && a->used < a->limit - n);
}

static enum milt_status
read_fd(struct sources *sources, struct str path, int fd, uint32_t *out)
{
	struct arena *arena = sources->arena;
	jmp_buf *on_fail = arena->on_fail;
	struct str text;
	char *bytes;
	size_t n;
	enum milt_status status = read_all(fd, &bytes, &n);

	if (status != MILT_OK)
		return status;
	arena->on_fail = NULL;
	text = arena_has_room(arena, n + 64)
		   ? arena_dup(arena, (struct str){ bytes, n })
		   : (struct str){ NULL, 0 };
	arena->on_fail = on_fail;
	free(bytes);
	if (!text.p)
		return MILT_NO_MEMORY;
	*out = add(sources, path, text);
	return MILT_OK;
}

bool source_guard;

bool
source_is_shared(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_mode & S_IWOTH;
}

const char *
source_error(int error)
{
	return source_guard && error == EPERM ? "everybody may write to it"
					      : strerror(error);
}

/*
 * A file that has an end: a FIFO may never have one, and who reloads a policy
 * cannot wait.  -1 and errno.
 */
static int
open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL), error = 0;
	struct stat st;

	if (fd < 0)
		return -1;
	if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0 ||
	    fstat(fd, &st) < 0)
		error = errno;
	else if (S_ISFIFO(st.st_mode))
		error = ENOTSUP;
	else if (source_guard && source_is_shared(&st))
		error = EPERM;
	if (!error)
		return fd;
	close(fd);
	errno = error;
	return -1;
}

enum milt_status
source_read(struct sources *sources, struct str path, uint32_t *out)
{
	struct str z = arena_dup(sources->arena, path);
	enum milt_status status;
	int fd;

	if (str_eq(path, STR("-")))
		return read_fd(sources, STR("<stdin>"), STDIN_FILENO, out);
	if (memchr(path.p ? path.p : "", 0, path.n)) {
		errno = ENOENT;
		return MILT_SYSTEM;
	}
	fd = open_file(z.p);
	if (fd < 0)
		return MILT_SYSTEM;
	status = read_fd(sources, path, fd, out);
	if (status == MILT_SYSTEM) {
		int saved = errno;

		close(fd);
		errno = saved;
		return status;
	}
	close(fd);
	return status;
}

static size_t
line_index(const struct source *s, uint32_t offset)
{
	size_t low = 0, high = s->lines.n;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (s->lines.v[middle] <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

uint32_t
source_line_begin(const struct source *s, uint32_t offset)
{
	return s->lines.v[line_index(s, offset)];
}

/* Characters: bytes that do not continue one.  A BOM is none. */
static unsigned
count_characters(struct str s)
{
	unsigned n = 0;

	if (str_starts(s, STR("\xEF\xBB\xBF")))
		s = str_skip(s, 3);
	for (size_t i = 0; i < s.n; i++)
		n += (s.p[i] & 0xC0) != 0x80;
	return n;
}

void
source_place(
    const struct source *s, uint32_t offset, unsigned *line, unsigned *column)
{
	size_t i;
	uint32_t begin;

	if (offset > s->text.n)
		offset = (uint32_t)s->text.n;
	i = line_index(s, offset);
	begin = s->lines.v[i];
	*line = (unsigned)i + 1;
	*column = count_characters(
		      (struct str){ s->text.p + begin, offset - begin }) +
		  1;
}

struct str
source_line(const struct source *s, unsigned line)
{
	struct str text;
	size_t end = s->text.n;

	if (line == 0 || line > s->lines.n)
		return STR("");
	if (line < s->lines.n)
		end = s->lines.v[line] - 1;
	text = (struct str){ s->text.p + s->lines.v[line - 1],
		end - s->lines.v[line - 1] };
	if (text.n && text.p[text.n - 1] == '\r')
		text.n--;
	return text;
}
