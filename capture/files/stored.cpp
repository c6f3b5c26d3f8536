#include "capture/files/stored.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace callwitness::capture {

namespace {
constexpr std::size_t hash_chunk = std::size_t{1} << 18;
/// Below this a thread costs more than it saves.
constexpr std::uint64_t threaded_from = std::uint64_t{8} << 20;
}  // namespace

ByteStream::Stored::Stored(int opened, bool is_regular, std::uint64_t size_when_opened)
    : descriptor(opened),
      regular(is_regular),
      limit(is_regular ? size_when_opened : UINT64_MAX),
      threaded_(is_regular && size_when_opened >= threaded_from) {
  if (regular) posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
  if (threaded_) thread_ = std::jthread([this](const std::stop_token& stop) { hash_what_comes(stop); });
}

ByteStream::Stored::~Stored() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  if (descriptor > STDIN_FILENO) ::close(descriptor);
}

void ByteStream::Stored::hash_what_comes(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return !unhashed_.empty(); })) {
    lock.unlock();
    sha_.add(unhashed_.data(), unhashed_.size());
    lock.lock();
    unhashed_ = {};
    changed_.notify_all();
  }
}

void ByteStream::Stored::settle() {
  if (!threaded_) return;
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return unhashed_.empty(); });
}

std::size_t ByteStream::Stored::read(std::uint8_t* to, std::size_t room) {
  settle();
  room = static_cast<std::size_t>(std::min<std::uint64_t>(room, limit - taken));
  if (room == 0 || !error.empty()) return 0;
  ssize_t got = 0;
  do {
    got = ::read(descriptor, to, room);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    error = std::strerror(errno);
    return 0;
  }
  const auto size = static_cast<std::size_t>(got);
  taken += size;
  if (!threaded_) {
    sha_.add(to, size);
  } else if (size > 0) {
    const std::lock_guard lock(mutex_);
    unhashed_ = {to, size};
    changed_.notify_all();
  }
  return size;
}

Bytes ByteStream::Stored::chunk() {
  if (input_begin == input_end) {
    input.resize(hash_chunk);
    input_begin = 0;
    input_end = read(input.data(), input.size());
  }
  return {input.data() + input_begin, input_end - input_begin};
}

StoredIdentity ByteStream::Stored::finish() {
  if (regular && taken < limit && error.empty()) {
    std::vector<std::uint8_t> rest(hash_chunk);
    while (read(rest.data(), rest.size()) > 0) {
    }
  }
  settle();
  return {sha_.hex(), taken};
}

}  // namespace callwitness::capture
