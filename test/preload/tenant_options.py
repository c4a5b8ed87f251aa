#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tenant_options.py LIBRARY PROGRAM: how tenant_limits may be written. PROGRAM is `apart`; LIBRARY is preloaded.

A wrong entry gives exactly one line on stderr with its text; the others count: the statistics show their tenants.
"""
import os
import re
import subprocess
import sys

library, program = sys.argv[1:]
failures = 0


def expect(options, tenants, *wrong, many=""):
    """`tenants`: names and limits that are in force; `wrong`: the entries that are reported."""
    global failures
    environment = {"PATH": os.environ["PATH"], "LD_PRELOAD": library, "SPILLWAY_STATS": "prometheus", **options}
    result = subprocess.run([program, "16384", "20480"], env=environment, capture_output=True, text=True, timeout=300)
    lines = [line for line in result.stderr.splitlines() if line.startswith("spillway: ")]
    told = len(lines) == len(wrong) and all(
        re.fullmatch(rf"spillway: option tenant_limits: '{re.escape(entry)}' is {many or 'not NAME=SIZE, as cache=64M'}", line)
        for entry, line in zip(wrong, lines))
    seen = dict(re.findall(r'^spillway_tenant_soft_limit_bytes\{.*,tenant="([^"]*)"\} (\d+)$', result.stderr, re.MULTILINE))
    if result.returncode != 0 or not told or seen != {name: str(limit) for name, limit in tenants.items()}:
        failures += 1
        print(f"{options}: status {result.returncode}, tenants {seen}, stderr:\n  " + "\n  ".join(lines))


MIB = 1 << 20
BOTH = {"cache": 64 * MIB, "web/1.x_-": 1 << 30}
expect({}, {})
for text in ("cache=64M,web/1.x_-=1G", "cache=64M+web/1.x_-=1G", "cache=65536K+web/1.x_-=1g", "cache=67108864,,web/1.x_-=1G"):
    expect({"SPILLWAY_TENANT_LIMITS": text}, BOTH)
expect({"SPILLWAY_CONF": "thp:never,tenant_limits:cache=64M+web/1.x_-=1G,verbose:0"}, BOTH)
expect({"SPILLWAY_TENANT_LIMITS": "none"}, {})
expect({"SPILLWAY_TENANT_LIMITS": ""}, {})
expect({"SPILLWAY_TENANT_LIMITS": "a=1,b=1125899906842624"}, {"a": 1, "b": 1 << 50})
expect({"SPILLWAY_TENANT_LIMITS": "a=1M,a=2M"}, {"a": 2 * MIB})
LONG = "x" * 48
for entry in ("a", "a=", "=1M", "a=0", "a=-1", "a=1.5G", "a=1X", "a=2M=3M", "a=many", "a b=1M", "a\"b=1M", "ä=1M", "a=1125899906842625", LONG + "=1M"):
    shown = re.sub(r"[^ -~]", "?", entry.encode().decode("latin-1"))
    expect({"SPILLWAY_TENANT_LIMITS": entry}, {}, shown)
    expect({"SPILLWAY_TENANT_LIMITS": f"x=1M,{entry},y=2M"}, {"x": MIB, "y": 2 * MIB}, shown)
ALL = {f"t{i}": 4096 for i in range(255)}
TEXT = ",".join(f"t{i}=4K" for i in range(100))
expect({"SPILLWAY_TENANT_LIMITS": TEXT}, {f"t{i}": 4096 for i in range(100)})
expect({"SPILLWAY_TENANT_LIMITS": "a=1M", "SPILLWAY_HARDENED": "1"}, {"a": MIB})
# No tenant is charged with the pool off: the option is not looked at.
expect({"SPILLWAY_TENANT_LIMITS": "a=1M", "SPILLWAY_ENABLED": "0"}, {})

sys.exit(1 if failures else 0)
