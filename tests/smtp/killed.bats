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

POLICY='rule r { when header("X-Bad") exists reject "bad" }
rule s { when header("X-Slow") exists delay 4m add header "X-Seen" "1" }'

# send_delayed: a good message whose answer milterd delays; SENDER
send_delayed()
{
	message 'X-Slow: 1'
	"$PF/send" "$PF_PORT" xclient "$CLIENT" ehlo mx.client.test \
		mail bob@client.test rcpt amy@example.com data "$PF/msg" \
		>"$PF/held.replies" </dev/null 3>&- &
	SENDER=$!
	wait_until 20 is_delayed
}

# send_until STEP: a client that says no more behind that step; SENDER, and a
# line to descriptor 8 lets it go on.
send_until()
{
	local step steps=()
	for step in connect xclient ehlo mail rcpt DATA; do
		case $step in
		xclient) steps+=(xclient "$CLIENT") ;;
		ehlo) steps+=(ehlo mx.client.test) ;;
		mail) steps+=(mail bob@client.test) ;;
		rcpt) steps+=(rcpt amy@example.com) ;;
		DATA) steps+=(say DATA) ;;
		esac
		[ "$step" = "$1" ] && break
	done
	rm -f "$PF/go"
	mkfifo "$PF/go"
	"$PF/send" "$PF_PORT" "${steps[@]}" wait "${@:2}" \
		>"$PF/held.replies" <"$PF/go" 3>&- &
	SENDER=$!
	exec 8>"$PF/go"
	wait_until 10 grep -qiE "^$1\\b.*[[:space:]][23][0-9][0-9] " \
		"$PF/held.replies"
}

# sender_goes_on: and comes to its end
sender_goes_on()
{
	echo >&8 || true
	exec 8>&-
	wait "$SENDER" || true
}

# killed_inside: the replies of a session in which milterd is killed while it
# has the whole message and has not answered.
killed_inside()
{
	policy "$POLICY" --control "$PF/control"
	send_delayed
	kill -9 "$(<"$PF/milterd.pid")"
	wait_until 10 process_gone "$(<"$PF/milterd.pid")"
	rm -f "$PF/milterd.pid"
	wait "$SENDER" || true
	cp "$PF/held.replies" "$PF/replies"
}

# killed_behind STEP: the replies of a session in which milterd is killed
# behind that step, and the session is otherwise a good message.
killed_behind()
{
	local rest=(mail bob@client.test rcpt amy@example.com data "$PF/msg")
	case $1 in
	mail) rest=("${rest[@]:2}") ;;
	rcpt) rest=("${rest[@]:4}") ;;
	esac
	message
	policy "$POLICY"
	send_until "$1" "${rest[@]}"
	kill -9 "$(<"$PF/milterd.pid")"
	wait_until 10 process_gone "$(<"$PF/milterd.pid")"
	rm -f "$PF/milterd.pid"
	sender_goes_on
	cp "$PF/held.replies" "$PF/replies"
}

# The next session is decided by the policy.
next_is_right()
{
	message 'X-Bad: 1'
	transaction
	is "$(reply .)" '550 5.7.1 bad'
	message
	transaction
	[[ $(reply .) == '250 '* ]]
}

# ... by a new milterd.
next_start_is_right()
{
	policy "$POLICY"
	next_is_right
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
	for step in ehlo mail rcpt; do
		killed_behind "$step"
		refused_with '451 4.7.1 Service unavailable - try again later'
		next_start_is_right
	done
	killed_inside
	is "$(reply .)" '451 4.7.1 Service unavailable - try again later'
	next_start_is_right
}

@test "killed, and the default action is reject" {
	default_action reject
	local step
	for step in ehlo mail rcpt; do
		killed_behind "$step"
		refused_with '550 5.5.0 Service unavailable'
		next_start_is_right
	done
	killed_inside
	is "$(reply .)" '550 5.5.0 Service unavailable'
	next_start_is_right
}

@test "killed, and the default action is accept" {
	default_action accept
	local step
	for step in ehlo mail rcpt; do
		killed_behind "$step"
		[[ $(reply .) == '250 '* ]]
		next_start_is_right
	done
	killed_inside
	[[ $(reply .) == '250 '* ]]
	next_start_is_right
}

@test "killed, and the default action is quarantine" {
	default_action quarantine
	local step
	for step in ehlo mail rcpt; do
		killed_behind "$step"
		[[ $(reply .) == '250 '* ]]
		wait_until 10 test "$(in_queue)" = hold
		next_start_is_right
	done
	killed_inside
	[[ $(reply .) == '250 '* ]]
	wait_until 10 test "$(in_queue)" = hold
	next_start_is_right
}

# pids NAME: of Postfix's processes of that name
pids()
{
	pgrep -P "$(head -n 1 "$PF/spool/pid/master.pid" | tr -d ' ')" -x "$1"
}

sessions_are()
{
	[ "$("$PF_BUILD/milterctl" -s "$PF/control" --json status |
		jq .sessions.open)" = "$1" ]
}

@test "Postfix's processes are killed at each stage of a session" {
	local stage
	default_action tempfail
	policy "$POLICY" --control "$PF/control"
	local milterd=$(<"$PF/milterd.pid")
	for stage in connect xclient ehlo mail rcpt DATA; do
		echo "# smtpd behind $stage"
		send_until $stage
		wait_until 20 sessions_are 1
		kill -9 $(pids smtpd)
		sender_goes_on
		wait_until 20 sessions_are 0
		next_is_right
	done
	for stage in smtpd cleanup; do
		echo "# $stage behind the dot"
		send_delayed
		kill -9 $(pids $stage)
		wait "$SENDER" || true
		! grep -qE $'^\\.\t250 ' "$PF/held.replies" || return 1
		# smtpd hands its session over to cleanup.
		[ $stage = cleanup ] || kill -9 $(pids cleanup)
		wait_until 20 sessions_are 0
		next_is_right
	done
	is "$(<"$PF/milterd.pid")" "$milterd"
	! process_gone "$milterd"
}
