// What stands so near that it may be the user's own: boxes at home, and services that filter for those who ask them to.
// docs/methods/blocking.md
#pragma once

#include "capture/address.hpp"

namespace callwitness::classify {

/// Sent by the next box or the one behind it, by what is left of the usual first values 64, 128 and 255.
bool is_nearby(std::uint8_t time_to_live);
/// Hops between us and the sender, by the nearest usual first value.
int hops_of(std::uint8_t time_to_live);
/// Sent by a router of the access network, as far as hops tell: near, and not the user's own. Whoever is so near stands in the way to any host.
bool is_of_access(std::uint8_t time_to_live);
/// In one /24 (IPv6: /64).
bool is_same_link(const capture::IpAddress& one, const capture::IpAddress& other);
/// A public resolver whose trade is to filter what its user wants filtered.
bool is_filter_service(const capture::IpAddress& resolver);

}  // namespace callwitness::classify
