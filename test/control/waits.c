// SPDX-License-Identifier: MIT
// A process that waits in the system call that its argument names, or computes without one, while a
// tool wakes it: it must not notice. `until_*` wait for what a child of it does once it is told so
// on standard input; the others for the milliseconds of the second argument, if there is one.
// Prints "waiting" before it waits, and then how long it did; exits with 0 when the call ended as
// it would have. Without arguments: prints the names.
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static int milliseconds = 2000;
static struct timespec time_to_wait;

static int ends[2];  // of a socket pair: ours, the child's
static int epoll, semaphores, messages;
static int *word;  // shared with the child
static volatile sig_atomic_t signalled;

static void note_signal(int number) {
  (void)number;
  signalled = 1;
}

static void start_waiting(void) { CHECK(write(STDOUT_FILENO, "waiting\n", 8) == 8); }

// --- for a time ---

static void nanosleeps(void) { CHECK(nanosleep(&time_to_wait, NULL) == 0); }
static void clock_nanosleeps(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  at.tv_sec += time_to_wait.tv_sec + 1;
  CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == 0);
}
static void polls(void) {
  struct pollfd one = {ends[0], POLLIN, 0};
  CHECK(poll(&one, 1, milliseconds) == 0);
}
static void ppolls(void) {
  struct pollfd one = {ends[0], POLLIN, 0};
  sigset_t none;
  sigemptyset(&none);
  CHECK(ppoll(&one, 1, &time_to_wait, &none) == 0);
}
static void selects(void) {
  fd_set set;
  FD_ZERO(&set);
  FD_SET(ends[0], &set);
  struct timeval time = {time_to_wait.tv_sec, time_to_wait.tv_nsec / 1000};
  CHECK(select(ends[0] + 1, &set, NULL, NULL, &time) == 0);
}
static void epoll_waits(void) {
  struct epoll_event found;
  CHECK(epoll_wait(epoll, &found, 1, milliseconds) == 0);
}
static void epoll_pwaits(void) {
  struct epoll_event found;
  sigset_t none;
  sigemptyset(&none);
  CHECK(epoll_pwait(epoll, &found, 1, milliseconds, &none) == 0);
}
static void futexes(void) {
  CHECK(syscall(SYS_futex, word, FUTEX_WAIT, 0, &time_to_wait, NULL, 0) == -1 &&
        errno == ETIMEDOUT);
}
static void sigtimedwaits(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  CHECK(sigtimedwait(&set, NULL, &time_to_wait) == -1 && errno == EAGAIN);
}
static void semtimedops(void) {
  struct sembuf take = {0, -1, 0};
  CHECK(semtimedop(semaphores, &take, 1, &time_to_wait) == -1 && errno == EAGAIN);
}
static void receives_in_time(void) {
  struct timeval time = {time_to_wait.tv_sec, time_to_wait.tv_nsec / 1000};
  CHECK(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) == 0);
  char byte;
  CHECK(recv(ends[0], &byte, 1, 0) == -1 && errno == EAGAIN);
}

// --- until the child does something ---

static void until_read(void) {
  char byte;
  CHECK(read(ends[0], &byte, 1) == 1);
}
static void until_receive(void) {
  char byte;
  CHECK(recv(ends[0], &byte, 1, 0) == 1);
}
static void until_poll(void) {
  struct pollfd one = {ends[0], POLLIN, 0};
  CHECK(poll(&one, 1, -1) == 1 && one.revents == POLLIN);
}
static void until_select(void) {
  fd_set set;
  FD_ZERO(&set);
  FD_SET(ends[0], &set);
  CHECK(select(ends[0] + 1, &set, NULL, NULL, NULL) == 1);
}
static void until_epoll_wait(void) {
  struct epoll_event found;
  CHECK(epoll_wait(epoll, &found, 1, -1) == 1 && found.data.u32 == 77);
}
static void until_futex(void) {
  CHECK(syscall(SYS_futex, word, FUTEX_WAIT, 0, NULL, NULL, 0) == 0);
}
static void until_semop(void) {
  struct sembuf take = {0, -1, 0};
  CHECK(semop(semaphores, &take, 1) == 0);
}
static void until_message(void) {
  struct {
    long type;
    char text[8];
  } message;
  CHECK(msgrcv(messages, &message, sizeof message.text, 0, 0) == 1);
}
static void until_sigwait(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  CHECK(sigwaitinfo(&set, NULL) == SIGUSR2);
}
static void until_pause(void) { CHECK(pause() == -1 && errno == EINTR && signalled); }
static void until_sigsuspend(void) {
  sigset_t none;
  sigemptyset(&none);
  CHECK(sigsuspend(&none) == -1 && errno == EINTR && signalled);
}
// Interrupted by a signal with a handler, the call ends as it says.
static void until_interrupted(void) {
  struct epoll_event found;
  CHECK(epoll_wait(epoll, &found, 1, -1) == -1 && errno == EINTR && signalled);
}
static void until_child_ends(void) {
  int status;
  CHECK(waitpid(-1, &status, 0) > 0 && status == 0);
}

