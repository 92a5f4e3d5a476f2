/* Unicode simple case folding of one character; made by runtime/mkfold.c. */
#ifndef RUNTIME_FOLD_H
#define RUNTIME_FOLD_H

#include <stdint.h>

/* Any number; what is no character folds to itself.  Constant time. */
uint32_t fold_character(uint32_t c);

#endif
