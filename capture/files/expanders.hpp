// gzip, zstd and xz, streaming, with bounded memory.
#pragma once

#include "capture/files/stored.hpp"

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

namespace callwitness::capture {

struct ByteStream::Gzip final : Expander {
  Gzip();
  ~Gzip() override;
  std::string_view name() const override { return "gzip"; }
  std::size_t expand(Stored& stored, std::uint8_t* to, std::size_t room) override;
  z_stream state{};
  bool member_ended = false, ended = false;
};

struct ByteStream::Zstd final : Expander {
  Zstd();
  ~Zstd() override;
  std::string_view name() const override { return "zstd"; }
  std::size_t expand(Stored& stored, std::uint8_t* to, std::size_t room) override;
  ZSTD_DStream* state;
  bool frame_open = true;
};

struct ByteStream::Xz final : Expander {
  Xz();
  ~Xz() override;
  std::string_view name() const override { return "xz"; }
  std::size_t expand(Stored& stored, std::uint8_t* to, std::size_t room) override;
  lzma_stream state = LZMA_STREAM_INIT;
  bool ended = false;
};

}  // namespace callwitness::capture
