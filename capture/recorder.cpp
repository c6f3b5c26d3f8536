#include "capture/recorder.hpp"

#include <fmt/format.h>

#include <filesystem>

namespace callwitness::capture {
namespace {

constexpr std::uint64_t kilobyte = 1000;  // as dumpcap counts them

}  // namespace

Recorder::Recorder(const LiveOptions& options, RecordedInterface interface, PcapngWriter writer)
    : options_(options), interface_(std::move(interface)), writer_(std::move(writer)) {
  writer_->add_interface(interface_);
}

std::string Recorder::name_of(std::uint64_t file) const {
  if (options_.ring_kilobytes == 0) return options_.recording;
  const std::filesystem::path path(options_.recording);
  return (path.parent_path() / fmt::format("{}_{:05}{}", path.stem().string(), file, path.extension().string())).string();
}

Result<std::unique_ptr<Recorder>> Recorder::create(const LiveOptions& options, RecordedInterface interface) {
  std::string first = options.recording;
  if (options.ring_kilobytes != 0) {
    const std::filesystem::path path(first);
    first = (path.parent_path() / fmt::format("{}_{:05}{}", path.stem().string(), 1, path.extension().string())).string();
  }
  auto writer = PcapngWriter::create(first, {"", options.application});
  if (!writer) return writer.error();
  std::unique_ptr<Recorder> recorder(new Recorder(options, std::move(interface), std::move(*writer)));
  recorder->files_.push_back(first);
  recorder->flush();
  return recorder;
}

void Recorder::write(const Packet& packet) {
  if (!writer_) return;
  if (options_.ring_kilobytes != 0 && writer_->packets() > 0 && writer_->size() >= options_.ring_kilobytes * kilobyte) rotate();
  if (writer_) check(writer_->write(packet, 0));
}

void Recorder::rotate() {
  if (latest_) check(writer_->statistics(0, latest_time_, *latest_));
  if (!writer_) return;
  check(writer_->flush());
  if (!writer_) return;
  earlier_bytes_ += writer_->size();
  auto next = PcapngWriter::create(name_of(++file_), {"", options_.application});
  if (!next) {
    failure_ = fmt::format("{}: {}", next.error().attempted, next.error().reason);
    writer_.reset();
    return;
  }
  writer_ = std::move(*next);
  writer_->add_interface(interface_);
  files_.push_back(name_of(file_));
  while (options_.ring_files != 0 && files_.size() > options_.ring_files) {
    std::error_code ignored;  // a file that someone took away meanwhile is gone as well
    std::filesystem::remove(files_.front(), ignored);
    files_.pop_front();
  }
}

void Recorder::statistics(Time time, const InterfaceStatistics& statistics) {
  latest_ = statistics;
  latest_time_ = time;
  if (writer_) check(writer_->statistics(0, time, statistics));
  flush();
}

void Recorder::flush() {
  if (writer_) check(writer_->flush());
}

void Recorder::check(const Result<void>& done) {
  if (done) return;
  failure_ = fmt::format("{}: {}: the recording ends here, the capture goes on", done.error().attempted, done.error().reason);
  earlier_bytes_ += writer_->size();
  writer_.reset();
}

std::uint64_t Recorder::kilobytes() const { return (earlier_bytes_ + (writer_ ? writer_->size() : 0)) / kilobyte; }

std::optional<std::string> Recorder::take_failure() { return std::exchange(failure_, std::nullopt); }

}  // namespace callwitness::capture
