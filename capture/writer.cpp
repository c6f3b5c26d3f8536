#include "capture/writer.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ostream>
#include <utility>
#include <vector>

namespace callwitness::capture {

namespace {
constexpr std::size_t buffer_size = std::size_t{1} << 18;
constexpr std::size_t longest_option = 0xffff;
constexpr std::uint16_t end_of_options = 0, comment_option = 1;
constexpr std::uint8_t nanoseconds = 9;

Error failed_to_write(const std::string& path, int error) {
  std::string remedy;
  if (error == ENOSPC || error == EDQUOT) remedy = "free some space, or limit the recording with -a filesize or -b";
  if (error == EEXIST) remedy = "give another name, or remove the file";
  if (error == ELOOP) remedy = "links are not followed: give the name of the file itself";
  if (error == EACCES) remedy = "choose a directory in which you may write";
  return Error{Error::Kind::failed, "write " + path, std::strerror(error), remedy};
}
}  // namespace

struct PcapngWriter::State {
  State() { buffer.reserve(buffer_size + 4096); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (drain() && stream) stream->flush();
    if (descriptor > STDERR_FILENO) ::close(descriptor);
  }

  template <class Number>
  void put(Number value) {
    const std::size_t at = buffer.size();
    buffer.resize(at + sizeof value);
    std::memcpy(buffer.data() + at, &value, sizeof value);
  }
  void put(Bytes bytes) {
    buffer.insert(buffer.end(), bytes.begin(), bytes.end());
    buffer.resize(buffer.size() + (4 - bytes.size() % 4) % 4);
  }
  void option(std::uint16_t code, std::string_view text) {
    if (text.empty()) return;
    text = text.substr(0, longest_option);
    put(code);
    put(static_cast<std::uint16_t>(text.size()));
    put(Bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  }
  void option(std::uint16_t code, std::optional<std::uint64_t> value) {
    if (!value) return;
    put(code);
    put(std::uint16_t{8});
    put(*value);
  }
  void end_options() { put(std::uint32_t{end_of_options}); }

  std::size_t begin(std::uint32_t type) {
    const std::size_t start = buffer.size();
    put(type);
    put(std::uint32_t{0});
    return start;
  }
  void end(std::size_t start) {
    const auto length = static_cast<std::uint32_t>(buffer.size() - start + 4);
    std::memcpy(buffer.data() + start + 4, &length, sizeof length);
    put(length);
    size += length;
  }
  void section(const RecordingDescription& description) {
    const std::size_t start = begin(0x0a0d0d0a);
    put(std::uint32_t{0x1a2b3c4d});
    put(std::uint16_t{1});
    put(std::uint16_t{0});
    put(UINT64_MAX);   // the section's length is not known beforehand
    option(comment_option, description.comment);
    option(4, description.application);
    end_options();
    end(start);
  }

  /// Writes the buffer out; whole blocks only, since blocks are put into it whole.
  bool drain() {
    std::size_t done = 0;
    while (done < buffer.size() && error == 0) {
      if (stream) {
        stream->write(reinterpret_cast<const char*>(buffer.data()), static_cast<std::streamsize>(buffer.size()));
        if (!*stream) error = EIO;
        done = buffer.size();
        break;
      }
      const ssize_t written = ::write(descriptor, buffer.data() + done, buffer.size() - done);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) error = errno;
      else done += static_cast<std::size_t>(written);
    }
    buffer.erase(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(done));
    return error == 0;
  }
  Result<void> settle() {
    if (error == 0 && buffer.size() < buffer_size) [[likely]] return {};
    if (drain()) return {};
    buffer.clear();
    return failed_to_write(path, error);
  }

