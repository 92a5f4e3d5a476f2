#!/usr/bin/env bats
# js rules: `milt serve` at a real Postfix, and that `milterc test --js` says
# the same.

. "$BATS_TEST_DIRNAME/common.bash"

setup_file()
{
	addon_start
}

JS=$BATS_TEST_DIRNAME/js
export MILT_ADDON=$PF_ROOT/addon

# serve [OPTION...]: tests/smtp/js/policy.milt, in Node.
serve()
{
	log_clear
	serve_start "$JS/policy.milt" "$@"
}

# same_js POLICY [OPTION...]: its tests through milterc, and through Postfix.
same_js()
{
	local milterc=${MILTERC:-$PF_BUILD/milterc}
	same_build
	"$milterc" test --js --json "$1" >"$PF/same.json"
	serve_start "$@"
	"$PF/same" "$PF_PORT" <"$PF/same.json" >"$PF/same.out" || {
		sed 's/^/# /' "$PF/same.out"
		return 1
	}
}

@test "the tests of the policy: milterc and Postfix say the same" {
	same_js "$JS/policy.milt"
	is "$(grep -c '^same ' "$PF/same.out")" 10
	# Those are below.
	is "$(grep -v '^same ' "$PF/same.out")" \
		'left out late: an answer of a js rule is given
left out throws: an answer of a js rule is given'
}

@test "the shipped policies with js rules" {
	local f n=0
	for f in "$PF_ROOT"/policies/*/*.milt; do
		grep -q '^ *js rule' "$f" || continue
		same_js "$f"
		n=$((n + $(grep -c '^same ' "$PF/same.out")))
		milter_stop
	done
	[ "$n" -ge 6 ]
}

@test "hooks in the main thread say the same" {
	same_js "$JS/policy.milt" --workers 0
	is "$(grep -c '^same ' "$PF/same.out")" 10
}

@test "one recipient of two is refused" {
	serve
	message
	sed -i 's/^Subject: .*/Subject: accept/' "$PF/msg"
	send xclient "$CLIENT" ehlo mx.client.test mail bob@client.test \
		rcpt full@example.com rcpt amy@example.com data "$PF/msg"
	is "$(reply 'RCPT TO:<full@example.com>')" \
		'552-5.2.2 full@example.com is full
552 5.2.2 100% of it'
	is "$(arrived_to)" amy@example.com
	[[ $(arrived) == *'X-What: accept'* ]]
	log_has 'reject stage=rcpt rule=full at=[^ ]*/policy.milt:5 '
	log_has 'accept stage=message rule=by-subject '
}

@test "each effect is there when the message arrives" {
	serve
	message 'X-Old: 1' 'X-Set: before' 'X-Old: 2'
	sed -i 's/^Subject: .*/Subject: effects/' "$PF/msg"
	transaction
	is "$(reply . | cut -c1-3)" 250
	is "$(arrived_to)" carl@example.com
	is "$(arrived_from)" new@client.test
	is "$(arrived | tr -d '\r' | sed '/^Received:/d; /^Message-Id:/d; /^Date:/d')" \
		'X-First: =?x?
From: Bob <bob@client.test>
Subject: effects
X-Set: after
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit
X-New: 6 octets

Hello. And more.'
	log_has 'rule=effects .*text="of 1"'
}

@test "quarantine holds the message" {
	serve
	message
	sed -i 's/^Subject: .*/Subject: hold/' "$PF/msg"
	transaction
	is "$(in_queue)" hold
	log_has 'effects=hold/quarantine'
}

@test "a message that is discarded does not arrive" {
	serve
	message
	sed -i 's/^Subject: .*/Subject: discard/' "$PF/msg"
	transaction
	is "$(reply . | cut -c1-3)" 250
	wait_until 20 in_mail_log "milter-discard: "
	log_has 'discard stage=headers rule=by-subject '
}

@test "late and thrown: on failure, and the log says why" {
	serve
	message
	sed -i 's/^Subject: .*/Subject: late/' "$PF/msg"
	transaction
	is "$(reply .)" '451 4.7.5 no answer to bob@client.test'
	log_has 'question rule=late at=.*failure="timeout"'
	sed -i 's/^Subject: .*/Subject: throws/' "$PF/msg"
	transaction
	is "$(reply .)" '554 5.7.6 it has failed'
	log_has 'question rule=throws at=.*failure="the function threw an error"'
	log_has 'js rule throws: Error: not today'
}

@test "npx milt, in a folder that has installed the package" {
	mkdir -p "$PF/site"
	cd "$PF/site"
	npm --silent install --offline --no-audit --ignore-scripts \
		"$PF_ROOT/addon"
	is "$(npx --offline milt --version)" "$(node -p \
		"'milt ' + require('$PF_ROOT/addon/package.json').version")"
	milter_run "inet:$PF_MILTER_PORT@127.0.0.1" node_modules/.bin/milt \
		serve -p "inet:$PF_MILTER_PORT@127.0.0.1" "$JS/policy.milt"
	message
	sed -i 's/^Subject: .*/Subject: tempfail/' "$PF/msg"
	transaction
	is "$(reply .)" '452 4.3.1 later'
}
