// SPDX-License-Identifier: MIT
// Included before all else (musl.cmake): what Debian's libstdc++, configured for glibc, expects of
// the C library. The names of character classes are never used: headers of locales mention them.
#pragma once

#define __GLIBC_PREREQ(major, minor) 0

#include <ctype.h>
#include <locale.h>

#define __locale_t locale_t
enum {
  _ISupper = 1,
  _ISlower = 2,
  _ISalpha = 4,
  _ISdigit = 8,
  _ISxdigit = 16,
  _ISspace = 32,
  _ISprint = 64,
  _ISblank = 128,
  _IScntrl = 256,
  _ISpunct = 512,
  _ISalnum = _ISalpha | _ISdigit
};

#include <bits/c++config.h>

#undef _GLIBCXX_USE_PTHREAD_COND_CLOCKWAIT
#undef _GLIBCXX_USE_PTHREAD_MUTEX_CLOCKLOCK
#undef _GLIBCXX_USE_PTHREAD_RWLOCK_CLOCKLOCK
