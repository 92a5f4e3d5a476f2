#!/usr/bin/env bats
# Filters of the older API of Node (milt/compat) through a real Postfix.

. "$BATS_TEST_DIRNAME/common.bash"

setup_file()
{
	addon_start
}

# filter FUNCTIONS: starts a filter with these functions; the others continue.
filter()
{
	cat >"$PF/filter.cjs" <<-END
	const milt = require('$PF_ROOT/addon/compat.cjs');
	const go = (env) => env.done(milt.SMFIS_CONTINUE);
	const mine = { $1 };
	milt.start('inet:$PF_MILTER_PORT@127.0.0.1', 0x1ff,
		mine.negotiate ?? ((env) => env.done(milt.SMFIS_ALL_OPTS)),
		...['connect', 'unknown', 'helo', 'mailfrom', 'rcptto', 'data',
			'header', 'eoh', 'segment', 'eom', 'abort', 'close'].map(
			(name) => mine[name] ?? go));
	END
	node "$PF/filter.cjs" >>"$PF/milterd.log" 2>&1 </dev/null 3>&- &
	printf %s $! >"$PF/milterd.pid"
	wait_until 20 milter_ready "inet:$PF_MILTER_PORT"
}

eom()
{
	filter "eom(env) { $1; env.done(milt.SMFIS_CONTINUE); }"
}

setup()
{
	[ -n "$PF" ] || return 0
	rm -f "$PF/msg"
	message 'X-A: one' 'X-A: two'
	log_clear
}

@test "header fields: added, changed, removed, inserted" {
	eom 'env.addheader("X-New", "folded\n here"); env.chgheader("X-A", 2, null);
		env.chgheader("x-a", 1, "changed"); env.insheader(0, "X-Top", "1");
		env.chgheader("Subject", 1, Buffer.from([0x68, 0xe9]))'
	transaction
	is "$(arrived | iconv -f latin1 -t utf8)" 'X-Top: 1
Received: (Postfix)
From: Bob <bob@client.test>
Subject: hé
x-a: changed
X-New: folded
 here

Hello.'
}

@test "replacebody: in pieces, with other changes in between" {
	eom 'env.replacebody("First.\r\n"); env.addheader("X-B", "1");
		env.replacebody(Buffer.from("Second.\r\n"))'
	transaction
	is "$(arrived | tail -n 4)" 'X-B: 1

First.
Second.'
}

@test "replacebody: by nothing" {
	eom 'env.replacebody("")'
	transaction
	is "$(arrived | sed -n '/X-A: two/,$p')" 'X-A: two'
}

@test "recipients and sender: added, removed, changed" {
	eom 'env.addrcpt("<new@example.com>"); env.delrcpt("<amy@example.com>");
		env.addrcpt_par("<par@example.com>", "NOTIFY=NEVER");
		env.chgfrom("<list@client.test>")'
	transaction
	is "$(arrived_to | sort)" 'new@example.com
par@example.com'
	is "$(arrived_from)" 'list@client.test'
}

@test "quarantine, after progress" {
	eom 'env.progress(); env.quarantine("look at it")'
	transaction
	is "$(in_queue)" hold
}

@test "reject with setreply and setmlreply" {
	filter 'rcptto(env, address) {
			if (address === "<amy@example.com>")
				env.setreply(550, "5.1.1", "no %% amy, 50%");
			env.done(address === "<amy@example.com>" ? milt.SMFIS_REJECT
				: milt.SMFIS_CONTINUE);
		},
		eom(env) {
			env.setmlreply("451", "4.7.1", ["wait", "a moment"]);
			env.done(milt.SMFIS_TEMPFAIL);
		}'
	send ehlo x mail a@b.test rcpt amy@example.com rcpt bo@example.com \
		data "$PF/msg" || true
	is "$(reply 'RCPT TO:<amy@example.com>')" '550 5.1.1 no % amy, 50%'
	is "$(reply 'RCPT TO:<bo@example.com>')" '250 2.1.5 Ok'
	is "$(reply .)" '451-4.7.1 wait
