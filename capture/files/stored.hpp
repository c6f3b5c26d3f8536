// Stored bytes of an input and their SHA-256. What is read of a big file is hashed by a thread of its own while it is
// decoded, since hashing takes as long: it changes when the hash is known, never what it is.
#pragma once

#include "capture/files/byte_stream.hpp"
#include "capture/sha256.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace callwitness::capture {

struct ByteStream::Stored {
  Stored(int descriptor, bool regular, std::uint64_t size_when_opened);
  ~Stored();
  Stored(const Stored&) = delete;
  Stored& operator=(const Stored&) = delete;

  /// Stored bytes into `to`; 0 at the end. A read error is told in `error` and ends the input.
  std::size_t read(std::uint8_t* to, std::size_t room);
  /// Waits until what `read` gave is hashed: call before those bytes are moved or overwritten.
  void settle();
  /// The next stored bytes for a decompressor; empty at the end.
  Bytes chunk();
  StoredIdentity finish();

  int descriptor;
  bool regular;
  std::uint64_t limit;          ///< a growing file is read as it was when opened
  std::uint64_t taken = 0;
  std::string error;
  std::vector<std::uint8_t> input;
  std::size_t input_begin = 0, input_end = 0;

 private:
  void hash_what_comes(const std::stop_token& stop);
  Sha256 sha_;
  bool threaded_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  Bytes unhashed_;              ///< the thread's work; empty: it is done
  std::jthread thread_;
};

/// Turns stored bytes into plain ones.
struct ByteStream::Expander {
  virtual ~Expander() = default;
  virtual std::string_view name() const = 0;
  /// Up to `room` plain bytes; 0 at the end or with `problem` set.
  virtual std::size_t expand(Stored& stored, std::uint8_t* to, std::size_t room) = 0;
  std::string problem;
};

}  // namespace callwitness::capture
