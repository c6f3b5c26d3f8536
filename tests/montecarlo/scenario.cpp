// What the scenarios are made of: which call, through which network.
#include "scenario.hpp"

#include "homes.hpp"
#include "world.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace montecarlo {
namespace {

using callwitness::capture::LinkType;
using callwitness::capture::Packet;
using callwitness::capture::Time;

void add(Path& path, std::unique_ptr<Element> element) { path.elements.push_back(std::move(element)); }

double offered_of(Codec codec, double packet_time, double scale) {
  const double overhead = codec == Codec::opaque || codec == Codec::opaque_steady ? 28 : 40;
  const double size = codec == Codec::g711 ? 160 : codec == Codec::opaque_steady ? 70 * scale : 80 * scale;
  return (size + overhead) * 8 / packet_time;
}

}  // namespace

std::vector<std::string_view> benign_scenarios() {
  std::vector<std::string_view> names = {"constant_bitrate_codec", "dtx_silence", "adaptive_video", "video_after_cross_traffic", "wifi_bursts", "wifi_scans", "lte_handover", "slow_line_video",
          "slow_line_audio", "slow_line_small_queue", "slow_line_starving_the_rest", "slow_line_and_wifi", "congestion", "plan_cap_on_everything", "plan_shaper_on_everything", "capture_drops", "capture_flush_holes",
          "human_redials", "bot_redials_300s", "line_flaps", "random_loss", "opaque_codec", "opaque_random_loss", "opaque_odd_frames", "opaque_unlike_ends", "opaque_changing_frames", "opaque_speech", "opaque_extra_packets", "no_control_traffic", "idle_then_nat_timeout", "changing_packet_time_wifi_bursts", "changing_packet_time_wifi_scans", "changing_packet_time_random_loss", "fading_line", "fading_line_wandering", "fading_line_video", "fading_line_opaque", "satellite_changes", "satellite_changes_opaque", "satellite_changes_video", "fair_queue_video",
          "silent_hangups", "remote_end_loss"};
  const auto more = homes();
  names.insert(names.end(), more.begin(), more.end());
  return names;
}

