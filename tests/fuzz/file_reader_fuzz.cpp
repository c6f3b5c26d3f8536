// A stranger's capture file, whatever its format, up to the transport layer.
#include "seeds.hpp"

#include "capture/decoder.hpp"
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
    auto source = open_source({"/proc/self/fd/" + std::to_string(descriptor)}, options, records);
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
