// SPDX-License-Identifier: MIT
#include "bench/contention/native.h"

#include <asm/prctl.h>
#include <cpuid.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "bench/contention/fail.h"

extern "C" {
constinit bench::contention::NativeState contention_native;
void contention_enter();
void contention_enter_vectors();
void contention_leave();
void contention_leave_vectors();
}

// Offsets in contention_native: registers by number, flags 128, host_stack 144, target 152,
// vectors 160. The host's flags need no care but the direction, which has to be clear.
asm(R"(
    .text
    .macro save_host
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, 144+contention_native(%rip)
    .endm
    .macro load_guest
    pushq 128+contention_native(%rip)
    popfq
    mov 0+contention_native(%rip), %rax
    mov 8+contention_native(%rip), %rcx
    mov 16+contention_native(%rip), %rdx
    mov 24+contention_native(%rip), %rbx
    mov 32+contention_native(%rip), %rsp
    mov 40+contention_native(%rip), %rbp
    mov 48+contention_native(%rip), %rsi
    mov 56+contention_native(%rip), %rdi
    mov 64+contention_native(%rip), %r8
    mov 72+contention_native(%rip), %r9
    mov 80+contention_native(%rip), %r10
    mov 88+contention_native(%rip), %r11
    mov 96+contention_native(%rip), %r12
    mov 104+contention_native(%rip), %r13
    mov 112+contention_native(%rip), %r14
    mov 120+contention_native(%rip), %r15
    jmp *152+contention_native(%rip)
    .endm
    .macro store_guest
    mov %rax, 0+contention_native(%rip)
    mov %rcx, 8+contention_native(%rip)
    mov %rdx, 16+contention_native(%rip)
    mov %rbx, 24+contention_native(%rip)
    mov %rsp, 32+contention_native(%rip)
    mov %rbp, 40+contention_native(%rip)
    mov %rsi, 48+contention_native(%rip)
    mov %rdi, 56+contention_native(%rip)
    mov %r8, 64+contention_native(%rip)
    mov %r9, 72+contention_native(%rip)
    mov %r10, 80+contention_native(%rip)
    mov %r11, 88+contention_native(%rip)
    mov %r12, 96+contention_native(%rip)
    mov %r13, 104+contention_native(%rip)
    mov %r14, 112+contention_native(%rip)
    mov %r15, 120+contention_native(%rip)
    mov 144+contention_native(%rip), %rsp
    pushfq
    popq 128+contention_native(%rip)
    cld
    .endm
    .macro load_host
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
    .endm

    .type contention_enter, @function
contention_enter:
    save_host
    load_guest
    .size contention_enter, .-contention_enter

    .type contention_enter_vectors, @function
contention_enter_vectors:
    save_host
    mov $-1, %eax
    mov $-1, %edx
    mov 160+contention_native(%rip), %rcx
    xrstor64 (%rcx)
    load_guest
    .size contention_enter_vectors, .-contention_enter_vectors

    .type contention_leave, @function
contention_leave:
    store_guest
    load_host
    .size contention_leave, .-contention_leave

    .type contention_leave_vectors, @function
contention_leave_vectors:
    store_guest
    mov $-1, %eax
    mov $-1, %edx
    mov 160+contention_native(%rip), %rcx
    xsave64 (%rcx)
    load_host
    .size contention_leave_vectors, .-contention_leave_vectors
)");

