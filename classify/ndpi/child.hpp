// The parent's end of the sandboxed child: jobs in, answers out. Nothing is lost when a worker dies but the job that
// killed it.
#pragma once

#include "capture/anomalies.hpp"
#include "classify/ndpi/message.hpp"

#include <deque>
#include <string>
#include <vector>

namespace callwitness::classify::ndpi {

class Child {
 public:
  /// Forks it. The program has no other thread yet: a fork would leave that one's locks taken in the child for ever.
  Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  /// Jobs are answered in order. `packets` as in BatchHeader. Blocks while more than `backlog_limit` bytes wait.
  void ask(std::uint32_t job, std::vector<std::uint8_t> packets);
  /// Sends what is waiting and takes what has come; with `wait` until everything asked is answered or given up.
  void exchange(bool wait);
  std::vector<WireAnswer>& answers() { return answers_; }
  std::string_view name(std::uint16_t protocol) const;
  capture::Anomalies& anomalies() { return anomalies_; }

 private:
  struct Job {
    std::uint32_t number;
    std::vector<std::uint8_t> packets;
    bool killed_before = false;  ///< the worker was killed from outside while at it
  };
  static constexpr std::size_t backlog_limit = 16 * 1024 * 1024;

  bool send_batch();
  bool receive();
  void take_answers(const ReplyHeader& header, const std::vector<std::uint8_t>& message);
  void take_death(const ReplyHeader& header);
  void read_names();
  void give_up();
  bool busy() const { return !waiting_.empty() || !sent_.empty(); }

  int socket_ = -1;
  int warden_ = -1;
  Shared* shared_ = nullptr;
  bool lost_ = true;
  std::uint32_t generation_ = 0;         ///< 0: not ready yet
  std::deque<Job> waiting_, sent_;
  std::size_t backlog_ = 0;              ///< bytes of both
  std::vector<WireAnswer> answers_;
  std::vector<std::string> names_;
  std::vector<std::uint8_t> buffer_;
  capture::Anomalies anomalies_;
};

}  // namespace callwitness::classify::ndpi
