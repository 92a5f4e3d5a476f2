/*
 * The table of opcodes as data, for who checks instructions and who prints
 * them.
 */
#ifndef RUNTIME_OPCODES_H
#define RUNTIME_OPCODES_H

#include "runtime/image.h"

enum operand {
	OPERAND_NONE,
	OPERAND_REG,
	OPERAND_TRUTH,
	OPERAND_SKIP,
	OPERAND_NODE,
	OPERAND_LOOP,
	OPERAND_REF,
	OPERAND_TEXT,
	OPERAND_NUM,
	OPERAND_LIST,
	OPERAND_REGEX,
	OPERAND_REF2,
};

struct opcode_row {
	const char *name;
	enum operand a, b;
};

extern const struct opcode_row opcode_rows[OPC_COUNT];

#endif
