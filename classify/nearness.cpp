#include "classify/nearness.hpp"

#include <algorithm>
#include <string_view>

namespace callwitness::classify {
namespace {

// Networks of AdGuard DNS, CleanBrowsing, OpenDNS and NextDNS; where they are published: docs/methods/blocking.md
struct Network { std::string_view address; std::size_t bytes; };
constexpr Network filter_services[] = {{"94.140.14.0", 3}, {"94.140.15.0", 3}, {"2a10:50c0::", 4}, {"185.228.168.0", 3}, {"185.228.169.0", 3},
                                       {"2a0d:2a00::", 4}, {"208.67.220.0", 3}, {"208.67.222.0", 3}, {"2620:119::", 4}, {"45.90.28.0", 3},
                                       {"45.90.30.0", 3}, {"2a07:a8c0::", 4}, {"2a07:a8c1::", 4}};

bool share(const capture::IpAddress& one, const capture::IpAddress& other, std::size_t bytes) {
  return one.version == other.version && std::equal(one.bytes.begin(), one.bytes.begin() + static_cast<std::ptrdiff_t>(bytes), other.bytes.begin());
}

}  // namespace

bool is_nearby(std::uint8_t time_to_live) {
  return time_to_live == 63 || time_to_live == 64 || time_to_live == 127 || time_to_live == 128 || time_to_live >= 254;
}

int hops_of(std::uint8_t time_to_live) {
  for (const int initial : {64, 128, 255})
    if (time_to_live <= initial) return initial - time_to_live;
  return 0;
}

bool is_of_access(std::uint8_t time_to_live) {
  constexpr int farthest = 4;
  return hops_of(time_to_live) <= farthest;
}

bool is_same_link(const capture::IpAddress& one, const capture::IpAddress& other) { return one.version != 0 && share(one, other, one.version == 4 ? 3 : 8); }

bool is_filter_service(const capture::IpAddress& resolver) {
  return std::any_of(std::begin(filter_services), std::end(filter_services), [&](const Network& network) {
    return share(*capture::IpAddress::parse(network.address), resolver, network.bytes);
  });
}

}  // namespace callwitness::classify
