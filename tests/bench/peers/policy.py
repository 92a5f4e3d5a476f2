"""The rules of a policy that `cost --policy` wrote, for filters that cannot
read it themselves.  Knows the conditions of tests/bench/workload.c and stops
at any other."""

import re
import sys

KINDS = [
    ("subject", r"header\.subject matches /(.*)/i"),
    ("body", r"body\.raw matches /(.*)/i"),
    ("client", r"client\.ip in \{ (\S+) \}"),
    ("sender", r'sender\.domain is "([^"]*)"'),
    ("helo", r'helo under "([^"]*)" and sender\.local is "([^"]*)"'),
    ("mailer", r'header\("X-Mailer"\) is "([^"]*)"'),
    ("from", r'header\.from\.domain is "([^"]*)"'
             r' and sender\.domain is not "([^"]*)"'),
]
RULE = re.compile(r"rule r(\d+) \{ when (.*)\n"
                  r'  reject 550 5\.7\.1 "rule \1" \}\n')


def read(path):
    """For each kind the list of its rules: (number, operand...)."""
    rules = {kind: [] for kind, _ in KINDS}
    with open(path, encoding="ascii") as f:
        text = f.read().removeprefix("milt 1\n")
    end = 0
    for m in RULE.finditer(text):
        if m.start() != end:
            break
        end = m.end()
        for kind, form in KINDS:
            operands = re.fullmatch(form, m[2])
            if operands:
                rules[kind].append((int(m[1]), *operands.groups()))
                break
        else:
            sys.exit(f"{path}: no peer knows: {m[2]}")
    if end != len(text):
        sys.exit(f"{path}: no peer knows: {text[end:end + 80]}")
    return rules
