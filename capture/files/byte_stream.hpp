// The bytes of one input, decompressed, through one window: no allocation and no call per packet.
#pragma once

#include "capture/cursor.hpp"
#include "capture/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace callwitness::capture {

struct StreamOptions {
  std::size_t window = std::size_t{1} << 20;
  std::uint64_t byte_limit = 0;   ///< of decompressed bytes; 0: none for plain input, the expansion bound for compressed
  /// A regular file of this size is read ahead; below it a thread costs more than it saves. Tests do with less.
  std::uint64_t read_ahead_from = std::uint64_t{8} << 20;
};

/// What is stored, as opposed to what it expands to.
struct StoredIdentity {
  std::string sha256;
  std::uint64_t size = 0;
};

class ByteStream {
 public:
  /// "-" is standard input. Fails with `unreadable` when the input can't be opened or is a directory.
  static Result<std::unique_ptr<ByteStream>> open(const std::string& path, const StreamOptions& options);
  ~ByteStream();

  /// A window onto at least `want` bytes; shorter only at the end of the input. `want` is bounded by the callers.
  Bytes peek(std::size_t want) {
    if (end_ - begin_ >= want) [[likely]] return {buffer_.data() + begin_, end_ - begin_};
    return refill(want);
  }
  /// What is at hand: looking at it, and peeking no further than it goes, leaves all handed out before in its place.
  Bytes at_hand() const { return {buffer_.data() + begin_, end_ - begin_}; }
  void consume(std::size_t count) {
    begin_ += count;
    position_ += count;
  }
  std::uint64_t position() const { return position_; }   ///< in decompressed bytes
  std::string_view compression() const;                  ///< "", "gzip", "zstd", "xz"
  bool reopenable() const;                               ///< a regular file, not a pipe
  /// Why the bytes ended before their time (read error, broken compression, a bound); empty: they did not.
  const std::string& problem() const { return problem_; }
  /// Hash and size of the stored bytes; reads what is left of a regular file.
  StoredIdentity identity();

 private:
  struct Stored;
  struct Expander;
  struct Gzip;
  struct Zstd;
  struct Xz;
  explicit ByteStream(const StreamOptions& options);
  Bytes refill(std::size_t want);
  std::size_t fill(std::uint8_t* to, std::size_t room);
  void choose_expander();
  static std::unique_ptr<Expander> expander_for(Bytes start);   ///< by magic; null: plain

  StreamOptions options_;
  std::unique_ptr<Stored> stored_;
  std::unique_ptr<Expander> expander_;
  std::vector<std::uint8_t> buffer_;
  std::size_t begin_ = 0, end_ = 0;
  std::uint64_t position_ = 0, expanded_ = 0;
  bool ended_ = false;
  std::string problem_;
};

}  // namespace callwitness::capture
