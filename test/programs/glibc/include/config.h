// SPDX-License-Identifier: MIT
// Stands in for a header that glibc's build makes.