namespace bench::contention {
namespace {

static_assert(offsetof(NativeState, registers.flags) == 128);
static_assert(offsetof(NativeState, host_stack) == 144);
static_assert(offsetof(NativeState, target) == 152);
static_assert(offsetof(NativeState, vectors) == 160);

// The area begins with a page of data: code that was next to data that is written would be slow.
constexpr std::size_t kDataBytes = 4096;
constexpr std::size_t kAreaBytes = std::size_t{8} << 20;
struct Data {
  uint64_t spare;  // what the spare register held
  void (*leave)();
  void (*leave_vectors)();
};

Data& data_of(uint8_t* area) { return *reinterpret_cast<Data*>(area); }

uint8_t number(Register low) { return static_cast<uint8_t>(low); }

bool has_gs_instructions() {
  constexpr unsigned long kFsGsBase = 1U << 1;  // HWCAP2_FSGSBASE
  static const bool has = (getauxval(AT_HWCAP2) & kFsGsBase) != 0;
  return has;
}

}  // namespace

NativeCode::NativeCode() {
  void* const memory = mmap(nullptr, kAreaBytes, PROT_READ | PROT_WRITE | PROT_EXEC,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    fail("the kernel gives no memory that is both writable and executable");
  }
  area_ = static_cast<uint8_t*>(memory);
  data_of(area_) = {0, contention_leave, contention_leave_vectors};
  used_ = kDataBytes;
}

NativeCode::~NativeCode() { munmap(area_, kAreaBytes); }

void NativeCode::put(std::span<const uint8_t> bytes) {
  std::copy(bytes.begin(), bytes.end(), area_ + used_);
  used_ += bytes.size();
}

void NativeCode::put_address(const void* to) {
  const auto distance =
      static_cast<int32_t>(static_cast<const uint8_t*>(to) - (area_ + used_ + sizeof(int32_t)));
  std::memcpy(area_ + used_, &distance, sizeof distance);
  used_ += sizeof distance;
}

void (*NativeCode::make(const Copy& copy, bool vector))() {
  constexpr std::size_t kMaxBytes = 64;
  if (used_ + kMaxBytes > kAreaBytes) {
    fail("more different instructions than expected");
  }
  uint8_t* const start = area_ + used_;
  Data& data = data_of(area_);
  const uint8_t spare = number(copy.spare);
  if (copy.rip_modrm != 0) {
    const uint64_t next = copy.address + copy.bytes.size();
    uint8_t bytes[sizeof next];
    std::memcpy(bytes, &next, sizeof next);
    put({0x48, 0x89, static_cast<uint8_t>(0x05 | spare << 3)});  // mov %spare, saved(%rip)
    put_address(&data.spare);
    put({0x48, static_cast<uint8_t>(0xb8 | spare)});  // movabs $next, %spare
    put(bytes);
  }
  uint8_t* const instruction = area_ + used_;
  put(copy.bytes);
  if (copy.rip_modrm != 0) {
    // Register and 32 bits of displacement in place of rip and as many.
    uint8_t& modrm = instruction[copy.rip_modrm];
    modrm = static_cast<uint8_t>(0x80 | (modrm & 0x38) | spare);
    put({0x48, 0x8b, static_cast<uint8_t>(0x05 | spare << 3)});  // mov saved(%rip), %spare
    put_address(&data.spare);
  }
  if (copy.replaces_fs) {
    constexpr uint8_t kFs = 0x64;
    constexpr uint8_t kGs = 0x65;
    *std::find(instruction, instruction + copy.bytes.size(), kFs) = kGs;
  }
  put({0xff, 0x25});  // jmp *leave(%rip)
  put_address(vector ? &data.leave_vectors : &data.leave);
  return reinterpret_cast<void (*)()>(start);
}

void execute(const Instruction& instruction) {
  contention_native.target = instruction.native;
  if (instruction.vector) {
    contention_enter_vectors();
  } else {
    contention_enter();
  }
}

void set_guest_thread(uint64_t thread_base) {
  if (has_gs_instructions()) {
    asm volatile("wrgsbase %0" : : "r"(thread_base));
  } else {
    syscall(SYS_arch_prctl, ARCH_SET_GS, thread_base);
  }
}

std::size_t vector_area_bytes() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  __cpuid_count(0xd, 0, a, b, c, d);
  return b;  // for what the kernel has enabled
}

void start_vectors(void* area) {
  asm volatile("xsave64 (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
}

const char* missing_for_native() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  constexpr unsigned kOsXsave = 1U << 27;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & kOsXsave) == 0) {
    return "a processor and kernel with XSAVE are needed";
  }
  return nullptr;
}

}  // namespace bench::contention
