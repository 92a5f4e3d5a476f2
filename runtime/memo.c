#include "runtime/memo.h"

#include <stdlib.h>

/* Larger tables are given back when a message is over. */
enum { CELLS_FIRST = 32, CELLS_KEPT = 512 };

static enum memo_class
class_of(const struct milt_image *im, uint32_t key)
{
	uint32_t end = 0;

	for (int c = 0; c < MEMO_CLASSES; c++) {
		end += im->needs->memo[c];
		if (key < end)
			return (enum memo_class)c;
	}
	return MEMO_RECIPIENT;
}

/* The cell of the key, or the empty one where it would be. */
static struct memo_cell *
find(const struct memo *m, uint32_t key)
{
	uint32_t at = key * UINT32_C(0x9e3779b1);

	for (at ^= at >> 15;; at++) {
		struct memo_cell *cell = &m->cells[at & (m->size - 1)];

		if (!cell->epoch || cell->key == key)
			return cell;
	}
}

/* Epochs begin at 1 and a cell's is one more: 0 is for empty ones. */
static uint32_t
epoch_of(const struct memo *m, enum memo_class class)
{
	return m->epoch[class] + 1;
}

bool
memo_get(const struct memo *m, const struct milt_image *im, uint32_t key,
    uint32_t *value)
{
	const struct memo_cell *cell;

	if (!m->size)
		return false;
	cell = find(m, key);
	if (cell->epoch != epoch_of(m, class_of(im, key)))
		return false;
	*value = cell->value;
	return true;
}

/* Moves what is not stale into a table with room for at least one more. */
static bool
rebuild(struct memo *m, const struct milt_image *im)
{
	struct memo old = *m;
	uint32_t live = 0;

	for (uint32_t i = 0; i < old.size; i++)
		live += old.cells[i].epoch &&
			old.cells[i].epoch ==
			    epoch_of(m, class_of(im, old.cells[i].key));
	m->size = CELLS_FIRST;
	while (m->size < 4 * live)
		m->size *= 2;
	m->cells = calloc(m->size, sizeof(*m->cells));
	if (!m->cells) {
		*m = old;
		return false;
	}
	m->used = live;
	for (uint32_t i = 0; i < old.size; i++) {
		const struct memo_cell *cell = &old.cells[i];

		if (cell->epoch &&
		    cell->epoch == epoch_of(m, class_of(im, cell->key)))
			*find(m, cell->key) = *cell;
	}
	free(old.cells);
	return true;
}

void
memo_put(
    struct memo *m, const struct milt_image *im, uint32_t key, uint32_t value)
{
	struct memo_cell *cell;

	if (m->used >= m->size / 4 * 3 && !rebuild(m, im))
		return;
	cell = find(m, key);
	if (!cell->epoch)
		m->used++;
	*cell =
	    (struct memo_cell){ key, value, epoch_of(m, class_of(im, key)) };
}

void
memo_forget(struct memo *m, const struct milt_image *im, enum memo_class from)
{
	for (int c = (int)from; c < MEMO_CLASSES; c++) {
		/* No cell is as old as four thousand million messages. */
		m->epoch[c]++;
		if (m->epoch[c] == UINT32_MAX)
			m->epoch[c] = 0;
	}
	if (from <= MEMO_MESSAGE && m->size > CELLS_KEPT)
		(void)rebuild(m, im);
}

void
memo_free(struct memo *m)
{
	free(m->cells);
	m->cells = NULL;
	m->size = m->used = 0;
}