  std::string path;
  int descriptor = -1;
  std::ostream* stream = nullptr;
  int error = 0;
  std::vector<std::uint8_t> buffer;
  std::uint32_t interfaces = 0;
  std::uint64_t size = 0, packets = 0;
};

PcapngWriter::PcapngWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
PcapngWriter::PcapngWriter(PcapngWriter&&) noexcept = default;
PcapngWriter& PcapngWriter::operator=(PcapngWriter&&) noexcept = default;
PcapngWriter::~PcapngWriter() = default;

PcapngWriter::PcapngWriter(std::ostream& stream, const RecordingDescription& description)
    : state_(std::make_unique<State>()) {
  state_->path = "the stream";
  state_->stream = &stream;
  state_->section(description);
}

Result<PcapngWriter> PcapngWriter::create(const std::string& path, const RecordingDescription& description,
                                          Overwrite overwrite) {
  auto state = std::make_unique<State>();
  state->path = path == "-" ? "standard output" : path;
  if (path == "-") {
    state->descriptor = STDOUT_FILENO;
  } else {
    const int how = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | (overwrite == Overwrite::yes ? 0 : O_EXCL);
    state->descriptor = ::open(path.c_str(), how, S_IRUSR | S_IWUSR);
    if (state->descriptor < 0) return failed_to_write(state->path, errno);
    struct stat status {};
    if (overwrite == Overwrite::yes && ::fstat(state->descriptor, &status) == 0 && S_ISREG(status.st_mode)) {
      // Replaced contents are as private as new ones.
      if (::fchmod(state->descriptor, S_IRUSR | S_IWUSR) != 0 || ::ftruncate(state->descriptor, 0) != 0)
        return failed_to_write(state->path, errno);
    }
  }
  state->section(description);
  PcapngWriter writer(std::move(state));
  if (const auto flushed = writer.flush(); !flushed) return flushed.error();
  return writer;
}

std::uint32_t PcapngWriter::add_interface(const RecordedInterface& interface) {
  constexpr std::uint16_t name_option = 2, resolution_option = 9, filter_option = 11;
  const std::size_t start = state_->begin(1);
  state_->put(static_cast<std::uint16_t>(interface.link_type));
  state_->put(std::uint16_t{0});
  state_->put(interface.snap_length);
  state_->option(comment_option, interface.comment);
  state_->option(name_option, interface.name);
  state_->option(resolution_option, std::string_view(reinterpret_cast<const char*>(&nanoseconds), 1));
  // The first byte says that a filter expression follows, not BPF code.
  if (!interface.filter.empty()) state_->option(filter_option, std::string(1, '\0') + interface.filter);
  state_->end_options();
  state_->end(start);
  return state_->interfaces++;
}

Result<void> PcapngWriter::write(const Packet& packet, std::uint32_t interface, std::string_view comment) {
  constexpr std::uint16_t flags_option = 2;
  const auto ticks = static_cast<std::uint64_t>(std::max<std::int64_t>(0, packet.time.time_since_epoch().count()));
  const std::size_t start = state_->begin(6);
  state_->put(interface);
  state_->put(static_cast<std::uint32_t>(ticks >> 32));
  state_->put(static_cast<std::uint32_t>(ticks));
  state_->put(static_cast<std::uint32_t>(packet.bytes.size()));
  state_->put(packet.wire_length);
  state_->put(packet.bytes);
  if (!comment.empty() || packet.direction != LinkDirection::unknown) {
    state_->option(comment_option, comment);
    if (packet.direction != LinkDirection::unknown) {
      state_->put(flags_option);
      state_->put(std::uint16_t{4});
      state_->put(std::uint32_t{packet.direction == LinkDirection::inbound ? 1u : 2u});
    }
    state_->end_options();
  }
  state_->end(start);
  ++state_->packets;
  return state_->settle();
}

Result<void> PcapngWriter::statistics(std::uint32_t interface, Time time, const InterfaceStatistics& statistics) {
  constexpr std::uint16_t received_option = 4, interface_drops_option = 5, system_drops_option = 7, delivered_option = 8;
  const auto ticks = static_cast<std::uint64_t>(std::max<std::int64_t>(0, time.time_since_epoch().count()));
  const std::size_t start = state_->begin(5);
  state_->put(interface);
  state_->put(static_cast<std::uint32_t>(ticks >> 32));
  state_->put(static_cast<std::uint32_t>(ticks));
  state_->option(received_option, statistics.received);
  state_->option(interface_drops_option, statistics.dropped_by_interface);
  state_->option(system_drops_option, statistics.dropped_by_system);
  state_->option(delivered_option, statistics.delivered);
  state_->end_options();
  state_->end(start);
  return state_->settle();
}

Result<void> PcapngWriter::flush(bool durable) {
  if (!state_->drain()) return failed_to_write(state_->path, state_->error);
  if (state_->stream) state_->stream->flush();
  if (durable && state_->descriptor >= 0 && ::fdatasync(state_->descriptor) != 0 && errno != EINVAL && errno != EROFS)
    return failed_to_write(state_->path, errno);
  return {};
}

std::uint64_t PcapngWriter::size() const { return state_->size; }
std::uint64_t PcapngWriter::packets() const { return state_->packets; }

}  // namespace callwitness::capture
