#include "capture/recorder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace callwitness::capture {
namespace {

constexpr std::uint64_t kilobyte = 1000;  // as dumpcap counts them

bool in_a_ring(const LiveOptions& options) { return options.ring_kilobytes != 0 || options.ring_duration; }

std::string name_of(const LiveOptions& options, std::uint64_t file) {
  if (!in_a_ring(options)) return options.recording;
  const std::filesystem::path path(options.recording);
  return (path.parent_path() / fmt::format("{}_{:05}{}", path.stem().string(), file, path.extension().string())).string();
}

std::string ended_early(const Error& error) {
  return fmt::format("cannot {}: {}: the recording ends here, the capture goes on", error.attempted, error.reason);
}

std::optional<std::uint64_t> without(std::optional<std::uint64_t> now, std::optional<std::uint64_t> before) {
  return now ? std::optional(*now - std::min(*now, before.value_or(0))) : now;
}

}  // namespace

Recorder::Recorder(const LiveOptions& options, RecordedInterface interface, PcapngWriter writer)
    : options_(options), interface_(std::move(interface)), writer_(std::move(writer)) {
  writer_->add_interface(interface_);
}

Result<std::unique_ptr<Recorder>> Recorder::create(const LiveOptions& options, RecordedInterface interface) {
  const std::string first = name_of(options, 1);
  auto writer = PcapngWriter::create(first, {"", options.application});
  if (!writer) return writer.error();
  std::unique_ptr<Recorder> recorder(new Recorder(options, std::move(interface), std::move(*writer)));
  recorder->files_.push_back(first);
  recorder->flush();
  return recorder;
}

void Recorder::write(const Packet& packet) {
  if (!writer_) return;
  if (writer_->packets() > 0 && full(packet)) rotate();
  if (!began_) began_ = packet.time;
  if (writer_) check(writer_->write(packet, 0));
}

bool Recorder::full(const Packet& packet) const {
  return (options_.ring_kilobytes != 0 && writer_->size() >= options_.ring_kilobytes * kilobyte) ||
         (options_.ring_duration && packet.time - *began_ >= *options_.ring_duration);
}

void Recorder::rotate() {
  if (latest_) {
    statistics(latest_time_, *latest_);
    earlier_ = *latest_;
  }
  if (!writer_) return;
  began_.reset();
  check(writer_->flush());
  if (!writer_) return;
  earlier_bytes_ += writer_->size();
  auto next = PcapngWriter::create(name_of(options_, ++file_), {"", options_.application});
  if (!next) {
    failure_ = ended_early(next.error());
    writer_.reset();
    return;
  }
  writer_ = std::move(*next);
  writer_->add_interface(interface_);
  files_.push_back(name_of(options_, file_));
  while (options_.ring_files != 0 && files_.size() > options_.ring_files) {
    std::error_code ignored;  // a file that someone took away meanwhile is gone as well
    std::filesystem::remove(files_.front(), ignored);
    files_.pop_front();
  }
}

void Recorder::statistics(Time time, const InterfaceStatistics& statistics) {
  latest_ = statistics;
  latest_time_ = time;
  const InterfaceStatistics own{without(statistics.received, earlier_.received), without(statistics.dropped_by_interface, earlier_.dropped_by_interface),
                                without(statistics.dropped_by_system, earlier_.dropped_by_system), without(statistics.delivered, earlier_.delivered)};
  if (writer_) check(writer_->statistics(0, time, own));
  flush();
}

void Recorder::flush() {
  if (writer_) check(writer_->flush());
}

void Recorder::check(const Result<void>& done) {
  if (done) return;
  failure_ = ended_early(done.error());
  earlier_bytes_ += writer_->size();
  writer_.reset();
}

std::uint64_t Recorder::kilobytes() const { return (earlier_bytes_ + (writer_ ? writer_->size() : 0)) / kilobyte; }

std::optional<std::string> Recorder::take_failure() { return std::exchange(failure_, std::nullopt); }

}  // namespace callwitness::capture
