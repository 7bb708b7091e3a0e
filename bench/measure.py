# SPDX-License-Identifier: MIT
"""What bench/run and bench/cache share: one measurement with the generator, medians, and the machine they hold for."""

import json
import os
import platform
import re
import statistics
import subprocess

import servers


def generate(cpu, build, work, server, request, connections, depth, duration_ms, status, during):
    """Runs load.c; calls during() when all connections stand and again when all is answered. Returns its figures."""
    request_file = os.path.join(work, f"request.{server.port}")
    with open(request_file, "wb") as file:
        file.write(request)
    command = [os.path.join(build, "bench", "load"), str(server.port), request_file, str(connections), str(depth),
               str(duration_ms), str(status), *(["tls"] if server.transport == "https" else [])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          preexec_fn=lambda: os.sched_setaffinity(0, {cpu})) as load:
        if load.stdout.readline() != "ready\n":
            raise servers.Failure(f"{server.name}: the generator failed")
        before = during()
        load.stdin.write("\n")
        load.stdin.flush()
        line = load.stdout.readline()
        if not line:
            raise servers.Failure(f"{server.name}: the generator failed")
        after = during()
        load.stdin.close()
    return json.loads(line), before, after


def generate_h2(cpu, server, arguments, clients, streams, count):
    """
    Runs h2load for `count` 304s over HTTP/2. Returns its figures, and the server's CPU time before and after, in which the handshakes
    are: eight, some thousandth of a second's work.
    """
    command = ["h2load", "-t", "1", "-c", str(clients), "-m", str(streams), "-n", str(count), "--tls13-ciphers=" + servers.CIPHER,
               *arguments]
    before = server.cpu_ns()
    done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=lambda: os.sched_setaffinity(0, {cpu}))
    after = server.cpu_ns()
    seconds = re.search(r"^finished in ([0-9.]+)(us|ms|s),", done.stdout, re.M)
    if not seconds or f" {count} succeeded, 0 failed" not in done.stdout or f" {count} 3xx, " not in done.stdout:
        raise servers.Failure(f"{server.name}: not {count} 304s over HTTP/2: {done.stdout[-800:]}{done.stderr[-200:]}")
    unit = {"us": 1e-6, "ms": 1e-3, "s": 1}[seconds.group(2)]
    return {"answers": count, "seconds": float(seconds.group(1)) * unit, "p99_us": 0}, before, after


def summary(results):
    """{row: {server: {"ns", "low", "high", "per_second", "p99_us"}}} of lists of (ns, per second, p99)."""
    return {row: {name: {"ns": statistics.median(run[0] for run in runs), "low": min(run[0] for run in runs),
                         "high": max(run[0] for run in runs), "per_second": statistics.median(run[1] for run in runs),
                         "p99_us": statistics.median(run[2] for run in runs)}
                  for name, runs in by_name.items()} for row, by_name in results.items()}


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        model = re.search(r"^model name\s*: (.*)$", info.read(), re.M)
    with open("/etc/os-release", encoding="utf-8") as release:
        system = re.search(r'^PRETTY_NAME="?([^"\n]*)', release.read(), re.M)
    return (f"{model.group(1).strip() if model else platform.machine()}, {os.cpu_count()} CPUs, "
            f"Linux {platform.release()}, {system.group(1) if system else 'unknown system'}")
