# SPDX-License-Identifier: MIT
"""How a thread that a tool stopped goes on: registers of x86-64, and system calls that were
interrupted (arch/x86/kernel/signal.c, signal(7)).

A call that the kernel would restart by itself, were it not for the registers that we change, is
restarted by us, and so are those that end with EINTR whenever something stops them, unlike most,
whether or not a signal came: the program sees nothing.
"""

import ctypes
import struct

ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND, ERESTART_RESTARTBLOCK, EINTR = 512, 513, 514, 516, 4
RESTART_SYSCALL = 219
SYSCALL = b"\x0f\x05"
CODE_64 = 0x33

EPOLL_WAIT, EPOLL_PWAIT = 232, 281
# Calls that may be made again after EINTR: nothing has happened. Not connect() and close().
# read write poll ioctl? select pause nanosleep and so on wait; the last rows end with EINTR.
RESTARTABLE = frozenset((
    0, 1, 7, 19, 20, 23, 34, 35, 43, 44, 45, 46, 47, 61, 65, 69, 70, 72, 73, 74, 75,
    # futex, io_getevents, restart_syscall, semtimedop, clock_nanosleep, epoll_wait
    202, 208, 219, 220, 230, 232,
    # mq_timedsend, mq_timedreceive, waitid, pselect6, ppoll, epoll_pwait
    242, 243, 247, 270, 271, 281,
    # accept4, preadv, pwritev, recvmmsg, sendmmsg, rt_sigsuspend, rt_sigtimedwait
    288, 295, 296, 299, 307, 130, 128,
    # io_pgetevents, io_uring_enter, epoll_pwait2, futex_waitv, futex_wait
    333, 426, 441, 449, 455,
))  # fmt: skip

# Those of them that start a wait anew: (the argument with the time, whether it is a number of
# milliseconds). Without a time they wait for ever.
TIMED = {
    EPOLL_WAIT: (3, True),
    EPOLL_PWAIT: (3, True),
    441: (3, False),
    220: (3, False),
    128: (2, False),
    208: (4, False),
    333: (4, False),
    299: (4, False),
}


class Registers(ctypes.Structure):
    """struct user_regs_struct"""

    _fields_ = [
        (name, ctypes.c_uint64)
        for name in (
            "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss "
            "fs_base gs_base ds es fs gs"
        ).split()
    ]


def _signed(value):
    return value - (1 << 64) if value >> 63 else value


def in_call(registers):
    return _signed(registers.orig_rax) >= 0


def waits_again(call, arguments):
    """Whether this call, made again, would wait for its whole time again."""
    if call not in TIMED:
        return False
    number, is_milliseconds = TIMED[call]
    value = arguments[number]
    return (value & 0xFFFFFFFF) not in (0, 0xFFFFFFFF) if is_milliseconds else value != 0


def resume(registers, elapsed_ms):
    """Changes `registers` so that the thread goes on as it would have: an interrupted call again.

    `elapsed_ms` of an epoll_wait() are over. False for a call that can't be made again.
    """
    if not in_call(registers):
        return True
    result, call = _signed(registers.rax), registers.orig_rax
    if result == -ERESTART_RESTARTBLOCK:
        registers.rax = RESTART_SYSCALL
    elif -result in (ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND):
        registers.rax = call
    elif result == -EINTR:
        if call not in RESTARTABLE:
            return False
        registers.rax = call
        if call in (EPOLL_WAIT, EPOLL_PWAIT) and waits_again(call, (0, 0, 0, registers.r10)):
            # glibc's functions do not look at it after the call.
            registers.r10 = max((registers.r10 & 0xFFFFFFFF) - int(elapsed_ms), 0)
    else:
        return True  # it is over
    registers.rip -= len(SYSCALL)
    registers.orig_rax = (1 << 64) - 1  # nothing for the kernel to restart
    return True


def call_entry(registers, entry):
    """Has the thread run the entry (alloc/control/entry.cc) first; returns (address, words) that it
    finds below its red zone."""
    words = struct.pack("<QQ", registers.eflags, registers.rip)
    registers.rsp -= 128 + len(words)
    registers.rip = entry
    registers.orig_rax = (1 << 64) - 1
    return registers.rsp, words
