/*
 * A load generator that plays the MTA.  Prints one line of name=value pairs:
 * messages per second, latency of a message (MAIL to the last answer) in
 * microseconds, and what it cost the filter's process (--pid).
 */
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "tests/mta/filter.h"

enum { TIMEOUT_MS = 300000, HEADERS_MAX = 100000 };

struct load {
	const char *where;
	pid_t pid;
	int threads, per_connection, messages, headers, recipients, idle;
	int marked_every; /* 0: no message is marked */
	size_t body;
	const char *helo, *client, *client_name, *sender, *recipient;
	bool show, wait;
	/* made once, read by all */
	struct mta_message message, marked; /* by another subject */
};

struct worker {
	pthread_t thread;
	const struct load *load;
	long long *latency; /* ns */
	size_t done, cap, failed, verdicts[MTA_FAILED + 1];
};

static atomic_int left;

static long long
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void
set_macros(struct mta *m, const struct load *l)
{
	mta_macro(m, STR("j"), STR("mta.invalid"));
	mta_macro(m, STR("v"), STR("Postfix 3.7.11"));
	mta_macro(m, STR("_"), STR("client.example [203.0.113.7]"));
	mta_macro(m, STR("{daemon_name}"), STR("smtpd"));
	mta_macro(m, STR("{daemon_addr}"), STR("198.51.100.1"));
	mta_macro(m, STR("{daemon_port}"), STR("25"));
	mta_macro(m, STR("{client_addr}"), str_from(l->client));
	mta_macro(m, STR("{client_name}"), str_from(l->client_name));
	mta_macro(m, STR("{client_ptr}"), str_from(l->client_name));
	mta_macro(m, STR("{client_port}"), STR("45678"));
	mta_macro(m, STR("{client_connections}"), STR("1"));
	mta_macro(m, STR("{mail_mailer}"), STR("smtp"));
	mta_macro(m, STR("{mail_host}"), STR("client.example"));
	mta_macro(m, STR("{rcpt_mailer}"), STR("local"));
	mta_macro(m, STR("{rcpt_host}"), STR("example.com"));
}

static bool
session(struct mta *m, const struct load *l)
{
	if (!mta_open(m, l->where, TIMEOUT_MS) ||
	    !mta_negotiate(m, &mta_offer_postfix))
		return false;
	set_macros(m, l);
	mta_connect(m, str_from(l->client_name), SMFIA_INET, 45678,
	    str_from(l->client));
	mta_helo(m, str_from(l->helo));
	return m->state != MTA_BROKEN;
}

/* `n`: how many are left. */
static bool
message(struct mta *m, struct worker *w, int n)
{
	const struct load *l = w->load;
	bool marked = l->marked_every && n % l->marked_every == 0;
	struct mta_outcome o;
	long long before = now_ns();

	mta_deliver(m, marked ? &l->marked : &l->message, &o);
	w->verdicts[o.reply.verdict]++;
	if (o.reply.verdict == MTA_FAILED) {
		w->failed++;
		fprintf(stderr, "load: %s\n", m->error);
		return false;
	}
	w->latency[w->done++] = now_ns() - before;
	return true;
}

static void *
work(void *arg)
{
	struct worker *w = arg;

	while (atomic_load(&left) > 0) {
		struct mta m;

		if (!session(&m, w->load)) {
			fprintf(stderr, "load: %s\n", m.error);
			w->failed++;
			mta_close(&m);
			return NULL;
		}
		for (int i = 0; i < w->load->per_connection; i++) {
			int n = atomic_fetch_sub(&left, 1);

			if (n <= 0 || !message(&m, w, n))
				break;
		}
		mta_quit(&m);
	}
	return NULL;
}

static void *
need(void *p)
{
	if (!p) {
		fputs("load: no memory\n", stderr);
		exit(3);
	}
	return p;
}

static void
mark(struct load *l)
{
	size_t n = l->message.header_count;
	struct mta_pair *headers = need(calloc(n + 1, sizeof(*headers)));

	for (size_t i = 0; i < n; i++) {
		headers[i] = l->message.headers[i];
		if (str_eq(headers[i].name, STR("Subject")))
			headers[i].value = STR("Invoice 4711, marked");
	}
	l->marked = l->message;
	l->marked.headers = headers;
}

