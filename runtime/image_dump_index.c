#include "runtime/image_dump.h"

#include <inttypes.h>

#include "runtime/opcodes.h"

static const char *const kind_names[PROBE_KINDS] = {
	[PROBE_KEYS] = "keys",
	[PROBE_UNDER] = "domains",
	[PROBE_NETWORKS] = "networks",
	[PROBE_NUMBERS] = "numbers",
	[PROBE_RANGES] = "ranges",
	[PROBE_REGEXES] = "regexes",
	[PROBE_TEXTS] = "texts",
	[PROBE_LIST] = "members",
	[PROBE_UNDER_LIST] = "domains of members",
	[PROBE_CODE] = "condition",
};

static const char *
plural(uint32_t n)
{
	return n == 1 ? "" : "s";
}

/* How many different things the probe finds. */
static uint32_t
entries(const struct milt_image *im, const struct image_probe *p)
{
	uint32_t n = 0;

	if (p->kind != PROBE_KEYS && p->kind != PROBE_UNDER)
		return p->count;
	for (uint32_t i = 0; i < p->count; i++)
		n += im->slots[p->first + i].text != IMAGE_NONE;
	return n;
}

static void
dump_probe(const struct milt_image *im, const struct image_probe *p, FILE *to)
{
	uint32_t rules = im->hits[p->all].count, n;

	fprintf(to, "  by %s", kind_names[p->kind]);
	if (p->kind == PROBE_TEXTS)
		fprintf(to, " (%s)", opcode_rows[p->form].name);
	if (p->kind != PROBE_CODE) {
		fputs(" of ", to);
		print_ref(im, p->ref, to);
	}
	if (p->kind == PROBE_LIST || p->kind == PROBE_UNDER_LIST) {
		fputs(" in ", to);
		print_list(im, p->first, to);
	} else if (p->kind != PROBE_CODE) {
		n = entries(im, p);
		fprintf(to, ", %" PRIu32 " entr%s", n, n == 1 ? "y" : "ies");
	}
	fprintf(to, ": %" PRIu32 " rule%s\n", rules, plural(rules));
}

static void
dump_always(const struct milt_image *im, const struct image_stage *st, FILE *to)
{
	if (st->always_count == 0)
		return;
	fputs("  always", to);
	for (uint32_t i = st->always; i < st->always + st->always_count; i++)
		fprintf(to, " %.*s",
		    STR_ARG(
			image_text(im, im->rules[im->stage_rules[i]].name)));
	putc('\n', to);
}

void
dump_stages(const struct milt_image *im, FILE *to)
{
	for (int s = 0; s < STAGE_COUNT; s++) {
		const struct image_stage *st = &im->stages[s];

		if (!st->always_count && !st->probe_count && !st->guard_count)
			continue;
		fprintf(to, "stage %.*s\n", STR_ARG(stage_rows[s].name));
		if (st->guard_count)
			fprintf(to, "  guards %" PRIu32 "\n", st->guard_count);
		dump_always(im, st, to);
		for (uint32_t i = 0; i < st->probe_count; i++)
			dump_probe(im, &im->probes[st->probes + i], to);
	}
}
