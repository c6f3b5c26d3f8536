#include "classify/dns_attempts.hpp"

#include <algorithm>

namespace callwitness::classify {
namespace {

using Outcome = Attempt::Outcome;
constexpr Duration patience = std::chrono::seconds(5);    // resolvers' usual timeout (resolv.conf(5))
constexpr std::size_t query_limit = 4096;
constexpr std::uint8_t server_failure = 2, no_such_name = 3, refused_code = 5;

Outcome outcome_of(const DnsMessage& message) {
  if (message.response_code == no_such_name) return Outcome::nxdomain;
  if (message.response_code == refused_code || message.response_code == server_failure) return Outcome::refused;
  // A public service does not live at an unspecified, loopback or private address.
  const bool bogus = std::any_of(message.addresses.begin(), message.addresses.end(), [](const auto& address) { return !address.is_routable(); });
  return bogus ? Outcome::forged : Outcome::answered;
}

}  // namespace

void DnsAttempts::on_datagram(const Flow& flow, const Datagram& datagram, AttemptList& list) {
  expire(datagram.time, list);
  const auto message = read_dns(datagram.payload, anomalies_);
  if (!message) return;
  const Application* application = application_of_name(message->question);
  if (!application) return;
  const Endpoint& client = message->is_response ? datagram.five_tuple.destination : datagram.five_tuple.source;
  const auto found = std::find_if(queries_.begin(), queries_.end(), [&](const Query& query) {
    return query.id == message->id && query.client == client && query.type == message->question_type && query.question == message->question;
  });
  if (message->is_response) {
    if (found != queries_.end()) on_response(*found, *message, datagram);
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
  query.id = message->id;
  query.type = message->question_type;
  query.question = message->question;
  query.application = application->key;
  query.flow = flow.id;
  query.time = query.last_time = datagram.time;
  query.ordinals.push_back(datagram.ordinal);
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
    return;
  }
  // One question, two answers that have nothing in common: one of them was injected. A question that was repeated may
  // rightly get another address of many.
  if (query.asked > 1) return;
  const bool shared = std::any_of(message.addresses.begin(), message.addresses.end(), [&](const auto& address) {
    return std::find(query.addresses.begin(), query.addresses.end(), address) != query.addresses.end();
  });
  const bool contradiction = now != *query.outcome || (!shared && !message.addresses.empty() && !query.addresses.empty());
  if (contradiction) query.outcome = Outcome::forged;
}

void DnsAttempts::settle(const Query& query, AttemptList& list) {
  if (!query.outcome) {
    // Another try for the same name was answered meanwhile: a lost packet, not a silence.
    const auto replied = replied_.find(query.question);
    if (replied != replied_.end() && replied->second >= query.time - patience) return;
  }
  if (query.empty_answer) return;
  Attempt attempt;
  attempt.application = query.application;
  attempt.stage = Attempt::Stage::dns;
  attempt.outcome = query.outcome.value_or(Outcome::no_reply);
  attempt.target = Untrusted(query.question);
  attempt.first_time = query.time;
  attempt.last_time = query.last_time;
  attempt.ordinals = query.ordinals;
  attempt.flows = {query.flow};
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
