#include "classify/vantage.hpp"

#include <algorithm>

namespace callwitness::classify {
namespace {

// Shares and counts: docs/methods/vantage.md.
constexpr double nearly_all = 0.95, hardly_any = 0.2;
constexpr std::uint64_t enough_packets = 10, enough_answers = 2;
constexpr std::uint64_t enough_numbered = 500, enough_missing = 10;
constexpr std::uint32_t prompt_us = 1000;

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

void VantageMeter::add(const FlowState& state) {
  const auto& tuple = state.flow.five_tuple;
  if (tuple.source.address == tuple.destination.address || tuple.destination.address.is_multicast()) return;
  for (std::size_t way = 0; way < 2; ++way) {
    const auto& address = way == 0 ? tuple.source.address : tuple.destination.address;
    const auto& partner = way == 0 ? tuple.destination.address : tuple.source.address;
    if (address.is_private() && state.traits[0].packets > 0 && state.traits[1].packets > 0 && partner_count_ < address_limit)
      partner_count_ += partners_[address].insert(partner).second ? 1 : 0;
    auto found = addresses_.find(address);
    if (found == addresses_.end()) {
      if (addresses_.size() >= address_limit) continue;
      found = addresses_.emplace(address, Traits{}).first;
    }
    Traits& traits = found->second;
    const WayTraits& own = state.traits[way];
    const WayTraits& peer = state.traits[1 - way];
    traits.packets += own.packets;
    traits.initial_time_to_live += own.initial_time_to_live;
    traits.outbound += own.outbound + peer.inbound;
    traits.inbound += own.inbound + peer.outbound;
    traits.answers += state.answers[way].count;
    traits.peers_answers += state.answers[1 - way].count;
    traits.fastest_answer_us = std::min(traits.fastest_answer_us, state.answers[way].fastest_us);
    traits.peers_fastest_us = std::min(traits.peers_fastest_us, state.answers[1 - way].fastest_us);
    if (state.rtp) {
      for (const auto& track : state.rtp->tracks()) {
        const std::uint64_t missing = track.skipped > track.late ? track.skipped - track.late : 0;
        const bool its_own = static_cast<std::size_t>(track.way) == way;
        if (!track.stream) continue;
        (its_own ? traits.numbered : traits.peers_numbered) += track.packets;
        (its_own ? traits.missing : traits.peers_missing) += missing;
      }
    }
    traits.peers_packets += peer.packets;
    traits.peers_initial += peer.initial_time_to_live;
  }
}

bool VantageMeter::speaks_outside(const capture::IpAddress& address) const {
  const auto partners = partners_.find(address);
  return partners != partners_.end() && std::any_of(partners->second.begin(), partners->second.end(), [](const auto& partner) { return partner.is_routable(); });
}

/// A hotspot's or a router's guests: neither end of their calls is the capturing machine, but they are on its side.
std::vector<capture::IpAddress> VantageMeter::guests(const std::vector<capture::IpAddress>& local) const {
  std::vector<capture::IpAddress> found;
  for (const auto& [address, partners] : partners_) {
    if (speaks_outside(address) && std::find(local.begin(), local.end(), address) == local.end()) found.push_back(address);
  }
  return found;
}

Vantage VantageMeter::infer(const std::vector<capture::IpAddress>& told) const {

  Vantage vantage;
  const auto collect = [&](Vantage::Basis basis, double confidence, auto&& is_local) {
    for (const auto& [address, traits] : addresses_) {
      if (!address.is_multicast() && is_local(address, traits)) vantage.local.push_back(address);
    }
    if (vantage.local.empty()) return false;
    vantage.guests = guests(vantage.local);
    vantage.basis = basis;
    vantage.confidence = confidence;
    return true;
  };
  if (!told.empty()) {
    vantage.local = told;
    vantage.guests = guests(told);
    vantage.basis = Vantage::Basis::told;
    vantage.confidence = 1;
    return vantage;
  }
  if (collect(Vantage::Basis::direction_flags, 0.99, [](const auto&, const Traits& traits) {
        return traits.outbound > 0 && traits.inbound == 0;
      })) {
    return vantage;
  }
  // Sent from here: nothing has counted the TTL down yet, while what the others sent has been through routers.
  if (collect(Vantage::Basis::time_to_live, 0.97, [](const auto&, const Traits& traits) {
        return traits.packets >= enough_packets && traits.peers_packets >= enough_packets / 2 &&
               share(traits.initial_time_to_live, traits.packets) >= nearly_all &&
               share(traits.peers_initial, traits.peers_packets) <= hardly_any;
      })) {
    return vantage;
  }
  // Our own answers leave as soon as the question is captured; the others' have the way there and back before them.
  // Two ends that both answer at once are on one LAN: that tells nothing.
  if (collect(Vantage::Basis::turn_around, 0.9, [](const auto&, const Traits& traits) {
        return traits.answers >= enough_answers && traits.peers_answers >= enough_answers &&
               traits.fastest_answer_us < prompt_us && traits.peers_fastest_us > 3 * prompt_us;
      })) {
    return vantage;
  }
  // A private address that speaks with the outside is on this side of the line, wherever along it the capture was made.
  if (collect(Vantage::Basis::private_address, 0.8, [&](const auto& address, const Traits&) { return address.is_private() && speaks_outside(address); })) return vantage;
  // What leaves here can't have been lost yet; what arrives can.
  if (collect(Vantage::Basis::whole_sequence, 0.7, [](const auto&, const Traits& traits) {
        return traits.numbered >= enough_numbered && traits.missing == 0 && traits.peers_numbered >= enough_numbered &&
               traits.peers_missing >= enough_missing;
      })) {
    return vantage;
  }
  const bool any_routable = std::any_of(addresses_.begin(), addresses_.end(), [](const auto& entry) {
    return entry.first.is_routable() && entry.second.packets > 0;
  });
  if (any_routable && collect(Vantage::Basis::private_address, 0.6, [](const auto& address, const Traits& traits) {
        return address.is_private() && traits.packets > 0 && traits.peers_packets > 0;
      })) {
    return vantage;
  }
  return {};
}

}  // namespace callwitness::classify
