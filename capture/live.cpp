#include "capture/live.hpp"

#include "capture/clock_watch.hpp"
#include "capture/live_handle.hpp"
#include "capture/privileges.hpp"
#include "capture/recorder.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <csignal>

namespace callwitness::capture {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr int packets_a_turn = 2000;              // then timers and signals have theirs
constexpr auto flush_every = 500ms;               // a kill -9 loses no more
constexpr auto drain_limit = 3s;                  // for what the kernel still holds at the end
constexpr rlim_t descriptors_needed = 24;         // standard ones, nDPI's, libpcap's, the loop's, the recording; and some to spare

Duration read_clock(clockid_t which) {
  timespec value{};
  clock_gettime(which, &value);
  return std::chrono::seconds(value.tv_sec) + std::chrono::nanoseconds(value.tv_nsec);
}

ClockReading read_clocks() { return {Time(read_clock(CLOCK_REALTIME)), read_clock(CLOCK_MONOTONIC), read_clock(CLOCK_BOOTTIME)}; }

class LiveSource final : public PacketSource {
 public:
  LiveSource(const LiveOptions& options, LiveHandle handle, std::unique_ptr<Recorder> recorder, CaptureRecord& record)
      : options_(options), handle_(std::move(handle)), recorder_(std::move(recorder)), record_(record),
        signals_(loop_, SIGINT, SIGTERM, SIGHUP), descriptor_(loop_), second_(loop_), flush_(loop_), end_(loop_) {}

  ~LiveSource() override {
    if (descriptor_.is_open()) descriptor_.release();  // libpcap closes it
  }

  Result<void> run(PacketSink& sink) override {
    sink_ = &sink;
    if (handle_.descriptor() >= 0) descriptor_.assign(handle_.descriptor());
    signals_.async_wait([this](const boost::system::error_code& error, int) {
      if (!error) stop();
    });
    each_second();
    each_flush();
    if (options_.duration) {
      end_.expires_after(*options_.duration);
      end_.async_wait([this](const boost::system::error_code& error) {
        if (!error) stop();
      });
    }
    wait();
    loop_.run();
    take_rest();
    tell_statistics();
    boost::system::error_code ignored;
    signals_.clear(ignored);   // the recording is whole: a second Ctrl-C need not wait for the verdict
    sink.finish();
    return {};
  }

 private:
  void stop() {
    stopping_ = true;
    loop_.stop();
  }

