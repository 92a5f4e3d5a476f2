#!/usr/bin/env bats
# milterc and the functions of js rules: what is wrong with them, and with node.

setup() {
	BUILD=${BUILD:-build}
	MILTERC=$(realpath "${MILTERC:-$BUILD/milterc}")
	ROOT=$(realpath "$BATS_TEST_DIRNAME/../..")
	export MILT_ADDON=$ROOT/addon
	T=$(mktemp -d /tmp/milterc.XXXXXX)
	cd "$T"
	cat >h.mjs <<-'END'
		export const good = (tx, { reject }) => reject(`no ${tx.helo}`);
		export const throws = () => { throw new Error('boom\n\x1b[31m'); };
		export const rejects = async () => { throw 'bang'; };
		export const malformed = () => 'x';
		export const never = () => new Promise(() => {});
		export const busy = () => { for (;;); };
		export const exits = () => process.exit(5);
		export const dies = () => process.kill(process.pid, 'SIGKILL');
		export const talks = (tx, { accept }) => {
			console.log('printed');
			return accept();
		};
	END
}

teardown() {
	rm -rf "$T"
}

# policy FUNCTION [PART...]: a policy with one test, which wants a rejection.
policy() {
	cat >p.milt <<-END
		milt 1
		js rule r { when helo is "x"
		  call "h.mjs#$1" timeout ${TIME:-20s} on failure tempfail ${*:2} }
		test "t" { helo "x" expect reject by r }
	END
}

# fails REASON: the test fails for it, and the rule gives its on failure.
fails() {
	local status=0 lines
	"$MILTERC" test --js "${@:2}" p.milt >out 2>stderr || status=$?
	cat out stderr
	[ "$status" -eq 1 ]
	mapfile -t lines <out
	[ "${lines[3]}" = "      js rule r: $1" ]
	[[ ${lines[5]} == *"tempfail 451 4.7.1 because rule r failed"* ]]
	[ "${lines[6]}" = '0 passed, 1 failed' ]
}

