/*
 * A zip whose one member is the zip itself.
 *
 * After Russ Cox, "Zip Files All The Way Down".  In units of five octets, L k
 * is a stored block of the k units behind it, and R k a block that repeats the
 * last k units; p and s are those of the head P (its header) and of the tail S
 * (the archive's directory), one more than they have.  The program
 *
 *	L p  P  L p  R p  L1 R p  L1 L1  L4 R p L1 L1 L4  R4
 *	L4 R4 L4 R4 L4  R4  L4 R4 L0 L0 L s  R4  L0 L0  L s R s S  R s
 *
 * writes P, itself, and S.  The CRC in it is a linear function of its own bits.
 */
#ifndef TESTS_UNIT_QUINE_H
#define TESTS_UNIT_QUINE_H

#include <stdbool.h>
#include <string.h>

#include "tests/unit/crc.h"

/* P and S with their unit: what one match of fixed Huffman codes can copy. */
enum { QUINE_UNIT = 5, QUINE_RUN = 120, QUINE_ROOM = 2048 };

struct quine {
	uint8_t *to; /* where the next octet goes */
	uint8_t head[QUINE_RUN], tail[QUINE_RUN];
};

struct quine_bits {
	uint64_t bits;
	int count;
};

/* A Huffman code, or (from its last bit on) a number. */
static inline void
quine_put(struct quine_bits *b, uint32_t value, int count, bool code)
{
	for (int i = 0; i < count; i++) {
		int at = code ? count - 1 - i : i;

		b->bits |= (uint64_t)(value >> at & 1) << b->count++;
	}
}

static inline void
quine_literal(struct quine *q, uint16_t octets)
{
	*q->to++ = 0;
	q->to = put_le(q->to, octets, 2);
	q->to = put_le(q->to, (uint16_t)~octets, 2);
}

/* `length` octets from as many back as `run` has. */
static inline void
quine_match(struct quine_bits *b, int length, int run)
{
	if (length <= 10) { /* RFC 1951 3.2.5: codes 257 to 264, no bits */
		quine_put(b, (uint32_t)length - 2, 7, true);
	} else { /* code 280: 115 to 130, four bits */
		quine_put(b, 0xc0, 8, true);
		quine_put(b, (uint32_t)length - 115, 4, false);
	}
	if (run <= 24) { /* code 8: 17 to 24, three bits */
		quine_put(b, 8, 5, true);
		quine_put(b, (uint32_t)run - 17, 3, false);
	} else { /* code 13: 97 to 128, five bits */
		quine_put(b, 13, 5, true);
		quine_put(b, (uint32_t)run - 97, 5, false);
	}
}

/* An octet below 144. */
static inline void
quine_octet(struct quine_bits *b, uint8_t octet)
{
	quine_put(b, UINT32_C(0x30) + octet, 8, true);
}

static inline void
quine_end(struct quine *q, struct quine_bits *b)
{
	quine_put(b, 0, 7, true);
	for (int i = 0; i < QUINE_UNIT; i++)
		*q->to++ = (uint8_t)(b->bits >> 8 * i);
}

/* A block of fixed codes: its head. */
static inline struct quine_bits
quine_block(bool final)
{
	struct quine_bits b = { 0, 0 };

	quine_put(&b, final, 1, false);
	quine_put(&b, 1, 2, false);
	return b;
}

static inline void
quine_repeat_4(struct quine *q)
{
	struct quine_bits b = quine_block(false);

	quine_match(&b, 10, 20);
	quine_match(&b, 10, 20);
	quine_end(q, &b);
}

static inline void
quine_repeat_head(struct quine *q)
{
	struct quine_bits b = quine_block(false);

	quine_octet(&b, q->head[0]);
	quine_match(&b, QUINE_RUN - 1, QUINE_RUN);
	quine_end(q, &b);
}

static inline void
quine_repeat_tail(struct quine *q)
{
	struct quine_bits b = quine_block(true);

	quine_match(&b, QUINE_RUN - 1, QUINE_RUN);
	quine_octet(&b, q->tail[QUINE_RUN - QUINE_UNIT - 1]);
	quine_end(q, &b);
}

static inline void
quine_copy(struct quine *q, const uint8_t *run)
{
	memcpy(q->to, run, QUINE_RUN - QUINE_UNIT);
	q->to += QUINE_RUN - QUINE_UNIT;
}

/*
 * L0, L1 and L4 are digits, R4 is r, L p is p, R p is P, L s is s, R s is S; <
 * and > stand for P and S.
 */
static inline void
quine_program(struct quine *q, const char *program)
{
	for (; *program; program++) {
		switch (*program) {
		case 'r':
			quine_repeat_4(q);
			break;
		case 'p':
		case 's':
			quine_literal(q, QUINE_RUN);
			break;
		case 'P':
			quine_repeat_head(q);
			break;
		case 'S':
			quine_repeat_tail(q);
			break;
		case '<':
			quine_copy(q, q->head);
			break;
		case '>':
			quine_copy(q, q->tail);
			break;
		default:
			quine_literal(
			    q, (uint16_t)((*program - '0') * QUINE_UNIT));
		}
	}
}

