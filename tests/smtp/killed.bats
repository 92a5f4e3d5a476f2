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
}

@test "killed, and the default action is reject" {
	default_action reject
	local step
	for step in mail rcpt data; do
		killed_before "$step"
		refused_with '550 5.5.0 Service unavailable'
		next_is_right
	done
}

@test "killed, and the default action is accept" {
	default_action accept
	local step
	for step in mail rcpt data; do
		killed_before "$step"
		[[ $(reply .) == '250 '* ]]
		next_is_right
	done
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
}
