#include "capture/files/stored.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace callwitness::capture {

namespace {
constexpr std::size_t hash_chunk = std::size_t{1} << 18;
}  // namespace

ByteStream::Stored::Stored(int opened, bool is_regular, std::uint64_t size_when_opened, std::size_t ahead)
    : descriptor(opened),
      regular(is_regular),
      limit(is_regular ? size_when_opened : UINT64_MAX),
      ahead_(is_regular ? ahead : 0) {
  if (regular) posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
  if (reads_ahead()) thread_ = std::jthread([this](const std::stop_token& stop) { read_ahead(stop); });
}

ByteStream::Stored::~Stored() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  if (descriptor > STDIN_FILENO) ::close(descriptor);
}

std::size_t ByteStream::Stored::read_and_hash(std::uint8_t* to, std::size_t room, std::string& why_not) {
  room = static_cast<std::size_t>(std::min<std::uint64_t>(room, limit - read_));
  if (room == 0) return 0;
  ssize_t got = 0;
  do {
    got = ::read(descriptor, to, room);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    why_not = std::strerror(errno);
    return 0;
  }
  const auto size = static_cast<std::size_t>(got);
  read_ += size;
  sha_.add(to, size);
  return size;
}

void ByteStream::Stored::read_ahead(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  do {
    lock.unlock();
    if (piece_.size() < room_in_front + ahead_) piece_.resize(room_in_front + ahead_);
    const std::size_t size = read_and_hash(piece_.data() + room_in_front, ahead_, piece_error_);
    lock.lock();
    piece_size_ = size;
    ready_ = true;
    changed_.notify_all();
  } while (piece_size_ > 0 && changed_.wait(lock, stop, [this] { return !ready_; }));
}

bool ByteStream::Stored::take(std::vector<std::uint8_t>& buffer, std::size_t& begin, std::size_t& end) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ready_; });
  if (piece_size_ == 0) {
    error = piece_error_;
    return false;
  }
  const std::size_t left = end - begin, size = piece_size_;
  if (left <= room_in_front) {
    std::copy_n(buffer.data() + begin, left, piece_.data() + room_in_front - left);
    std::swap(buffer, piece_);
    begin = room_in_front - left;
    end = room_in_front + size;
  } else {
    std::memmove(buffer.data(), buffer.data() + begin, left);
    if (buffer.size() < left + size) buffer.resize(left + size);
    std::copy_n(piece_.data() + room_in_front, size, buffer.data() + left);
    begin = 0;
    end = left + size;
  }
  taken += size;
  ready_ = false;
  changed_.notify_all();
  return true;
}

std::size_t ByteStream::Stored::read(std::uint8_t* to, std::size_t room) {
  if (!error.empty()) return 0;
  const std::size_t size = read_and_hash(to, room, error);
  taken += size;
  return size;
}

Bytes ByteStream::Stored::chunk() {
  if (input_begin == input_end && reads_ahead()) {
    take(input, input_begin, input_end);
  } else if (input_begin == input_end) {
    input.resize(hash_chunk);
    input_begin = 0;
    input_end = read(input.data(), input.size());
  }
  return {input.data() + input_begin, input_end - input_begin};
}

StoredIdentity ByteStream::Stored::finish() {
  if (regular && taken < limit && error.empty()) {
    std::vector<std::uint8_t> rest(hash_chunk);
    std::size_t begin = 0, end = 0;
    while (reads_ahead() ? take(rest, begin, end) : read(rest.data(), rest.size()) > 0) begin = end = 0;
  }
  return {sha_.hex(), taken};
}

}  // namespace callwitness::capture
