// SPDX-License-Identifier: MIT
// Included before every file of glibc's: what its private headers give its own tests, for files
// compiled outside its tree.
#pragma once
#include <linux/limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/cdefs.h>

// Symbols have no second, hidden name here.
#define libc_hidden_proto(...)
#define libc_hidden_def(...)
#define rtld_hidden_proto(...)
#define weak_alias(...)
#define attribute_hidden
#define attribute_relro
#define IS_IN(library) 0
#define __set_errno(value) (errno = (value))
#define _STACK_GROWS_DOWN 1
#define DEFAULT_STACK_PERMS (PROT_READ | PROT_WRITE)

// Folders of glibc's build and installation, which no malloc test reads.
#define SRCDIR_PATH "/"
#define OBJDIR_PATH "/"
#define OBJDIR_ELF_LDSO_PATH "/"
#define INSTDIR_PATH "/"
#define LIBDIR_PATH "/"
#define BINDIR_PATH "/"
#define SBINDIR_PATH "/"
#define SLIBDIR_PATH "/"
#define ROOTSBINDIR_PATH "/"
#define COMPLOCALEDIR_PATH "/"
