#!/usr/bin/env bats
# What the machine denies to milterd, and a clock that jumps.

load common

# start_with VARIABLE=FILE [OPTION...]: with the shim
start_with() {
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -shared -fPIC -O1 -o "$T/shim.so" \
		"$BATS_TEST_DIRNAME/shim.c"
	local variable=$1
	shift
	env LD_PRELOAD="$T/shim.so" "$variable" "$MILTERD" \
		-p "inet:$PORT@127.0.0.1" --control "$T/control" "$@" \
		"$T/p.milt" >"$T/out" 2>>"$T/log" </dev/null 3>&- &
	PID=$!
	PIDS+=("$PID")
	until_true logged "listening on"
}

status_of() { "$MILTERCTL" -s "$T/control" --json status | jq -r "$1"; }
is_status() { [ "$(status_of "$1")" = "$2" ]; }

# One message that is delayed, over descriptor 9; its answer is not read.
begin_delayed() {
	open_session
	packet C 'mx.example.net\0004\000\000198.51.100.1\0'
	packet H 'mx.example.net\0'
	packet M '<a@b.test>\0'
	packet R '<c@d.test>\0'
	packet T ''
	packet L 'Subject\0x\0'
	packet N ''
	packet E ''
}

delaying_policy() {
	cat >"$T/p.milt" <<-END
		milt 1
		rule refuse { at connect when client.ip in 192.0.2.0/24 reject "text one" }
		rule slow { when header("Subject") exists delay $1 }
	END
}

@test "no thread at the start: it ends, and says why" {
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -shared -fPIC -O1 -o "$T/shim.so" \
		"$BATS_TEST_DIRNAME/shim.c"
	touch "$T/none"
	run env LD_PRELOAD="$T/shim.so" SHIM_NO_THREADS="$T/none" timeout 60 \
		"$MILTERD" -p "unix:$T/s" "$T/p.milt"
	[ "$status" -eq 3 ]
	[ ! -e "$T/s" ]
}

# A session for which libmilter could start no thread is lost on it: Postfix
# gives up on that one, and the others live.
@test "no thread for a while: sessions are served when there are some again" {
	delaying_policy 4m
	start_with SHIM_NO_THREADS="$T/none"
	[[ $(ask) == *"text one"* ]]
	# It keeps a worker.
	begin_delayed
	until_true is_status .sessions.delayed 1
	exec 7>&9 9>&-
	touch "$T/none"
	local i lost=()
	for i in 1 2 3; do
		exec {fd}<>"/dev/tcp/127.0.0.1/$PORT"
		lost+=("$fd")
		printf "$NEGOTIATE$CONNECT$QUIT" >&"$fd"
	done
	run "$MILTERCTL" -s "$T/control" status
	[ "$status" -ne 0 ]
	rm "$T/none"
	for i in 1 2 3; do
		[[ $(ask) == *"text one"* ]]
	done
	is_status .sessions.delayed 1
	for i in "${lost[@]}"; do
		exec {i}>&-
	done
	exec 7>&-
	kill "$PID"
	ends 0
}

@test "the clock jumps a day ahead and back: delays and deadlines do not care" {
	delaying_policy 1500ms
	start_with SHIM_CLOCK="$T/clock" --drain 20
	begin_delayed
	until_true is_status .sessions.delayed 1
	echo 86400 >"$T/clock"
	until_true logged ' accept stage=message .*delayed=1\.[5-9]s'
	exec 9>&-
	begin_delayed
	until_true is_status .sessions.delayed 1
	echo -86400 >"$T/clock"
	until_true times_logged ' accept stage=message .*delayed=[12]\.[0-9]s' 2
	exec 9>&-
	[ "$(status_of .uptime)" -lt 600 ]
	[[ $(ask) == *"text one"* ]]
	# A session is open while it stops, and the clock jumps again.
	open_session
	kill "$PID"
	until_true logged "stopping: 1 open sessions"
	echo 864000 >"$T/clock"
	[[ $(session_answer) == *"text one"* ]]
	ends 0
	! logged "cut off"
}
