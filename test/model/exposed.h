// SPDX-License-Identifier: MIT
// Private members for tests that look at what no caller can: an explicit instantiation may name
// them.
//
//   struct IndexOf {
//     using Member = RunIndex PageHeap::*;
//     friend Member exposed(IndexOf);
//   };
//   template struct Expose<IndexOf, &PageHeap::index_>;
//   heap.*exposed(IndexOf{})
#pragma once

namespace spillway::model {

template <typename Name, typename Name::Member kMember>
struct Expose {
  friend typename Name::Member exposed(Name /*name*/) { return kMember; }
};

}  // namespace spillway::model
