#include "runtime/opcodes.h"

const struct opcode_row opcode_rows[OPC_COUNT] = {
#define OPCODE(id, name, a, b, doc) { name, OPERAND_##a, OPERAND_##b },
#include "dsl/opcodes.def"
#undef OPCODE
};