@test "a function's verdict, and no answer where none is given" {
	policy good
	run "$MILTERC" test --js p.milt
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$output" = 'p.milt: 1 test
1 passed, 0 failed' ]
	run "$MILTERC" test p.milt
	[ "$status" -eq 1 ]
	[[ $output == *'js rule r is asked, and no answer is given (--js would ask its function)'* ]]
	run "$MILTERC" test --js --json p.milt
	[ "$(jq -r '.passed, .tests[0].outcome.verdicts[0].text' <<<"$output")" = '1
no x' ]
}

@test "functions that throw, answer wrongly, or may not" {
	policy throws
	fails "Error: boom  [31m"
	policy rejects
	fails bang
	policy malformed
	fails 'a hook returns nothing, a verdict such as reject(), effects, or a list of them, not "x"'
	policy good may accept
	fails 'not permitted by may'
	policy none
	fails '`h.mjs#none`: `h.mjs` exports no function `none`; it has busy, dies, exits, good, malformed, never, rejects, talks, throws'
	echo 'nonsense(' >h.mjs
	policy good
	fails "\`h.mjs#good\`: h.mjs:2: Unexpected end of input"
}

@test "functions that are silent, and that end their process" {
	TIME=500ms policy never
	fails 'no answer within 500 ms'
	TIME=500ms policy busy
	fails 'no answer within 500 ms'
	policy exits
	fails 'node has ended with status 5'
	policy dies
	fails 'node was ended by signal 9'
}

@test "a test behind one without an answer has a new node" {
	cat >p.milt <<-END
		milt 1
		js rule a { when helo is "a" call "h.mjs#busy" timeout 500ms on failure ignore }
		js rule b { when helo is "b" call "h.mjs#exits" timeout 20s on failure ignore }
		js rule c { when helo is "c" call "h.mjs#good" timeout 20s on failure ignore }
		test "a" { helo "a" expect accept }
		test "c" { helo "c" expect reject by c }
		test "b" { helo "b" expect accept }
		test "c again" { helo "c" expect reject by c }
	END
	run "$MILTERC" test --js -v p.milt
	echo "$output"
	[ "$(sed -nE 's/^  (ok|FAIL) +//p' <<<"$output")" = 'a
c
b
c again' ]
	[ "${lines[-1]}" = '2 passed, 2 failed' ]
}

@test "what a function prints is not in the results" {
	policy talks
	"$MILTERC" test --js --json p.milt >json 2>stderr || true
	[ "$(jq -r '.tests[0].outcome.verdicts[0].verdict' json)" = accept ]
	[ "$(cat stderr)" = printed ]
}

# program LINE...: a node that is none; it reads and writes descriptor 3.
program() {
	printf '%s\n' '#!/bin/bash' "$@" >program
	chmod +x program
}

@test "a node that talks nonsense, is silent, or ends" {
	policy good
	program 'read -r line <&3; echo nonsense >&3; sleep 20'
	fails 'node has answered nonsense' --node ./program
	program 'read -r line <&3; echo "{}" >&3; sleep 20'
	fails 'node has answered nonsense' --node ./program
	program 'tr -d "\n" </dev/zero >&3'
	fails 'node has answered nonsense' --node ./program
	loaded='read -r line <&3; echo "{\"wrong\":[]}" >&3; read -r line <&3'
	program "$loaded" 'echo "{\"id\":7,\"answer\":\"\"}" >&3; sleep 20'
	fails 'node has answered nonsense' --node ./program
	program "$loaded" 'echo "{\"id\":1,\"answer\":\"AAAA\"}" >&3; sleep 20'
	fails "the function's answer is malformed" --node ./program
	TIME=500ms policy good
	program "$loaded" 'exec sleep 20'
	fails 'no answer within 500 ms' --node ./program
	policy good
	program 'exit 3'
	fails 'node has ended with status 3' --node ./program
	program "$loaded" 'kill -9 $$'
	fails 'node was ended by signal 9' --node ./program
	: >program
	fails 'node has ended with status 127' --node ./program
}

@test "the example of the README" {
	awk '/^`[a-z.]+`:$/ { file = substr($0, 2, length($0) - 3) }
		/^```$/ { on = 0 } on { print >file } /^```[a-z]+$/ { on = file != "" }
		/^```$/ { file = "" }' "$ROOT/README.md"
	[ "$(ls *.milt *.mjs)" = 'h.mjs
tags.milt
tags.mjs' ]
	"$MILTERC" fmt --check tags.milt
	run "$MILTERC" lint --strict tags.milt
	echo "$output"
	[ "$output" = '' ]
	run "$MILTERC" test --js tags.milt
	echo "$output"
	[ "${lines[-1]}" = '3 passed, 0 failed' ]
}

@test "no node, no package" {
	policy good
	run env PATH=/nonexistent "$MILTERC" test --js p.milt
	[ "$status" -eq 3 ]
	[ "$output" = 'milterc: js rules cannot be run: there is no `node` in PATH; --node names another' ]
	run "$MILTERC" test --js --node ./none p.milt
	[ "$status" -eq 3 ]
	[ "$output" = 'milterc: js rules cannot be run: there is no `./none`' ]
	run env MILT_ADDON="$T" "$MILTERC" test --js p.milt
	[ "$status" -eq 3 ]
	[[ $output == 'milterc: js rules cannot be run: the JavaScript of milt is not found; MILT_ADDON names '* ]]
	policy none
	run env PATH=/nonexistent "$MILTERC" lint --strict p.milt
	[ "$status" -eq 0 ]
	[ "$output" = 'milterc: note: the functions of js rules are not checked: there is no `node` in PATH; --node names another' ]
	run "$MILTERC" lint --strict p.milt
	[ "$status" -eq 1 ]
	[[ $output == *'warning[W0208]: `h.mjs#none`: '* ]]
	run bash -c "'$MILTERC' lint --json p.milt | jq -r '.[] | [.code, .line, .column] | @csv'"
	[ "$output" = '"W0208",3,3' ]
}
