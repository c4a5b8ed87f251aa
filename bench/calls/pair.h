// malloc and free of one block, nothing else live: the commonest pattern, and the lower bound of an
// allocator's cost. It stays on the fastest path of every allocator and says nothing about a miss.
#pragma once

namespace bench {

// Rows: empty (the loop alone), pair/SIZE, pair_word/SIZE (the block's first word is written).
void register_pairs();

}  // namespace bench
