# milterd against an MTA that somebody else wrote: miltertest(8).

setup() {
	MILTERD=$(realpath "${MILTERD:-${BUILD:-build}/milterd}")
	HERE=$BATS_TEST_DIRNAME
	DIR=$(mktemp -d)
	"$MILTERD" -p "unix:$DIR/s" "$HERE/peer.milt" 2>"$DIR/log" 3>&- &
	PID=$!
	for _ in $(seq 100); do
		[ -S "$DIR/s" ] && return
		sleep 0.05
	done
	return 1
}

teardown() {
	kill "$PID" 2>/dev/null
	wait "$PID" 2>/dev/null
	rm -rf "$DIR"
}

@test "miltertest sees a refused recipient and an added header" {
	command -v miltertest >/dev/null || skip "miltertest is not installed"
	run miltertest -D "socket=unix:$DIR/s" -s "$HERE/peer.lua"
	echo "$output"
	[ "$status" -eq 0 ]
	grep -q 'ABC123: reject stage=rcpt rule=one ' "$DIR/log"
	grep -q 'ABC123: accept stage=message rule=default .*effects=subject/add-header' "$DIR/log"
}
