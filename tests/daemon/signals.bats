#!/usr/bin/env bats
# What signals do: reading the policy again, and stopping.

load common
load serve

# Is the signal with this number blocked?
blocks() {
	local mask
	mask=$(sed -n 's/^SigBlk:[[:space:]]*//p' "/proc/$PID/status")
	((16#$mask >> ($1 - 1) & 1))
}

# begin [OPTION...]: a milterd that takes its time to compile; PID
begin() {
	local i
	{
		cat "$T/p.milt"
		for ((i = 0; i < 5000; i++)); do
			echo "rule r$i { when header(\"X\") matches /a{$i}[b-z]$i/ reject \"x\" }"
		done
	} >"$T/large.milt"
	mv "$T/large.milt" "$T/p.milt"
	"$MILTERD" -p "unix:$T/s" "$@" "$T/p.milt" >"$T/out" 2>>"$T/log" </dev/null 3>&- &
	PID=$!
	PIDS+=("$PID")
}

@test "HUP and USR1 while the first policy is compiled are served later" {
	begin
	until_true blocks 1
	kill -HUP "$PID"
	kill -USR1 "$PID"
	! logged "policy $T/p.milt"
	until_true times_logged "policy $T/p.milt: 5001 rules" 2
	kill -TERM "$PID"
	ends 0
}

@test "TERM while the first policy is compiled ends it, and leaves nothing" {
	begin -P "$T/pid"
	until_true blocks 1
	kill -TERM "$PID"
	ends 143
	[ ! -e "$T/s" ]
	[ ! -e "$T/pid" ]
}

@test "a signal as soon as the pid file is there is served" {
	"$MILTERD" -p "unix:$T/s" -P "$T/pid" "$T/p.milt" >"$T/out" 2>>"$T/log" </dev/null 3>&- &
	PID=$!
	PIDS+=("$PID")
	until [ -s "$T/pid" ]; do :; done
	kill -HUP "$PID"
	blocks 1 && blocks 10 && blocks 15 && blocks 2
	until_true times_logged "policy $T/p.milt: 1 rules" 2
	kill -TERM "$PID"
	ends 0
	[ ! -e "$T/pid" ]
}

@test "HUP reads the policy again, open sessions keep theirs" {
	start -p "inet:$PORT@127.0.0.1"
	open_session
	policy two
	kill -HUP "$PID"
	until_true times_logged "policy $T/p.milt: 1 rules" 2
	[[ $(session_answer) == *"550 5.7.1 text one"* ]]
	[[ $(ask) == *"550 5.7.1 text two"* ]]
	policy three
	kill -USR1 "$PID"
	until_true times_logged "policy $T/p.milt: 1 rules" 3
	[[ $(ask) == *"550 5.7.1 text three"* ]]
}

@test "HUP with a bad policy keeps the old one and says why" {
	start -p "inet:$PORT@127.0.0.1"
	broken_policy
	kill -HUP "$PID"
	until_true logged "the policy read before stays"
	logged "$T/p.milt:2:.*client.ipp"
	[[ $(ask) == *"550 5.7.1 text one"* ]]
	rm "$T/p.milt"
	kill -HUP "$PID"
	until_true times_logged "the policy read before stays" 2
	logged "No such file or directory"
	[[ $(ask) == *"550 5.7.1 text one"* ]]
}

@test "many HUPs do not stop it" {
	local i
	start -p "inet:$PORT@127.0.0.1"
	for ((i = 0; i < 200; i++)); do
		kill -HUP "$PID"
	done
	[[ $(ask) == *"550 5.7.1 text one"* ]]
	kill -TERM "$PID"
	ends 0
}

# idle_session: on descriptor 7, between messages
idle_session() {
	open_session
	packet C 'h\0004\000\031192.0.2.1\0'
	exec 7<&9 9>&-
}

# message_begun: on descriptor 9, with a policy that answers at DATA
message_begun() {
	open_session
	packet C 'h\0004\000\031192.0.2.1\0'
	packet M '<a@b.test>\0'
	packet R '<c@d.test>\0'
	until_true metric 'milt_messages_total 1'
}

@test "TERM waits for a message, and not for an idle session" {
	sed -i 's/at connect/at data/' "$T/p.milt"
	serve
	idle_session
	message_begun
	kill -TERM "$PID"
	until_true logged "stopping: 2 open sessions, 1 within a message, at most 20 s"
	sleep 4
	kill -0 "$PID"
	# No new ones meanwhile.
	! (exec 8<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null
	packet T ''
	packet Q ''
	[[ $(timeout 20 cat <&9 | tr -cd '[:print:]') == *"550 5.7.1 text one"* ]]
	exec 9>&-
	local before=$SECONDS
	ends 0
	[ $((SECONDS - before)) -le 10 ]
	logged "1 sessions are cut off, 0 within a message"
	exec 7>&-
}

@test "TERM waits 2 s for sessions between messages" {
	start -p "inet:$PORT@127.0.0.1"
	open_session
	local before=${EPOCHREALTIME/./}
	kill -TERM "$PID"
	ends 0
	local took=$((${EPOCHREALTIME/./} - before))
	[ "$took" -ge 1900000 ]
	[ "$took" -le 10000000 ]
	logged "1 sessions are cut off, 0 within a message"
	exec 9>&-
}

@test "TERM ends once all sessions have" {
	sed -i 's/at connect/at data/' "$T/p.milt"
	serve
	message_begun
	kill -TERM "$PID"
	until_true logged "stopping: 1 open sessions"
	packet Q ''
	ends 0
	! logged "cut off"
	exec 9>&-
}

@test "TERM waits no longer than --drain" {
	sed -i 's/at connect/at data/' "$T/p.milt"
	serve --drain 1
	message_begun
	local before=$SECONDS
	kill -TERM "$PID"
	ends 0
	[ $((SECONDS - before)) -le 10 ]
	logged "1 sessions are cut off, 1 within a message"
	exec 9>&-
}

@test "a second TERM exits at once" {
	start -p "inet:$PORT@127.0.0.1"
	open_session
	kill -TERM "$PID"
	until_true logged "stopping: 1 open sessions"
	kill -INT "$PID"
	ends 0
	logged "stopping at once"
	exec 9>&-
}

@test "TERM without sessions ends quickly and removes the socket" {
	start_unix
	local before=$SECONDS
	kill -TERM "$PID"
	ends 0
	[ $((SECONDS - before)) -le 4 ]
	[ ! -e "$T/s" ]
}
