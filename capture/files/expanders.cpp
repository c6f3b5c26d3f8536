// gzip, zstd and xz, streaming, with bounded memory.
#include "capture/files/stored.hpp"

#include <fmt/format.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>

namespace callwitness::capture {

namespace {
/// A decoder may need this much for its dictionary: what zstd and xz allow by default at their common levels.
constexpr int zstd_window_log = 27;
constexpr std::uint64_t xz_memory = std::uint64_t{128} << 20;
constexpr int gzip_window = 15 + 16;   // 16: expect a gzip header

const char* const cut = "the compressed data end before their time: the file is cut; fetch it again";

std::string broken(const char* format, const char* reason) {
  return fmt::format("the {} data are damaged ({}); what came before was read", format, reason);
}
}  // namespace

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

ByteStream::Gzip::Gzip() { inflateInit2(&state, gzip_window); }
ByteStream::Gzip::~Gzip() { inflateEnd(&state); }

std::size_t ByteStream::Gzip::expand(Stored& stored, std::uint8_t* to, std::size_t room) {
  state.next_out = to;
  state.avail_out = static_cast<uInt>(room);
  while (!ended && state.avail_out == room) {
    const Bytes input = stored.chunk();
    if (member_ended) {
      // Members may follow each other (RFC 1952, 2.2); anything else after one is padding, as gzip(1) takes it.
      if (input.empty() || input[0] != 0x1f) {
        ended = true;
        break;
      }
      inflateReset(&state);
      member_ended = false;
    }
    state.next_in = const_cast<Bytef*>(input.data());
    state.avail_in = static_cast<uInt>(input.size());
    const int code = inflate(&state, Z_NO_FLUSH);
    stored.input_begin = stored.input_end - state.avail_in;
    if (code == Z_STREAM_END) member_ended = true;
    else if (code != Z_OK && code != Z_BUF_ERROR) {
      ended = true;
      problem = broken("gzip", state.msg ? state.msg : "unknown");
    } else if (input.empty() && state.avail_out == room) {   // nor has the decoder anything left for which there was no room
      ended = true;
      problem = cut;
    }
  }
  return room - state.avail_out;
}

ByteStream::Zstd::Zstd() : state(ZSTD_createDStream()) {
  ZSTD_DCtx_setParameter(state, ZSTD_d_windowLogMax, zstd_window_log);
}
ByteStream::Zstd::~Zstd() { ZSTD_freeDStream(state); }

std::size_t ByteStream::Zstd::expand(Stored& stored, std::uint8_t* to, std::size_t room) {
  ZSTD_outBuffer output{to, room, 0};
  while (output.pos == 0 && problem.empty()) {
    const Bytes chunk = stored.chunk();
    ZSTD_inBuffer input{chunk.data(), chunk.size(), 0};
    const std::size_t code = ZSTD_decompressStream(state, &output, &input);
    stored.input_begin += input.pos;
    if (ZSTD_isError(code)) problem = broken("zstd", ZSTD_getErrorName(code));
    else if (chunk.empty() && output.pos == 0) {
      if (frame_open) problem = cut;
      break;
    }
    if (!chunk.empty() || output.pos > 0) frame_open = code != 0;
  }
  return output.pos;
}

ByteStream::Xz::Xz() {
  if (lzma_stream_decoder(&state, xz_memory, LZMA_CONCATENATED) != LZMA_OK) problem = broken("xz", "no decoder");
}
ByteStream::Xz::~Xz() { lzma_end(&state); }

std::size_t ByteStream::Xz::expand(Stored& stored, std::uint8_t* to, std::size_t room) {
  state.next_out = to;
  state.avail_out = room;
  while (!ended && problem.empty() && state.avail_out == room) {
    const Bytes input = stored.chunk();
    state.next_in = input.data();
    state.avail_in = input.size();
    const lzma_ret code = lzma_code(&state, input.empty() ? LZMA_FINISH : LZMA_RUN);
    stored.input_begin = stored.input_end - state.avail_in;
    if (code == LZMA_STREAM_END) ended = true;
    else if (code == LZMA_BUF_ERROR && input.empty()) problem = cut;
    else if (code == LZMA_MEMLIMIT_ERROR) problem = broken("xz", "it needs more than 128 MiB of memory");
    else if (code != LZMA_OK && code != LZMA_BUF_ERROR) problem = broken("xz", "corrupt");
    else if (input.empty() && state.avail_out == room) problem = cut;
  }
  return room - state.avail_out;
}

std::unique_ptr<ByteStream::Expander> ByteStream::expander_for(Bytes start) {
  const auto starts_with = [&](std::initializer_list<std::uint8_t> magic) {
    return start.size() >= magic.size() && std::equal(magic.begin(), magic.end(), start.begin());
  };
  if (starts_with({0x1f, 0x8b})) return std::make_unique<Gzip>();
  if (starts_with({0x28, 0xb5, 0x2f, 0xfd})) return std::make_unique<Zstd>();
  if (starts_with({0xfd, '7', 'z', 'X', 'Z', 0})) return std::make_unique<Xz>();
  return nullptr;
}

}  // namespace callwitness::capture
