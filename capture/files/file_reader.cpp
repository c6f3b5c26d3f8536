#include "capture/files/file_reader.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace callwitness::capture {

namespace {
constexpr std::size_t magic_size = 28;

/// What the user may have given instead of a capture.
std::string guess(Bytes start) {
  const std::string_view text(reinterpret_cast<const char*>(start.data()), start.size());
  if (start.empty()) return "it is empty";
  if (text.starts_with("PK\x03\x04")) return "it is a zip archive: unpack it first";
  if (text.starts_with("BZh")) return "it is packed with bzip2: unpack it first";
  if (text.starts_with("GMBU") || text.starts_with("RTSS")) return "it is a Network Monitor file: save it as pcapng";
  if (text.starts_with("snoop")) return "it is a snoop file: convert it with editcap";
  if (text.starts_with("{") || text.starts_with("[")) return "it looks like JSON";
  if (PcapReader::recognises(start)) return "it ends inside the file header of a pcap file";
  return "it is neither pcap nor pcapng";
}

std::string date(Time time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format("{:%Y-%m-%d %H:%M:%S}Z", fmt::gmtime(static_cast<std::time_t>(whole.time_since_epoch().count())));
}
}  // namespace

Result<std::unique_ptr<FileReader>> FileReader::open(const std::string& path, const StreamOptions& options,
                                                     CaptureRecord& record) {
  auto stream = ByteStream::open(path, options);
  if (!stream) return stream.error();
  std::unique_ptr<FileReader> reader(new FileReader(std::move(*stream), record));
  ByteStream& bytes = *reader->stream_;
  const Bytes start = bytes.peek(magic_size);
  bool recognised = false;
  if (PcapReader::recognises(start))
    recognised = reader->pcap_.emplace(bytes, reader->damage_, record).start();
  else if (PcapngReader::recognises(start))
    recognised = reader->pcapng_.emplace(bytes, reader->damage_, record).start();
  if (!recognised) {
    const std::string name = printable_name(path);
    const std::string reason = bytes.problem().empty() ? guess(start) : bytes.problem();
    return Error{Error::Kind::unreadable, "read " + name, reason,
                 "give a capture made by tcpdump, dumpcap, Wireshark or a phone app (pcap or pcapng, also .gz .zst .xz)"};
  }
  if (!bytes.compression().empty()) record.format += "+" + std::string(bytes.compression());
  return reader;
}

void FileReader::odd_time(Time time) {
  const bool first = seen_ == 0;
  if (!first && time < previous_) record_.anomalies.count("time_backwards");
  const bool jumped = time < previous_ ? previous_ - time >= jump : time - previous_ >= jump;
  if (!first && jumped)
    damage_.oddity("time_jump", seen_, stream_->position(),
                   fmt::format("the time jumps from {} to {}: check the clock, or cut the capture there",
                               date(previous_), date(time)));
  previous_ = time;
}

void FileReader::finish() {
  if (!stream_->problem().empty()) {
    damage_.withdraw("cut_file");   // that is why
    damage_.damage("input_ended_early", seen_, stream_->position(), stream_->problem());
  }
  damage_.finish();
  record_.packets = packets_;
  record_.bytes = bytes_;
  record_.truncated_packets = truncated_;
  if (packets_ > 0) {
    record_.first_time = first_time_;
    record_.last_time = last_time_;
  }
  const StoredIdentity identity = stream_->identity();
  record_.sha256 = identity.sha256;
  record_.size_bytes = identity.size;
}

}  // namespace callwitness::capture
