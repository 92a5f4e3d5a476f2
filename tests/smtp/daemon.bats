#!/usr/bin/env bats
# Reload, restart and failure of milterd, seen by Postfix.

. "$BATS_TEST_DIRNAME/common.bash"

setup()
{
	rm -f "$PF/msg"
}

AMY='RCPT TO:<amy@example.com>'

# Lines about milters in Postfix's log that are not decisions.
warnings()
{
	grep -iE 'warning.*milter|milter.*(error|refused|timeout)' \
		"$PF/mail.log" || true
}

# Waits for the log of milterd: log_says PATTERN.
log_says()
{
	wait_until 10 grep -qE -- "$1" "$PF/milterd.log"
}

@test "HUP: the new policy is used" {
	policy 'rule r { when helo is "mx.client.test" reject "old" }'
	transaction
	is "$(reply "$AMY")" '550 5.7.1 old'
	printf 'milt 1\nrule r { when helo is "mx.client.test" reject "new" }\n' >"$PF/p.milt"
	kill -HUP "$(<"$PF/milterd.pid")"
	local end=$((SECONDS + 10))
	until transaction && [ "$(reply "$AMY")" = '550 5.7.1 new' ]; do
		[ $SECONDS -lt $end ]
		sleep 0.1
	done
}

@test "HUP with an error in the policy: the old one stays" {
	log_clear
	policy 'rule r { when helo is "mx.client.test" reject "old" }'
	printf 'milt 1\nrule r { when no.such is "x" reject "new" }\n' >"$PF/p.milt"
	kill -HUP "$(<"$PF/milterd.pid")"
	log_says 'error'
	transaction
	is "$(reply "$AMY")" '550 5.7.1 old'
	! process_gone "$(<"$PF/milterd.pid")"
}

@test "HUP: a session keeps the policy with which it began" {
	policy 'rule r { when sender.domain is "client.test" reject "old" }'
	rm -f "$PF/go"
	mkfifo "$PF/go"
	"$PF/send" "$PF_PORT" xclient "$CLIENT" ehlo mx.client.test wait \
		mail bob@client.test rcpt amy@example.com \
		>"$PF/held.replies" <"$PF/go" 3>&- &
	local client=$!
	exec 8>"$PF/go"
	wait_until 10 grep -q '^EHLO.*250 ' "$PF/held.replies"
	printf 'milt 1\nrule r { when sender.domain is "client.test" reject "new" }\n' >"$PF/p.milt"
	kill -HUP "$(<"$PF/milterd.pid")"
	local end=$((SECONDS + 10))
	until transaction && [ "$(reply "$AMY")" = '550 5.7.1 new' ]; do
		[ $SECONDS -lt $end ]
		sleep 0.1
	done
	echo >&8
	exec 8>&-
	wait "$client" || true
	cp "$PF/held.replies" "$PF/replies"
	is "$(reply "$AMY")" '550 5.7.1 old'
}

@test "TERM in the middle of a message: it is finished" {
	policy 'rule r { when header.subject is "hello" add header "X-Seen" "1" }'
	message
	rm -f "$PF/go"
	mkfifo "$PF/go"
	"$PF/send" "$PF_PORT" xclient "$CLIENT" ehlo mx.client.test \
		mail bob@client.test rcpt amy@example.com wait \
		data "$PF/msg" >"$PF/term.replies" <"$PF/go" 3>&- &
	local client=$!
	exec 8>"$PF/go"
	wait_until 10 grep -q '^RCPT.*250 ' "$PF/term.replies"
	local pid
	pid=$(<"$PF/milterd.pid")
	kill -TERM "$pid"
	sleep 0.5
	echo >&8
	exec 8>&-
	wait "$client"
	cp "$PF/term.replies" "$PF/replies"
	is "$(reply . | cut -c1-9)" '250 2.0.0'
	wait_until 10 process_gone "$pid"
	arrived | grep -q '^X-Seen: 1'
}

