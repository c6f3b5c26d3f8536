// Over 400 lines: the models of codecs, web and calls share one event loop and are read together.
#include "scenario.hpp"

#include "network.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace montecarlo {
namespace {

using callwitness::capture::Duration;
using callwitness::capture::LinkType;
using callwitness::capture::Packet;
using callwitness::capture::Time;

constexpr std::uint32_t local_address = 0xc0a80117;   // 192.168.1.23

void put16(std::vector<std::uint8_t>& to, std::uint32_t v) { to.push_back(static_cast<std::uint8_t>(v >> 8)); to.push_back(static_cast<std::uint8_t>(v)); }
void put32(std::vector<std::uint8_t>& to, std::uint32_t v) { put16(to, v >> 16); put16(to, v & 0xffff); }

struct Wire {
  std::uint32_t remote = 0;
  std::uint16_t local_port = 0, remote_port = 0;
  bool tcp = false;
};

std::vector<std::uint8_t> frame(const Wire& wire, bool sent, std::span<const std::uint8_t> transport, std::uint8_t hops) {
  std::vector<std::uint8_t> bytes(12, 2);
  bytes[5] = sent ? 1 : 3;
  put16(bytes, 0x0800);
  bytes.push_back(0x45);
  bytes.push_back(0);
  put16(bytes, static_cast<std::uint32_t>(20 + transport.size()));
  put32(bytes, 0x12344000);
  bytes.push_back(sent ? 64 : hops);
  bytes.push_back(wire.tcp ? 6 : 17);
  put16(bytes, 0);
  put32(bytes, sent ? local_address : wire.remote);
  put32(bytes, sent ? wire.remote : local_address);
  bytes.insert(bytes.end(), transport.begin(), transport.end());
  return bytes;
}

std::vector<std::uint8_t> udp(const Wire& wire, bool sent, const std::vector<std::uint8_t>& payload) {
  std::vector<std::uint8_t> bytes;
  put16(bytes, sent ? wire.local_port : wire.remote_port);
  put16(bytes, sent ? wire.remote_port : wire.local_port);
  put16(bytes, static_cast<std::uint32_t>(8 + payload.size()));
  put16(bytes, 0);
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  return bytes;
}

std::vector<std::uint8_t> tcp(const Wire& wire, bool sent, std::uint32_t sequence, std::uint32_t acknowledgement, std::uint8_t flags, std::size_t payload) {
  std::vector<std::uint8_t> bytes;
  put16(bytes, sent ? wire.local_port : wire.remote_port);
  put16(bytes, sent ? wire.remote_port : wire.local_port);
  put32(bytes, sequence);
  put32(bytes, acknowledgement);
  bytes.push_back(0x50);
  bytes.push_back(flags);
  put16(bytes, 65000);
  put32(bytes, 0);
  bytes.resize(bytes.size() + payload, 0x5a);
  return bytes;
}

enum class Codec { g711, opus, opus_dtx, opaque, opaque_steady };

struct Media {
  Codec codec = Codec::g711;
  bool video = false;
  Wire wire;
  bool sent = false;
  double from = 0, to = 0;
  // State
  double next = 0, size = 160, rate = 600'000, talking_until = 0, silent_until = 0;
  std::uint32_t sequence = 0, timestamp = 0, ssrc = 0;
  double lost_recent = 0, sent_recent = 0, next_control = 0;
  double packet_time = 0.02, bitrate_scale = 1;
};

struct World {
  explicit World(std::uint64_t seed) : random(seed) {}
  Random random;
  Path down, up;
  std::vector<Frame> frames;
  std::vector<Media> media;
  std::uint8_t hops = 52;
  double seconds = 60;
  std::uint64_t call_offered = 0, call_dropped = 0;
  struct Hole { double from, to; };
  std::vector<Hole> capture_holes;

  void capture(double time, std::vector<std::uint8_t> bytes) {
    for (const auto& hole : capture_holes)
      if (time >= hole.from && time < hole.to) return;
    frames.push_back({time, std::move(bytes)});
  }

  std::vector<std::uint8_t> rtp(Media& m, std::size_t payload, bool marker) {
    std::vector<std::uint8_t> bytes;
    bytes.push_back(0x80);
    const std::uint8_t type = m.video ? 96 : m.codec == Codec::g711 ? 8 : 111;
    bytes.push_back(static_cast<std::uint8_t>(type | (marker ? 0x80 : 0)));
    put16(bytes, m.sequence++ & 0xffff);
    put32(bytes, m.timestamp);
    put32(bytes, m.ssrc);
    for (std::size_t i = 0; i < payload; ++i) bytes.push_back(static_cast<std::uint8_t>(random.next() >> 20));
    return bytes;
  }

