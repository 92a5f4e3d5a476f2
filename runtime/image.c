#include "runtime/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "runtime/match.h"
#include "runtime/opcodes.h"
#include "runtime/scan.h"
#include "runtime/verify.h"

/*
 * A mapped file that is overwritten in place changes under the reader, and
 * ends the process where it became shorter.  So only images that are large
 * enough for sharing to matter are mapped; the others are read.
 */
enum { MAP_FROM = 4 << 20 };

#define ALIGNED(n) (((n) + IMAGE_ALIGN - 1) / IMAGE_ALIGN * IMAGE_ALIGN)

static const size_t record_size[SECTION_COUNT] = {
#define SECTION(id, record) sizeof(record),
	IMAGE_SECTIONS(SECTION)
#undef SECTION
};

static enum milt_status
refuse(const char **why, const char *reason)
{
	if (why)
		*why = reason;
	return MILT_INVALID;
}

uint64_t
image_checksum(const void *image, size_t size)
{
	size_t from = offsetof(struct image_header, policy);

	return XXH3_64bits((const char *)image + from, size - from);
}

/*
 * Sections one behind the other, in order and aligned, to the image's end: so
 * they are disjoint.
 */
static const char *
check_sections(const struct image_header *h)
{
	uint64_t at = ALIGNED(sizeof(*h));

	for (int i = 0; i < SECTION_COUNT; i++) {
		uint64_t count = h->section[i].count;

		if (h->section[i].offset != at || at > h->size)
			return "a section is not where it belongs";
		if (count >= UINT32_MAX ||
		    count > (h->size - at) / record_size[i])
			return "a section is longer than the image";
		at = ALIGNED(at + count * record_size[i]);
	}
	return at == h->size ? NULL : "the sections do not fill the image";
}

static enum milt_status
check_header(const void *data, size_t size, const char **why)
{
	const struct image_header *h = data;
	const char *reason;

	if (size < 32 || memcmp(h->magic, IMAGE_MAGIC, sizeof(h->magic)) != 0)
		return refuse(why, "this is not an image");
	if (h->version != IMAGE_VERSION || h->sections != SECTION_COUNT ||
	    h->tables != tables_hash()) {
		refuse(why, "the image was made by another version: "
			    "compile the policy again");
		return MILT_OTHER_TABLES;
	}
	if (size < sizeof(*h) || h->size != size)
		return refuse(why, "the image is cut short or has grown");
	if (h->checksum != image_checksum(data, size))
		return refuse(why, "the checksum is wrong");
	reason = check_sections(h);
	return reason ? refuse(why, reason) : MILT_OK;
}

/* Sets the pointers to the sections. */
static void
attach(struct milt_image *im)
{
	const char *base = im->map;
	const void *at[SECTION_COUNT];

	im->header = im->map;
	for (int i = 0; i < SECTION_COUNT; i++) {
		at[i] = base + im->header->section[i].offset;
		im->count[i] = (uint32_t)im->header->section[i].count;
	}
	im->bytes = at[SECTION_BYTES];
	im->texts = at[SECTION_TEXTS];
	im->numbers = at[SECTION_NUMBERS];
	im->refs = at[SECTION_REFS];
	im->lists = at[SECTION_LISTS];
	im->sets = at[SECTION_SETS];
	im->regexes = at[SECTION_REGEXES];
	im->loops = at[SECTION_LOOPS];
	im->pieces = at[SECTION_PIECES];
	im->candidates = at[SECTION_CANDIDATES];
	im->templates = at[SECTION_TEMPLATES];
	im->actions = at[SECTION_ACTIONS];
	im->rules = at[SECTION_RULES];
	im->js = at[SECTION_JS];
	im->captures = at[SECTION_CAPTURES];
	im->stages = at[SECTION_STAGES];
	im->stage_rules = at[SECTION_STAGE_RULES];
	im->guards = at[SECTION_GUARDS];
	im->pending = at[SECTION_PENDING];
	im->pending_rules = at[SECTION_PENDING_RULES];
	im->probes = at[SECTION_PROBES];
	im->slots = at[SECTION_SLOTS];
	im->blocks = at[SECTION_BLOCKS];
	im->points = at[SECTION_POINTS];
	im->intervals = at[SECTION_INTERVALS];
	im->patterns = at[SECTION_PATTERNS];
	im->hits = at[SECTION_HITS];
	im->hit_rules = at[SECTION_HIT_RULES];
	im->code = at[SECTION_CODE];
	im->macros = at[SECTION_MACROS];
	im->needs = at[SECTION_NEEDS];
}

