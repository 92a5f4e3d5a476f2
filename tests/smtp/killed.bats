#!/usr/bin/env bats
# milterd is killed in the middle of a session: what Postfix says follows
# milter_default_action, and the next session is answered by the policy again.

. "$BATS_TEST_DIRNAME/common.bash"

# default_action ACTION
default_action()
{
	postconf -c "$PF/etc" -e "milter_default_action = $1"
	postfix -c "$PF/etc" reload >/dev/null 2>&1
}

is_delayed()
{
	[ "$("$PF_BUILD/milterctl" -s "$PF/control" --json status |
		jq .sessions.delayed)" = 1 ]
}

# send_delayed: a good message whose answer milterd delays; SENDER
send_delayed()
{
	message
	printf 'milt 1\nrule r { when header("X-Bad") exists reject "bad" }\nrule s { when header("Subject") exists delay 4m add header "X-Seen" "1" }\n' \
		>"$PF/p.milt"
	milter_start "$PF/p.milt" --control "$PF/control"
	"$PF/send" "$PF_PORT" xclient "$CLIENT" ehlo mx.client.test \
		mail bob@client.test rcpt amy@example.com data "$PF/msg" \
		>"$PF/held.replies" </dev/null 3>&- &
	SENDER=$!
	wait_until 20 is_delayed
}

# killed_inside: the replies of a session in which milterd is killed while it
# has the whole message and has not answered.
killed_inside()
{
	send_delayed
	kill -9 "$(<"$PF/milterd.pid")"
	wait_until 10 process_gone "$(<"$PF/milterd.pid")"
	rm -f "$PF/milterd.pid"
	wait "$SENDER" || true
	cp "$PF/held.replies" "$PF/replies"
}

# killed_before STEP: the replies of a session in which milterd is killed
# before that step, and the session is otherwise a good message.
killed_before()
{
	local step steps=() client
	for step in mail rcpt data; do
		[ "$step" = "$1" ] && steps+=(wait)
		case $step in
		mail) steps+=(mail bob@client.test) ;;
		rcpt) steps+=(rcpt amy@example.com) ;;
		data) steps+=(data "$PF/msg") ;;
		esac
	done
	message
	policy 'rule r { when header("X-Bad") exists reject "bad" }'
	rm -f "$PF/go"
	mkfifo "$PF/go"
	"$PF/send" "$PF_PORT" xclient "$CLIENT" ehlo mx.client.test \
		"${steps[@]}" >"$PF/held.replies" <"$PF/go" 3>&- &
	client=$!
	exec 8>"$PF/go"
	case $1 in
	mail) wait_until 10 grep -q '^EHLO.*250 ' "$PF/held.replies" ;;
	rcpt) wait_until 10 grep -q '^MAIL.*250 ' "$PF/held.replies" ;;
	data) wait_until 10 grep -q '^RCPT.*250 ' "$PF/held.replies" ;;
	esac
	kill -9 "$(<"$PF/milterd.pid")"
	wait_until 10 process_gone "$(<"$PF/milterd.pid")"
	rm -f "$PF/milterd.pid"
	echo >&8
	exec 8>&-
	wait "$client" || true
	cp "$PF/held.replies" "$PF/replies"
}

# The next session is decided by the policy.
next_is_right()
{
	policy 'rule r { when header("X-Bad") exists reject "bad" }'
	message 'X-Bad: 1'
	transaction
	is "$(reply .)" '550 5.7.1 bad'
	message
	transaction
	[[ $(reply .) == '250 '* ]]
	milter_stop
}

# The message was answered so at one command or another (Postfix does not wait
# for answers that no rule can give), and not accepted.
refused_with()
{
	cut -f 2- "$PF/replies" | grep -qxF -- "$1"
	! grep -qE $'^\\.\t250 ' "$PF/replies"
}

@test "killed, and the default action is tempfail" {
	default_action tempfail
	local step
	for step in mail rcpt data; do
		killed_before "$step"
		refused_with '451 4.7.1 Service unavailable - try again later'
		next_is_right
	done
	killed_inside
	is "$(reply .)" '451 4.7.1 Service unavailable - try again later'
	next_is_right
}

@test "killed, and the default action is reject" {
	default_action reject
	local step
	for step in mail rcpt data; do
		killed_before "$step"
		refused_with '550 5.5.0 Service unavailable'
		next_is_right
	done
	killed_inside
	is "$(reply .)" '550 5.5.0 Service unavailable'
	next_is_right
}

@test "killed, and the default action is accept" {
	default_action accept
	local step
	for step in mail rcpt data; do
		killed_before "$step"
		[[ $(reply .) == '250 '* ]]
		next_is_right
	done
	killed_inside
	[[ $(reply .) == '250 '* ]]
	next_is_right
}

@test "killed, and the default action is quarantine" {
	default_action quarantine
	local step
	for step in mail rcpt data; do
		killed_before "$step"
		[[ $(reply .) == '250 '* ]]
		wait_until 10 test "$(in_queue)" = hold
		next_is_right
	done
	killed_inside
	[[ $(reply .) == '250 '* ]]
	wait_until 10 test "$(in_queue)" = hold
	next_is_right
}

# pids NAME: of Postfix's processes of that name
pids()
{
	pgrep -P "$(head -n 1 "$PF/spool/pid/master.pid" | tr -d ' ')" -x "$1"
}

@test "Postfix's cleanup is killed while milterd has the message" {
	default_action tempfail
	send_delayed
	kill -9 $(pids cleanup)
	wait "$SENDER" || true
	! grep -qE $'^\\.\t250 ' "$PF/held.replies"
	milter_stop
	next_is_right
}

@test "Postfix's smtpd is killed in a session, and while milterd has the message" {
	send_delayed
	kill -9 $(pids smtpd)
	wait "$SENDER" || true
	! grep -qE $'^\\.\t250 ' "$PF/held.replies"
	milter_stop
	policy 'rule r { when header("X-Bad") exists reject "bad" }'
	rm -f "$PF/go"
	mkfifo "$PF/go"
	"$PF/send" "$PF_PORT" xclient "$CLIENT" ehlo mx.client.test \
		mail bob@client.test rcpt amy@example.com wait \
		>"$PF/held.replies" <"$PF/go" 3>&- &
	local client=$!
	exec 8>"$PF/go"
	wait_until 10 grep -q '^RCPT.*250 ' "$PF/held.replies"
	kill -9 $(pids smtpd)
	exec 8>&-
	wait "$client" || true
	next_is_right
}
