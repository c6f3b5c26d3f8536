// A stranger's flow: every recogniser, every application's media and echo reader, and what the evidence adds up to.
#include "datagrams.hpp"
#include "seeds.hpp"

#include "classify/application.hpp"

#include <cstdlib>

using namespace callwitness;

const fuzz::Seeds fuzz::wanted_seeds = fuzz::Seeds::datagrams;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::vector<std::uint8_t>> prefixes;
  std::vector<classify::StartPacket> packets;
  std::optional<capture::FiveTuple> five_tuple;
  fuzz::read({data, size}, [&](const capture::Datagram& datagram, bool is_backward) {
    const auto way = is_backward ? classify::Way::backward : classify::Way::forward;
    for (const auto* application : classify::applications()) {
      if (application->media)
        if (const auto header = application->media(datagram, way); header && header->sequence_bits > 32) std::abort();
      if (application->echo) application->echo(datagram, way);
    }
    if (!five_tuple) five_tuple = is_backward ? datagram.five_tuple.reversed() : datagram.five_tuple;
    if (packets.size() == classify::FlowStart::packet_limit) return;
    const auto kept = datagram.payload.first(std::min(datagram.payload.size(), classify::FlowStart::prefix_limit));
    prefixes.emplace_back(kept.begin(), kept.end());
    packets.push_back({datagram.time, way, prefixes.back(), datagram.payload_length});
    const auto recognition = classify::recognise({*five_tuple, packets});
    if (recognition.claim.confidence < 0 || recognition.claim.confidence > 1) std::abort();
    classify::Evidence evidence;
    evidence.recognition = recognition;
    evidence.five_tuple = *five_tuple;
    const std::string_view text(reinterpret_cast<const char*>(datagram.payload.data()), datagram.payload.size());
    evidence.owner = text;
    classify::application_of_name(text);
    const auto label = classify::fuse(evidence);
    if (label.confidence < 0 || label.confidence > 1) std::abort();
  });
  return 0;
}
