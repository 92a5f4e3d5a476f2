#!/usr/bin/env bats
# milterc as a program: options, files it reads and writes, closed descriptors.

setup() {
	BUILD=${BUILD:-build}
	MILTERC=$(realpath "${MILTERC:-$BUILD/milterc}")
	T=$(mktemp -d /tmp/milterc.XXXXXX)
	cd "$T"
	cat >p.milt <<-END
		milt 1
		rule r {
		  when   helo is "x"
		  reject 550 5.7.1 "no"
		}
	END
}

teardown() {
	rm -rf "$T"
}

# status N COMMAND...
status() {
	run "${@:2}"
	echo "$output"
	[ "$status" -eq "$1" ]
}

is_image() { [ "$(head -c 4 "$1")" = milt ]; }

@test "a command takes its own options alone" {
	for c in "compile --check" "lint -o x" "test --strict" "fmt --json" \
		"explain -v" "dump --strict" "compile --bogus" "lint -z"; do
		status 2 "$MILTERC" $c p.milt
		[[ $output == "milterc: -"*" is no option of ${c%% *}"* ]]
	done
	[ ! -e p.miltc ]
	status 2 "$MILTERC" compile p.milt -o
	[[ $output == "milterc: -o needs a value"* ]]
}

# A policy, and what milterd logs of it.
logging() {
	cat >log.milt <<-'END'
		milt 1
		list ours of domain { example.com }
		rule trusted "our own people" {
		  when client.ip in 192.0.2.0/24 or sasl.username exists
		  accept
		}
		rule no-relay {
		  when   recipient.domain not in ours
		  reject 550 5.7.1 "We do not relay for {recipient.domain}"
		}
		shadow rule big { when message.size > 1MB and sender is <> discard }
		rule spam { when header.subject contains "spam" and sender.local is "x y" reject "no spam" }
	END
	LOGGED='Nov 22 11:15:57 mx milterd[1]: 4XyZ: reject stage=rcpt rule=no-relay at=log.milt:7 client=mx.example.net[198.51.100.9] helo=<mx.example.net> from=<a@b.test> to=<bad@other.test> reply="550 5.7.1 We do not relay for other.test" time=0.12ms'
}

