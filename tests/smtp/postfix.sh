# shellcheck shell=bash
# A private Postfix on loopback, for tests and for the demonstration.
#
# Source it from bash.  Everything lives in one temporary directory, $PF:
#
#	$PF/etc, spool, data   Postfix's own
#	$PF/mail.log           its log
#	$PF/milterd.log        what milterd, or `milt serve`, wrote to stderr
#	$PF/sink/              what was delivered, a file a message
#
# and on free ports of 127.0.0.1:
#
#	$PF_PORT       smtpd with milterd on a TCP socket
#	$PF_PORT_UNIX  smtpd with milterd on a unix socket
#	$PF_PORT_NONE  smtpd without a milter
#
# Any client may say XCLIENT; all recipients are accepted and delivered to
# smtp-sink.  Only processes that were started here are ended, each by its id.

PF_LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PF_ROOT=$(cd "$PF_LIB/../.." && pwd)
PF_BUILD=${BUILD:-build}
[[ $PF_BUILD == /* ]] || PF_BUILD=$PF_ROOT/$PF_BUILD

# Says why a private Postfix cannot run here; nothing if it can.
postfix_missing()
{
	if [ "$(id -u)" -ne 0 ]; then
		echo "not root: a private Postfix needs it"
	elif ! PATH=$PATH:/usr/sbin command -v postfix smtp-sink \
		>/dev/null 2>&1; then
		echo "Postfix is not installed; run \`make deps\`"
	elif [ ! -d /usr/lib/postfix/sbin ]; then
		echo "Postfix has no /usr/lib/postfix/sbin"
	fi
}

# A TCP port of 127.0.0.1 on which nobody listens, and none given before.
# Below the range from which the kernel takes ports for clients.
PF_TAKEN=
free_port()
{
	local port
	while :; do
		port=$((RANDOM % 20000 + 10000))
		[[ $PF_TAKEN == *" $port "* ]] && continue
		(exec 9<>/dev/tcp/127.0.0.1/$port) 2>/dev/null && continue
		PF_TAKEN+=" $port "
		PORT=$port
		return
	done
}

# Waits until COMMAND succeeds, at most SECONDS.
wait_until()
{
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -le $end ] || return 1
		sleep 0.05
	done
}

port_answers()
{
	(exec 9<>/dev/tcp/127.0.0.1/"$1") 2>/dev/null
}

# Ends a process of ours: TERM, and KILL after ten seconds.
end_process()
{
	local pid=$1
	[ -n "$pid" ] || return 0
	kill -TERM "$pid" 2>/dev/null || return 0
	wait_until 10 process_gone "$pid" || kill -KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	return 0
}

process_gone()
{
	local state
	state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' \
		"/proc/$1/status" 2>/dev/null)
	[ -z "$state" ] || [ "$state" = Z ]
}

postfix_configure()
{
	local inet="inet:127.0.0.1:$PF_MILTER_PORT" unix="unix:$PF/milter/sock"
	cat >"$PF/etc/main.cf" <<-END
	compatibility_level = 3.6
	queue_directory = $PF/spool
	data_directory = $PF/data
	command_directory = /usr/sbin
	daemon_directory = /usr/lib/postfix/sbin
	mail_owner = postfix
	setgid_group = postdrop
	maillog_file = $PF/mail.log
	maillog_file_prefixes = $PF
	multi_instance_enable = no
	myhostname = ${PF_HOSTNAME:-mx.test}
	mydestination =
	mynetworks = 127.0.0.0/8
	inet_interfaces = 127.0.0.1
	inet_protocols = all
	alias_maps =
	alias_database =
	local_recipient_maps =
	local_transport = smtp:[127.0.0.1]:$PF_SINK_PORT
	default_transport = smtp:[127.0.0.1]:$PF_SINK_PORT
	relayhost =
	disable_dns_lookups = yes
	smtp_host_lookup = native
	smtputf8_enable = yes
	local_header_rewrite_clients =
	notify_classes =
	service_throttle_time = 1s
	message_size_limit = 20000000
	smtpd_relay_restrictions = check_client_access static:permit, reject
	smtpd_recipient_restrictions =
	smtpd_peername_lookup = no
	smtpd_client_connection_count_limit = 0
	smtpd_authorized_xclient_hosts = 127.0.0.0/8
	smtpd_error_sleep_time = 0
	smtpd_hard_error_limit = 1000
	milter_default_action = tempfail
	non_smtpd_milters = $inet
	END
	cat >"$PF/etc/master.cf" <<-END
	127.0.0.1:$PF_PORT inet n - n - - smtpd
	  -o smtpd_milters=$inet
	127.0.0.1:$PF_PORT_UNIX inet n - n - - smtpd
	  -o smtpd_milters=$unix
	127.0.0.1:$PF_PORT_NONE inet n - n - - smtpd
	pickup unix n - n 1 1 pickup
	cleanup unix n - n - 0 cleanup
	qmgr unix n - n 300 1 qmgr
	rewrite unix - - n - - trivial-rewrite
	bounce unix - - n - 0 bounce
	defer unix - - n - 0 bounce
	trace unix - - n - 0 bounce
	verify unix - - n - 1 verify
	flush unix n - n 1000? 0 flush
	proxymap unix - - n - - proxymap
	smtp unix - - n - - smtp
	relay unix - - n - - smtp
	showq unix n - n - - showq
	error unix - - n - - error
	retry unix - - n - - error
	discard unix - - n - - discard
	local unix - n n - - local
	anvil unix - - n - 1 anvil
	scache unix - - n - 1 scache
	postlog unix-dgram n - n - 1 postlogd
	END
}

# Starts smtp-sink and Postfix; 1 with a message if that fails.
postfix_start()
{
	PATH=$PATH:/usr/sbin
	PF=$(mktemp -d "${TMPDIR:-/tmp}/milt-postfix.XXXXXX") || return 1
	chmod 755 "$PF"
	mkdir "$PF"/{etc,spool,data,sink,milter}
	chown postfix "$PF/data" "$PF/sink"
	chgrp postfix "$PF/milter"
	chmod 2750 "$PF/milter"
	local name
	for name in PF_PORT PF_PORT_UNIX PF_PORT_NONE PF_SINK_PORT \
		PF_MILTER_PORT; do
		free_port
		printf -v "$name" %s "$PORT"
	done
	PF_UNIX=$PF/milter/sock
	export PF PF_PORT PF_PORT_UNIX PF_PORT_NONE PF_SINK_PORT \
		PF_MILTER_PORT PF_UNIX PATH
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -o "$PF/send" \
		"$PF_LIB"/{send,client}.c || return 1
	postfix_configure

	(cd "$PF/sink" && exec smtp-sink -u postfix -d 'm.%H%M%S.' \
		"127.0.0.1:$PF_SINK_PORT" 200) \
		>"$PF/sink.log" 2>&1 </dev/null 3>&- &
	PF_SINK_PID=$!
	export PF_SINK_PID
	if ! wait_until 10 port_answers "$PF_SINK_PORT"; then
		echo "smtp-sink does not start:" >&2
		cat "$PF/sink.log" >&2
		return 1
	fi
	if ! postfix -c "$PF/etc" start >"$PF/start.log" 2>&1 \
		</dev/null 3>&- ||
		! wait_until 20 port_answers "$PF_PORT_NONE"; then
		echo "Postfix does not start:" >&2
		cat "$PF/start.log" "$PF/mail.log" >&2
		return 1
	fi
}

# Ends all that was started and removes the directory.  May be called at any
# point and more than once.
postfix_stop()
{
	[ -n "${PF:-}" ] || return 0
	milter_stop
	local master
	master=$(tr -d ' ' <"$PF/spool/pid/master.pid" 2>/dev/null)
	if [ -n "$master" ]; then
		postfix -c "$PF/etc" stop >/dev/null 2>&1 </dev/null
		wait_until 10 process_gone "$master" ||
			kill -KILL "$master" 2>/dev/null
	fi
	end_process "${PF_SINK_PID:-}"
	rm -rf "$PF"
	PF=
}

# milter_start POLICY [OPTION...]: milterd on the TCP socket.
milter_start()
{
	milter_start_on "inet:$PF_MILTER_PORT@127.0.0.1" "$@"
}

milter_start_on()
{
	local socket=$1 policy=$2
	shift 2
	milter_run "$socket" "${MILTERD:-$PF_BUILD/milterd}" -p "$socket" \
		"$@" "$policy"
}

# serve_start POLICY [OPTION...]: the same with `milt serve`, in Node.
serve_start()
{
	local socket=inet:$PF_MILTER_PORT@127.0.0.1 policy=$1
	shift
	milter_run "$socket" node "$PF_ROOT/addon/bin/milt.mjs" serve \
		-p "$socket" "$@" "$policy"
}

# milter_run SOCKET COMMAND...
milter_run()
{
	local socket=$1
	shift
	"$@" >>"$PF/milterd.log" 2>&1 </dev/null 3>&- &
	PF_MILTER_PID=$!
	printf %s $PF_MILTER_PID >"$PF/milterd.pid"
	if ! wait_until 20 milter_ready "$socket"; then
		echo "$1 does not start:" >&2
		cat "$PF/milterd.log" >&2
		return 1
	fi
}

milter_ready()
{
	if process_gone "$(<"$PF/milterd.pid")"; then
		return 1
	fi
	case $1 in
	inet:*) port_answers "$PF_MILTER_PORT" ;;
	*) [ -S "${1#unix:}" ] ;;
	esac
}

milter_stop()
{
	[ -s "$PF/milterd.pid" ] || return 0
	end_process "$(<"$PF/milterd.pid")"
	rm -f "$PF/milterd.pid"
}

# send STEP...: one SMTP connection to the smtpd with milterd on TCP; see
# send.c.  The replies go to $PF/replies and to standard output.
send()
{
	send_to "$PF_PORT" "$@"
}

send_to()
{
	"$PF/send" "$@" >"$PF/replies"
	local code=$?
	cat "$PF/replies"
	return $code
}

# Reply to COMMAND in the last `send`: reply 'RCPT TO:<a@b>'.
reply()
{
	awk -F '\t' -v c="$1" '$1 == c { print substr($0, length(c) + 2) }' \
		"$PF/replies"
}

# Queue id of the last message that was accepted.
queue_id()
{
	sed -n 's/^\.\t250 .*queued as \([^ ]*\).*/\1/p' "$PF/replies" |
		tail -n 1
}

in_mail_log()
{
	grep -q -- "$1" "$PF/mail.log"
}

# The file in which smtp-sink put a delivered message: delivered QUEUE-ID.
delivered()
{
	wait_until 20 in_mail_log "$1: removed" || {
		echo "$1 was not delivered" >&2
		return 1
	}
	grep -laE "^[[:space:]](by .* )?id $1(;|$)" "$PF"/sink/m.* | head -n 1
}

# The envelope of a delivered message: lines `Mail <a@b>` and `Rcpt <c@d> ...`.
envelope_of()
{
	sed -n '/^Received:/q; s/^X-\(Mail\|Rcpt\)-Args: /\1 /p' "$1"
}

# A delivered message as it left Postfix, whose own Received: field is written
# `Received: (Postfix)`.  Without the empty line that smtp-sink adds.
message_of()
{
	LC_ALL=C sed -n '/^Received: from mx\.test/,$p' "$1" |
		LC_ALL=C sed '1,3d; $d' | LC_ALL=C sed '
			/^Received: by mx\.test (Postfix, from/ {
				N
				s/.*/Received: (Postfix)/
			}
			/^Received: from / {
				N
				/\n\tby mx\.test (Postfix)/ {
					N
					s/.*/Received: (Postfix)/
				}
			}'
}
