/*
 * What a message costs a filter's process, by workload (workload.h).
 *
 *	cost --policy WORKLOAD RULES             prints the policy
 *	cost WORKLOAD RULES -p SOCKET --pid PID [--threads N] [--messages N]
 */
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "tests/bench/workload.h"
#include "tests/mta/filter.h"

enum { TIMEOUT_MS = 60000, CORPUS = 200 };

static struct {
	const char *where;
	pid_t pid;
	int threads, messages;
	enum workload workload;
	unsigned rules;
	bool policy;
} o = { .threads = 1, .messages = 1000 };

static struct work_message corpus[CORPUS];
static atomic_int next;
static atomic_int failed, refused;

static void
set_macros(struct mta *m, struct str client)
{
	mta_macro(m, STR("j"), STR("mta.invalid"));
	mta_macro(m, STR("v"), STR("Postfix 3.7.11"));
	mta_macro(m, STR("{daemon_name}"), STR("smtpd"));
	mta_macro(m, STR("{daemon_addr}"), STR("198.51.100.1"));
	mta_macro(m, STR("{client_addr}"), client);
	mta_macro(m, STR("{client_name}"), STR("client.example"));
	mta_macro(m, STR("{client_port}"), STR("45678"));
}

/* Each message in a connection of its own, as most mail comes. */
static void *
work(void *unused)
{
	(void)unused;
	for (;;) {
		int i = atomic_fetch_add(&next, 1);
		const struct work_message *w = &corpus[i % CORPUS];
		struct mta_outcome outcome;
		struct mta m;

		if (i >= o.messages)
			return NULL;
		if (!mta_open(&m, o.where, TIMEOUT_MS) ||
		    !mta_negotiate(&m, &mta_offer_postfix)) {
			fprintf(stderr, "cost: %s\n", m.error);
			atomic_fetch_add(&failed, 1);
			mta_close(&m);
			continue;
		}
		set_macros(&m, w->client);
		mta_connect(
		    &m, STR("client.example"), SMFIA_INET, 45678, w->client);
		mta_helo(&m, STR("client.example"));
		mta_deliver(&m, &w->message, &outcome);
		atomic_fetch_add(&refused, outcome.reply.verdict == MTA_REJECT);
		atomic_fetch_add(&failed, outcome.reply.verdict == MTA_FAILED);
		mta_quit(&m);
	}
}

static void
run(int messages)
{
	pthread_t threads[64];

	o.messages = messages;
	atomic_store(&next, 0);
	atomic_store(&refused, 0);
	for (int i = 0; i < o.threads; i++)
		if (pthread_create(&threads[i], NULL, work, NULL) != 0) {
			fputs("cost: no threads\n", stderr);
			exit(3);
		}
	for (int i = 0; i < o.threads; i++)
		pthread_join(threads[i], NULL);
}

static int
measure(int messages)
{
	long long cpu;

	for (unsigned i = 0; i < CORPUS; i++)
		workload_message(o.workload, o.rules, i, &corpus[i]);
	run(messages < CORPUS ? messages : CORPUS); /* for warmth */
	cpu = process_tree_cpu(o.pid);
	run(messages);
	cpu = process_tree_cpu(o.pid) - cpu;
	printf("cpu_us=%.2f refused=%d failed=%d rss_kb=%zu\n",
	    (double)cpu / 1e3 / messages, atomic_load(&refused),
	    atomic_load(&failed), process_rss(o.pid));
	return atomic_load(&failed) != 0;
}

static void
usage(void)
{
	fputs("usage: cost [--policy] WORKLOAD RULES [-p SOCKET --pid PID]\n"
	      "    [--threads N] [--messages N]\n",
	    stderr);
	exit(2);
}

static void
parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "policy", 0, NULL, 'P' },
		{ "pid", 1, NULL, 'i' },
		{ "threads", 1, NULL, 't' },
		{ "messages", 1, NULL, 'm' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "p:", options, NULL)) != -1) {
		if (c == 'P')
			o.policy = true;
		else if (c == 'p')
			o.where = optarg;
		else if (c == 'i')
			o.pid = atoi(optarg);
		else if (c == 't')
			o.threads = atoi(optarg);
		else if (c == 'm')
			o.messages = atoi(optarg);
		else
			usage();
	}
	if (argc - optind != 2 || o.threads < 1 || o.threads > 64 ||
	    o.messages < 1)
		usage();
	while (o.workload < WORK_COUNT &&
	       strcmp(argv[optind], workload_names[o.workload]) != 0)
		o.workload++;
	o.rules = (unsigned)atoi(argv[optind + 1]);
	if (o.workload == WORK_COUNT || o.rules < 1 ||
	    (!o.policy && (!o.where || !o.pid)))
		usage();
}

int
main(int argc, char **argv)
{
	parse(argc, argv);
	if (!o.policy)
		return measure(o.messages);
	workload_policy(o.workload, o.rules, stdout);
	return 0;
}
