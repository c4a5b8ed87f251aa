// SPDX-License-Identifier: MIT
// Page faults, counted without an allocation.
#pragma once

#include <sys/resource.h>

namespace bench {

inline double page_faults_of(const rusage& usage) {
  return static_cast<double>(usage.ru_minflt + usage.ru_majflt);
}

// Of this process so far.
inline double page_faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return page_faults_of(usage);
}

}  // namespace bench
