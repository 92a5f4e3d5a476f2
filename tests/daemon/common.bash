# For tests of milterd as a program: a daemon, and a client that speaks the
# milter protocol.

setup() {
	BUILD=${BUILD:-build}
	MILTERD=$(realpath "${MILTERD:-$BUILD/milterd}")
	MILTERC=$(realpath "${MILTERC:-$BUILD/milterc}")
	MILTERCTL=$(realpath "${MILTERCTL:-$BUILD/milterctl}")
	T=$(mktemp -d /tmp/milterd.XXXXXX)
	chmod 755 "$T"
	PORT=$((20000 + RANDOM % 12000))
	PIDS=()
	policy one
}

teardown() {
	local p
	for p in "${PIDS[@]}"; do
		kill -9 "$p" 2>/dev/null || true
	done
	rm -rf "$T"
}

# A policy that refuses clients in 192.0.2.0/24 with this text.
policy() {
	cat >"$T/p.new" <<-END
		milt 1
		rule refuse-$1 {
		  at connect
		  when client.ip in 192.0.2.0/24
		  reject 550 5.7.1 "text $1"
		}
	END
	chmod 644 "$T/p.new"
	mv "$T/p.new" "$T/p.milt"
}

broken_policy() {
	printf 'milt 1\nrule a { when client.ipp absent accept }\n' >"$T/p.milt"
}

# until_true COMMAND...: at most 20 seconds
until_true() {
	local i
	for ((i = 0; i < 400; i++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	echo "never true: $*" >&2
	[ ! -e "$T/log" ] || cat "$T/log" >&2
	return 1
}

logged() { grep -q -- "$1" "$T/log"; }
times_logged() { [ "$(grep -c -- "$1" "$T/log")" -ge "$2" ]; }
gone() { ! kill -0 "$1" 2>/dev/null; }

# start [OPTION...]: in the foreground of a job; PID
start() {
	"$MILTERD" "$@" "$T/p.milt" >"$T/out" 2>>"$T/log" </dev/null 3>&- &
	PID=$!
	PIDS+=("$PID")
	until_true logged "listening on"
}

start_unix() {
	start -p "unix:$T/s" "$@"
}

# ends STATUS: PID has ended with it
ends() {
	until_true gone "$PID"
	local status=0
	wait "$PID" || status=$?
	[ "$status" -eq "$1" ] || {
		echo "status $status" >&2
		cat "$T/log" >&2
		return 1
	}
}

# ---- a client that speaks the milter protocol over TCP, on descriptor 9 ----

NEGOTIATE='\0\0\0\015O\0\0\0\006\0\0\001\377\0\037\377\377'
# host "h", family 4, port 25, address
CONNECT='\0\0\0\020Ch\0004\0\031192.0.2.1\0'
QUIT='\0\0\0\001Q'

open_session() {
	exec 9<>"/dev/tcp/127.0.0.1/$PORT" && printf "$NEGOTIATE" >&9
	# The answer is there once its first five octets are: length and O.
	[ "$(timeout 20 head -c 5 <&9 | tail -c 1)" = O ]
}

# The texts of all that comes until the end.
session_answer() {
	printf "$CONNECT$QUIT" >&9
	timeout 20 cat <&9 | tr -cd '[:print:]\n'
	exec 9>&-
}

ask() {
	open_session && session_answer
}

# packet COMMAND DATA: with the escapes of printf; no NUL is lost.
packet() {
	local n
	n=$(printf "$2" | wc -c)
	printf "\\0\\0\\$(printf '%03o' $(((n + 1) / 256)))\\$(printf '%03o' $(((n + 1) % 256)))$1$2" >&9
}

# What sendmail(1) hands over, to good@example.com and bad@other.test.
submit() {
	open_session
	packet C 'localhost\0004\000\000127.0.0.1\0'
	packet H 'localhost\0'
	packet D 'Mi\000'"$1"'\0'
	packet M 'a@b.test\0'
	packet R 'good@example.com\0'
	packet R 'bad@other.test\0'
	packet T ''
	packet L 'Subject\0x\0'
	packet N ''
	packet B 'text\r\n'
	packet E ''
	packet Q ''
	timeout 20 cat <&9 | tr '\0' '.' | tr -cd '[:print:]'
	exec 9>&-
}
