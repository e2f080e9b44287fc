"""Compiles the seccomp filter of isolated executions: a deny-list answering EPERM, made once by libseccomp.

A deny-list, since allow-lists kill innocent programs with every new libc. System calls of another architecture
(32-bit, x32) kill the process: libseccomp's filter checks the architecture first.
"""

from __future__ import annotations

import tempfile

DENIED = (
    "acct", "add_key", "bpf", "chroot", "clone3", "create_module", "delete_module", "fanotify_init", "finit_module",
    "fsconfig", "fsmount", "fsopen", "fspick", "get_kernel_syms", "init_module", "io_uring_enter", "io_uring_register",
    "io_uring_setup", "ioperm", "iopl", "kcmp", "kexec_file_load", "kexec_load", "keyctl", "lookup_dcookie", "mount",
    "mount_setattr", "move_mount", "move_pages", "msgctl", "msgget", "msgrcv", "msgsnd", "name_to_handle_at",
    "nfsservctl", "open_by_handle_at", "open_tree", "perf_event_open", "personality", "pidfd_getfd", "pivot_root",
    "process_vm_readv", "process_vm_writev", "ptrace", "query_module", "quotactl", "quotactl_fd", "reboot",
    "request_key", "semctl", "semget", "semop", "semtimedop", "setdomainname", "sethostname", "setns", "settimeofday",
    "shmat", "shmctl", "shmdt", "shmget", "swapoff", "swapon", "syslog", "umount", "umount2", "unshare",
    "userfaultfd", "uselib", "ustat", "vhangup", "vmsplice",
)  # fmt: skip
_NEW_NAMESPACES = 0x7E020080  # every CLONE_NEW* flag of clone(2)
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_ENOSYS, _EPERM = 38, 1


def compile_program(network: bool) -> bytes:
    """Compile the filter; raise ``OSError`` or ``ImportError`` without it."""
    import pyseccomp

    program = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    deny = pyseccomp.ERRNO(_EPERM)
    for name in DENIED:
        # The C library falls back to clone(2), whose flags can be looked at, when clone3(2) does not exist.
        action = pyseccomp.ERRNO(_ENOSYS) if name == "clone3" else deny
        try:
            program.add_rule(action, name)
        except (ValueError, RuntimeError, OSError):
            continue  # not a system call of this architecture
    for bit in range(32):
        if _NEW_NAMESPACES >> bit & 1:
            program.add_rule(deny, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, 1 << bit, 1 << bit))
    for request in (_TIOCSTI, _TIOCLINUX):
        program.add_rule(deny, "ioctl", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, 0xFFFFFFFF, request))
    if not network:
        program.add_rule(deny, "socket")
    with tempfile.TemporaryFile() as file:
        program.export_bpf(file)
        file.seek(0)
        return file.read()
