// Consistent replacements for addresses and names: equal inputs give equal outputs under one key.
#pragma once

#include "capture/address.hpp"
#include "report/redact/redactor.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace callwitness::report {

class Pseudonyms {
 public:
  explicit Pseudonyms(const RedactionKey& key);
  ~Pseudonyms();

  /// Crypto-PAn (Xu, Fan, Ammar, Moon 2002) without exceptions: two addresses that share their first n bits share
  /// their first n bits afterwards. IPv6 likewise over 128 bits.
  capture::IpAddress prefix_preserving(const capture::IpAddress& address) const;

  /// The same, but what kind of address it is stays true: private stays private (its range's bits are kept),
  /// routable stays routable, multicast, loopback, broadcast and unspecified are kept as they are.
  capture::IpAddress address(const capture::IpAddress& address);

  /// From now on addresses of its network (/24, /64) keep that, and no others come to lie in it: a service's, of which no
  /// published list tells us, but the analysis. Before any address is replaced.
  void keep_network(const capture::IpAddress& address);

  /// Keeps the group and local bits of a MAC; broadcast and zero stay.
  void mac(std::span<std::uint8_t> six_bytes) const;

  /// Letters and digits of the same length, drawn from a keyed hash of `text` without regard to case.
  std::string word(std::string_view text) const;

  /// Bytes that differ where the originals differ: a keyed digest of `bytes` written over `out`.
  void digest(std::span<const std::uint8_t> bytes, std::span<std::uint8_t> out) const;

  /// How many of the name's last bytes may stay because they are the domain of a known voice service or a public
  /// suffix of ours ("in-addr.arpa" never): "u12.voip.tango.me" → 8.
  std::size_t public_suffix_length(std::string_view name) const;

  /// A host name with every label replaced by a word, but for its public suffix; the same length.
  std::string host_name(std::string_view name) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace callwitness::report
