#!/usr/bin/env bats
# Odd and large messages.

. "$BATS_TEST_DIRNAME/common.bash"

teardown()
{
	milter_stop
	rm -f "$PF/msg"
}

@test "8-bit header values are decided and arrive as they were" {
	policy 'rule r { when header.subject contains "GRÜẞE" reject "no" }
rule s { when header("X-Bin") exists add header "X-Ok" "1" }'
	printf 'Subject: sch\303\266ne Gr\303\274\303\237e\n\nx\n' >"$PF/msg"
	transaction
	is "$(reply .)" '550 5.7.1 no'
	printf 'X-Bin: \377\376\200 x\n\nbody \377\n' >"$PF/msg"
	transaction
	is "$(arrived)" "$(printf 'Received: (Postfix)\nX-Bin: \377\376\200 x\nX-Ok: 1\n\nbody \377')"
}

@test "NUL in a header field" {
	policy 'rule r { when header("X-Nul") is "a" reject "cut" }'
	printf 'X-Nul: a\0b\nSubject: x\n\nx\n' >"$PF/msg"
	transaction
	is "$(reply .)" '550 5.7.1 cut'
}

@test "a message without a header" {
	policy 'rule r { when body.text contains "virus" reject "no" }'
	printf '\nvirus\n' >"$PF/msg"
	transaction
	is "$(reply .)" '550 5.7.1 no'
	printf '\nx\n' >"$PF/msg"
	transaction
	is "$(reply . | cut -c1-3)" 250
}

@test "NUL in the body" {
	policy 'rule r { when body.raw contains "a\u{0}b" reject "nul" }'
	printf 'Subject: x\n\na\0b\n' >"$PF/msg"
	transaction
	is "$(reply .)" '550 5.7.1 nul'
}

@test "a header field of 60 KB" {
	policy 'rule r { when header("X-Long") contains "needle" reject "found" }'
	{ printf 'X-Long: '
		head -c 59900 /dev/zero | tr '\0' x
		printf 'needle\nSubject: x\n\nx\n'; } >"$PF/msg"
	transaction
	is "$(reply .)" '550 5.7.1 found'
}

@test "a header field of 60 KB passes" {
	policy 'rule r { when header("X-Long") contains "needle" reject "found" }'
	{ printf 'X-Long: '
		head -c 59900 /dev/zero | tr '\0' x
		printf '\nSubject: x\n\nx\n'; } >"$PF/msg"
	transaction
	is "$(reply . | cut -c1-3)" 250
}

@test "3000 header fields" {
	policy 'rule r { when count(headers) > 2999 reject "{header.subject}" }'
	{ seq -f 'X-%g: x' 3000; printf 'Subject: many\n\nx\n'; } >"$PF/msg"
	transaction
	is "$(reply .)" '550 5.7.1 many'
}

@test "a message of 9 MB, looked at to its end" {
	policy 'rule r { when body.raw ends with "needle\r\n" reject "found at {body.size}" }'
	{ printf 'Subject: x\n\n'
		yes 'The quick brown fox jumps over the lazy dog, and so on, 76 in all ........' |
			head -c 9000000
		printf '\nneedle\n'; } >"$PF/msg"
	transaction
	[[ $(reply .) == '550 5.7.1 found at 9'* ]]
}

@test "a message of 9 MB arrives octet by octet" {
	policy 'rule r { when body.raw contains "nothing of the kind" reject "no" }
rule s { add header "X-Seen" "1" }'
	{ printf 'Subject: x\n\n'
		yes 'The quick brown fox jumps over the lazy dog, and so on, 76 in all ........' |
			head -c 9000000
		printf '\nend\n'; } >"$PF/msg"
	transaction
	is "$(arrived | sed '1,/^$/d' | md5sum)" \
		"$(sed '1,/^$/d' "$PF/msg" | md5sum)"
}

@test "a message beyond the scan limit is passed on by size alone" {
	policy 'option scan-limit 1MB
rule r { when body.size > 2000000 reject "{body.size}" }'
	{ printf 'Subject: x\n\n'; yes 'abcdefg' | head -c 2400000; } >"$PF/msg"
	transaction
	is "$(reply .)" '550 5.7.1 2700000'
}

@test "no header at all" {
	policy 'rule r { when header.from malformed reject "no from" }'
	printf '\nbody\n' >"$PF/msg"
	transaction
	is "$(reply .)" '550 5.7.1 no from'
}

@test "no body" {
	policy 'rule r { when body.size is 0 add header "X-Empty" "1" }'
	printf 'Subject: x\n' >"$PF/msg"
	transaction
	arrived | grep -q '^X-Empty: 1'
}

@test "a bare CR in a header field" {
	policy 'rule r { when header.subject contains "needle" reject "found" }'
	printf 'Subject: a\rneedle\r\n\r\nx\r\n' >"$PF/msg"
	send xclient "$CLIENT" ehlo mx.client.test mail bob@client.test \
		rcpt amy@example.com raw "$PF/msg" || true
	is "$(reply .)" '550 5.7.1 found'
}

@test "200 recipients" {
	policy 'rule r { when count(recipients) >= 200 reject "many" }'
	message
	local steps=() i
	for i in $(seq 200); do
		steps+=(rcpt "u$i@example.com")
	done
	send xclient "$CLIENT" ehlo mx.client.test mail bob@client.test \
		"${steps[@]}" data "$PF/msg" >/dev/null || true
	is "$(reply DATA)" "550 5.7.1 many"
}