static void
make_message(struct load *l)
{
	static const struct mta_pair first[] = {
		{ STR("Received"), STR("from client.example (client.example "
				       "[203.0.113.7])\n\tby mx.example.org") },
		{ STR("Date"), STR("Sat, 31 Jan 2026 12:00:00 +0000") },
		{ STR("From"), STR("Sender <sender@client.example>") },
		{ STR("To"), STR("Recipient <recipient@example.com>") },
		{ STR("Subject"), STR("The minutes of last week's meeting") },
		{ STR("Message-Id"), STR("<1234567890@client.example>") },
	};
	size_t n = sizeof(first) / sizeof(*first);
	struct mta_pair *headers =
	    need(calloc((size_t)l->headers + n, sizeof(*headers)));
	struct mta_address *to =
	    need(calloc((size_t)l->recipients, sizeof(*to)));
	char *body = need(malloc(l->body + 80));
	size_t length = 0;

	for (int i = 0; i < l->headers; i++)
		headers[i] = (size_t)i < n ? first[i]
					   : (struct mta_pair){ STR("X-Other"),
						     STR("some value that is "
							 "not looked at") };
	while (length < l->body) {
		memset(body + length, 'x', 70);
		memcpy(body + length + 70, "\r\n", 2);
		length += 72;
	}
	for (int i = 0; i < l->recipients; i++)
		to[i].path = str_from(l->recipient);
	l->message = (struct mta_message){
		.sender = { str_from(l->sender), NULL, 0 },
		.recipients = to,
		.recipient_count = (size_t)l->recipients,
		.queue_id = STR("4XyZ123456z9aB"),
		.headers = headers,
		.header_count = (size_t)l->headers,
		.body = { body, l->body },
	};
	mark(l);
}

static int
compare(const void *a, const void *b)
{
	long long x = *(const long long *)a, y = *(const long long *)b;

	return (x > y) - (x < y);
}

static void
report(
    const struct load *l, struct worker *workers, long long wall, long long cpu)
{
	size_t n = 0, failed = 0, verdicts[MTA_FAILED + 1] = { 0 };
	long long *all = need(calloc((size_t)l->messages + 1, sizeof(*all)));

	for (int i = 0; i < l->threads; i++) {
		struct worker *w = &workers[i];

		memcpy(all + n, w->latency, w->done * sizeof(*all));
		n += w->done;
		failed += w->failed;
		for (int v = 0; v <= MTA_FAILED; v++)
			verdicts[v] += w->verdicts[v];
	}
	qsort(all, n, sizeof(*all), compare);
	printf("messages=%zu failed=%zu wall_us=%lld per_s=%.0f", n, failed,
	    wall / 1000, n ? (double)n * 1e9 / (double)wall : 0);
	if (n)
		printf(" p50_us=%.1f p90_us=%.1f p99_us=%.1f max_us=%.1f",
		    (double)all[n / 2] / 1e3, (double)all[n * 9 / 10] / 1e3,
		    (double)all[n * 99 / 100] / 1e3, (double)all[n - 1] / 1e3);
	printf(" accept=%zu reject=%zu tempfail=%zu discard=%zu",
	    verdicts[MTA_ACCEPT], verdicts[MTA_REJECT], verdicts[MTA_TEMPFAIL],
	    verdicts[MTA_DISCARD]);
	if (l->pid)
		printf(" cpu_us=%.2f rss_kb=%zu threads=%zu",
		    n ? (double)cpu / 1e3 / (double)n : 0, process_rss(l->pid),
		    process_threads(l->pid));
	putchar('\n');
	free(all);
}

static int
show(const struct load *l)
{
	struct mta m;

	if (!session(&m, l)) {
		fprintf(stderr, "load: %s\n", m.error);
		return 1;
	}
	printf("version=%u actions=0x%x protocol=0x%x\n", m.version, m.actions,
	    m.protocol);
	for (int i = 0; i < MTA_LISTS; i++)
		if (m.has_list[i])
			printf("%d=%.*s\n", i, STR_ARG(m.lists[i]));
	mta_quit(&m);
	return 0;
}

/* Until the filter answers, at most ten seconds. */
static bool
wait_for(const struct load *l)
{
	for (int i = 0; i < 10000; i++) {
		struct mta m;
		bool ok = mta_open(&m, l->where, TIMEOUT_MS) &&
			  mta_negotiate(&m, &mta_offer_postfix);

		mta_close(&m);
		if (ok)
			return true;
		nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
	}
	fprintf(stderr, "load: no answer on %s\n", l->where);
	return false;
}

/* Connections that have said HELO and wait.  Prints what each one costs. */
static struct mta *
open_idle(const struct load *l)
{
	struct mta *idle = need(calloc((size_t)l->idle + 1, sizeof(*idle)));
	size_t before = l->pid ? process_rss(l->pid) : 0, after;

	for (int i = 0; i < l->idle; i++)
		if (!session(&idle[i], l)) {
			fprintf(stderr, "load: idle: %s\n", idle[i].error);
			exit(1);
		}
	after = l->pid ? process_rss(l->pid) : 0;
	if (l->idle && l->pid)
		printf("idle=%d before_kb=%zu after_kb=%zu bytes_each=%.0f "
		       "threads=%zu\n",
		    l->idle, before, after,
		    ((double)after - (double)before) * 1024 / l->idle,
		    process_threads(l->pid));
	return idle;
}

