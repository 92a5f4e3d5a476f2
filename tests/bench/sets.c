/*
 * What a look-up in a large list costs.
 *
 *	sets --policy TYPE COUNT    prints a policy with a list of so many
 *	sets TYPE COUNT IMAGE       nanoseconds of a look-up in its image
 *
 * TYPE: text, domain, network.  A member is looked up, then what is none, in
 * turns and in no order.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "runtime/sets.h"
#include "tests/bench/workload.h"

enum { PROBES = 1 << 20, ROUNDS = 20, KEY = 32 };

static char keys[PROBES][KEY];
static uint32_t lengths[PROBES];
static struct ip_range addresses[PROBES];

/* Of /20 to /28. */
static uint32_t
network(unsigned i, unsigned *bits)
{
	*bits = 20 + (unsigned)(workload_mix(i) % 9);
	return (uint32_t)(workload_mix(i ^ UINT64_C(1) << 40) >> 32) &
	       ~(UINT32_MAX >> *bits);
}

static int
put_key(enum milt_type type, unsigned i, char out[KEY])
{
	return snprintf(out, KEY, "%llx%s",
	    (unsigned long long)workload_mix(i) & 0xffffffffff,
	    type == TYPE_DOMAIN ? ".example" : "");
}

static void
put_policy(enum milt_type type, const char *name, unsigned count)
{
	printf("milt 1\n\nlist members of %s {\n", name);
	for (unsigned i = 0; i < count; i++) {
		char key[KEY];
		unsigned bits;
		uint32_t ip;

		if (type == TYPE_NETWORK) {
			ip = network(i, &bits);
			printf("  %u.%u.%u.%u/%u\n", ip >> 24, ip >> 16 & 255,
			    ip >> 8 & 255, ip & 255, bits);
			continue;
		}
		put_key(type, i, key);
		printf(type == TYPE_TEXT ? "  \"%s\"\n" : "  %s\n", key);
	}
	printf("}\n\nrule member {\n  when %s in members\n"
	       "  reject 550 5.7.1 \"No\"\n}\n",
	    type == TYPE_NETWORK  ? "client.ip"
	    : type == TYPE_DOMAIN ? "sender.domain"
				  : "helo");
}

/* The first octets of a member, or an address of one; else of none, mostly. */
static void
make_probes(enum milt_type type, unsigned count, bool members)
{
	for (unsigned i = 0; i < PROBES; i++) {
		unsigned k = (unsigned)(workload_mix(i + 7) % count), bits;
		uint64_t any = workload_mix(k + (UINT64_C(1) << 50));

		if (type == TYPE_NETWORK) {
			uint32_t ip =
			    members ? network(k, &bits) : (uint32_t)any;
			struct ip *to = &addresses[i].first;

			memset(to, 0, 10);
			memset(to->b + 10, 0xff, 2);
			ip = htobe32(ip);
			memcpy(to->b + 12, &ip, 4);
			addresses[i].last = *to;
			continue;
		}
		lengths[i] = (uint32_t)put_key(
		    type, members ? k : k + (1u << 30), keys[i]);
	}
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static size_t
look_up_all(const struct milt_image *im, enum milt_type type)
{
	const struct image_list *list = &im->lists[0];
	size_t found = 0;

	for (unsigned i = 0; i < PROBES; i++)
		found += type == TYPE_NETWORK
			     ? set_has_range(im, list, &addresses[i])
			     : set_has_key(im, list,
				   (struct str){ keys[i], lengths[i] });
	return found;
}

/* Nanoseconds of one; the least of some rounds. */
static double
measure(const struct milt_image *im, enum milt_type type, size_t *found)
{
	double best = 1e18;

	for (int i = 0; i < ROUNDS; i++) {
		double begin = now(), took;

		*found = look_up_all(im, type);
		took = (now() - begin) / PROBES;
		best = took < best ? took : best;
	}
	return best;
}

static int
look_up(enum milt_type type, unsigned count, const char *path)
{
	struct milt_image *im = NULL;
	const char *why = "it cannot be read";
	size_t found;

	if (milt_image_open(path, &im, &why) != MILT_OK) {
		fprintf(stderr, "sets: %s: %s\n", path, why);
		return 1;
	}
	printf("members=%u", im->lists[0].count);
	make_probes(type, count, true);
	printf(" hit_ns=%.1f", measure(im, type, &found));
	if (found != PROBES) {
		fprintf(stderr, "sets: %zu of %d found\n", found, PROBES);
		return 1;
	}
	make_probes(type, count, false);
	printf(" miss_ns=%.1f", measure(im, type, &found));
	printf(" found_by_chance=%zu\n", found);
	milt_image_free(im);
	return 0;
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		enum milt_type type;
	} types[] = { { "text", TYPE_TEXT }, { "domain", TYPE_DOMAIN },
		{ "network", TYPE_NETWORK } };
	bool policy = argc == 4 && strcmp(argv[1], "--policy") == 0;
	char **argument = argv + 1 + policy;
	unsigned count = argc == 4 ? (unsigned)atoi(argument[1]) : 0;

	for (size_t i = 0; count && i < sizeof(types) / sizeof(*types); i++) {
		if (strcmp(argument[0], types[i].name) != 0)
			continue;
		if (!policy)
			return look_up(types[i].type, count, argument[2]);
		put_policy(types[i].type, types[i].name, count);
		return 0;
	}
	fputs("usage: sets [--policy] text|domain|network COUNT [IMAGE]\n",
	    stderr);
	return 2;
}
