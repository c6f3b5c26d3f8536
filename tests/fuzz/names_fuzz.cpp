// Names out of DNS answers and TLS ClientHellos, in one piece and over several segments.
#include "datagrams.hpp"
#include "seeds.hpp"

#include "classify/names.hpp"

#include <cstdlib>

using namespace callwitness;

const fuzz::Seeds fuzz::wanted_seeds = fuzz::Seeds::datagrams;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  classify::NameTable names;
  capture::Anomalies anomalies;
  constexpr std::size_t longest_name = 253;   // RFC 1035 2.3.4
  fuzz::read({data, size}, [&](const capture::Datagram& datagram, bool) {
    if (const auto message = classify::read_dns(datagram.payload, anomalies);
        message && (message->question.size() > longest_name || message->addresses.size() > 16)) std::abort();
    if (const auto hello = classify::read_client_hello(datagram.payload); hello && hello->server_name.size() > longest_name) std::abort();
    if (names.on_datagram(datagram).raw().size() > longest_name) std::abort();
    names.lookup(datagram.five_tuple.destination.address);
  });
  return 0;
}