// --- without a call ---

#if __x86_64__
// All registers, and the flags, hold what no other code writes; a signal ends it.
static void until_computed(void) {
  uint64_t vector[2] = {0x0123456789abcdef, 0xfedcba9876543210};
  uint64_t wrong = 0;
  __asm__ volatile(
      "movdqu (%[vector]), %%xmm7\n"
      "movdqu (%[vector]), %%xmm15\n"
      "mov $0x1111111111111111, %%rbx\n"
      "mov $0x2222222222222222, %%rcx\n"
      "mov $0x3333333333333333, %%rdx\n"
      "mov $0x5555555555555555, %%r8\n"
      "mov $0x6666666666666666, %%r9\n"
      "mov $0x7777777777777777, %%r10\n"
      "mov $0x1234123412341234, %%r11\n"
      "mov $0x4444444444444444, %%r12\n"
      "mov $0x1010101010101010, %%r13\n"
      "mov $0x2020202020202020, %%r14\n"
      "mov %%rsp, %%r15\n"
      // the red zone
      "mov $0x4242424242424242, %%rax\n"
      "mov %%rax, -128(%%rsp)\n"
      "mov %%rax, -8(%%rsp)\n"
      "1:\n"
      "mov $0x1111111111111111, %%rax\n cmp %%rax, %%rbx\n jne 2f\n"
      "mov $0x2222222222222222, %%rax\n cmp %%rax, %%rcx\n jne 2f\n"
      "mov $0x3333333333333333, %%rax\n cmp %%rax, %%rdx\n jne 2f\n"
      "mov $0x5555555555555555, %%rax\n cmp %%rax, %%r8\n jne 2f\n"
      "mov $0x6666666666666666, %%rax\n cmp %%rax, %%r9\n jne 2f\n"
      "mov $0x7777777777777777, %%rax\n cmp %%rax, %%r10\n jne 2f\n"
      "mov $0x1234123412341234, %%rax\n cmp %%rax, %%r11\n jne 2f\n"
      "mov $0x4444444444444444, %%rax\n cmp %%rax, %%r12\n jne 2f\n"
      "mov $0x1010101010101010, %%rax\n cmp %%rax, %%r13\n jne 2f\n"
      "mov $0x2020202020202020, %%rax\n cmp %%rax, %%r14\n jne 2f\n"
      "cmp %%rsp, %%r15\n jne 2f\n"
      "mov $0x4242424242424242, %%rax\n"
      "cmp %%rax, -128(%%rsp)\n jne 2f\n"
      "cmp %%rax, -8(%%rsp)\n jne 2f\n"
      "movdqu (%[vector]), %%xmm0\n"
      "pcmpeqb %%xmm7, %%xmm0\n pmovmskb %%xmm0, %%eax\n cmp $0xffff, %%eax\n jne 2f\n"
      "movdqu (%[vector]), %%xmm0\n"
      "pcmpeqb %%xmm15, %%xmm0\n pmovmskb %%xmm0, %%eax\n cmp $0xffff, %%eax\n jne 2f\n"
      "cmpl $0, (%[flag])\n"
      "je 1b\n"
      "jmp 3f\n"
      "2: movq $1, %[wrong]\n"
      "3:\n"
      : [wrong] "+m"(wrong)
      : [vector] "S"(vector), [flag] "D"(&signalled), "m"(vector)
      : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0",
        "xmm7", "xmm15", "cc", "memory");
  CHECK(wrong == 0);
}
#endif

