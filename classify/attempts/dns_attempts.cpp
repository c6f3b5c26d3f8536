#include "classify/attempts/dns_attempts.hpp"

#include "classify/nearness.hpp"

#include <algorithm>
#include <cstdlib>

namespace callwitness::classify {
namespace {

using Outcome = Attempt::Outcome;
constexpr Duration patience = std::chrono::seconds(5);    // resolvers' usual timeout (resolv.conf(5))
constexpr std::size_t query_limit = 4096, question_limit = 128, resolver_limit = 64;
// An answer that doesn't fit its resolver's others (docs/methods/attempts.md).
constexpr std::uint32_t enough_answers = 8;
constexpr double most = 2.0 / 3;
// Records' times to live, weighed only beside an answer that is bogus or contradicted (docs/methods/attempts.md).
constexpr std::uint32_t longest_lifetime = 7 * 24 * 3600;
constexpr std::uint32_t wildly = 10;
constexpr int telling_hops = 3;                          // routes change by one or two
constexpr std::uint8_t server_failure = 2, no_such_name = 3, refused_code = 5;

Outcome outcome_of(const DnsMessage& message) {
  if (message.response_code == no_such_name) return Outcome::nxdomain;
  if (message.response_code == refused_code || message.response_code == server_failure) return Outcome::refused;
  // A public service does not live at an unspecified, loopback or private address.
  const bool bogus = std::any_of(message.addresses.begin(), message.addresses.end(), [](const auto& address) { return !address.is_routable(); });
  return bogus ? Outcome::forged : Outcome::answered;
}

/// Pi-hole, AdGuard Home and public filters answer 0.0.0.0 or ::, hosts files loopback, routers an address of the home.
bool as_filters_do(const capture::IpAddress& address, const capture::IpAddress& client) {
  const bool unspecified = std::all_of(address.bytes.begin(), address.bytes.end(), [](std::uint8_t byte) { return byte == 0; });
  return unspecified || address.is_loopback() || (address.is_private() && is_same_link(address, client));
}

/// A page of the network's own: 10.x for 10.x, as companies have.
bool within_network(const capture::IpAddress& address, const capture::IpAddress& client, const capture::IpAddress& resolver) {
  const auto alike = [&](const capture::IpAddress& other) { return other.version == address.version && other.bytes[0] == address.bytes[0]; };
  return address.is_private() && (alike(client) || (resolver.is_private() && alike(resolver)));
}

/// The resolver at home, or one reached through it, does as it was told to: by the user, his employer or his operator.
bool may_be_own(const capture::IpAddress& resolver, const capture::IpAddress& client, std::uint8_t hop_limit) {
  return !resolver.is_routable() || is_same_link(resolver, client) || is_filter_service(resolver) || is_nearby(hop_limit);
}

/// Two records of one name in one resolver, at one time: their times to live are of one order, if nobody made one up.
bool differ_wildly(std::optional<std::uint32_t> one, std::optional<std::uint32_t> other) {
  if (!one || !other) return false;
  const auto [least, greatest] = std::minmax(*one, *other);
  return greatest > wildly && static_cast<std::uint64_t>(least) * wildly <= greatest;
}

}  // namespace

void DnsAttempts::on_datagram(const Flow& flow, const Datagram& datagram, AttemptList& list) {
  expire(datagram.time, list);
  const auto message = read_dns(datagram.payload, anomalies_);
  if (!message) return;
  const std::optional<Duration> taken = note_resolver(*message, datagram);
  const Application* application = application_of_name(message->question);
  if (!application) return;
  const Endpoint& client = message->is_response ? datagram.five_tuple.destination : datagram.five_tuple.source;
  const auto found = std::find_if(queries_.begin(), queries_.end(), [&](const Query& query) {
    return query.id == message->id && query.client == client && query.type == message->question_type && query.question == message->question;
  });
  if (message->is_response) {
    if (found == queries_.end()) return;
    if (!found->outcome) {
      found->taken = taken;
      found->hop_limit = datagram.time_to_live;
    }
    on_response(*found, *message, datagram);
    return;
  }
  if (found != queries_.end()) {
    ++found->asked;
    if (found->ordinals.size() < AttemptList::ordinal_limit) found->ordinals.push_back(datagram.ordinal);
    return;
  }
  if (queries_.size() >= query_limit) {
    settle(queries_.front(), list);
    queries_.pop_front();
  }
  Query& query = queries_.emplace_back();
  query.client = client;
  query.resolver = datagram.five_tuple.destination.address;
  query.id = message->id;
  query.type = message->question_type;
  query.question = message->question;
  query.application = application->key;
  query.flow = flow.id;
  query.time = query.last_time = datagram.time;
  query.ordinals.push_back(datagram.ordinal);
}

std::optional<Duration> DnsAttempts::note_resolver(const DnsMessage& message, const Datagram& datagram) {
  if (!message.is_response) {
    if (questions_.size() >= question_limit) questions_.pop_front();
    questions_.push_back({datagram.five_tuple.source, message.id, datagram.time});
    return std::nullopt;
  }
  std::optional<Duration> taken;
  for (const auto& question : questions_) {
    if (question.id == message.id && question.client == datagram.five_tuple.destination) taken = datagram.time - question.time;
  }
  const auto& address = datagram.five_tuple.source.address;
  auto found = resolvers_.find(address);
  if (found == resolvers_.end()) {
    if (resolvers_.size() >= resolver_limit) return taken;
    found = resolvers_.emplace(address, Resolver{}).first;
  }
  Resolver& resolver = found->second;
  if (resolver.usual * 2 <= resolver.answers && datagram.time_to_live != resolver.hop_limit) {   // no majority so far: begin anew with this one
    resolver.hop_limit = datagram.time_to_live;
    resolver.usual = 0;
    resolver.fastest.reset();
  }
  ++resolver.answers;
  if (datagram.time_to_live != resolver.hop_limit) return taken;
  ++resolver.usual;
  if (taken && (!resolver.fastest || *taken < *resolver.fastest)) resolver.fastest = taken;
  return taken;
}

/// From another distance than the resolver's other answers and in less than half of the time that the fastest of them
/// took: from somebody who stands nearer. One of the two alone proves nothing.
bool DnsAttempts::does_not_fit(const Query& query) const {
  const auto found = resolvers_.find(query.resolver);
  if (found == resolvers_.end() || !query.taken) return false;
  const Resolver& resolver = found->second;
  return resolver.usual >= enough_answers && resolver.usual >= most * resolver.answers && query.hop_limit != resolver.hop_limit &&
         resolver.fastest && *query.taken * 2 < *resolver.fastest;
}

void DnsAttempts::on_response(Query& query, const DnsMessage& message, const Datagram& datagram) {
  if (query.ordinals.size() < AttemptList::ordinal_limit) query.ordinals.push_back(datagram.ordinal);
  query.last_time = datagram.time;
  if (replied_.size() < query_limit) replied_[query.question] = datagram.time;
  const Outcome now = outcome_of(message);
  if (!query.outcome) {
    query.outcome = now;
    query.empty_answer = now == Outcome::answered && message.addresses.empty();
    query.addresses = message.addresses;
    query.lifetime = message.time_to_live;
    if (now == Outcome::forged) {
      query.as_filters_do = std::all_of(message.addresses.begin(), message.addresses.end(), [&](const auto& address) {
        return address.is_routable() || as_filters_do(address, query.client.address);
      });
      query.odd_lifetime = message.time_to_live && (*message.time_to_live == 0 || *message.time_to_live > longest_lifetime);
    }
    return;
  }
  // One question, two answers that have nothing in common: one of them was injected. A question that was repeated may
  // rightly get another address of many.
  if (query.asked > 1) return;
  const bool shared = std::any_of(message.addresses.begin(), message.addresses.end(), [&](const auto& address) {
    return std::find(query.addresses.begin(), query.addresses.end(), address) != query.addresses.end();
  });
  const bool contradiction = now != *query.outcome || (!shared && !message.addresses.empty() && !query.addresses.empty());
  if (!contradiction) return;
  query.outcome = Outcome::forged;
  query.contradicted = true;
  query.two_senders = query.two_senders || std::abs(int{datagram.time_to_live} - int{query.hop_limit}) >= telling_hops;
  query.as_filters_do = false;   // a filter in the resolver would have let no other answer out
  query.odd_lifetime = query.odd_lifetime || differ_wildly(query.lifetime, message.time_to_live);
}

void DnsAttempts::settle(const Query& query, AttemptList& list) {
  if (!query.outcome) {
    // Another try for the same name was answered meanwhile: a lost packet, not a silence.
    const auto replied = replied_.find(query.question);
    if (replied != replied_.end() && replied->second >= query.time - patience) return;
  }
  if (query.empty_answer && !does_not_fit(query)) return;
  Attempt attempt;
  attempt.application = query.application;
  attempt.stage = Attempt::Stage::dns;
  attempt.step = Attempt::Step::look_up;
  attempt.source = query.client.address;
  attempt.asked = query.asked;
  attempt.outcome = query.outcome.value_or(Outcome::no_reply);
  if (query.outcome && does_not_fit(query)) attempt.outcome = Outcome::forged;
  attempt.target = Untrusted(query.question);
  attempt.first_time = query.time;
  attempt.last_time = query.last_time;
  attempt.ordinals = query.ordinals;
  attempt.flows = {query.flow};
  const bool page_elsewhere = query.outcome == Outcome::forged && std::none_of(query.addresses.begin(), query.addresses.end(), [&](const auto& address) {
    return within_network(address, query.client.address, query.resolver);
  });
  const bool own = attempt.outcome != Outcome::answered && !query.as_filters_do && !query.contradicted && !page_elsewhere &&
                   may_be_own(query.resolver, query.client.address, query.hop_limit);
  const bool resolver_silent = !query.outcome && !resolvers_.contains(query.resolver);
  attempt.look_up = {query.as_filters_do ? 1u : 0u, own ? 1u : 0u, query.contradicted ? 1u : 0u, resolver_silent ? 1u : 0u, query.two_senders ? 1u : 0u, query.odd_lifetime ? 1u : 0u};
  list.add(std::move(attempt));
}

void DnsAttempts::expire(Time now, AttemptList& list) {
  while (!queries_.empty() && now - queries_.front().time > patience) {
    settle(queries_.front(), list);
    queries_.pop_front();
  }
}

void DnsAttempts::finish(Time end, AttemptList& list) {
  for (const auto& query : queries_) {
    if (query.outcome || end - query.time >= patience) settle(query, list);
  }
  queries_.clear();
}

}  // namespace callwitness::classify
