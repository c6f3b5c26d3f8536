#include "tcp_model.hpp"

#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <queue>
#include <set>

namespace tests {
namespace {

using callwitness::metrics::Random;

constexpr double header_bytes = 40;
constexpr double access_rate = 1e9;               // of the sender's link: bursts leave at this rate

void put16(std::vector<std::uint8_t>& to, std::uint32_t v) { to.push_back(static_cast<std::uint8_t>(v >> 8)); to.push_back(static_cast<std::uint8_t>(v)); }
void put32(std::vector<std::uint8_t>& to, std::uint32_t v) { put16(to, v >> 16); put16(to, v & 0xffff); }

std::vector<std::uint8_t> frame(std::size_t flow, bool data, std::uint32_t sequence, std::uint32_t acknowledgement, std::uint8_t flags, std::uint32_t payload, std::uint32_t id) {
  const std::uint32_t server = 0xc6336401 + static_cast<std::uint32_t>(flow / 8), client = 0xc0a80117;   // 198.51.100.1, 192.168.1.23
  const auto port = static_cast<std::uint16_t>(40'000 + flow);
  std::vector<std::uint8_t> bytes(12, 2);
  bytes[5] = data ? 1 : 3;
  put16(bytes, 0x0800);
  put16(bytes, 0x4500);
  put16(bytes, 40 + payload);
  put16(bytes, id);
  put16(bytes, 0x4000);
  bytes.push_back(data ? 55 : 64);
  bytes.push_back(6);
  put16(bytes, 0);
  put32(bytes, data ? server : client);
  put32(bytes, data ? client : server);
  put16(bytes, data ? 443 : port);
  put16(bytes, data ? port : 443);
  put32(bytes, sequence);
  put32(bytes, acknowledgement);
  bytes.push_back(0x50);
  bytes.push_back(flags);
  put16(bytes, 65'000);
  put32(bytes, 0);
  bytes.resize(bytes.size() + payload, 0x5a);
  return bytes;
}

struct Sender {
  Download download;
  double window = 10, threshold = 1e9, maximum = 0, epoch = -1;   // packets; CUBIC's W_max and its epoch's start
  double next_credit = 0;
  std::uint32_t next = 0, left = 0;               // packet numbers: next new, first not acknowledged
  std::map<std::uint32_t, std::uint64_t> flying;   ///< packet → order in which it was sent
  std::set<std::uint32_t> lost, received;         // received: at the receiver, at or beyond `expected`
  std::uint32_t expected = 0, recover = 0;
  std::uint64_t order = 0;
  bool recovering = false;
  double heard = 0, backoff = 1, last_back = 0;
};

struct Event {
  double time;
  enum class Kind : std::uint8_t { send, enter, arrive, acknowledge, timeout } kind;
  std::size_t flow;
  std::uint32_t packet;
  std::uint64_t order, tie;
  bool operator<(const Event& other) const { return time != other.time ? time > other.time : tie > other.tie; }
};

class Model {
 public:
  explicit Model(TcpScenario scenario) : scenario_(std::move(scenario)), random_(scenario_.seed) {}
  std::vector<CapturedFrame> run();

 private:
  void push(double time, Event::Kind kind, std::size_t flow, std::uint32_t packet = 0, std::uint64_t order = 0) { events_.push({time, kind, flow, packet, order, tie_++}); }
  void send(std::size_t flow, double now, int most = 1 << 30);
  void transmit(std::size_t flow, std::uint32_t packet, double now);
  void arrive(const Event& event);
  void acknowledge(const Event& event);
  void reduce(Sender& sender, double now);
  void grow(Sender& sender, double now);
  void capture(double time, std::vector<std::uint8_t> bytes) { frames_.push_back({time, std::move(bytes)}); }
  std::uint32_t number(const Sender& sender, std::uint32_t packet) const { return 1'001 + packet * sender.download.payload; }

  TcpScenario scenario_;
  Random random_;
  std::vector<Sender> senders_;
  std::priority_queue<Event> events_;
  std::uint64_t tie_ = 0;
  double link_free_ = 0;
  std::uint32_t id_ = 1;
  std::vector<CapturedFrame> frames_;
};

void Model::transmit(std::size_t flow, std::uint32_t packet, double now) {
  Sender& sender = senders_[flow];
  const double bytes = header_bytes + sender.download.payload;
  link_free_ = std::max(link_free_, now) + bytes * 8 / access_rate;
  sender.flying[packet] = ++sender.order;
  if (scenario_.captured_at_sender) capture(link_free_, frame(flow, true, number(sender, packet), 1, 0x10, sender.download.payload, id_++ & 0xffff));
  push(link_free_, Event::Kind::enter, flow, packet, sender.order);
}

void Model::send(std::size_t flow, double now, int most) {
  Sender& sender = senders_[flow];
  for (; most > 0 && static_cast<double>(sender.flying.size()) < sender.window; --most) {
    if (!sender.lost.empty()) {
      const std::uint32_t packet = *sender.lost.begin();
      sender.lost.erase(sender.lost.begin());
      transmit(flow, packet, now);
      continue;
    }
    if (now >= sender.download.end) return;
    if (sender.download.application_bps > 0) {
      if (sender.next_credit > now) {
        push(sender.next_credit, Event::Kind::send, flow);
        return;
      }
      sender.next_credit = std::max(sender.next_credit, now - 0.1) + sender.download.payload * 8.0 / sender.download.application_bps;
    }
    transmit(flow, sender.next++, now);
  }
}

void Model::reduce(Sender& sender, double now) {
  const double kept = sender.download.cubic ? 0.7 : 0.5;
  sender.maximum = sender.window;
  sender.window = std::max(2.0, sender.window * kept);
  sender.threshold = sender.window;
  sender.epoch = now;
  sender.recovering = true;
  sender.recover = sender.next;
}

void Model::grow(Sender& sender, double now) {
  if (sender.window < sender.threshold) {
    sender.window += 1;
  } else if (!sender.download.cubic || sender.epoch < 0) {
    sender.window += 1 / sender.window;
  } else {                                          // RFC 9438, with C = 0.4 and beta = 0.7
    const double k = std::cbrt(sender.maximum * 0.3 / 0.4), t = now - sender.epoch + sender.download.round_trip - k;
    const double target = std::min(0.4 * t * t * t + sender.maximum, 1.5 * sender.window);
    sender.window += target > sender.window ? (target - sender.window) / sender.window : 0.01 / sender.window;
  }
}

void Model::arrive(const Event& event) {
  Sender& sender = senders_[event.flow];
  if (!scenario_.captured_at_sender) capture(event.time, frame(event.flow, true, number(sender, event.packet), 1, 0x10, sender.download.payload, id_++ & 0xffff));
  if (event.packet >= sender.expected) sender.received.insert(event.packet);
  while (!sender.received.empty() && *sender.received.begin() == sender.expected) {
    sender.received.erase(sender.received.begin());
    ++sender.expected;
  }
  if (!scenario_.captured_at_sender) capture(event.time + 0.00005, frame(event.flow, false, 1, number(sender, sender.expected), 0x10, 0, id_++ & 0xffff));
  const double back = sender.download.round_trip / 2 + random_.uniform() * scenario_.acknowledgement_jitter;
  sender.last_back = std::max(sender.last_back + 1e-7, event.time + back);       // late, never out of order
  push(sender.last_back, Event::Kind::acknowledge, event.flow, event.packet, event.order);
}

void Model::acknowledge(const Event& event) {
  Sender& sender = senders_[event.flow];
  // The receiver's state may have moved on; what this one stands for is enough: this packet arrived.
  std::uint32_t cumulative = sender.left;
  sender.flying.erase(event.packet);
  sender.lost.erase(event.packet);
  sender.heard = event.time;
  sender.backoff = 1;
  const std::uint32_t lowest_flying = sender.flying.empty() ? sender.next : sender.flying.begin()->first;
  const std::uint32_t lowest = sender.lost.empty() ? lowest_flying : std::min(lowest_flying, *sender.lost.begin());
  if (lowest > cumulative) cumulative = lowest;
  if (scenario_.captured_at_sender) capture(event.time, frame(event.flow, false, 1, number(sender, cumulative), 0x10, 0, id_++ & 0xffff));
  sender.left = cumulative;
  if (sender.recovering && sender.left >= sender.recover) sender.recovering = false;
  // Sent three transmissions earlier and not there: lost.
  std::vector<std::uint32_t> gone;
  for (const auto& [packet, order] : sender.flying)
    if (order + 3 <= event.order) gone.push_back(packet);
  for (const auto packet : gone) {
    sender.flying.erase(packet);
    sender.lost.insert(packet);
  }
  if (!gone.empty() && !sender.recovering) reduce(sender, event.time);
  else if (!sender.recovering) grow(sender, event.time);
  send(event.flow, event.time, sender.recovering ? 2 : 1 << 30);   // RFC 6937: while it mends, no more than twice what arrives
}

std::vector<CapturedFrame> Model::run() {
  for (std::size_t flow = 0; flow < scenario_.downloads.size(); ++flow) {
    senders_.emplace_back().download = scenario_.downloads[flow];
    const auto& download = scenario_.downloads[flow];
    const double near = scenario_.captured_at_sender ? download.round_trip : 0.0001;
    capture(download.start, frame(flow, false, 0, 0, 0x02, 0, id_++));
    capture(download.start + (scenario_.captured_at_sender ? 0.0001 : download.round_trip), frame(flow, true, 1'000, 1, 0x12, 0, id_++));
    capture(download.start + (scenario_.captured_at_sender ? 0 : download.round_trip) + near, frame(flow, false, 1, 1'001, 0x10, 0, id_++));
    senders_[flow].heard = senders_[flow].next_credit = download.start + download.round_trip;
    push(senders_[flow].heard, Event::Kind::send, flow);
    push(senders_[flow].heard + 1, Event::Kind::timeout, flow);
  }
  while (!events_.empty()) {
    const Event event = events_.top();
    events_.pop();
    Sender& sender = senders_[event.flow];
    const double round_trip = sender.download.round_trip;
    switch (event.kind) {
      case Event::Kind::send: send(event.flow, event.time); break;
      case Event::Kind::enter: {
        const double left = scenario_.places[static_cast<std::size_t>(sender.download.place)](event.time, header_bytes + sender.download.payload);
        if (left < 0) break;
        double at = left + round_trip / 2;
        if (scenario_.receive_batch > 0) at = std::ceil(at / scenario_.receive_batch) * scenario_.receive_batch + 1e-5 * static_cast<double>(event.order % 100);
        push(at, Event::Kind::arrive, event.flow, event.packet, event.order);
        break;
      }
      case Event::Kind::arrive: arrive(event); break;
      case Event::Kind::acknowledge: acknowledge(event); break;
      case Event::Kind::timeout: {
        const double wait = std::max(0.3, 3 * round_trip) * sender.backoff;
        if (event.time - sender.heard >= wait && !sender.flying.empty()) {
          for (const auto& [packet, order] : sender.flying) sender.lost.insert(packet);
          sender.flying.clear();
          sender.threshold = std::max(2.0, sender.window / 2);
          sender.window = 1;
          sender.backoff = std::min(16.0, sender.backoff * 2);
          sender.heard = event.time;
          send(event.flow, event.time);
        }
        if (event.time < sender.download.end + 5) push(event.time + std::max(0.3, 3 * round_trip) / 3, Event::Kind::timeout, event.flow);
        break;
      }
    }
  }
  std::stable_sort(frames_.begin(), frames_.end(), [](const CapturedFrame& a, const CapturedFrame& b) { return a.time < b.time; });
  return std::move(frames_);
}

}  // namespace

std::vector<CapturedFrame> run(TcpScenario scenario) { return Model(std::move(scenario)).run(); }

}  // namespace tests