struct way {
  const char *name;
  void (*wait)(void);
  void (*trigger)(void);  // in the child; null: it takes its time
};

static void send_byte(void) { CHECK(write(ends[1], "x", 1) == 1); }
static void wake_word(void) {
  while (syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0) == 0) usleep(1000);
}
static void raise_semaphore(void) {
  struct sembuf give = {0, 1, 0};
  CHECK(semop(semaphores, &give, 1) == 0);
}
static void send_message(void) {
  struct {
    long type;
    char text[8];
  } message = {1, "x"};
  CHECK(msgsnd(messages, &message, 1, 0) == 0);
}
static void send_usr1(void) { kill(getppid(), SIGUSR1); }
static void send_usr2(void) { kill(getppid(), SIGUSR2); }
static void end(void) {}

static const struct way kWays[] = {
    {"nanosleep", nanosleeps, NULL},
    {"clock_nanosleep", clock_nanosleeps, NULL},
    {"poll", polls, NULL},
    {"ppoll", ppolls, NULL},
    {"select", selects, NULL},
    {"epoll_wait", epoll_waits, NULL},
    {"epoll_pwait", epoll_pwaits, NULL},
    {"futex", futexes, NULL},
    {"sigtimedwait", sigtimedwaits, NULL},
    {"semtimedop", semtimedops, NULL},
    {"recv", receives_in_time, NULL},
    {"until_read", until_read, send_byte},
    {"until_receive", until_receive, send_byte},
    {"until_poll", until_poll, send_byte},
    {"until_select", until_select, send_byte},
    {"until_epoll_wait", until_epoll_wait, send_byte},
    {"until_futex", until_futex, wake_word},
    {"until_semop", until_semop, raise_semaphore},
    {"until_message", until_message, send_message},
    {"until_sigwait", until_sigwait, send_usr2},
    {"until_pause", until_pause, send_usr1},
    {"until_sigsuspend", until_sigsuspend, send_usr1},
    {"until_interrupted", until_interrupted, send_usr1},
    {"until_child_ends", until_child_ends, end},
#if __x86_64__
    {"until_computed", until_computed, send_usr1},
#endif
};

static void prepare(void) {
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  epoll = epoll_create1(0);
  struct epoll_event wanted = {.events = EPOLLIN, .data = {.u32 = 77}};
  CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &wanted) == 0);
  word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  semaphores = semget(IPC_PRIVATE, 1, 0600);
  messages = msgget(IPC_PRIVATE, 0600);
  CHECK(word != MAP_FAILED && semaphores >= 0 && messages >= 0);
  struct sigaction action = {.sa_handler = note_signal};
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
}

int main(int count, char **arguments) {
  if (count < 2) {
    for (size_t i = 0; i < sizeof kWays / sizeof *kWays; i++) puts(kWays[i].name);
    return 0;
  }
  if (count > 2) milliseconds = atoi(arguments[2]);
  time_to_wait.tv_sec = milliseconds / 1000;
  time_to_wait.tv_nsec = milliseconds % 1000 * 1000000;
  const struct way *way = kWays;
  while (strcmp(way->name, arguments[1]) != 0) way++;
  prepare();
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) {
    char byte;
    if (way->trigger != NULL && read(STDIN_FILENO, &byte, 1) == 1 && getppid() == parent)
      way->trigger();
    _exit(0);
  }
  struct timespec before, after;
  clock_gettime(CLOCK_MONOTONIC, &before);
  start_waiting();
  way->wait();
  clock_gettime(CLOCK_MONOTONIC, &after);
  const long waited =
      (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
  semctl(semaphores, 0, IPC_RMID);
  msgctl(messages, IPC_RMID, NULL);
  if (way->trigger == NULL) CHECK(waited >= milliseconds - 1);
  printf("%ld\n", waited);
  return 0;
}
