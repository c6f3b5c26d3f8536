// Look-ups of voice services' names: answered, denied, forged or left without an answer.
#pragma once

#include "classify/attempts/attempt_list.hpp"
#include "classify/names.hpp"

#include <deque>

namespace callwitness::classify {

class DnsAttempts {
 public:
  void on_datagram(const Flow& flow, const Datagram& datagram, AttemptList& list);
  void finish(Time end, AttemptList& list);

 private:
  struct Query {
    Endpoint client;
    std::uint16_t id = 0, type = 0;
    std::string question;
    std::string_view application;
    FlowId flow{};
    Time time, last_time;
    std::uint32_t asked = 1;
    std::optional<Attempt::Outcome> outcome;
    bool empty_answer = false;
    std::uint8_t hop_limit = 0;                    ///< of the packet that brought the first answer
    std::optional<Duration> taken;                 ///< until then
    capture::IpAddress resolver;                   ///< that was asked
    std::vector<capture::IpAddress> addresses;
    std::optional<std::uint32_t> lifetime;         ///< of the first answer's records
    bool as_filters_do = false, contradicted = false, two_senders = false, odd_lifetime = false;
    std::vector<std::uint64_t> ordinals;
  };
  /// How a resolver's answers come, those about other services included.
  struct Resolver {
    std::uint32_t answers = 0, usual = 0;          ///< in all; with the hop limit that most have
    std::uint8_t hop_limit = 0;
    std::optional<Duration> fastest;               ///< of the usual ones
  };
  struct Question { Endpoint client; std::uint16_t id = 0; Time time; };
  std::optional<Duration> note_resolver(const DnsMessage& message, const Datagram& datagram);
  bool does_not_fit(const Query& query) const;
  void on_response(Query& query, const DnsMessage& message, const Datagram& datagram);
  void settle(const Query& query, AttemptList& list);
  void expire(Time now, AttemptList& list);

  std::deque<Question> questions_;                 ///< of any name, few
  std::map<capture::IpAddress, Resolver> resolvers_;
  std::deque<Query> queries_;                      ///< in order of time
  std::map<std::string, Time> replied_;            ///< name → last reply of any kind
  capture::Anomalies anomalies_;
};

}  // namespace callwitness::classify
