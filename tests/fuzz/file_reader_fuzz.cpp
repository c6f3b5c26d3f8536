// A stranger's capture file, whatever its format, up to the transport layer; and read ahead by a thread, as big files are,
// which changes nothing.
#include "seeds.hpp"

#include "capture/decoder.hpp"
#include "capture/files/file_reader.hpp"
#include "capture/source.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

using namespace callwitness::capture;

const callwitness::fuzz::Seeds callwitness::fuzz::wanted_seeds = callwitness::fuzz::Seeds::file;

namespace {
struct Touch final : DatagramSink {
  void on_datagram(const Datagram& datagram) override {
    for (const std::uint8_t byte : datagram.payload) sum += byte;
    if (datagram.payload.size() > datagram.payload_length) std::abort();
  }
  unsigned sum = 0;
};

constexpr std::size_t packets_compared = 2'000;

/// What comes of a file: its packets, mixed into one number, and what its record tells.
struct Read {
  bool opened = false;
  std::uint64_t packets = 0, sum = 0xcbf29ce484222325;
  CaptureRecord record;
  void mix(std::uint64_t value) { sum = (sum ^ value) * 0x100000001b3; }
};

/// Every other packet is asked for as the threaded pipeline does, which must leave those before it in their place.
Read read_file(const std::string& path, const StreamOptions& options) {
  Read read;
  auto reader = FileReader::open(path, options, read.record);
  if (!reader) return read;
  read.opened = true;
  for (Packet packet; read.packets < packets_compared && reader.value()->next(packet);) {
    for (bool more = true; more; more = read.packets < packets_compared && reader.value()->next_at_hand(packet)) {
      ++read.packets;
      read.mix(static_cast<std::uint64_t>(packet.time.time_since_epoch().count()));
      read.mix(packet.wire_length);
      for (const std::uint8_t byte : packet.bytes) read.mix(byte);
      reader.value()->account(packet);
    }
  }
  reader.value()->finish();
  return read;
}

void compare_read_ahead(const std::string& path, std::size_t size) {
  StreamOptions whole, pieces;
  whole.read_ahead_from = size + 1;
  pieces.read_ahead_from = 0;
  if (size % 2 == 0) pieces.window = 256;   // many small ones, which records straddle; else one or two
  const Read expected = read_file(path, whole), read = read_file(path, pieces);
  if (read.opened != expected.opened || read.packets != expected.packets || read.sum != expected.sum) std::abort();
  if (read.record.sha256 != expected.record.sha256 || read.record.size_bytes != expected.record.size_bytes) std::abort();
  if (read.record.problems != expected.record.problems || read.record.damaged != expected.record.damaged) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const int descriptor = ::memfd_create("input", MFD_CLOEXEC);
  if (descriptor < 0) return 0;
  const bool written = ::write(descriptor, data, size) == static_cast<ssize_t>(size);
  if (written) {
    CaptureRecords records;
    Anomalies anomalies;
    SourceOptions options;
    options.byte_limit = std::uint64_t{1} << 20;
    Touch sink;
    Decoder decoder(sink, anomalies);
    const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
    compare_read_ahead(path, size);
    auto source = open_source({path}, options, records);
    if (source) {
      if (!source.value()->run(decoder)) std::abort();
      // Damage is always told in words.
      for (const CaptureRecord& record : records)
        if (record.damaged && record.problems.empty()) std::abort();
    }
  }
  ::close(descriptor);
  return 0;
}