/* Takes over im, its block included. */
static enum milt_status
finish(struct milt_image *im, struct milt_image **out, const char **why)
{
	enum milt_status s = check_header(im->map, im->map_size, why);
	const char *reason;

	if (s == MILT_OK) {
		attach(im);
		reason = image_verify(im);
		if (reason == verify_no_memory)
			s = MILT_NO_MEMORY;
		else if (reason)
			s = refuse(why, reason);
	}
	if (s == MILT_OK) {
		s = match_compile(im);
		if (s == MILT_INVALID)
			refuse(why, "a regular expression does not compile");
	}
	if (s == MILT_OK)
		s = scan_build(im);
	if (s != MILT_OK) {
		milt_image_free(im);
		return s;
	}
	*out = im;
	return MILT_OK;
}

static enum milt_status
read_all(int fd, void *to, size_t size)
{
	char *p = to;

	while (size) {
		ssize_t n = read(fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return MILT_SYSTEM;
		if (n == 0)
			return MILT_INVALID;
		p += n;
		size -= (size_t)n;
	}
	return MILT_OK;
}

static enum milt_status
fetch(int fd, struct milt_image *im, const char **why)
{
	struct stat st;
	enum milt_status s;

	if (fstat(fd, &st) != 0)
		return MILT_SYSTEM;
	if (!S_ISREG(st.st_mode) || st.st_size <= 0)
		return refuse(why, "this is not an image");
	im->map_size = (size_t)st.st_size;
	if (im->map_size >= MAP_FROM) {
		im->map =
		    mmap(NULL, im->map_size, PROT_READ, MAP_PRIVATE, fd, 0);
		im->mapped = im->map != MAP_FAILED;
		if (!im->mapped)
			im->map = NULL;
		return im->mapped ? MILT_OK : MILT_SYSTEM;
	}
	im->map = malloc(im->map_size);
	if (!im->map)
		return MILT_NO_MEMORY;
	s = read_all(fd, im->map, im->map_size);
	return s == MILT_INVALID ? refuse(why, "the image is cut short") : s;
}

enum milt_status
milt_image_open(const char *path, struct milt_image **out, const char **why)
{
	/* Not to wait at a FIFO that nobody writes to. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct milt_image *im;
	enum milt_status s;
	int error;

	if (fd < 0)
		return MILT_SYSTEM;
	im = calloc(1, sizeof(*im));
	s = im ? fetch(fd, im, why) : MILT_NO_MEMORY;
	error = errno;
	close(fd);
	if (s == MILT_OK)
		return finish(im, out, why);
	milt_image_free(im);
	errno = error;
	return s;
}

enum milt_status
milt_image_load(
    const void *data, size_t size, struct milt_image **out, const char **why)
{
	struct milt_image *im = calloc(1, sizeof(*im));

	if (!im)
		return MILT_NO_MEMORY;
	im->map_size = size;
	im->map = malloc(size ? size : 1);
	if (!im->map) {
		milt_image_free(im);
		return MILT_NO_MEMORY;
	}
	if (size)
		memcpy(im->map, data, size);
	return finish(im, out, why);
}

void
milt_image_free(struct milt_image *im)
{
	if (!im)
		return;
	scan_free(im);
	match_free(im);
	if (im->mapped)
		munmap(im->map, im->map_size);
	else
		free(im->map);
	free(im);
}
