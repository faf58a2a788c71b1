#!/usr/bin/python3
"""runc for a machine on which nobody may have every capability: privileged containers get those that there are."""

import json
import os
import sys

# In the order of their numbers, as in linux/capability.h.
NAMES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
    "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN "
    "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE "
    "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
).split()


def there():
    with open("/proc/self/status") as status:
        bound = next(int(line.split()[1], 16) for line in status if line.startswith("CapBnd:"))
    return {f"CAP_{name}" for number, name in enumerate(NAMES) if bound >> number & 1}


def lessen(path, process_of):
    with open(path) as file:
        config = json.load(file)
    sets = process_of(config).get("capabilities") or {}
    for kind, names in sets.items():
        sets[kind] = [name for name in names or [] if name in there()]
    with open(path, "w") as file:
        json.dump(config, file)


arguments = sys.argv[1:]
for option, value in zip(arguments, arguments[1:]):
    if option == "--bundle":
        lessen(os.path.join(value, "config.json"), lambda config: config["process"])
    if option == "--process":
        lessen(value, lambda process: process)
os.execvp("runc", ["runc", *arguments])
