// What stands so near that it may be the user's own: boxes at home, and services that filter for those who ask them to.
// docs/methods/blocking.md
#pragma once

#include "capture/address.hpp"

namespace callwitness::classify {

/// Sent by the next box or the one behind it, by what is left of the usual first values 64, 128 and 255.
bool is_nearby(std::uint8_t time_to_live);
/// In one /24 (IPv6: /64).
bool is_same_link(const capture::IpAddress& one, const capture::IpAddress& other);
/// A public resolver whose trade is to filter what its user wants filtered.
bool is_filter_service(const capture::IpAddress& resolver);

}  // namespace callwitness::classify
