// What a detector tells: what happened (kind, mechanism, when, how much), then to whom (scope), and how strongly it speaks.
// Kinds and mechanisms are types; their names are the contract's words (docs/report-schema.json).
#pragma once

#include "metrics/observation.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace callwitness::metrics {

enum class FindingKind : std::uint8_t {
#define KIND(name, ...) name,
#include "metrics/finding_kinds.def"
#undef KIND
};

enum class Mechanism : std::uint8_t {
#define MECHANISM(name) name,
#include "metrics/mechanisms.def"
#undef MECHANISM
};

std::string_view name_of(FindingKind kind);
std::string_view name_of(Mechanism mechanism);                          ///< empty for `none`
std::optional<FindingKind> finding_kind_named(std::string_view name);
Mechanism mechanism_named(std::string_view name);                       ///< `none` for a name of another version

/// How a finding weighs in the verdict.
enum class Weight : std::uint8_t { accuses, suspects, impairs, none };

/// What a verdict of interference that rests on a finding speaks of.
enum class Accusation : std::uint8_t { none, throttling, blocking, resets };
std::string_view name_of(Accusation accusation);
Accusation accusation_of(FindingKind kind);

enum class AlternativeStatus : std::uint8_t { ruled_out, not_ruled_out, untestable };

/// Another explanation. `key`: wifi, bufferbloat, own_uplink, remote_end, application_server, nat_timeout, vpn,
/// congestion, capture_drops, offload, wrong_application, plan_cap, own_adaptation. Prose comes from key and reason key.
struct Alternative {
  std::string_view key;
  AlternativeStatus status = AlternativeStatus::untestable;
  std::string_view reason;                           ///< a message key in report/languages
  std::map<std::string, double> numbers;             ///< its parameters
};

/// Who shared what happened. From the narrowest to the widest; unknown: there was nobody to compare with.
enum class ScopeClass : std::uint8_t { unknown, stream, call, application, host, everything };
std::string_view name_of(ScopeClass scope);
struct Scope {
  ScopeClass scope_class = ScopeClass::unknown;
  std::string_view reason;                           ///< a message key in report/languages; empty: nothing was looked at
};

/// log10 of the likelihood ratio of the finding against its best innocent rival, bounded by what was validated.
struct Strength {
  double log10_likelihood_ratio = 0;
  std::string_view against;                          ///< the rival: a mechanism's or an alternative's key
};
/// The forensic scale's word (ENFSI 2015): none, weak, moderate, moderately_strong, strong, very_strong.
std::string_view words_of(const Strength& strength);

struct Stretch { double begin = 0, end = 0; };       ///< seconds since the observation's start

struct Finding {
  FindingKind kind{};
  Mechanism mechanism = Mechanism::none;
  std::optional<Direction> direction;
  std::string_view application;
  std::vector<CallId> calls;
  std::vector<StreamId> streams;
  std::vector<FlowId> flows;
  Time start_time, end_time;
  double confidence = 0;
  std::optional<double> rate_bps, rate_bps_low, rate_bps_high, burst_bytes;
  std::optional<double> period_s, period_s_low, period_s_high;
  /// Of dies_after: how much passed, in `unit` (packets, bytes, seconds), counted `way` (sent, received, both).
  std::optional<double> limit, limit_low, limit_high;
  std::string_view unit, way;
  std::optional<std::uint64_t> count;
  std::vector<Stretch> limited;                      ///< when a limit bound, in order, where that is known
  Scope scope;
  std::optional<Strength> strength;
  std::vector<std::uint64_t> packets;                ///< ordinals that show it, ≤1,000
  std::map<std::string, double> numbers;
  std::vector<Alternative> alternatives;

  /// A number of the evidence; 0: not told.
  double number(const char* name) const;
  bool leaves_open(std::string_view alternative) const;   ///< it is named, and not ruled out
};

}  // namespace callwitness::metrics
