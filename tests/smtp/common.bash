# shellcheck shell=bash
# What the end-to-end tests share.  Load it first in each .bats file.

. "$BATS_TEST_DIRNAME/postfix.sh"

private_postfix()
{
	local missing
	missing=$(postfix_missing)
	[ -z "$missing" ] || skip "$missing"
	postfix_start
}

setup_file()
{
	private_postfix
}

# setup_file of those that need the addon.
addon_start()
{
	node -e "require('$PF_ROOT/addon/lib/native.cjs')" 2>/dev/null || {
		echo 'the addon is not there, or does not load: run `make addon`' >&2
		return 1
	}
	private_postfix
}

teardown_file()
{
	postfix_stop
}

teardown()
{
	milter_stop
}

CLIENT='NAME=mx.client.test REVERSE_NAME=mx.client.test ADDR=203.0.113.5'

# policy TEXT [OPTION...]: writes a policy, starts milterd with it on TCP.
policy()
{
	printf 'milt 1\n%s\n' "$1" >"$PF/p.milt"
	milter_start "$PF/p.milt" "${@:2}"
}

# Builds the program that plays the tests of a policy through Postfix.
same_build()
{
	[ -x "$PF/same" ] || "${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 \
		-o "$PF/same" "$PF_LIB"/{same,client}.c -ljansson
}

# message [LINE...]: writes $PF/msg with these lines more in its header.
message()
{
	printf '%s\n' 'From: Bob <bob@client.test>' 'Subject: hello' "$@" '' \
		'Hello.' >"$PF/msg"
}

# transaction [STEP...]: a client outside sends $PF/msg to amy@example.com.
transaction()
{
	[ -e "$PF/msg" ] || message
	send xclient "$CLIENT" ehlo mx.client.test mail bob@client.test \
		rcpt amy@example.com data "$PF/msg" || true
}

# is GOT WANTED: exactly.
is()
{
	[ "$1" = "$2" ] && return
	diff <(printf '%s\n' "$2") <(printf '%s\n' "$1") | sed 's/^/# /'
	return 1
}

# The message that the last transaction sent, as it was delivered.
arrived()
{
	local file
	file=$(delivered "$(queue_id)") || return 1
	message_of "$file"
}

# Recipients that were delivered to, a line.
arrived_to()
{
	local file
	file=$(delivered "$(queue_id)") || return 1
	envelope_of "$file" | sed -n 's/^Rcpt <\([^>]*\)>.*/\1/p'
}

arrived_from()
{
	local file
	file=$(delivered "$(queue_id)") || return 1
	envelope_of "$file" | sed -n 's/^Mail <\([^>]*\)>.*/\1/p'
}

# Names of the queue in which the last message is.
in_queue()
{
	postqueue -c "$PF/etc" -j | sed -n \
		"s/.*\"queue_name\": \"\([a-z]*\)\".*\"$(queue_id)\".*/\1/p"
}

log_has()
{
	grep -qE -- "$1" "$PF/milterd.log" || {
		echo "# milterd's log has no line with: $1"
		tail -n 10 "$PF/milterd.log" | sed 's/^/# /'
		return 1
	}
}

log_clear()
{
	: >"$PF/milterd.log"
}
