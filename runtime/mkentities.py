"""
Writes the table of HTML's named character references (HTML 13.5) as C, sorted
by name, from what Python knows of them.  Run by the Makefile.
"""
from html.entities import html5

print('#include "runtime/html_token.h"\n')
print("const struct html_entity html_entities[] = {")
names = sorted(name[:-1] for name in html5 if name.endswith(";"))
for name in names:
    octets = "".join(f"\\{octet:03o}" for octet in html5[name + ";"].encode())
    print(f'\t{{ "{name}", "{octets}", {int(name in html5)} }},')
print("};")
print(f"const size_t html_entity_count = {len(names)};")