  /// One datagram of the call; returns whether it passed.
  bool emit(Media& m, double time, const std::vector<std::uint8_t>& payload) {
    auto transport = udp(m.wire, m.sent, payload);
    SimPacket packet{time, time, static_cast<double>(20 + transport.size()), 0, true, m.video};
    if (m.sent) {
      capture(time, frame(m.wire, true, transport, hops));
      return up.pass(packet);
    }
    ++call_offered;
    const bool passed = down.pass(packet);
    if (passed) capture(packet.arrival, frame(m.wire, false, transport, hops));
    else ++call_dropped;
    return passed;
  }

  void step(Media& m) {
    const double now = m.next;
    if (m.video) {
      // Ten-second-scale adaptation to loss, as congestion controllers do it: back off above 4 %, probe below 2 %.
      if (now >= m.next_control) {
        const double loss = m.sent_recent > 0 ? m.lost_recent / m.sent_recent : 0;
        m.rate = loss > 0.04 ? m.rate * (1 - 0.5 * loss) * 0.9 : loss < 0.02 ? std::min(1'200'000.0, m.rate * 1.08) : m.rate;
        m.rate = std::max(60'000.0, m.rate);
        m.lost_recent = m.sent_recent = 0;
        m.next_control = now + 1;
      }
      double frame_bytes = m.rate / 8 / 25 * std::max(0.3, random.normal(1, 0.2));
      if (random.chance(1 / 120.0)) frame_bytes *= 3;
      double at = now;
      while (frame_bytes > 0) {
        const double part = std::min(1100.0, std::max(80.0, frame_bytes));
        frame_bytes -= part;
        m.sent_recent += 1;
        m.lost_recent += emit(m, at, rtp(m, static_cast<std::size_t>(part), frame_bytes <= 0)) ? 0 : 1;
        at += 0.0008;
      }
      m.timestamp += 3600;
      m.next = now + 0.04;
      return;
    }
    const double clock = m.codec == Codec::g711 ? 8000 : 48000;
    if (m.codec == Codec::opus_dtx && now > m.talking_until) {
      if (now > m.silent_until) {
        m.talking_until = now + random.exponential(2.0);
        m.silent_until = m.talking_until + random.exponential(1.5);
      } else {
        emit(m, now, rtp(m, 4, false));
        m.timestamp += static_cast<std::uint32_t>(clock * 0.4);
        m.next = now + 0.4;
        return;
      }
    }
    if (m.codec == Codec::g711) m.size = 160;
    else if (m.codec == Codec::opaque_steady) m.size = 70 * m.bitrate_scale;
    else m.size = std::clamp(m.size + random.normal((80 * m.bitrate_scale - m.size) * 0.1, 8 * m.bitrate_scale), 30.0, 400.0);
    std::vector<std::uint8_t> payload;
    if (m.codec == Codec::opaque || m.codec == Codec::opaque_steady) {
      for (int i = 0; i < static_cast<int>(m.size); ++i) payload.push_back(static_cast<std::uint8_t>(random.next() >> 24));
    } else {
      payload = rtp(m, static_cast<std::size_t>(m.size), false);
    }
    emit(m, now, payload);
    m.timestamp += static_cast<std::uint32_t>(clock * m.packet_time);
    m.next = now + m.packet_time * random.uniform(0.98, 1.02) - (m.packet_time * 0.0);
  }

  void call(Codec codec, bool with_video, double from, double to, std::uint16_t port, double packet_time, double scale) {
    const Wire wire{0xcb007100u + static_cast<std::uint32_t>(5), port, 23456, false};
    for (const bool sent : {true, false}) {
      Media audio;
      audio.codec = codec;
      audio.wire = wire;
      audio.sent = sent;
      audio.from = audio.next = from + random.uniform(0, 0.02);
      audio.to = to + random.uniform(0, 0.05);
      audio.ssrc = static_cast<std::uint32_t>(random.next() >> 32);
      audio.sequence = static_cast<std::uint32_t>(random.next() >> 48);
      audio.packet_time = packet_time;
      audio.bitrate_scale = scale;
      media.push_back(audio);
      if (!with_video) continue;
      Media video = audio;
      video.video = true;
      video.ssrc += 77;
      video.rate = random.uniform(400'000, 900'000);
      video.next_control = from + 1;
      media.push_back(video);
    }
  }

  void run_media() {
    for (;;) {
      Media* first = nullptr;
      for (auto& m : media)
        if (m.next < m.to && (first == nullptr || m.next < first->next)) first = &m;
      if (first == nullptr) return;
      run_web(first->next);
      step(*first);
    }
  }

  // Control traffic: downloads over TCP that speed up until they lose.
  struct Download { Wire wire; double next, left, rate; std::uint32_t sequence; double slowed; bool open; };
  std::vector<Download> downloads;
  double next_page = 1, page_every = 10, web_rate = 6'000'000, page_bytes = 500'000;
  bool web = true;

  void run_web(double until) {
    if (!web) return;
    while (next_page < until) {
      downloads.push_back({{0xc6336400u + static_cast<std::uint32_t>(random.index(5)), static_cast<std::uint16_t>(40000 + random.index(20000)), 443, true},
                           next_page, page_bytes * random.uniform(0.5, 1.5), 300'000, 1000, 0, false});
      next_page += random.exponential(page_every) + 1;
    }
    for (;;) {
      Download* first = nullptr;
      for (auto& d : downloads)
        if (d.left > 0 && d.next < until && (first == nullptr || d.next < first->next)) first = &d;
      if (first == nullptr) break;
      step(*first);
    }
    std::erase_if(downloads, [&](const Download& d) { return d.left <= 0; });
  }

  void step(Download& d) {
    const double now = d.next;
    if (!d.open) {
      capture(now, frame(d.wire, true, tcp(d.wire, true, 500, 0, 2, 0), hops));
      SimPacket reply{now, now, 40, 1, false, false};
      if (!down.pass(reply)) {
        d.next = now + 1;
        return;
      }
      capture(reply.arrival, frame(d.wire, false, tcp(d.wire, false, 999, 501, 18, 0), hops));
      capture(reply.arrival + 0.0002, frame(d.wire, true, tcp(d.wire, true, 501, 1000, 16, 0), hops));
      capture(reply.arrival + 0.0005, frame(d.wire, true, tcp(d.wire, true, 501, 1000, 24, 300), hops));
      d.open = true;
      d.next = reply.arrival + 0.03;
      return;
    }
    SimPacket packet{now, now, 1500, 1, false, false};
    if (down.pass(packet)) {
      capture(packet.arrival, frame(d.wire, false, tcp(d.wire, false, d.sequence, 801, 16, 1460), hops));
      if (d.sequence / 1460 % 2) capture(packet.arrival + 0.0003, frame(d.wire, true, tcp(d.wire, true, 801, d.sequence + 1460, 16, 0), hops));
      d.sequence += 1460;
      d.left -= 1460;
      // A queue that fills slows the sender (its window is bounded).
      d.rate = packet.arrival - now > 0.4 ? d.rate * 0.99 : std::min(web_rate, d.rate * 1.01);
    } else if (now > d.slowed + 0.2) {
      d.rate = std::max(40'000.0, d.rate * 0.6);
      d.slowed = now;
    }
    d.next = now + 12'000 / d.rate;
  }
};

void add(Path& path, std::unique_ptr<Element> element) { path.elements.push_back(std::move(element)); }

double offered_of(Codec codec, double packet_time, double scale) {
  const double overhead = codec == Codec::opaque || codec == Codec::opaque_steady ? 28 : 40;
  const double size = codec == Codec::g711 ? 160 : codec == Codec::opaque_steady ? 70 * scale : 80 * scale;
  return (size + overhead) * 8 / packet_time;
}

}  // namespace

std::vector<std::string_view> benign_scenarios() {
  return {"constant_bitrate_codec", "dtx_silence", "adaptive_video", "video_after_cross_traffic", "wifi_bursts", "wifi_scans", "lte_handover", "slow_line_video",
          "slow_line_audio", "slow_line_small_queue", "slow_line_starving_the_rest", "congestion", "plan_cap_on_everything", "plan_shaper_on_everything", "capture_drops",
          "human_redials", "bot_redials_300s", "line_flaps", "random_loss", "opaque_codec", "opaque_random_loss", "no_control_traffic", "idle_then_nat_timeout"};
}

std::vector<std::string_view> interfering_scenarios() {
  return {"policer_constant", "policer_opus", "policer_dtx", "policer_video", "policer_opaque", "policer_begins", "policer_steps", "shaper_constant", "shaper_opaque", "shaper_opus", "periodic_blackhole"};
}

Simulated simulate(std::string_view name, std::uint64_t seed, double seconds) {
  std::uint64_t mixed = seed;
  for (const char c : name) mixed = mixed * 1099511628211ULL + static_cast<unsigned char>(c);
  World world(mixed);
  auto& random = world.random;
  Simulated result;
  auto& truth = result.truth;
  truth.scenario = name;
  truth.seconds = world.seconds = seconds;
  const auto starts = [&](std::string_view prefix) { return name.substr(0, prefix.size()) == prefix; };
  const auto has = [&](std::string_view part) { return name.find(part) != std::string_view::npos; };

  Codec codec = random.chance(0.5) ? Codec::g711 : Codec::opus;
  if (has("dtx")) codec = Codec::opus_dtx;
  if (has("constant")) codec = Codec::g711;
  if (has("opus")) codec = Codec::opus;
  if (has("opaque")) codec = random.chance(0.5) ? Codec::opaque : Codec::opaque_steady;
  const bool video = has("video");
  const double packet_time = codec == Codec::g711 ? 0.02 : random.chance(0.7) ? 0.02 : has("shaper") ? 0.02 : 0.06;
  const double scale = random.uniform(0.8, 1.6);
  double line = random.uniform(2e6, 20e6);
  double queue = line / 8 * random.uniform(0.05, 0.3);
  const double offered = offered_of(codec, packet_time, scale);
  world.page_every = random.uniform(6, 20);
  world.page_bytes = random.uniform(200'000, 800'000);

  // A cap beside the line, before it (the provider's side).
  const double severity = random.uniform(0.5, 0.95);
  truth.severity = severity;
  if (starts("policer") || starts("shaper")) {
    truth.interference = true;
    const double depth = random.uniform(1600, video ? 30000 : 6000);
    double cap = video ? random.uniform(150'000, 500'000) : severity * offered;
    double from = 0;
    if (has("begins")) from = seconds * random.uniform(0.15, 0.4);
    if (starts("shaper")) {
      // Comes after the line: put there below.
    } else if (has("steps")) {
      truth.caps_bps = {cap};
      const double second = cap * random.uniform(0.6, 0.85);
      add(world.down, std::make_unique<Policer>(std::vector<Policer::Step>{{0, cap}, {seconds * random.uniform(0.4, 0.6), second}}, depth, the_call()));
      cap = second;
    } else {
      add(world.down, std::make_unique<Policer>(std::vector<Policer::Step>{{from, cap}}, depth, the_call()));
    }
    truth.caps_bps.push_back(cap);
    truth.cap_bps = cap;
  }
  if (starts("slow_line")) {
    line = video ? random.uniform(100'000, 300'000) : random.uniform(0.85, 1.6) * offered;
    queue = has("small_queue") ? random.uniform(1500, 6000) : line / 8 * random.uniform(0.1, 1.0);
    world.web_rate = 2 * line;
    world.page_every = has("starving") ? 4 : random.uniform(8, 30);
    world.page_bytes = random.uniform(10'000, 80'000);
    if (has("starving")) world.page_bytes = 200'000;
  }
  if (name == "plan_cap_on_everything") {
    const double cap = random.uniform(0.7, 4) * offered;
    add(world.down, std::make_unique<Policer>(std::vector<Policer::Step>{{0, cap}}, random.uniform(3000, 30000), everything()));
    world.web_rate = 2 * cap;
  }
  if (name == "plan_shaper_on_everything") {
    line = random.uniform(0.8, 3) * offered;
    queue = random.uniform(5000, 30000);
    world.web_rate = 2 * line;
  }
  if (name == "congestion") {
    line = random.uniform(500'000, 3e6);
    queue = line / 8 * random.uniform(0.05, 0.5);
    world.page_every = 2;
    world.page_bytes = 1e6;
  }
  if (name == "video_after_cross_traffic") line = random.uniform(900'000, 2e6), queue = line / 8 * 0.2;
  if (name == "no_control_traffic") world.web = false;
  if (has("wifi_bursts")) add(world.down, std::make_unique<Bursts>(random, random.uniform(2, 8), random.uniform(0.05, 0.3), random.uniform(0.3, 0.9)));
  if (has("wifi_scans")) add(world.down, std::make_unique<Holds>(random, 10, random.uniform(0.1, 0.3), 0.3));
  if (has("lte_handover")) add(world.down, std::make_unique<Holds>(random, 90, random.uniform(0.2, 1.8), random.uniform(0, 1)));
  if (has("random_loss")) add(world.down, std::make_unique<RandomLoss>(random, random.uniform(0.01, 0.08)));
  if (name == "line_flaps") {
    std::vector<std::pair<double, double>> intervals;
    for (double t = random.exponential(40); t < seconds; t += 10 + random.exponential(60)) intervals.emplace_back(t, t + random.uniform(3, 10));
    add(world.down, std::make_unique<Blackout>(intervals, everything()));
    world.page_every = 4;
  }
  std::vector<std::pair<double, double>> calls = {{random.uniform(0.5, 2), seconds - 0.5}};
  if (name == "human_redials") {
    calls.clear();
    for (double t = 1; t < seconds - 15;) {
      const double up = std::min(seconds - t, 60 * std::exp(random.normal(-0.2, 0.5)));
      calls.emplace_back(t, t + up);
      t += up + random.uniform(1, 6);
    }
  }
  if (name == "bot_redials_300s") {
    calls.clear();
    for (double t = 1; t < seconds - 10; t += 30) calls.emplace_back(t, t + 27);   // scaled: 30 s instead of 300
  }
  if (name == "idle_then_nat_timeout") calls = {{1, seconds * 0.6}};
  if (name == "periodic_blackhole") {
    truth.interference = true;
    truth.cuts = 4 + random.index(4);
    truth.period_s = random.uniform(25, 60);
    const double jitter = random.uniform(0, 0.01) * *truth.period_s, first = random.uniform(15, 30);
    seconds = world.seconds = first + *truth.period_s * static_cast<double>(truth.cuts) - 2;
    std::vector<std::pair<double, double>> intervals;
    for (std::size_t k = 0; k < truth.cuts; ++k) {
      const double at = first + *truth.period_s * static_cast<double>(k) + random.normal(0, jitter);
      intervals.emplace_back(at, at + random.uniform(4, 9));
    }
    const bool redials = random.chance(0.5);
    calls.clear();
    if (redials) {
      double from = 1;
      for (const auto& [at, until] : intervals) {
        calls.emplace_back(from, until - 0.5);
        from = until + random.uniform(0.2, 2);
      }
      calls.emplace_back(from, seconds);
    } else {
      calls.emplace_back(1.0, seconds);
    }
    add(world.down, std::make_unique<Blackout>(intervals, the_call()));
    add(world.up, std::make_unique<Blackout>(intervals, the_call()));
    world.page_every = 3;
  }
  add(world.down, std::make_unique<Queue>(line, queue, everything()));
  if (starts("shaper")) add(world.down, std::make_unique<Queue>(*truth.cap_bps, random.uniform(2000, 8000), the_call()));
  add(world.up, std::make_unique<Queue>(std::max(line / 4, 200'000.0), 50'000, everything()));
  add(world.down, std::make_unique<RandomLoss>(random, random.uniform(0.0005, 0.004)));
  if (random.chance(0.3)) add(world.down, std::make_unique<Holds>(random, random.uniform(30, 90), random.uniform(0.05, 0.4), 0));   // host stalls
  add(world.down, std::make_unique<Delay>(random, random.uniform(0.005, 0.08), random.uniform(0.0002, 0.004)));
  world.hops = static_cast<std::uint8_t>(random.uniform(45, 60));
  if (name == "capture_drops") {
    for (double t = random.uniform(0, 2); t < seconds; t += random.uniform(0.5, 3)) world.capture_holes.push_back({t, t + random.uniform(0.01, 0.08)});
  }
  std::uint16_t port = static_cast<std::uint16_t>(20000 + random.index(20000));
  for (const auto& [from, to] : calls) world.call(codec, video, from, to, port = static_cast<std::uint16_t>(port + 2), packet_time, scale);
  world.run_media();
  world.run_web(seconds);
  truth.binds = world.call_offered > 0 && static_cast<double>(world.call_dropped) >= 0.02 * static_cast<double>(world.call_offered);
  std::stable_sort(world.frames.begin(), world.frames.end(), [](const Frame& a, const Frame& b) { return a.time < b.time; });
  result.frames = std::move(world.frames);
  return result;
}

void replay(const Simulated& simulated, callwitness::capture::PacketSink& sink) {
  std::uint64_t ordinal = 0;
  for (const auto& frame : simulated.frames) {
    Packet packet;
    packet.time = Time(std::chrono::seconds(1'700'000'000)) + callwitness::capture::from_seconds(frame.time);
    packet.bytes = frame.bytes;
    packet.wire_length = static_cast<std::uint32_t>(frame.bytes.size());
    packet.link_type = LinkType{1};
    packet.ordinal = ++ordinal;
    sink.on_packet(packet);
  }
  sink.finish();
}

}  // namespace montecarlo
