#include "runtime/literal_near.h"

#define LE NEAR_LETTER
#define DI NEAR_DIGIT
#define CO NEAR_CONTROL
#define OT NEAR_OTHER
#define QU NEAR_QUOTE
#define BR NEAR_BRACKET
#define HI NEAR_HIGH
#define LI NEAR_LINE
#define BL NEAR_BLANK
#define HIGH_16 HI, HI, HI, HI, HI, HI, HI, HI, HI, HI, HI, HI, HI, HI, HI, HI
#define LETTERS_8 LE, LE, LE, LE, LE, LE, LE, LE

/* clang-format off */
const near_set near_kind[256] = {
	CO, CO, CO, CO, CO, CO, CO, CO, CO, BL, LI, CO, CO, LI, CO, CO,
	CO, CO, CO, CO, CO, CO, CO, CO, CO, CO, CO, CO, CO, CO, CO, CO,
	BL, OT, QU, OT, OT, OT, OT, QU,
	BR, BR, OT, OT, OT, NEAR_DASH, NEAR_DOT, OT,
	DI, DI, DI, DI, DI, DI, DI, DI, DI, DI, OT, OT, BR, OT, BR, OT,
	NEAR_AT, LE, LE, LE, LE, LE, LE, LE, LETTERS_8,
	LETTERS_8, LE, LE, LE, BR, OT, BR, OT, NEAR_UNDERSCORE,
	QU, LE, LE, LE, LE, LE, LE, LE, LETTERS_8,
	LETTERS_8, LE, LE, LE, BR, OT, BR, OT, CO,
	HIGH_16, HIGH_16, HIGH_16, HIGH_16, HIGH_16, HIGH_16, HIGH_16, HIGH_16,
};
/* clang-format on */

near_set
near_class(const struct class_set *set)
{
	near_set kinds = 0;

	for (unsigned c = 0; c < 256; c++)
		if (class_has(set, (uint8_t)c))
			kinds |= near_kind[c];
	return kinds;
}

near_set
near_folded(uint8_t folded)
{
	return near_kind[folded] | near_kind[folded & ~0x20];
}
