/* CRC-32 of zip and rar. */
#ifndef TESTS_UNIT_CRC_H
#define TESTS_UNIT_CRC_H

#include <stddef.h>
#include <stdint.h>

static inline uint32_t
crc32_of(const uint8_t *p, size_t n)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
	}
	return ~crc;
}

static inline uint8_t *
put_le(uint8_t *p, uint32_t value, int octets)
{
	for (int i = 0; i < octets; i++)
		*p++ = (uint8_t)(value >> 8 * i);
	return p;
}

#endif
