// SPDX-License-Identifier: MIT
#include <zstd.h>

#include <memory>
#include <string>

#include "bench/trace/format.h"
#include "bench/trace/varint.h"

namespace bench::trace {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr int kLevel = 19;  // written once, read often

Bytes content_of(const Recording& recording) {
  Bytes heads, threads, sizes, ends, alignments;
  std::uint16_t thread = 0;
  std::uint32_t made = 0;
  for (const Event& event : recording.events) {
    if (event.thread != thread) {
      thread = event.thread;
      heads.push_back(kSwitch);
      put_number(threads, thread);
    }
    heads.push_back(static_cast<std::uint8_t>(event.op));
    if (ends_block(event.op)) {
      put_number(ends, made - 1 - event.ended);
    }
    if (makes_block(event.op)) {
      put_number(sizes, event.size);
      ++made;
    }
    if (event.op == Op::kAligned) {
      alignments.push_back(event.alignment_log2);
    }
  }
  Bytes content;
  put_number(content, recording.program.size());
  content.insert(content.end(), recording.program.begin(), recording.program.end());
  put_number(content, recording.threads);
  put_number(content, recording.events.size());
  for (const Bytes* column : {&heads, &threads, &sizes, &ends, &alignments}) {
    put_number(content, column->size());
    content.insert(content.end(), column->begin(), column->end());
  }
  return content;
}

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

}  // namespace

std::vector<std::uint8_t> encode(const Recording& recording) {
  const Bytes content = content_of(recording);
  Bytes file(kMagic.begin(), kMagic.end());
  for (unsigned shift = 0; shift < 32; shift += 8) {
    file.push_back(static_cast<std::uint8_t>(kVersion >> shift));
  }
  const std::size_t head = file.size();
  file.resize(head + ZSTD_compressBound(content.size()));
  const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  const std::size_t written = ZSTD_compress2(context.get(), file.data() + head, file.size() - head,
                                             content.data(), content.size());
  if (ZSTD_isError(written) != 0) {
    throw std::runtime_error(std::string("zstd: ") + ZSTD_getErrorName(written));
  }
  file.resize(head + written);
  return file;
}

}  // namespace bench::trace