@test "a message is delayed, and then accepted" {
	log_clear
	policy 'rule r { when helo exists delay 1500ms add header "X-Seen" "1" }'
	message
	transaction
	is "$(reply . | cut -c1-9)" '250 2.0.0'
	arrived | grep -q '^X-Seen: 1'
	log_says ' accept stage=message .* delayed=1\.[5-9]s'
}

is_delayed()
{
	[ "$("$PF_BUILD/milterctl" -s "$PF/control" --json status |
		jq .sessions.delayed)" = 1 ]
}

@test "TERM while a message is delayed: it is accepted at once" {
	log_clear
	printf 'milt 1\nrule r { when helo exists delay 4m add header "X-Seen" "1" }\n' >"$PF/p.milt"
	milter_start "$PF/p.milt" --control "$PF/control"
	message
	"$PF/send" "$PF_PORT" xclient "$CLIENT" ehlo mx.client.test \
		mail bob@client.test rcpt amy@example.com \
		data "$PF/msg" >"$PF/term.replies" </dev/null 3>&- &
	local client=$! pid
	wait_until 20 is_delayed
	pid=$(<"$PF/milterd.pid")
	kill -TERM "$pid"
	wait "$client"
	cp "$PF/term.replies" "$PF/replies"
	is "$(reply . | cut -c1-9)" '250 2.0.0'
	wait_until 10 process_gone "$pid"
	arrived | grep -q '^X-Seen: 1'
}

@test "reloads under load: every message is answered by a policy" {
	policy 'rule r { when header("X-None") exists reject "no" }'
	: >"$PF/mail.log"
	smtp-source -s 4 -m 200 -l 2000 -f bob@client.test -t amy@example.com \
		"127.0.0.1:$PF_PORT" >"$PF/source" 2>&1 3>&- &
	local source=$! i
	for i in $(seq 20); do
		kill -HUP "$(<"$PF/milterd.pid")"
		sleep 0.1
	done
	wait "$source"
	is "$(cat "$PF/source")" ''
	is "$(warnings)" ''
}

@test "twelve restarts under load, the socket held open: no milter warning" {
	printf 'milt 1\nrule r { when header("X-None") exists reject "no" }\n' >"$PF/p.milt"
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -o "$PF/holder" \
		"$BATS_TEST_DIRNAME/holder.c"
	: >"$PF/mail.log"
	"$PF/holder" "$PF_MILTER_PORT" 12 "${MILTERD:-$PF_BUILD/milterd}" \
		"$PF/p.milt" >"$PF/holder.log" 2>&1 3>&- &
	local holder=$! sent=0
	printf %s $holder >"$PF/milterd.pid"
	wait_until 10 port_answers "$PF_MILTER_PORT"
	while [ $sent -lt 10000 ]; do
		smtp-source -s 4 -m 100 -l 2000 -f bob@client.test \
			-t amy@example.com "127.0.0.1:$PF_PORT" \
			>>"$PF/source" 2>&1 3>&-
		sent=$((sent + 100))
		! grep -q 'restarted 12' "$PF/holder.log" || break
	done
	kill -TERM "$holder"
	wait "$holder"
	grep -q 'restarted 12' "$PF/holder.log"
	is "$(cat "$PF/source")" ''
	is "$(warnings)" ''
	# Each one is in the queue once, and none was put off.
	is "$(grep -c 'cleanup.*: message-id=' "$PF/mail.log")" "$sent"
	! grep -E 'NOQUEUE|milter-reject| 451 ' "$PF/mail.log"
}

@test "milterd is gone: Postfix asks to come back" {
	transaction
	is "$(reply 'MAIL FROM:<bob@client.test>')" \
		'451 4.7.1 Service unavailable - try again later'
}

@test "64 clients at once" {
	policy 'rule r { when header("X-None") exists reject "no" }
rule s { add header "X-Seen" "1" }'
	: >"$PF/mail.log"
	smtp-source -s 64 -m 300 -l 3000 -f bob@client.test \
		-t amy@example.com "127.0.0.1:$PF_PORT" >"$PF/source" 2>&1 3>&-
	is "$(cat "$PF/source")" ''
	is "$(warnings)" ''
}
