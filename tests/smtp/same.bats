#!/usr/bin/env bats
# The same transactions through `milterc test` and through Postfix: the tests
# of the shipped policies and of the verdict cases, as far as SMTP and XCLIENT
# can express them.

. "$BATS_TEST_DIRNAME/common.bash"

# mta.name of a test that does not state another.
PF_HOSTNAME=server.invalid

# same_all FILE...: plays the tests of each policy; counts what was compared.
same_all()
{
	local milterc=${MILTERC:-$PF_BUILD/milterc} f status=0 n
	same_build
	: >"$PF/same.all"
	for f in "$@"; do
		# Postfix cannot set the clock back.
		! grep -q '^ *given now' "$f" || continue
		# milterd runs no functions: js.bats, tests/protocol/js.c.
		! grep -q '^ *js rule' "$f" || continue
		grep -q '^test ' "$f" || continue
		"$milterc" test --json "$f" >"$PF/same.json" || true
		milter_start "$f" || return 1
		"$PF/same" "$PF_PORT" <"$PF/same.json" >"$PF/same.out" ||
			status=1
		milter_stop
		cat "$PF/same.out" >>"$PF/same.all"
		if grep -q '^other ' "$PF/same.out"; then
			echo "# $f:"
			grep -E '^(other |#)' "$PF/same.out" | sed 's/^/# /'
		fi
	done
	echo "# $(grep -c '^same ' "$PF/same.all") the same," \
		"$(grep -c '^left out ' "$PF/same.all") left out"
	[ $status -eq 0 ]
}

@test "the shipped policies" {
	cd "$PF_ROOT"
	same_all policies/*.milt policies/*/*.milt
	[ "$(grep -c '^same ' "$PF/same.all")" -ge 100 ]
}

@test "the verdict cases" {
	cd "$PF_ROOT"
	same_all tests/cases/verdicts/*.milt
	[ "$(grep -c '^same ' "$PF/same.all")" -ge 300 ]
}
