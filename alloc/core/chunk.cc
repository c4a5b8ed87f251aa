// SPDX-License-Identifier: MIT
#include "alloc/core/chunk.h"

#include <algorithm>

namespace spillway::core {
namespace {

// Bit i of the result: grains 8 i to 8 i + 7 of the word are all set.
uint64_t whole_pages(uint64_t grains) {
  grains &= grains >> 4;
  grains &= grains >> 2;
  grains &= grains >> 1;
  grains &= 0x0101010101010101;
  // Gathers the lowest bit of each byte in the highest byte.
  return (grains * 0x0102040810204080) >> 56;
}

// The reverse: eight set grains for each set bit of a byte.
uint64_t grains_of(uint64_t pages) {
  const uint64_t spread = ((pages & 0xff) * 0x8040201008040201 >> 7) & 0x0101010101010101;
  return __builtin_bswap64(spread) * 0xff;
}

// The pages of those units, `unit` neighbours at a multiple of it, for which `keeps` is true.
template <typename Keeps>
uint64_t units_that(uint32_t unit, Keeps keeps) {
  uint64_t pages = 0;
  for (uint32_t at = 0; at < Chunk::kBits; at += unit) {
    const uint64_t group = low_bits(unit) << at;
    pages |= keeps(group) ? group : 0;
  }
  return pages;
}

}  // namespace

bool Chunk::claim(uint32_t first, uint32_t grains, uint32_t& undone) {
  undone = 0;
  const Words words(first, grains);
  for (uint32_t index = words.first; index <= words.last; ++index) {
    const uint64_t wanted = words.mask(index);
    // relaxed: the exchange decides.
    uint64_t before = free_[index].load(std::memory_order_relaxed);
    do {
      if ((before & wanted) != wanted) {
        undone = index != words.first ? index * kBits - first : 0;
        while (index-- > words.first) {
          put_back(index, words.mask(index));
        }
        return false;
      }
      // acquire: pairs with the releases in give() and put_back(), whose thread wrote to the
      // grains. seq_cst: before the caller looks at what lies behind; pairs with give(), whose
      // caller looks at what lies in front.
    } while (!free_[index].compare_exchange_weak(
        before, before & ~wanted, std::memory_order_seq_cst, std::memory_order_relaxed));
  }
  return true;
}

uint32_t Chunk::mark_dirty(uint32_t first, uint32_t grains) {
  const Words pages = pages_of(first, grains);
  uint32_t beside = 0;
  for (uint32_t index = pages.first; index <= pages.last; ++index) {
    const uint64_t mask = pages.mask(index);
    // relaxed: before the release in give(), with which the pages become free.
    if ((recent_[index].load(std::memory_order_relaxed) & mask) == mask) {
      continue;
    }
    const uint64_t clean = mask & ~dirty_word(index);
    recent_[index].fetch_or(mask, std::memory_order_relaxed);
    // Only the pages at the run's ends have other grains.
    for (const uint32_t page : {first / kGrainsPerPage, (first + grains - 1) / kGrainsPerPage}) {
      if (page / kBits == index && (clean >> page % kBits & 1) != 0) {
        // relaxed: a taker that claims one at this moment counts it as well, or neither does.
        const uint64_t free = free_[page / kGrainsPerPage].load(std::memory_order_relaxed);
        beside += count_bits(free >> page % kGrainsPerPage * kGrainsPerPage & 0xff);
      }
      if (first / kGrainsPerPage == (first + grains - 1) / kGrainsPerPage) {
        break;
      }
    }
  }
  return beside;
}

bool Chunk::give(uint32_t first, uint32_t grains) {
  const Words words(first, grains);
  uint64_t twice = 0;
  for (uint32_t index = words.first; index <= words.last; ++index) {
    const uint64_t mask = words.mask(index);
    // release: pairs with the acquire in claim(). seq_cst: pairs with word().
    twice |= free_[index].fetch_or(mask, std::memory_order_seq_cst) & mask;
  }
  return twice == 0;
}

uint32_t Chunk::clean_grains(uint32_t first, uint32_t grains) const {
  const Words pages = pages_of(first, grains);
  const uint32_t last_page = (first + grains - 1) / kGrainsPerPage;
  // Grains of the first and of the last page that are not of the run.
  const uint32_t in_front = first % kGrainsPerPage;
  const uint32_t behind = (last_page + 1) * kGrainsPerPage - (first + grains);
  uint32_t clean = 0;
  for (uint32_t index = pages.first; index <= pages.last; ++index) {
    // Each word is read once: a neighbour that is freed meanwhile makes a page at the edge dirty.
    const uint64_t mask = pages.mask(index) & ~dirty_word(index);
    if (mask == 0) {
      continue;
    }
    clean += count_bits(mask) * kGrainsPerPage;
    if (index == pages.first && (mask >> (first / kGrainsPerPage % kBits) & 1) != 0) {
      clean -= in_front;
    }
    if (index == pages.last && (mask >> (last_page % kBits) & 1) != 0) {
      clean -= behind;
    }
  }
  return clean;
}

void Chunk::age_pages() {
  for (uint32_t index = 0; index < kPageWords; ++index) {
    // relaxed: a page freed meanwhile is recent before or after.
    const uint64_t recent = recent_[index].load(std::memory_order_relaxed);
    if (recent != 0) {
      aged_[index].fetch_or(recent, std::memory_order_relaxed);
      // release: pairs with the acquire in dirty_word(); a page is marked at each moment.
      recent_[index].fetch_and(~recent, std::memory_order_release);
    }
  }
}

uint64_t Chunk::free_pages(uint32_t index, uint32_t unit) const {
  uint64_t whole = 0;
  for (uint32_t byte = 0; byte < 8; ++byte) {
    // relaxed: a momentary answer; claim() decides.
    const uint64_t free = free_[index * 8 + byte].load(std::memory_order_relaxed);
    whole |= free != 0 ? whole_pages(free) << (byte * 8) : 0;
  }
  return unit == 1 || whole == 0
             ? whole
             : units_that(unit, [&](uint64_t group) { return (whole & group) == group; });
}

// Most of a heap's chunks are in use as a whole, or free as a whole (bench_snapshot).
Chunk::FreeGrains Chunk::count(uint32_t unit) const {
  FreeGrains sum;
  for (uint32_t index = 0; index < kPageWords; ++index) {
    // relaxed, all: a momentary answer.
    uint64_t any = 0;
    uint64_t all = ~uint64_t{0};
#pragma GCC unroll 8
    for (uint32_t byte = 0; byte < 8; ++byte) {
      const uint64_t free = free_[index * 8 + byte].load(std::memory_order_relaxed);
      any |= free;
      all &= free;
    }
    if (any == 0) {
      continue;
    }
    const uint64_t recent_pages = recent_[index].load(std::memory_order_relaxed);
    const uint64_t aged_pages = aged_[index].load(std::memory_order_relaxed);
    if (all == ~uint64_t{0} && (recent_pages | aged_pages) == 0) {
      sum.clean += kBits * kGrainsPerPage;
      continue;
    }
    const uint64_t whole = free_pages(index, unit);
    for (uint32_t byte = 0; byte < 8; ++byte) {
      const uint64_t free = free_[index * 8 + byte].load(std::memory_order_relaxed);
      if (free == 0) {
        continue;
      }
      const uint64_t recent = grains_of(recent_pages >> (byte * 8) & 0xff);
      const uint64_t aged = grains_of(aged_pages >> (byte * 8) & 0xff) & ~recent;
      sum.recent += count_bits(free & recent);
      sum.aged += count_bits(free & aged);
      sum.clean += count_bits(free & ~recent & ~aged);
      sum.part += count_bits(free & (recent | aged) & ~grains_of(whole >> (byte * 8) & 0xff));
    }
  }
  return sum;
}

uint32_t Chunk::old_pages(uint32_t unit) const {
  uint32_t sum = 0;
  for (uint32_t index = 0; index < kPageWords; ++index) {
    sum += count_bits(free_pages(index, unit) & dirty_word(index));
  }
  return sum;
}

uint32_t Chunk::claim_old(uint64_t (&pages)[8], uint32_t max_pages, uint32_t unit, bool recent_too,
                          uint64_t (&undone)[8]) {
  uint32_t claimed = 0;
  max_pages -= max_pages % unit;
  for (uint32_t index = kPageWords; index-- > 0;) {
    pages[index] = 0;
    // relaxed: a look; a page that gets recent before it is claimed goes early, no more.
    const uint64_t recent = recent_too ? 0 : recent_[index].load(std::memory_order_relaxed);
    const uint64_t old = dirty_word(index);
    uint64_t whole = old != 0 ? free_pages(index, unit) : 0;
    whole = unit == 1 ? whole & old & ~recent : units_that(unit, [&](uint64_t group) {
      return (whole & group) == group && (old & group) != 0 && (recent & group) == 0;
    });
    whole = highest_set_bits(whole, claimed < max_pages ? max_pages - claimed : 0);
    while (whole != 0) {
      const auto first = static_cast<uint32_t>(std::countr_zero(whole));
      const uint32_t page = index * kBits + (first & ~(unit - 1));
      const uint64_t group = low_bits(unit) << (first & ~(unit - 1));
      uint32_t undone_grains = 0;
      if (claim(page * kGrainsPerPage, unit * kGrainsPerPage, undone_grains)) {
        pages[index] |= group;
        claimed += unit;
      }
      undone[index] |= low_bits(undone_grains / kGrainsPerPage) << page % kBits;
      whole &= ~group;
    }
  }
  return claimed;
}

uint32_t Chunk::give_pages(const uint64_t (&pages)[8], bool purged) {
  uint32_t made_clean = 0;
  for (uint32_t index = 0; index < kPageWords; ++index) {
    if (pages[index] == 0) {
      continue;
    }
    if (purged) {
      made_clean += count_bits(pages[index] & dirty_word(index));
      // relaxed: before the pages become free.
      recent_[index].fetch_and(~pages[index], std::memory_order_relaxed);
      aged_[index].fetch_and(~pages[index], std::memory_order_relaxed);
    }
    for (uint32_t byte = 0; byte < 8; ++byte) {
      const uint64_t grains = grains_of(pages[index] >> (byte * 8) & 0xff);
      if (grains != 0) {
        put_back(index * 8 + byte, grains);
      }
    }
  }
  return made_clean;
}

}  // namespace spillway::core
