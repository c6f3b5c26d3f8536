// Stored bytes of an input and their SHA-256. A big file is read ahead and hashed by a thread of its own while what came
// before is decoded, since that takes as long: it changes when things are known, never what they are.
#pragma once

#include "capture/files/byte_stream.hpp"
#include "capture/sha256.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace callwitness::capture {

struct ByteStream::Stored {
  /// In front of each piece that is read ahead: for what is left of the one before.
  static constexpr std::size_t room_in_front = std::size_t{1} << 16;

  /// `ahead`: how much of a regular file to read ahead at a time; 0: nothing.
  Stored(int descriptor, bool regular, std::uint64_t size_when_opened, std::size_t ahead);
  ~Stored();
  Stored(const Stored&) = delete;
  Stored& operator=(const Stored&) = delete;

  bool reads_ahead() const { return ahead_ != 0; }
  /// The piece that was read ahead, put behind the bytes of `buffer` from `begin` to `end`, which then tell where all of
  /// it is. False at the end.
  bool take(std::vector<std::uint8_t>& buffer, std::size_t& begin, std::size_t& end);
  /// Stored bytes into `to`; 0 at the end. Not of what is read ahead.
  std::size_t read(std::uint8_t* to, std::size_t room);
  /// The next stored bytes for a decompressor; empty at the end.
  Bytes chunk();
  StoredIdentity finish();

  int descriptor;
  bool regular;
  std::uint64_t limit;          ///< a growing file is read as it was when opened
  std::uint64_t taken = 0;
  std::string error;            ///< a read error, which ends the input
  std::vector<std::uint8_t> input;
  std::size_t input_begin = 0, input_end = 0;

 private:
  std::size_t read_and_hash(std::uint8_t* to, std::size_t room, std::string& why_not);
  void read_ahead(const std::stop_token& stop);
  Sha256 sha_;
  std::uint64_t read_ = 0;
  std::size_t ahead_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool ready_ = false;          ///< `piece_` is full, and the thread waits until it is taken
  std::vector<std::uint8_t> piece_;
  std::size_t piece_size_ = 0;  ///< 0: the end, and the thread has ended too
  std::string piece_error_;
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