static const char quine_code[] =
    "p<pP1P114P114r4r4r4r4r00sr00sS>S"; /* as written above */

static const char quine_name[] = "quine.zip";

/* What both headers of a member say of it, behind its version. */
static inline uint8_t *
quine_member(uint8_t *p, uint32_t crc, uint32_t packed, uint32_t size)
{
	p = put_le(p, 0, 2); /* flags */
	p = put_le(p, 8, 2); /* deflated */
	p = put_le(p, 0x5a210000, 4);
	p = put_le(p, crc, 4);
	p = put_le(p, packed, 4);
	p = put_le(p, size, 4);
	return put_le(p, sizeof(quine_name) - 1, 2);
}

/* P: PKZIP's local header, filled up with an extra field. */
static inline void
quine_head(struct quine *q, uint32_t crc, uint32_t packed, uint32_t size)
{
	enum { FIXED = 30 + sizeof(quine_name) - 1 };
	const int extra = QUINE_RUN - QUINE_UNIT - FIXED;
	uint8_t *p = q->head;

	memset(q->head, 0, sizeof(q->head));
	p = put_le(p, 0x04034b50, 4);
	p = put_le(p, 20, 2);
	p = quine_member(p, crc, packed, size);
	p = put_le(p, (uint32_t)extra, 2);
	memcpy(p, quine_name, sizeof(quine_name) - 1);
	p += sizeof(quine_name) - 1;
	p = put_le(p, 0xcafe, 2);
	(void)put_le(p, (uint32_t)extra - 4, 2);
}

/* S: the directory, its end, and a comment as long as is needed. */
static inline void
quine_tail(struct quine *q, uint32_t crc, uint32_t packed, uint32_t size)
{
	enum { ENTRY = 46 + sizeof(quine_name) - 1, END = 22 };
	const int comment = QUINE_RUN - QUINE_UNIT - ENTRY - END;
	uint8_t *p = q->tail;

	memset(q->tail, ' ', sizeof(q->tail));
	p = put_le(p, 0x02014b50, 4);
	p = put_le(p, 20, 2);
	p = put_le(p, 20, 2);
	p = quine_member(p, crc, packed, size);
	memset(p, 0, 16); /* nothing else is said; it begins at 0 */
	p += 16;
	memcpy(p, quine_name, sizeof(quine_name) - 1);
	p += sizeof(quine_name) - 1;
	p = put_le(p, 0x06054b50, 4);
	p = put_le(p, 0, 4);
	p = put_le(p, 1, 2);
	p = put_le(p, 1, 2);
	p = put_le(p, ENTRY, 4);
	p = put_le(p, QUINE_RUN - QUINE_UNIT + packed, 4);
	(void)put_le(p, (uint32_t)comment, 2);
}

/* The archive with that CRC written in it; its size. */
static inline size_t
quine_with(uint8_t *out, uint32_t crc)
{
	/* The opcodes, a head and a tail: quine_code without < and >. */
	const uint32_t packed = (sizeof(quine_code) - 1 - 2) * QUINE_UNIT +
				2 * (QUINE_RUN - QUINE_UNIT);
	const uint32_t size = packed + 2 * (QUINE_RUN - QUINE_UNIT);
	struct quine q = { .to = out };

	quine_head(&q, crc, packed, size);
	quine_tail(&q, crc, packed, size);
	quine_copy(&q, q.head);
	quine_program(&q, quine_code);
	quine_copy(&q, q.tail);
	return (size_t)(q.to - out);
}

/*
 * CRC x of the archive that says x: f(x) = f(0) + A x, so (A + 1) x = f(0).
 * By Gauss and Jordan; false if there is no such x.
 */
static inline bool
quine_solve(uint8_t *out, uint32_t *x)
{
	size_t n = quine_with(out, 0);
	uint32_t zero = crc32_of(out, n);
	uint64_t row[32] = { 0 }; /* coefficients, and f(0) in bit 32 */

	for (int bit = 0; bit < 32; bit++) {
		uint32_t column;

		(void)quine_with(out, UINT32_C(1) << bit);
		column = crc32_of(out, n) ^ zero ^ UINT32_C(1) << bit;
		for (int i = 0; i < 32; i++)
			row[i] |= (uint64_t)(column >> i & 1) << bit;
	}
	for (int i = 0; i < 32; i++)
		row[i] |= (uint64_t)(zero >> i & 1) << 32;
	for (int bit = 0; bit < 32; bit++) {
		int pivot = bit;
		uint64_t swap;

		while (pivot < 32 && !(row[pivot] >> bit & 1))
			pivot++;
		if (pivot == 32)
			return false;
		swap = row[bit];
		row[bit] = row[pivot];
		row[pivot] = swap;
		for (int i = 0; i < 32; i++)
			if (i != bit && row[i] >> bit & 1)
				row[i] ^= row[bit];
	}
	*x = 0;
	for (int i = 0; i < 32; i++)
		*x |= (uint32_t)(row[i] >> 32 & 1) << i;
	return true;
}

/* Into QUINE_ROOM octets; its size, or 0. */
static inline size_t
quine_make(uint8_t *out)
{
	uint32_t crc;

	return quine_solve(out, &crc) ? quine_with(out, crc) : 0;
}

#endif
