/*
 * RAR archives of one stored member, as no free program writes them: of
 * version 4 (technote.txt of unrar 3) and 5 (rarlab.com/technote.htm).
 */
#ifndef TESTS_UNIT_RAR_H
#define TESTS_UNIT_RAR_H

#include <stdbool.h>
#include <string.h>

#include "dsl/str.h"
#include "tests/unit/crc.h"

/* A block of version 4; what is behind its CRC begins at `block`. */
static inline uint8_t *
rar4_block(uint8_t *to, const uint8_t *block, size_t n)
{
	to = put_le(to, crc32_of(block, n) & 0xffff, 2);
	memcpy(to, block, n);
	return to + n;
}

static inline struct str
rar4_make(uint8_t *out, struct str name, struct str contents, bool encrypted)
{
	uint32_t crc = crc32_of((const uint8_t *)contents.p, contents.n);
	uint8_t block[512], *p = block, *to = out;

	memcpy(to, "Rar!\x1a\x07", 7);
	to += 7;
	*p++ = 0x73; /* the archive */
	p = put_le(p, 0, 2);
	p = put_le(p, 13, 2);
	p = put_le(p, 0, 4);
	p = put_le(p, 0, 2);
	to = rar4_block(to, block, (size_t)(p - block));
	p = block;
	*p++ = 0x74; /* a file */
	p = put_le(p, encrypted ? 0x8004 : 0x8000, 2);
	p = put_le(p, (uint32_t)(32 + name.n), 2);
	p = put_le(p, (uint32_t)contents.n, 4);
	p = put_le(p, (uint32_t)contents.n, 4);
	*p++ = 3; /* Unix */
	p = put_le(p, crc, 4);
	p = put_le(p, 0x5a210000, 4);
	*p++ = 20;
	*p++ = 0x30; /* stored */
	p = put_le(p, (uint32_t)name.n, 2);
	p = put_le(p, 0100644, 4);
	memcpy(p, name.p, name.n);
	p += name.n;
	to = rar4_block(to, block, (size_t)(p - block));
	memcpy(to, contents.p, contents.n);
	to += contents.n;
	to = rar4_block(to, (const uint8_t *)"\x7b\x00\x40\x07\x00", 5);
	return (struct str){ (const char *)out, (size_t)(to - out) };
}

static inline struct str
rar4_plain(uint8_t *out, struct str name, struct str contents)
{
	return rar4_make(out, name, contents, false);
}

static inline struct str
rar4_encrypted(uint8_t *out, struct str name, struct str contents)
{
	return rar4_make(out, name, contents, true);
}

static inline uint8_t *
rar5_number(uint8_t *p, size_t n)
{
	for (; n > 127; n >>= 7)
		*p++ = (uint8_t)(n | 128);
	*p++ = (uint8_t)n;
	return p;
}

/* A header of version 5, its CRC and size before it. */
static inline uint8_t *
rar5_block(uint8_t *to, const uint8_t *block, size_t n)
{
	uint8_t sized[520], *p = rar5_number(sized, n);

	memcpy(p, block, n);
	p += n;
	to = put_le(to, crc32_of(sized, (size_t)(p - sized)), 4);
	memcpy(to, sized, (size_t)(p - sized));
	return to + (p - sized);
}

static inline struct str
rar5_make(uint8_t *out, struct str name, struct str contents)
{
	uint32_t crc = crc32_of((const uint8_t *)contents.p, contents.n);
	uint8_t block[512], *p = block, *to = out;

	memcpy(to, "Rar!\x1a\x07\x01", 8);
	to = rar5_block(to + 8, (const uint8_t *)"\1\0\0", 3);
	*p++ = 2; /* a file, with data */
	*p++ = 2;
	p = rar5_number(p, contents.n);
	*p++ = 4; /* it has a CRC */
	p = rar5_number(p, contents.n);
	p = rar5_number(p, 0100644);
	p = put_le(p, crc, 4);
	*p++ = 0; /* stored */
	*p++ = 1; /* Unix */
	p = rar5_number(p, name.n);
	memcpy(p, name.p, name.n);
	p += name.n;
	to = rar5_block(to, block, (size_t)(p - block));
	memcpy(to, contents.p, contents.n);
	to += contents.n;
	to = rar5_block(to, (const uint8_t *)"\5\0\0", 3);
	return (struct str){ (const char *)out, (size_t)(to - out) };
}

#endif
