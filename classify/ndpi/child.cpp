#include "classify/ndpi/child.hpp"

#include "classify/ndpi/sandbox.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <new>

namespace callwitness::classify::ndpi {
namespace {

// The last resort, should the worker's own watch have been tampered with: no reply at all for so long. A busy machine
// never comes near it, for a batch takes milliseconds.
constexpr int patience_milliseconds = 60'000;
constexpr std::size_t in_flight_limit = 2 * batch_limit;  // enough to keep the worker busy; little to send again

void append(std::vector<std::uint8_t>& to, const auto& value) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&value);
  to.insert(to.end(), bytes, bytes + sizeof value);
}

#ifndef NDEBUG
bool is_single_threaded() {
  const std::filesystem::directory_iterator threads("/proc/self/task");
  return std::distance(begin(threads), end(threads)) == 1;
}
#endif

}  // namespace

Child::Child() {
  assert(is_single_threaded());
  void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  shared_ = new (memory) Shared{};
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return;
  const int size = 2 * static_cast<int>(in_flight_limit);
  for (const int end : ends) setsockopt(end, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  const int parent = getpid();
  warden_ = fork();
  if (warden_ == 0) run_warden(ends[1], *shared_, parent);
  close(ends[1]);
  socket_ = ends[0];
  if (warden_ < 0) close(socket_);
  else lost_ = false;
}

Child::~Child() {
  if (warden_ > 0) {
    close(socket_);  // the worker leaves at the end of its input, the warden after it
    kill(warden_, SIGKILL);
    while (waitpid(warden_, nullptr, 0) < 0 && errno == EINTR) {}
  }
  if (shared_) munmap(shared_, sizeof(Shared));
}

void Child::ask(std::uint32_t job, std::vector<std::uint8_t> packets) {
  backlog_ += packets.size();
  waiting_.push_back({job, std::move(packets)});
  if (lost_) give_up();
  // Sending a full batch at a time costs the capture one system call for dozens of flows.
  if (backlog_ >= batch_limit / 2) exchange(false);
  while (backlog_ > backlog_limit && busy()) {
    pollfd wait{socket_, POLLIN, 0};
    if (::poll(&wait, 1, patience_milliseconds) == 0) lost_ = true;
    exchange(false);
  }
}

void Child::exchange(bool wait) {
  for (;;) {
    while (!lost_ && receive()) {}
    while (!lost_ && generation_ != 0 && send_batch()) {}
    if (lost_) return give_up();
    if (!wait || !busy()) return;
    pollfd descriptor{socket_, POLLIN, 0};
    if (::poll(&descriptor, 1, patience_milliseconds) == 0) lost_ = true;
  }
}

/// Sends one batch; false when nothing more can be sent now.
bool Child::send_batch() {
  if (waiting_.empty()) return false;
  std::size_t in_flight = 0;
  for (const auto& job : sent_) in_flight += job.packets.size();
  if (in_flight > in_flight_limit) return false;
  buffer_.clear();
  BatchHeader header{generation_, 0};
  append(buffer_, header);
  std::size_t taken = 0;
  for (; taken < waiting_.size(); ++taken) {
    const auto& job = waiting_[taken];
    if (buffer_.size() + sizeof(JobHeader) + job.packets.size() > batch_limit) break;
    append(buffer_, JobHeader{job.number, static_cast<std::uint32_t>(job.packets.size())});
    buffer_.insert(buffer_.end(), job.packets.begin(), job.packets.end());
  }
  header.jobs = static_cast<std::uint32_t>(taken);
  std::memcpy(buffer_.data(), &header, sizeof header);
  if (send(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
    lost_ = errno != EAGAIN && errno != EINTR && errno != ENOBUFS;
    return false;
  }
  std::move(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(taken), std::back_inserter(sent_));
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(taken));
  return true;
}

/// Takes one message; false when there is none.
bool Child::receive() {
  buffer_.resize(batch_limit);
  const auto got = recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (got < static_cast<ssize_t>(sizeof(ReplyHeader))) {
    lost_ = true;
    return false;
  }
  buffer_.resize(static_cast<std::size_t>(got));
  ReplyHeader header;
  std::memcpy(&header, buffer_.data(), sizeof header);
  if (header.kind == Kind::ready && generation_ == 0) {
    read_names();
    generation_ = 1;
  } else if (header.kind == Kind::answers && header.generation == generation_) {
    take_answers(header, buffer_);
  } else if (header.kind == Kind::died && header.generation == generation_) {
    take_death(header);
  }
  return true;
}

void Child::take_answers(const ReplyHeader& header, const std::vector<std::uint8_t>& message) {
  const std::size_t held = (message.size() - sizeof header) / sizeof(WireAnswer);
  for (std::size_t i = 0; i < std::min<std::size_t>(header.count, held); ++i) {
    WireAnswer answer;
    std::memcpy(&answer, message.data() + sizeof header + i * sizeof answer, sizeof answer);
    if (sent_.empty() || sent_.front().number != answer.job) continue;
    backlog_ -= sent_.front().packets.size();
    sent_.pop_front();
    if (answer.master != 0 || answer.application != 0) answers_.push_back(answer);
  }
}

void Child::take_death(const ReplyHeader& header) {
  ++generation_;
  const bool hung = WIFSIGNALED(header.status) && WTERMSIG(header.status) == SIGPROF;
  const bool from_outside = WIFSIGNALED(header.status) && WTERMSIG(header.status) == SIGKILL;
  const auto blamed = std::find_if(sent_.begin(), sent_.end(), [&](const Job& job) { return job.number == header.count; });
  if (blamed != sent_.end()) {
    if (from_outside && !blamed->killed_before) {
      blamed->killed_before = true;
    } else {
      anomalies_.count(hung ? "ndpi_hung" : "ndpi_crashed");
      backlog_ -= blamed->packets.size();
      sent_.erase(blamed);
    }
  }
  // The dead worker's unanswered jobs go to its successor, before all others: the order stays.
  std::move(sent_.rbegin(), sent_.rend(), std::front_inserter(waiting_));
  sent_.clear();
}

void Child::read_names() {
  names_.resize(names_limit);
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || std::strchr("_-.+/ ", c); };
  for (std::size_t id = 0; id < names_limit; ++id)
    for (std::size_t i = 0; i < name_limit && shared_->names[id][i] != 0; ++i)
      if (const char letter = shared_->names[id][i]; allowed(letter)) names_[id] += letter;
}

void Child::give_up() {
  anomalies_.count("ndpi_unavailable", waiting_.size() + sent_.size());
  waiting_.clear();
  sent_.clear();
  backlog_ = 0;
}

std::string_view Child::name(std::uint16_t protocol) const {
  return protocol < names_.size() ? std::string_view(names_[protocol]) : std::string_view();
}

}  // namespace callwitness::classify::ndpi
