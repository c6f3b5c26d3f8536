// The simulated machine: codecs, calls and web downloads in one event loop, and the frames that its capture holds.
#pragma once

#include "network.hpp"
#include "scenario.hpp"

#include <algorithm>
#include <cmath>
#include <span>

namespace montecarlo {

inline constexpr std::uint32_t local_address = 0xc0a80117;   // 192.168.1.23

inline void put16(std::vector<std::uint8_t>& to, std::uint32_t v) { to.push_back(static_cast<std::uint8_t>(v >> 8)); to.push_back(static_cast<std::uint8_t>(v)); }
inline void put32(std::vector<std::uint8_t>& to, std::uint32_t v) { put16(to, v >> 16); put16(to, v & 0xffff); }

struct Wire {
  std::uint32_t remote = 0;
  std::uint16_t local_port = 0, remote_port = 0;
  bool tcp = false;
  std::uint32_t local = local_address;
};

inline std::vector<std::uint8_t> frame(const Wire& wire, bool sent, std::span<const std::uint8_t> transport, std::uint8_t hops) {
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
  put32(bytes, sent ? wire.local : wire.remote);
  put32(bytes, sent ? wire.remote : wire.local);
  bytes.insert(bytes.end(), transport.begin(), transport.end());
  return bytes;
}

inline std::vector<std::uint8_t> udp(const Wire& wire, bool sent, const std::vector<std::uint8_t>& payload) {
  std::vector<std::uint8_t> bytes;
  put16(bytes, sent ? wire.local_port : wire.remote_port);
  put16(bytes, sent ? wire.remote_port : wire.local_port);
  put16(bytes, static_cast<std::uint32_t>(8 + payload.size()));
  put16(bytes, 0);
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  return bytes;
}

inline std::vector<std::uint8_t> tcp(const Wire& wire, bool sent, std::uint32_t sequence, std::uint32_t acknowledgement, std::uint8_t flags, std::size_t payload) {
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
  double lost_recent = 0, sent_recent = 0, next_control = 0, least_delay = 0;
  double packet_time = 0.02, bitrate_scale = 1;
  double frames_change_at = 0;               ///< and again and again: one frame a packet, then two
  int frames = 1;
  std::size_t call = 0;
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
  double sent_packet_time = 0;               ///< of our own end; 0: the same as the peer's
  bool frames_change = false;                ///< the sender packs one frame or two into a packet, as it likes,
  double frames_dwell = 8;                   ///< for so many seconds on average
  bool frames_add_up = true;                 ///< two frames are twice as long; else the codec's rate is halved
  bool delay_control = false;                ///< video backs off when it is held up, not only when it loses
  double held_up = 0;                        ///< the newest packet of a call that passed, seconds
  bool speech = false;                       ///< large packets in speech, small ones in its pauses, all on the grid
  double extra_packets = 0;                  ///< share of packets that another follows half a packet time later
  double freeze_bytes = 0;                   ///< received by a call, after which nothing of it passes any more; 0: never
  std::vector<double> call_received, frozen_at;
  struct Hole { double from, to; };
  std::vector<Hole> capture_holes;
  struct Move { double time; std::uint32_t address; };
  std::vector<Move> moves;                   ///< our own end gets another address, and the call goes on from there

  std::uint32_t address_at(double time) const {
    std::uint32_t address = local_address;
    for (const auto& move : moves)
      if (time >= move.time) address = move.address;
    return address;
  }

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
    m.wire.local = address_at(time);
    auto transport = udp(m.wire, m.sent, payload);
    SimPacket packet{time, time, static_cast<double>(20 + transport.size()), 0, true, m.video};
    const bool frozen = freeze_bytes > 0 && call_received[m.call] >= freeze_bytes;
    if (frozen) m.to = std::min(m.to, frozen_at[m.call] + 8);   // then people give up
    if (m.sent) {
      capture(time, frame(m.wire, true, transport, hops));
      return !frozen && up.pass(packet);
    }
    ++call_offered;
    const bool passed = !frozen && down.pass(packet);
    if (passed) {
      call_received[m.call] += packet.bytes;
      frozen_at[m.call] = time;
      held_up = packet.arrival - time;
    }
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
        if (delay_control) {
          if (m.least_delay <= 0 || held_up < m.least_delay) m.least_delay = held_up;
          if (held_up > m.least_delay + 0.06) m.rate *= 0.8;
        }
        m.rate = std::max(60'000.0, m.rate);
        m.lost_recent = m.sent_recent = 0;
        m.next_control = now + (delay_control ? 0.5 : 1);
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
    else if (speech) {
      if (now > m.silent_until) m.talking_until = now + random.exponential(1.5), m.silent_until = m.talking_until + random.exponential(1);
      m.size = std::max(10.0, (now < m.talking_until ? 95 : 30) * m.bitrate_scale * random.normal(1, 0.15));
    } else m.size = std::clamp(m.size + random.normal((80 * m.bitrate_scale - m.size) * 0.1, 8 * m.bitrate_scale), 30.0, 400.0);
    std::vector<std::uint8_t> payload;
    if (m.codec == Codec::opaque || m.codec == Codec::opaque_steady) {
      for (int i = 0; i < static_cast<int>(m.size); ++i) payload.push_back(static_cast<std::uint8_t>(random.next() >> 24));
    } else {
      payload = rtp(m, static_cast<std::size_t>(m.size), false);
    }
    if (frames_change && now >= m.frames_change_at) m.frames = 3 - m.frames, m.frames_change_at = now + random.exponential(frames_dwell);
    if (m.frames == 2 && frames_add_up) payload.insert(payload.end(), payload.begin(), payload.end());
    emit(m, now, payload);
    if (extra_packets > 0 && random.chance(extra_packets)) emit(m, now + m.packet_time / 2, payload);
    m.timestamp += static_cast<std::uint32_t>(clock * m.packet_time) * static_cast<std::uint32_t>(m.frames);
    m.next = now + m.packet_time * m.frames * random.uniform(0.98, 1.02);
  }

  /// `hangs_up`: seconds by which the far end stops earlier. `host`: the last byte of its address.
  void call(Codec codec, bool with_video, double from, double to, std::uint16_t port, double packet_time, double scale, double hangs_up = 0, std::uint32_t host = 5) {
    const Wire wire{0xcb007100u + host, port, 23456, false};
    call_received.push_back(0);
    frozen_at.push_back(0);
    for (const bool sent : {true, false}) {
      Media audio;
      audio.codec = codec;
      audio.wire = wire;
      audio.sent = sent;
      audio.from = audio.next = from + random.uniform(0, 0.02);
      audio.to = to - (sent ? 0 : hangs_up) + random.uniform(0, 0.05);
      audio.call = call_received.size() - 1;
      audio.ssrc = static_cast<std::uint32_t>(random.next() >> 32);
      audio.sequence = static_cast<std::uint32_t>(random.next() >> 48);
      audio.packet_time = sent && sent_packet_time > 0 ? sent_packet_time : packet_time;
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
  struct Again { double time; std::uint32_t sequence; };   ///< a lost segment, sent again a round trip later
  struct Download { Wire wire; double next, left, rate; std::uint32_t sequence; double slowed; bool open; std::vector<Again> again, under_way; };
  std::vector<Download> downloads;
  double next_page = 1, page_every = 10, web_rate = 6'000'000, page_bytes = 500'000;
  std::size_t most_at_once = 1000;           ///< of downloads: who waits for eight opens no ninth
  bool web = true;

  void run_web(double until) {
    if (!web) return;
    while (next_page < until) {
      std::erase_if(downloads, [](const Download& d) { return d.left <= 0; });
      if (downloads.size() >= most_at_once) {
        next_page = until;
        break;
      }
      downloads.push_back({{0xc6336400u + static_cast<std::uint32_t>(random.index(5)), static_cast<std::uint16_t>(40000 + random.index(20000)), 443, true, address_at(next_page)},
                           next_page, page_bytes * random.uniform(0.5, 1.5), 300'000, 1000, 0, false, {}, {}});
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
    if (d.wire.local != address_at(now)) return void(d.left = 0);   // its end is gone
    if (!d.open) {
      capture(now, frame(d.wire, true, tcp(d.wire, true, 500, 0, 2, 0), hops));
      SimPacket reply{now, now, 40, d.wire.local_port, false, false};
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
    SimPacket packet{now, now, 1500, d.wire.local_port, false, false};
    const bool repeats = !d.again.empty() && d.again.front().time <= now;
    const std::uint32_t sequence = repeats ? d.again.front().sequence : d.sequence;
    if (repeats) d.again.erase(d.again.begin());
    else d.sequence += 1460;
    const bool passed = down.pass(packet);
    if (!passed) d.again.push_back({now + 0.12, sequence});
    if (passed) {
      capture(packet.arrival, frame(d.wire, false, tcp(d.wire, false, sequence, 801, 16, 1460), hops));
      // What is acknowledged has come: up to the first hole, be it lost or overtaken.
      std::uint32_t whole = d.sequence;
      for (const auto& lost : d.again) whole = std::min(whole, lost.sequence);
      std::erase_if(d.under_way, [&](const Again& other) { return other.time <= now; });
      for (const auto& other : d.under_way)
        if (other.time > packet.arrival) whole = std::min(whole, other.sequence);
      d.under_way.push_back({packet.arrival, sequence});
      if (sequence / 1460 % 2) capture(packet.arrival + 0.0003, frame(d.wire, true, tcp(d.wire, true, 801, whole, 16, 0), hops));
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

}  // namespace montecarlo
