/* The image in words: what image_dump.c and image_dump_index.c share. */
#ifndef RUNTIME_IMAGE_DUMP_H
#define RUNTIME_IMAGE_DUMP_H

#include <stdio.h>

#include "runtime/image.h"

/* `count(x)`, `x`, or `x[1]` for the element of loop 1. */
void print_ref(const struct milt_image *, uint32_t number, FILE *);
void print_list(const struct milt_image *, uint32_t number, FILE *);

/* What each stage looks at. */
void dump_stages(const struct milt_image *, FILE *);

#endif