@test "lint shows all, other commands the first hundred, in order" {
	{
		echo 'milt 1'
		for i in {101..220}; do
			echo "rule a$i { when header.subject matches /spamword$i/ accept }"
		done
		for i in 1 2 3; do
			echo "rule b$i { when header.subject matches /^.{20$i}$/ accept }"
			echo "rule c$i { when header.subject matches /[0-9]{4}-[0-9]{4$i}/ accept }"
		done
	} >many.milt
	status 0 "$MILTERC" lint many.milt
	[ "$(grep -c 'W0401' <<<"$output")" = 120 ]
	[ "$(grep -c 'W0405' <<<"$output")" = 3 ]
	[[ $output != *more* ]]
	"$MILTERC" lint --json many.milt >all
	[ "$(jq -r '[length, .[0].line, .[-1].line] | @csv' all)" = 124,1,126 ]
	status 1 "$MILTERC" compile --strict many.milt
	[ "$(grep -c 'W0' <<<"$output")" = 100 ]
	[[ $output == *'
and 24 more warnings
`milterc lint` shows all' ]]
	sed 's/header.subject/header.subjcet/' many.milt >bad.milt
	status 1 "$MILTERC" compile bad.milt
	[[ $output == *'
and 26 more errors
`milterc lint` shows all' ]]
	status 1 "$MILTERC" lint bad.milt
	[ "$(grep -c E02 <<<"$output")" = 126 ]
}

@test "explain --cost: beyond the budget too" {
	sed 's/milt 1/milt 1\noption budget 1/; s/helo is "x"/helo is "x" or helo contains "spam"/' p.milt >b.milt
	run bash -c "'$MILTERC' explain --cost b.milt 2>err"
	[ "$status" -eq 1 ]
	[[ $output == "r (b.milt:3)
  reached  at helo, by value of helo or texts in helo"*"helo: 2"* ]]
	[[ $(<err) == 'b.milt:2:1: error[E0510]:'* ]]
	status 1 "$MILTERC" explain b.milt
	[[ $output != *"reached  at"* ]]
	status 1 "$MILTERC" compile b.milt
	[ ! -e b.miltc ]
}

@test "an image is no policy, and said to be an image" {
	"$MILTERC" compile p.milt
	cp p.miltc renamed.milt
	tail -c +2 p.miltc >cut.miltc
	printf 'milt 1\ninclude "renamed.milt"\n' >inc.milt
	for c in compile lint test explain fmt "dump --after=parse"; do
		status 1 "$MILTERC" $c renamed.milt
		[[ $output == 'renamed.milt: error[E0708]: `renamed.milt` is a compiled image and no policy
  help: name the policy that it was made from (.milt)'* ]]
		[[ $output != *E01* ]]
	done
	status 1 "$MILTERC" lint cut.miltc
	[ "$output" = 'cut.miltc: error[E0708]: `cut.miltc` is a damaged image and no policy
  help: make it again from its policy: milterc compile' ]
	status 1 "$MILTERC" lint inc.milt
	[[ $output == 'inc.milt:2:9: error[E0708]: `renamed.milt` is a compiled image and no policy'* ]]
	# A policy may be called so.
	cp p.milt text.miltc
	status 0 "$MILTERC" lint text.miltc
	status 0 "$MILTERC" dump --after=emit p.miltc
}

@test "explain --log: the rule of a logged line, its source, and why" {
	logging
	status 0 "$MILTERC" explain --log "$LOGGED" log.milt
	[ "$output" = '4XyZ: reject at rcpt by no-relay (log.milt:7)
  reply: 550 5.7.1 We do not relay for other.test

    7 | rule no-relay {
    8 |   when   recipient.domain not in ours
    9 |   reject 550 5.7.1 "We do not relay for {recipient.domain}"
   10 | }

  its condition, by what the line tells
    false    recipient.domain in ours: other.test

  no rule above it decided
  trusted (log.milt:3): it did not hold
    false    client.ip in { 192.0.2.0/24 }: 198.51.100.9
    unknown  sasl.username exists, which the line does not tell' ]
	status 0 "$MILTERC" explain --log 'NOQUEUE: shadow rule=big at=old.milt:2 from=<>' log.milt
	[ "$output" = 'NOQUEUE: shadow by big (log.milt:11)
  When it was logged the rule stood at old.milt:2: the policy may have been another.

   11 | shadow rule big { when message.size > 1MB and sender is <> discard }

  its condition, by what the line tells
    unknown  message.size > 1048576, which the line does not tell
    true     sender is <>: <>' ]
	# `default` is at the first line of a policy without `otherwise`.
	status 0 "$MILTERC" explain --log 'x: accept stage=message rule=default at=log.milt:1 from=<>' log.milt
	[[ $output != *"the rule stood"* ]]
	status 0 "$MILTERC" explain --log 'x: reject stage=message rule=default at=log.milt:9 from=<>' log.milt
	[[ $output == *"the rule stood at log.milt:9"* ]]
	for at in /etc/milt/log.milt:11 ./log.milt:11 "$T/log.milt:11"; do
		for file in log.milt ./log.milt; do
			status 0 "$MILTERC" explain --log "x: shadow rule=big at=$at" "$file"
			[[ $output != *"the rule stood"* ]]
		done
	done
	for at in log.milt:1 blog.milt:11 /etc/log.milt:111; do
		status 0 "$MILTERC" explain --log "x: shadow rule=big at=$at" log.milt
		[[ $output == *"the rule stood"* ]]
	done
}

# because LINE POLICY: what is said of the rules above.
because() {
	"$MILTERC" explain --json --log "x: $1" "$2" |
		jq -r '.others[] | [.rule,.because] | @csv'
}

@test "explain --log: a rule above of the same kind may hold and not speak" {
	cat >same.milt <<-'END'
		milt 1
		rule a { when helo is "bad.test" reject "A" }
		rule b { when client.ip in 192.0.2.0/24 reject "B" }
		rule late { when body.text contains "x" reject "late" }
		rule c { when helo is "c.test" and sender.domain is "c.test" reject "C" }
		rule d { when recipient.domain is "d.test" and recipient.local is helo reject "D" }
		rule s { when sender.domain is header.from.domain accept }
		otherwise reject "nobody wants {sender}"
	END
	[ "$(because 'reject stage=rcpt rule=b client=x[192.0.2.7] helo=<bad.test> from=<a@b.test> to=<r@d.test>' same.milt)" = '"a","it holds, and another one speaks for it"' ]
	[ "$(because 'reject stage=rcpt rule=b client=x[192.0.2.7] helo=<other.test> from=<a@b.test>' same.milt)" = '"a","it did not hold"' ]
	[ "$(because 'reject stage=rcpt rule=b client=x[192.0.2.7] from=<a@b.test>' same.milt)" = '"a","it did not hold, or another one speaks for it"' ]
	# Certain no earlier than `a`, which would have spoken.
	[ "$(because 'reject stage=rcpt rule=c client=x[203.0.113.7] from=<a@c.test>' same.milt | head -1)" = '"a","it did not hold"' ]
	[ "$(because 'reject stage=rcpt rule=default client=x[203.0.113.7] helo=<h.test> from=<a@b.test> to=<h.test@d.test>' same.milt)" = '"a","it did not hold"
"b","it did not hold"
"late","it is known from message on, and the answer was certain before"
"c","it did not hold"
"d","it holds, and another one speaks for it"
"s","it did not hold"' ]
	[ "$("$MILTERC" explain --json --log 'x: accept stage=message rule=s from=<a@b.test>' same.milt | jq -r '.parts[0].value')" = unknown ]
}

@test "explain --log: rules that changed the message, and what is noted" {
	cat >n.milt <<-'END'
		milt 1
		rule one "first" { when client.ip in 192.0.2.0/24 log "seen {helo}" }
		rule two { when sender.domain is "b.test" quarantine "q" add header "X" "y" }
		shadow rule three { when recipient.domain is "d.test" reject "n" }
		rule four { accept }
	END
	for line in 'q: accept stage=message rule=four at=n.milt:5 from=<a@b.test> effects=two/quarantine,two/add-header,gone/delay,+3 time=1ms' \
		'{"id":"q","verdict":"accept","stage":"message","rule":"four","sender":"a@b.test","effects":[{"rule":"two","effect":"quarantine"},{"rule":"two","effect":"add header"},{"rule":"gone","effect":"delay"}]}'; do
		status 0 "$MILTERC" explain --log "$line" n.milt
		[[ $output == *'
  what was changed
  two (n.milt:3): quarantine
    3 | rule two { when sender.domain is "b.test" quarantine "q" add header "X" "y" }
    true     sender.domain is "b.test": b.test
  two (n.milt:3): add header
  gone: delay, by a rule that the policy does not have' ]]
	done
	for line in 'q: ignored rule=three at=n.milt:4 from=<a@b.test> to=<x@d.test> failure="too deep"' \
		'{"id":"q","note":"ignored","rule":"three","sender":"a@b.test","recipient":"x@d.test","failure":"too deep"}'; do
		status 0 "$MILTERC" explain --log "$line" n.milt
		[ "$output" = 'q: ignored by three (n.milt:4)
  it could not be decided: too deep

    4 | shadow rule three { when recipient.domain is "d.test" reject "n" }

  its condition, by what the line tells
    true     recipient.domain is "d.test": d.test' ]
	done
	# The text of a note says nothing about the note.
	for line in 'q: note rule=one at=n.milt:2 client=x[192.0.2.1] text="a" rule=two"' \
		'{"id":"q","note":"log","rule":"one","client":"x[192.0.2.1]","text":"a\" rule=two"}'; do
		status 0 "$MILTERC" explain --log "$line" n.milt
		[ "$output" = 'q: note by one (n.milt:2)
  first
  text: a" rule=two

    2 | rule one "first" { when client.ip in 192.0.2.0/24 log "seen {helo}" }

  its condition, by what the line tells
    true     client.ip in { 192.0.2.0/24 }: 192.0.2.1' ]
	done
	for line in 'q: question rule=one at=n.milt:2 failure="late" time=1ms' \
		'{"id":"q","question":"js","rule":"one","failure":"late"}'; do
		status 0 "$MILTERC" explain --log "$line" n.milt
		[ "$(head -3 <<<"$output")" = 'q: question by one (n.milt:2)
  first
  it could not be decided: late' ]
	done
}

@test "explain --log: regexes as they are written" {
	cat >re.milt <<-'END'
		milt 1
		rule r {
		  when helo matches /spam "(\d+)"\/\\/ or helo matches /a.c/is or
		    raw header("X") matches /b/ or raw header("X") matches /c/mxu
		  accept
		}
	END
	status 0 "$MILTERC" explain --json --log 'q: accept stage=message rule=r' re.milt
	[ "$(jq -r '.parts[].part' <<<"$output")" = 'helo matches /spam "(\d+)"\/\\/
helo matches /a.c/is
raw header("x") matches /b/
raw header("x") matches /c/mxu' ]
}

@test "explain --log: JSON in and out, escapes, many lines, and other lines" {
	logging
	json='{"id":"A","verdict":"reject","stage":"headers","rule":"spam","file":"log.milt","line":12,"client":"unknown[192.0.2.1]","sender":"x\u0020y@x.test","recipients":["q@example.com"],"recipient_count":2,"code":550,"xcode":"5.7.1","text":["no","spam"]}'
	status 0 "$MILTERC" explain --json --log "$json" log.milt
	[ "$(jq -r '[.id,.verdict,.stage,.rule,.line,.reply] | @csv' <<<"$output")" = '"A","reject","headers","spam",12,"550 5.7.1 no / spam"' ]
	[ "$(jq -r '.parts[] | [.value,.part,.is] | @csv' <<<"$output")" = '"unknown","header.subject contains ""spam""",
"true","sender.local is ""x y""","x y"' ]
	[ "$(jq -r '.others[] | [.rule,.because,(.parts[] | .value)] | @csv' <<<"$output")" = '"trusted","by the line it holds: the policy may have been another","true","unknown"
"no-relay","it did not hold for those who were left","unknown"' ]
	status 0 "$MILTERC" explain --json --log 'x: reject stage=headers rule=spam at=log.milt:12 from=<x\x20y@x.test> to=<a@b>,+2' log.milt
	[ "$(jq -r '.parts[1].is' <<<"$output")" = 'x y' ]
	run bash -c "printf '%s\n' nonsense \"\$1\" '' \"\$2\" | '$MILTERC' explain --log - log.milt" - "$LOGGED" "$json"
	[ "$status" -eq 0 ]
	[ "$(grep -cE '^[A-Z0-9a-z]+: reject at' <<<"$output")" = 2 ]
	for line in '' nonsense '{' '{"verdict":5}' 'a: reject stage=nowhere' 'a: reject' \
		'milterd[1]: listening on fd:3' $'a: \xff\xfe'; do
		status 1 "$MILTERC" explain --log "$line" log.milt
		[ "$output" = 'milterc: that is no line about a decision of milterd' ]
	done
	status 1 "$MILTERC" explain --log 'x: reject stage=rcpt rule=gone' log.milt
	[ "$output" = 'milterc: the policy has no rule gone' ]
	status 2 "$MILTERC" explain --cost --log x log.milt
	status 2 "$MILTERC" explain --log
}

@test "what cannot be written is said" {
	for c in --help --version "compile --help" "explain p.milt" \
		"explain E0402" "test p.milt" "lint --json p.milt" "fmt -"; do
		run bash -c "'$MILTERC' $c >/dev/full <p.milt"
		[ "$status" -eq 3 ]
		[[ $output == *"cannot write"* ]]
		run bash -c "'$MILTERC' $c >&- <p.milt"
		[ "$status" -eq 3 ]
	done
}

@test "an image is not written over by what is said" {
	echo 'list unused of domain { example.com example.com }' >>p.milt
	run bash -c "'$MILTERC' compile --strict p.milt 2>&- >&- <&-"
	[ "$status" -eq 1 ]
	run bash -c "'$MILTERC' compile p.milt 2>&- >&- <&-"
	[ "$status" -eq 0 ]
	is_image p.miltc
	"$MILTERC" dump --after=emit p.miltc
}

@test "output to what is no regular file" {
	ln -s /dev/full full
	status 3 "$MILTERC" compile -o full p.milt
	[[ $output == *"cannot write full: No space left"* ]]
	[ -L full ] && [ -c /dev/full ]
	status 0 "$MILTERC" compile -o /dev/null p.milt
	[ -c /dev/null ]
	status 3 "$MILTERC" compile -o "$T" p.milt
	status 3 "$MILTERC" compile -o missing/p.miltc p.milt
	[[ $output == *"cannot write missing/p.miltc: No such file"* ]]
	[ "$(ls)" = "full
p.milt" ]
}

@test "a file that is replaced keeps mode and links" {
	printf 'milt 1\notherwise    accept\n' >q.milt
	chmod 640 q.milt
	ln -s q.milt link.milt
	status 0 "$MILTERC" fmt link.milt
	[ -L link.milt ]
	[ "$(stat -c %a q.milt)" = 640 ]
	[ "$(sed -n 2p q.milt)" = "otherwise accept" ]
	status 0 "$MILTERC" compile p.milt
	chmod 600 p.miltc
	status 0 "$MILTERC" compile p.milt
	[ "$(stat -c %a p.miltc)" = 600 ]
}

@test "standard input" {
	run bash -c "'$MILTERC' compile - <p.milt"
	[ "$status" -eq 2 ]
	[[ $output == *"-o OUT.miltc"* ]]
	run bash -c "cat p.milt | '$MILTERC' compile -o p.miltc -"
	[ "$status" -eq 0 ]
	is_image p.miltc
}

@test "a FIFO is no policy and no list" {
	mkfifo f
	status 3 timeout 20 "$MILTERC" compile f
	[[ $output == *"cannot read \`f\`: Operation not supported"* ]]
	status 3 timeout 20 "$MILTERC" dump --after=emit f.miltc
	cat >l.milt <<-END
		milt 1
		include "f"
		list a of domain from "f"
		list b of domain from "/dev/zero"
		list c of domain from "."
		rule r { when helo in a or helo in b or helo in c accept }
	END
	status 1 timeout 20 "$MILTERC" compile l.milt
	[[ $output == *"l.milt:2:9: error[E0701]: \`f\` cannot be read: Operation not supported"* ]]
	[[ $output == *"l.milt:3:23: error[E0701]: \`f\` cannot be read: Operation not supported"* ]]
	[[ $output == *"l.milt:4:23: error[E0701]: \`/dev/zero\` cannot be read: File too large"* ]]
	[[ $output == *"l.milt:5:23: error[E0701]: \`.\` cannot be read: Is a directory"* ]]
}

@test "tests of a folder: links to folders are not followed" {
	mkdir -p d/e
	cp p.milt d/e/
	for i in a b c d e f; do ln -s .. d/e/$i; done
	status 0 timeout 60 "$MILTERC" test d
	[ "${lines[0]}" = "d/e/p.milt: 0 tests (the policy has none)" ]
	[ "${#lines[@]}" -eq 2 ]
}

@test "an image of another version, a broken one, none" {
	"$MILTERC" compile p.milt
	cp p.miltc v.miltc
	printf '\377' | dd of=v.miltc bs=1 seek=16 conv=notrunc status=none
	status 1 "$MILTERC" dump --after=emit v.miltc
	[[ $output == *"made by another version: compile the policy again" ]]
	head -c 100 p.miltc >t.miltc
	status 1 "$MILTERC" dump --after=emit t.miltc
	status 3 "$MILTERC" dump --after=emit none.miltc
}

@test "lint --json of several files is one array" {
	printf 'milt 1\nrule {\n' >bad.milt
	run bash -c "'$MILTERC' lint --json p.milt bad.milt 2>err"
	[ "$status" -eq 1 ]
	[ ! -s err ]
	[ "$(grep -c '"code"' <<<"$output")" -ge 2 ]
	[ "$(head -c 1 <<<"$output")" = "[" ]
	[ "$(grep -c '^\[' <<<"$output")" -eq 1 ]
}

@test "what a code means" {
	status 0 "$MILTERC" explain E0501
	[ "$output" = "E0501: \`at\` is earlier than the rule's facts

A rule speaks when its condition and the values in its reply are known. \`at\`
can put it off, but not bring it forward.

This has it:

    milt 1
    rule r {
      at mail
      when header.subject absent
      reject \"no\"
    }

This does not:

    milt 1
    rule r {
      at headers
      when header.subject absent
      reject \"no\"
    }" ]
	status 2 "$MILTERC" explain E9999
	[ "${lines[0]}" = "milterc: there is no diagnostic E9999" ]
}

@test "50,000 rules of all verdicts are explained, and what holds them" {
	awk 'BEGIN {
		split("accept|discard|reject \"no\"|tempfail \"later\"", say, "|")
		split("helo is|sender.domain is|header.subject contains", ask,
		    "|")
		print "milt 1"
		for (i = 0; i < 50000; i++)
			print "rule r" i " { when " ask[i % 3 + 1] " \"x" i \
			    ".example\" " say[i % 4 + 1] " }" }' >p.milt
	"$MILTERC" explain p.milt >text
	[ "$(grep -c '^r[0-9]* ' text)" -eq 50000 ]
	[ "$(grep -A14 '^r49998 ' text)" = "\
r49998 (p.milt:50000): reject 550 5.7.1
  decided  at helo: \`helo\` is known from helo on
  held by  r1 (p.milt:3), which is known from mail on
  held by  r4 (p.milt:6), which is known from mail on
  held by  r5 (p.milt:7), which is known from headers on
  held by  r7 (p.milt:9), which is known from mail on
  held by  r8 (p.milt:10), which is known from headers on
  held by  r11 (p.milt:13), which is known from headers on
  held by  r13 (p.milt:15), which is known from mail on
  held by  r16 (p.milt:18), which is known from mail on
  held by  r17 (p.milt:19), which is known from headers on
  held by  r19 (p.milt:21), which is known from mail on
           and 24989 more
  spoken   at headers
  scope    session" ]
	"$MILTERC" explain --json p.milt | jq -e '.rules[49998] |
	    .name == "r49998" and .held_by_count == 24999 and
	    (.held_by | map(.name)) == ["r1", "r4", "r5", "r7", "r8",
		"r11", "r13", "r16", "r17", "r19"]'
}

@test "files that do not compile are no passed test" {
	echo 'rule' >>p.milt
	printf 'milt 1\ntest "t" { expect accept }\n' >q.milt
	run bash -c "'$MILTERC' test . 2>/dev/null"
	[ "$status" -eq 1 ]
	[ "${lines[-1]}" = "1 passed, 0 failed, 1 file not compiled" ]
	run bash -c "'$MILTERC' test --json . 2>/dev/null"
	[ "$status" -eq 1 ]
	[[ $output == *'"not_compiled": ['*'"./p.milt"'* ]]
}

@test "lint sees through large policies" {
	{
		echo 'milt 1'
		seq 20000 |
			sed 's/.*/rule r& { when helo is "h&" reject "no" }/'
		echo 'rule late { when client.port > 1 and helo is "h7" accept }'
		echo 'rule many { when'
		seq 50000 | sed 's/.*/helo is "h&" or/'
		echo 'sender is <> reject "no" }'
	} >large.milt
	status 0 timeout 100 "$MILTERC" lint large.milt
	[[ $output == *"large.milt:20002:6: warning[W0201]: rule \`late\` can never be reached"* ]]
	[[ $output == *"warning[W0302]: rule \`many\` refuses mail from <>"* ]]
}

@test "the policies in the reference compile, and their tests pass" {
	local n=0 f
	awk -v dir="$T" '
		/^```/ { inside = !inside; first = inside; file = ""; next }
		inside && first && $0 == "milt 1" { file = dir "/" ++n ".milt" }
		{ first = 0 }
		file != "" { print >file }
	' "$BATS_TEST_DIRNAME/../../dsl/reference.md"
	for f in "$T"/[0-9]*.milt; do
		"$MILTERC" test "$f"
		n=$((n + 1))
	done
	[ "$n" -ge 2 ]
}
