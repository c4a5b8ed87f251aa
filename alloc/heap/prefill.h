// SPDX-License-Identifier: MIT
// The option prefill.
#pragma once

namespace spillway::heap {

// Makes the blocks that the option names resident and keeps so much memory from then on. What is
// wrong with an entry is said in one line on stderr; the others count.
void prefill();

}  // namespace spillway::heap