  void wait() {
    if (!descriptor_.is_open()) return;
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& error) {
      if (error || stopping_) return;
      if (read() >= packets_a_turn) asio::post(loop_, [this] { again(); });
      else if (!stopping_) wait();
    });
  }

  void again() {
    if (stopping_) return;
    if (read() >= packets_a_turn) asio::post(loop_, [this] { again(); });
    else if (!stopping_) wait();
  }

  int read() {
    const int got = handle_.read(packets_a_turn, [this](const Packet& packet) { return take(packet); });
    if (got < 0 && !stopping_) {
      note(fmt::format("{}: the capture ended: {}", handle_.name(), handle_.error()));
      stop();
    }
    return got;
  }

  /// False when a limit is reached: nothing more is taken.
  bool take(const Packet& borrowed) {
    if (limit_reached_) return false;
    Packet packet = borrowed;
    packet.ordinal = ++record_.packets;
    if (packet.ordinal == 1) record_.first_ordinal = 1;
    record_.bytes += packet.wire_length;
    if (packet.bytes.size() < packet.wire_length) ++record_.truncated_packets;
    record_.first_time = std::min(record_.first_time.value_or(packet.time), packet.time);
    record_.last_time = std::max(record_.last_time.value_or(packet.time), packet.time);
    if (recorder_) recorder_->write(packet);
    sink_->on_packet(packet);
    any_ = true;
    limit_reached_ = (options_.packet_limit != 0 && record_.packets >= options_.packet_limit) ||
                     (options_.stop_kilobytes != 0 && recorder_ && recorder_->kilobytes() >= options_.stop_kilobytes);
    if (limit_reached_) stop();
    return !limit_reached_;
  }

  /// What the kernel had already received when the end came belongs to the capture; what still comes in doesn't. Its last
  /// packets lie in a block that it hands over when that is as old as LiveHandle::block_age.
  void take_rest() {
    const Time end = std::chrono::system_clock::now();
    const auto begin = std::chrono::steady_clock::now();
    bool later = false;
    const auto take_earlier = [&](const Packet& packet) {
      later = packet.time > end;
      return !later && take(packet);
    };
    while (!limit_reached_ && !later) {
      const int got = handle_.read(packets_a_turn, take_earlier);
      const auto passed = std::chrono::steady_clock::now() - begin;
      if (got < 0 || (got == 0 && passed > 2 * LiveHandle::block_age)) return;
      if (passed > drain_limit)
        return note(fmt::format("{}: after packet {}: the kernel held more packets than could be read within 3 s of the end",
                                handle_.name(), record_.packets));
      if (got == 0) handle_.wait(LiveHandle::block_age / 4);
    }
  }

  void each_second() {
    second_.expires_after(1s);
    second_.async_wait([this](const boost::system::error_code& error) {
      if (error || stopping_) return;
      watch_clock();
      watch_link();
      read();  // an interface that went down wakes no descriptor
      tell_statistics();
      if (!std::exchange(any_, false)) sink_->on_idle(std::chrono::system_clock::now() - 1s);
      if (options_.on_second) options_.on_second();
      if (!stopping_) each_second();
    });
  }

  void each_flush() {
    flush_.expires_after(flush_every);
    flush_.async_wait([this](const boost::system::error_code& error) {
      if (error || stopping_) return;
      if (recorder_) recorder_->flush();
      note_failure();
      each_flush();
    });
  }

  void watch_clock() {
    if (const auto change = clock_.look(read_clocks()))
      note(fmt::format("{}: after packet {}: {}; times before and after can't be compared", handle_.name(), record_.packets, *change));
  }

  void watch_link() {
    const auto now = handle_.running();
    if (!now || now == running_) return;
    note(fmt::format("{}: after packet {}: {}", handle_.name(), record_.packets,
                     *now ? "the link is up again" : "the link is down: nothing comes in until it is up again"));
    running_ = now;
  }

  void tell_statistics() {
    const auto statistics = handle_.statistics();
    if (!statistics) return;
    auto counted = *statistics;
    counted.delivered = record_.packets;
    const auto drops = counted.dropped_by_system.value_or(0) + counted.dropped_by_interface.value_or(0);
    const Time now = std::chrono::system_clock::now();
    if (recorder_) recorder_->statistics(now, counted);
    note_failure();
    constexpr std::size_t history_limit = 65'536;
    if (record_.drop_history.size() < history_limit) record_.drop_history.emplace_back(now, drops);
    record_.dropped_by_capture = drops;
    if (drops < 2 * told_drops_ + 1) return;   // not a line a second
    told_drops_ = drops;
    tell(fmt::format("{}: {} packets were lost by this capture itself so far; a larger -B may help", handle_.name(), drops));
  }

  void note_failure() {
    if (!recorder_) return;
    if (auto failure = recorder_->take_failure()) note(*failure);
  }

  void note(const std::string& text) {
    constexpr std::size_t problem_limit = 100;
    if (record_.problems.size() < problem_limit) record_.problems.push_back(text);
    tell(text);
  }
  void tell(const std::string& text) {
    if (options_.tell) options_.tell(text);
  }

  LiveOptions options_;
  LiveHandle handle_;
  std::unique_ptr<Recorder> recorder_;
  CaptureRecord& record_;
  PacketSink* sink_ = nullptr;
  asio::io_context loop_{1};
  asio::signal_set signals_;
  asio::posix::stream_descriptor descriptor_;
  asio::steady_timer second_, flush_, end_;
  ClockWatch clock_{read_clocks()};
  std::optional<bool> running_ = handle_.running();
  std::uint64_t told_drops_ = 0;
  bool any_ = false, stopping_ = false, limit_reached_ = false;
};

}  // namespace

Result<std::unique_ptr<PacketSource>> open_live(const LiveOptions& asked, CaptureRecords& records) {
  LiveOptions options = asked;
  if (rlimit files{}; getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < descriptors_needed)
    return Error{Error::Kind::failed, "capture live", fmt::format("only {} files may be open at a time", files.rlim_cur),
                 fmt::format("ulimit -n {}", std::max<rlim_t>(256, descriptors_needed))};
  if (options.interface.empty()) {
    auto found = default_interface();
    if (!found) return found.error();
    options.interface = *found;
  }
  const auto user = unprivileged_user(options.user);
  if (!user) return user.error();
  auto handle = LiveHandle::open(options);
  if (!handle) return handle.error();
  // Someone's recording is someone's file; nobody owns no folder, so there the first file is made before.
  const bool early = *user && (*user)->fallback;
  if (*user && !early)
    if (const auto done = become(**user); !done) return done.error();
  std::unique_ptr<Recorder> recorder;
  if (!options.recording.empty()) {
    auto made = Recorder::create(options, handle->recorded_interface(options));
    if (!made) return made.error();
    recorder = std::move(*made);
  }
  if (early)
    if (const auto done = become(**user); !done) return done.error();
  auto& record = records.emplace_back();
  record.file = Untrusted(handle->name());
  record.format = "live";
  record.link_types.insert(static_cast<std::uint16_t>(handle->link_type()));
  auto source = std::make_unique<LiveSource>(options, std::move(*handle), std::move(recorder), record);
  if (const auto done = confine(); !done) return done.error();
  return std::unique_ptr<PacketSource>(std::move(source));
}

}  // namespace callwitness::capture
