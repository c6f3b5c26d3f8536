// What an innocent line shows at its losses: delay and bytes in flight (a full queue), losses that follow losses (a radio, a
// handover, an outage), batches (a sleeping radio). One row a packet. docs/methods/limits.md
#pragma once

#include "metrics/models/events.hpp"
#include "metrics/models/logistic.hpp"

namespace callwitness::metrics::models {

/// `values[k]` of packet k: (column, value) pairs, columns numbered from 0.
class Covariates {
 public:
  explicit Covariates(std::size_t packets) : values_(packets) {
    constexpr std::size_t usual = 16;   // values of a packet
    for (auto& values : values_) values.reserve(usual);
  }
  struct Value { std::uint16_t column; float value; };
  void put(std::uint32_t packet, std::uint16_t column, double value) { values_[packet].push_back({column, static_cast<float>(value)}); }
  std::uint16_t add_columns(std::size_t count, bool non_negative, bool of_all = false) {
    const auto first = static_cast<std::uint16_t>(non_negative_.size());
    non_negative_.insert(non_negative_.end(), count, non_negative);
    of_all_.insert(of_all_.end(), count, of_all);
    return first;
  }
  std::size_t columns() const { return non_negative_.size(); }
  bool is_non_negative(std::size_t column) const { return non_negative_[column]; }
  /// It belongs to every model, the bucket's too: which stream a packet is of.
  bool is_of_all(std::size_t column) const { return of_all_[column]; }
  const std::vector<Value>& of(std::size_t packet) const { return values_[packet]; }

 private:
  std::vector<std::vector<Value>> values_;
  std::vector<bool> non_negative_, of_all_;
};

/// All of them; those whose sending times are unknown are left out.
Covariates innocent_covariates(std::span<const PathPacket> packets);

}  // namespace callwitness::metrics::models