std::vector<std::string_view> interfering_scenarios() {
  return {"policer_constant", "policer_opus", "policer_dtx", "policer_video", "policer_opaque", "policer_opaque_speech", "policer_begins", "policer_steps", "policer_comes_and_goes", "policer_and_wifi", "shaper_constant", "shaper_opaque", "shaper_opus", "shaper_begins", "shaper_comes_and_goes", "shaper_video", "quota", "periodic_blackhole",
          "cuts_after_uptime", "freeze_at_bytes"};
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
  if (name == "freeze_at_bytes") codec = Codec::opus;   // of a constant codec bytes and seconds are the same thing
  if (has("opaque")) codec = random.chance(0.5) ? Codec::opaque : Codec::opaque_steady;
  world.speech = has("speech");
  if (world.speech) codec = Codec::opaque;
  const bool video = has("video");
  double packet_time = codec == Codec::g711 ? 0.02 : random.chance(0.7) ? 0.02 : has("shaper") ? 0.02 : 0.06;
  const double scale = random.uniform(0.8, 1.6);
  if (name == "opaque_odd_frames")
    packet_time = std::array{1024 / 96000.0, 512 / 44100.0, 1 / 64.0, 1 / 60.0, 1024 / 48000.0, 1024 / 44100.0, 0.024, 0.025, 2 / 64.0, 0.032, 1 / 30.0, 0.050, 4 / 64.0}[random.index(13)];
  if (name == "opaque_unlike_ends") packet_time = std::array{0.01, 0.02, 0.03, 0.04, 0.06}[random.index(5)], world.sent_packet_time = 0.02;
  if (name == "opaque_changing_frames") packet_time = 0.02, world.frames_change = true, world.frames_add_up = random.chance(0.5);
  if (starts("changing_packet_time")) codec = Codec::opus, packet_time = 0.02, world.frames_change = true, world.frames_add_up = random.chance(0.5), world.frames_dwell = random.uniform(5, 40);
  if (name == "opaque_extra_packets") packet_time = std::array{0.02, 0.04, 0.06}[random.index(3)], world.extra_packets = random.uniform(0.01, 0.15);
  double line = random.uniform(2e6, 20e6);
  double queue = line / 8 * random.uniform(0.05, 0.3);
  const double offered = (world.speech ? 0.9 : 1) * offered_of(codec, packet_time, scale);   // of 95 and 30 bytes, 3 to 2: 69 for 80
  world.page_every = random.uniform(6, 20);
  world.page_bytes = random.uniform(200'000, 800'000);

  // A cap beside the line, before it (the provider's side).
  const double severity = random.uniform(0.5, 0.95);
  truth.severity = severity;
  if (starts("policer") || starts("shaper")) {
    truth.interference = true;
    truth.mechanism = starts("policer") ? "policer" : "shaper";
    const double depth = random.uniform(1600, video ? 30000 : 6000);
    double cap = video ? random.uniform(150'000, 500'000) : severity * offered;
    double from = 0;
    if (has("begins") || has("comes_and_goes")) from = seconds * random.uniform(0.15, 0.4);
    if (has("comes_and_goes")) truth.until = seconds * random.uniform(0.7, 0.9);
    truth.from = from;
    if (starts("shaper")) {
      // Comes after the line: put there below.
    } else if (has("steps")) {
      truth.caps_bps = {cap};
      const double second = cap * random.uniform(0.6, 0.85);
      add(world.down, std::make_unique<Policer>(std::vector<Policer::Step>{{0, cap}, {seconds * random.uniform(0.4, 0.6), second}}, depth, the_call()));
      cap = second;
    } else {
      constexpr double no_limit = 1e9;
      add(world.down, std::make_unique<Policer>(std::vector<Policer::Step>{{from, cap}, {truth.until.value_or(seconds), no_limit}}, depth, the_call()));
    }
    truth.caps_bps.push_back(cap);
    truth.cap_bps = cap;
  }
  if (name == "quota") {
    truth.interference = true;
    truth.mechanism = name;
    const double period = std::array{1.0, 2.0, 5.0, 10.0}[random.index(seconds >= 120 ? 4 : 3)], cap = severity * offered;
    add(world.down, std::make_unique<Quota>(period, cap * period / 8, the_call()));
    truth.caps_bps = {cap};
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
  if (name == "fair_queue_video") {
    // A slow line whose router shares it evenly between the call and downloads that come and go.
    line = random.uniform(800'000, 4e6);
    world.page_every = random.uniform(0.5, 4);
    world.page_bytes = line / 8 * random.uniform(2, 15);
    world.web_rate = random.uniform(0.4, 1.5) * line;
    world.most_at_once = 1 + random.index(12);
  }
  Home home{name, seconds, offered, video, line, queue, false, {}};
  furnish(home, world);
  line = home.line, queue = home.queue;
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
  if (has("wifi_scans")) add(world.down, std::make_unique<Holds>(random, 10, random.uniform(0.1, 0.3), random.uniform(0.3, 1)));
  if (has("lte_handover")) add(world.down, std::make_unique<Holds>(random, 90, random.uniform(0.2, 1.8), random.uniform(0, 1)));
  if (name == "remote_end_loss") add(world.down, std::make_unique<RandomLoss>(random, random.uniform(0.01, 0.1), the_call()));
  if (has("random_loss")) add(world.down, std::make_unique<RandomLoss>(random, random.uniform(0.01, 0.08)));
  if (name == "line_flaps") {
    std::vector<std::pair<double, double>> intervals;
    for (double t = random.exponential(40); t < seconds; t += 10 + random.exponential(60)) intervals.emplace_back(t, t + random.uniform(3, 10));
    add(world.down, std::make_unique<Blackout>(intervals, everything()));
    world.page_every = 4;
  }
  if (starts("satellite")) {
    // Another satellite every 15 s, to the millisecond: a moment without any, mostly.
    std::vector<std::pair<double, double>> intervals;
    const double gap = random.uniform(0.05, 0.5), often = random.uniform(0.5, 1);
    for (double t = random.uniform(0, 15); t < seconds; t += 15)
      if (random.chance(often)) intervals.emplace_back(t, t + gap * random.uniform(0.7, 1.3));
    add(world.down, std::make_unique<Blackout>(intervals, everything()));
    add(world.up, std::make_unique<Blackout>(intervals, everything()));
  }
  std::vector<std::pair<double, double>> calls = {{random.uniform(0.5, 2), seconds - 0.5}};
  double hangs_up = 0;
  std::size_t hosts = 1;
  if (name == "human_redials" || name == "silent_hangups") {
    if (name == "silent_hangups") hangs_up = random.uniform(3, 9);   // our end goes on sending: nobody said goodbye
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
  if (name == "cuts_after_uptime" || name == "freeze_at_bytes") {
    truth.interference = true;
    const std::size_t count = 4 + random.index(4);
    const double uptime = random.uniform(25, 60);
    const bool frozen = name == "freeze_at_bytes";
    if (frozen) truth.freezes = true, world.freeze_bytes = random.uniform(100'000, 300'000), hosts = 2 + random.index(2);
    else truth.period_s = uptime, truth.cuts = count;
    calls.clear();
    std::vector<std::pair<double, double>> intervals;
    for (double from = random.uniform(1, 10); calls.size() < count;) {
      const double at = from + uptime + random.normal(0, 0.005 * uptime), until = at + random.uniform(4, 9);
      calls.emplace_back(from, frozen ? from + 120 : until - 0.2);
      if (!frozen) intervals.emplace_back(at, until);
      // The program calls again by itself; whether people do so or a recording has ended, nobody can tell.
      from = calls.back().second + (frozen ? random.uniform(2, 60) : random.uniform(0.2, 2));
    }
    seconds = world.seconds = calls.back().second + 5;
    add(world.down, std::make_unique<Blackout>(intervals, the_call()));
    add(world.up, std::make_unique<Blackout>(intervals, the_call()));
    world.page_every = 3;
  }
  if (starts("fading_line")) {
    // Fades to about what the call takes, or to rates that wander around it.
    std::vector<FadingLine::Step> steps;
    for (double t = 0; t < seconds;) {
      steps.push_back({t, line});
      t += random.exponential(20);
      double faded = random.uniform(0.5, 1.2) * (video ? 300'000 : offered);
      for (const double until = t + random.uniform(5, 40); t < until; t += name == "fading_line_wandering" ? random.uniform(0.5, 4) : 40) {
        steps.push_back({t, faded});
        faded *= random.uniform(0.8, 1.25);
        if (name != "fading_line_wandering") { t = until; break; }
      }
    }
    add(world.down, std::make_unique<FadingLine>(steps, random.uniform(3'000, 100'000)));
  } else if (name == "fair_queue_video") {
    add(world.down, std::make_unique<FairQueue>(random, line, random.uniform(0.2, 0.6)));
  } else if (!home.own_line) {
    add(world.down, std::make_unique<Queue>(line, queue, everything()));
  }
  if (has("and_wifi")) {
    // At home, behind what limits: scans that hold packets back, a few of them lost, and a busy channel's jitter.
    add(world.down, std::make_unique<Holds>(random, random.uniform(5, 15), random.uniform(0.05, 0.25), random.uniform(0, 0.3)));
    add(world.down, std::make_unique<Delay>(random, 0.001, random.uniform(0.003, 0.015)));
  }
  world.delay_control = name == "shaper_video" || (name == "fair_queue_video" && random.chance(0.5));
  if (starts("shaper")) add(world.down, std::make_unique<Queue>(*truth.cap_bps, video ? *truth.cap_bps / 8 * random.uniform(0.3, 1) : random.uniform(2000, 8000), the_call(), truth.from, truth.until.value_or(seconds)));
  add(world.up, std::make_unique<Queue>(std::max(line / 4, 200'000.0), 50'000, everything()));
  add(world.down, std::make_unique<RandomLoss>(random, random.uniform(0.0005, 0.004)));
  if (random.chance(0.3)) add(world.down, std::make_unique<Holds>(random, random.uniform(30, 90), random.uniform(0.05, 0.4), 0));   // host stalls
  add(world.down, std::make_unique<Delay>(random, random.uniform(0.005, 0.08), random.uniform(0.0002, 0.004)));
  for (auto& element : home.last) add(world.down, std::move(element));
  world.hops = static_cast<std::uint8_t>(random.uniform(45, 60));
  if (name == "capture_drops") {
    for (double t = random.uniform(0, 2); t < seconds; t += random.uniform(0.5, 3)) world.capture_holes.push_back({t, t + random.uniform(0.01, 0.08)});
  }
  if (name == "capture_flush_holes") {
    const double every = random.uniform(0.3, 3), length = random.uniform(0.01, 0.03);
    for (double t = random.uniform(0, every); t < seconds; t += every) world.capture_holes.push_back({t, t + length});
  }
  std::uint16_t port = static_cast<std::uint16_t>(20000 + random.index(20000));
  for (std::size_t i = 0; i < calls.size(); ++i)
    world.call(codec, video, calls[i].first, calls[i].second, port = static_cast<std::uint16_t>(port + 2), packet_time,
               truth.freezes ? scale * random.uniform(0.7, 1.4) : scale, hangs_up, 5 + static_cast<std::uint32_t>(i % hosts));
  // Another application, with somebody else.
  if (starts("two_callers")) world.call(random.chance(0.5) ? Codec::opaque : Codec::opaque_steady, false, random.uniform(0, 5), seconds - random.uniform(0, 5), port = static_cast<std::uint16_t>(port + 2), packet_time, scale, 0, 77);
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
    packet.time = epoch + callwitness::capture::from_seconds(frame.time);
    packet.bytes = frame.bytes;
    packet.wire_length = static_cast<std::uint32_t>(frame.bytes.size());
    packet.link_type = LinkType{1};
    packet.ordinal = ++ordinal;
    sink.on_packet(packet);
  }
  sink.finish();
}

}  // namespace montecarlo
