#!/usr/bin/env bats
# What signals do: reading the policy again, and stopping.

load common

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

@test "TERM waits for open sessions" {
	start -p "inet:$PORT@127.0.0.1"
	open_session
	kill -TERM "$PID"
	until_true logged "stopping: 1 open sessions"
	sleep 1
	kill -0 "$PID"
	# No new ones meanwhile.
	! (exec 8<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null
	[[ $(session_answer) == *"550 5.7.1 text one"* ]]
	ends 0
	! logged "cut off"
}

@test "TERM waits no longer than --drain" {
	start -p "inet:$PORT@127.0.0.1" --drain 1
	open_session
	kill -TERM "$PID"
	ends 0
	logged "1 sessions are cut off"
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