static void
usage(void)
{
	fputs("usage: load -p SOCKET [--pid N] [--threads N] [--messages N]\n"
	      "    [--per-connection N] [--headers N] [--body BYTES]\n"
	      "    [--recipients N] [--idle N] [--helo NAME] [--client IP]\n"
	      "    [--client-name NAME] [--sender PATH] [--recipient PATH]\n"
	      "    [--wait] [--show] [--marked-every N]\n",
	    stderr);
	exit(2);
}

static int
number(const char *text, long most)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end || n < 0 || n > most)
		usage();
	return (int)n;
}

static void
parse(struct load *l, int argc, char **argv)
{
	enum {
		PID = 256,
		THREADS,
		MESSAGES,
		PER,
		HEADERS,
		BODY,
		RECIPIENTS,
		IDLE,
		HELO,
		CLIENT,
		CLIENT_NAME,
		SENDER,
		RECIPIENT,
		SHOW,
		WAIT,
		MARKED
	};
	static const struct option options[] = {
		{ "pid", 1, NULL, PID },
		{ "threads", 1, NULL, THREADS },
		{ "messages", 1, NULL, MESSAGES },
		{ "per-connection", 1, NULL, PER },
		{ "headers", 1, NULL, HEADERS },
		{ "body", 1, NULL, BODY },
		{ "recipients", 1, NULL, RECIPIENTS },
		{ "idle", 1, NULL, IDLE },
		{ "helo", 1, NULL, HELO },
		{ "client", 1, NULL, CLIENT },
		{ "client-name", 1, NULL, CLIENT_NAME },
		{ "sender", 1, NULL, SENDER },
		{ "recipient", 1, NULL, RECIPIENT },
		{ "show", 0, NULL, SHOW },
		{ "wait", 0, NULL, WAIT },
		{ "marked-every", 1, NULL, MARKED },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "p:", options, NULL)) != -1) {
		switch (c) {
		case 'p':
			l->where = optarg;
			break;
		case PID:
			l->pid = number(optarg, 1 << 30);
			break;
		case THREADS:
			l->threads = number(optarg, 1000);
			break;
		case MESSAGES:
			l->messages = number(optarg, 100000000);
			break;
		case PER:
			l->per_connection = number(optarg, 1 << 30);
			break;
		case HEADERS:
			l->headers = number(optarg, HEADERS_MAX);
			break;
		case BODY:
			l->body = (size_t)number(optarg, 1 << 30);
			break;
		case RECIPIENTS:
			l->recipients = number(optarg, 10000);
			break;
		case IDLE:
			l->idle = number(optarg, 100000);
			break;
		case HELO:
			l->helo = optarg;
			break;
		case CLIENT:
			l->client = optarg;
			break;
		case CLIENT_NAME:
			l->client_name = optarg;
			break;
		case SENDER:
			l->sender = optarg;
			break;
		case RECIPIENT:
			l->recipient = optarg;
			break;
		case SHOW:
			l->show = true;
			break;
		case WAIT:
			l->wait = true;
			break;
		case MARKED:
			l->marked_every = number(optarg, 1 << 30);
			break;
		default:
			usage();
		}
	}
	if (!l->where || optind != argc || !l->threads || !l->per_connection)
		usage();
}

static void
raise_file_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

static int
run(const struct load *l)
{
	struct worker *workers =
	    need(calloc((size_t)l->threads, sizeof(*workers)));
	long long wall, cpu;
	int failed = 0;

	atomic_store(&left, l->messages);
	wall = now_ns();
	cpu = l->pid ? process_cpu(l->pid) : 0;
	for (int i = 0; i < l->threads; i++) {
		workers[i].load = l;
		workers[i].latency =
		    need(calloc((size_t)l->messages + 1, sizeof(long long)));
		if (pthread_create(
			&workers[i].thread, NULL, work, &workers[i]) != 0) {
			fputs("load: no threads\n", stderr);
			exit(3);
		}
	}
	for (int i = 0; i < l->threads; i++)
		pthread_join(workers[i].thread, NULL);
	wall = now_ns() - wall;
	if (l->pid)
		cpu = process_cpu(l->pid) - cpu;
	if (l->messages > 0)
		report(l, workers, wall, cpu);
	for (int i = 0; i < l->threads; i++) {
		failed |= workers[i].failed != 0;
		free(workers[i].latency);
	}
	free(workers);
	return failed;
}

int
main(int argc, char **argv)
{
	struct load l = {
		.threads = 4,
		.messages = 1000,
		.per_connection = 10,
		.headers = 10,
		.body = 2048,
		.recipients = 1,
		.helo = "client.example",
		.client = "203.0.113.7",
		.client_name = "client.example",
		.sender = "<sender@client.example>",
		.recipient = "<recipient@example.com>",
	};
	struct mta *idle;
	int status;

	parse(&l, argc, argv);
	raise_file_limit();
	if (l.wait && !wait_for(&l))
		return 1;
	if (l.show)
		return show(&l);
	make_message(&l);
	idle = open_idle(&l);
	status = run(&l);
	for (int i = 0; i < l.idle; i++)
		mta_quit(&idle[i]);
	free(idle);
	return status;
}