451 4.7.1 a moment'
}

@test "answers that come later, macros, parameters and the client's address" {
	filter 'async connect(env, host, address, port, family) {
			env.local.client = [host, address, family];
			await new Promise((r) => setTimeout(r, 50));
			return milt.SMFIS_CONTINUE;
		},
		mailfrom(env, sender, parameters) {
			env.local.mail = [sender, ...parameters];
			setImmediate(() => env.done(milt.SMFIS_CONTINUE));
		},
		eom(env) {
			setTimeout(() => {
				env.addheader("X-Seen", JSON.stringify([...env.local.client,
					...env.local.mail, env.getsymval("{mail_addr}"),
					env.getsymval("i").length > 5]));
				env.done(milt.SMFIS_CONTINUE);
			}, 50);
		}'
	send xclient "$CLIENT" ehlo x mail '<bob@client.test> BODY=8BITMIME' \
		rcpt amy@example.com data "$PF/msg"
	is "$(arrived | grep X-Seen)" 'X-Seen: ["mx.client.test","203.0.113.5","inet","<bob@client.test>","BODY=8BITMIME","bob@client.test",true]'
}

@test "macros and steps that were asked for" {
	filter 'negotiate(env, actions, steps) {
			env.setsymlist(milt.SMFIM_CONNECT, "j {client_addr} {client_port}");
			env.negotiate(milt.SMFIF_ADDHDRS | milt.SMFIF_SETSYMLIST,
				(milt.SMFIP_NOBODY | milt.SMFIP_NR_HDR | milt.SMFIP_NOHELO) &
				steps, 0, 0);
			env.done(milt.SMFIS_CONTINUE);
		},
		connect(env) {
			env.local.seen = [env.getsymval("{client_addr}"),
				env.getsymval("{client_port}") !== ""];
			env.done(milt.SMFIS_CONTINUE);
		},
		helo(env) { env.local.seen.push("helo"); env.done(0); },
		segment(env) { env.local.seen.push("segment"); env.done(0); },
		header(env) { env.done(milt.SMFIS_NOREPLY); },
		eom(env) {
			env.addheader("X-Seen", JSON.stringify(env.local.seen));
			env.done(milt.SMFIS_CONTINUE);
		}'
	transaction
	is "$(arrived | grep X-Seen)" 'X-Seen: ["203.0.113.5",true]'
}

@test "a throw puts one message off, and the next goes through" {
	filter 'mailfrom(env, sender) {
			if (sender === "<bad@b.test>") throw new Error("deliberate");
			env.done(milt.SMFIS_CONTINUE);
		}'
	send ehlo x mail bad@b.test rcpt amy@example.com data "$PF/msg" || true
	is "$(reply 'MAIL FROM:<bad@b.test>')" \
		'451 4.7.1 Service unavailable - try again later'
	log_has 'Error: deliberate'
	transaction
	is "$(reply . | cut -c1-20)" '250 2.0.0 Ok: queued'
}

@test "TERM in the middle of a message: it is delivered" {
	eom 'env.addheader("X-Late", "1")'
	mkfifo "$PF/go"
	send ehlo x mail bob@client.test wait rcpt amy@example.com \
		data "$PF/msg" <"$PF/go" >/dev/null &
	local client=$!
	exec 8>"$PF/go"
	wait_until 10 in_mail_log 'connect from' || true
	wait_until 10 grep -q 'MAIL FROM' "$PF/replies"
	kill -TERM "$(<"$PF/milterd.pid")"
	echo >&8
	exec 8>&-
	wait $client
	is "$(reply . | cut -c1-20)" '250 2.0.0 Ok: queued'
	wait_until 10 process_gone "$(<"$PF/milterd.pid")"
	is "$(arrived | grep X-Late)" 'X-Late: 1'
}
