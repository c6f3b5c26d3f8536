// What each home is made of: innocent ones, all of them.
#include "homes.hpp"

#include "world.hpp"

namespace montecarlo {
namespace {

/// Two applications at once, and somebody's downloads, on a line that is hardly enough.
void two_callers(Home& home, World& world) {
  home.line = world.random.uniform(1.0, 2.0) * ((home.video ? 600'000 : home.offered) + 80'000);
  home.queue = home.line / 8 * world.random.uniform(0.05, 0.6);
  world.web_rate = 2 * home.line;
  world.page_every = world.random.uniform(5, 30);
  world.page_bytes = world.random.uniform(20'000, 200'000);
}

/// Access points that change at odd times; some addresses with them.
void roaming(Home& home, World& world) {
  auto& random = world.random;
  const double often = random.uniform(6, 40);
  const bool moves = random.chance(0.4);
  std::vector<Roaming::Change> changes;
  std::vector<FadingLine::Step> rates{{0, home.line}};
  for (double t = random.exponential(often) + 2; t < home.seconds; t += random.exponential(often) + 1) {
    const double gap = 0.1 * std::exp(random.uniform(0, std::log(30)));   // 0.1 to 3 s, short ones as often as long
    changes.push_back({t, t + gap, random.uniform(0.002, 0.06)});
    // Far from an access point radios are slow.
    rates.push_back({t + gap, random.chance(0.3) ? random.uniform(0.6, 3) * (home.video ? 500'000 : home.offered) : random.uniform(1e6, 20e6)});
    if (moves && random.chance(0.4)) world.moves.push_back({t + gap, 0x0a000000u + static_cast<std::uint32_t>(random.index(200)) + 2});
    t += gap;
  }
  world.down.elements.push_back(std::make_unique<FadingLine>(rates, random.uniform(5'000, 100'000)));
  home.own_line = true;
  const double loss = random.uniform(0, 1);
  world.up.elements.push_back(std::make_unique<Roaming>(random, changes, loss));
  home.last.push_back(std::make_unique<Roaming>(random, std::move(changes), loss));
}

/// Two links for one: DSL and a mobile network, as bonding routers and multipath tunnels use them.
void bonded(Home& home, World& world) {
  auto& random = world.random;
  const double needed = home.video ? 600'000 : home.offered;
  const bool saturates = random.chance(0.5);
  const double narrow = saturates ? random.uniform(0.15, 0.8) * needed : random.uniform(1e6, 5e6);
  const std::array<Bonded::Link, 2> links{{{home.line, home.queue, random.uniform(0.005, 0.03), random.uniform(0, 0.003)},
                                           {narrow, narrow / 8 * random.uniform(0.05, 1.5), random.uniform(0.01, 0.12), random.uniform(0, 0.03)}}};
  home.last.push_back(std::make_unique<Bonded>(random, links, random.chance(0.5) ? 0 : random.uniform(0.002, 0.015), random.uniform(0.4, 0.8)));
  world.page_every = random.uniform(4, 20);
}

/// A phone whose radio sleeps from beacon to beacon (102.4 ms and multiples), and is woken by busy traffic or not.
void sleeping(Home& home, World& world) {
  auto& random = world.random;
  const double every = 0.1024 * static_cast<double>(1 + random.index(3));
  const std::size_t kept = random.chance(0.5) ? 1000 : 4 + random.index(14);
  home.last.push_back(std::make_unique<Sleeping>(random, every, kept, random.chance(0.7) ? random.uniform(0, 0.08) : 0, random.chance(0.5) ? random.uniform(0.02, 0.3) : 0));
}

/// The plan's cap holds everything alike, and the call fills it; beside it only short requests.
void modem_shaper(Home& home, World& world) {
  auto& random = world.random;
  const double rate = home.video ? random.uniform(150'000, 500'000) : random.uniform(0.6, 1.05) * home.offered;
  world.down.elements.push_back(std::make_unique<PlanShaper>(rate, random.uniform(2'000, 30'000), random.chance(0.5) ? 0 : random.uniform(3'000, 60'000)));
  world.web_rate = random.chance(0.5) ? 2 * rate : 2e6;
  world.page_every = random.uniform(3, 20);
  world.page_bytes = random.uniform(3'000, 40'000);
}

/// A radio that is away for a moment at the same times of the second, for everybody.
void absences(Home& home, World& world) {
  auto& random = world.random;
  const double period = std::array{0.5, 1.0, 2.0, 5.0, 10.0}[random.index(5)], away = random.uniform(0.05, 0.5) * std::min(period, 2.0);
  std::vector<std::pair<double, double>> intervals;
  for (double t = random.uniform(0, period); t < home.seconds; t += period) intervals.emplace_back(t, t + away);
  const auto everybody = [](const SimPacket&) { return true; };
  world.down.elements.push_back(std::make_unique<Blackout>(intervals, everybody));
  world.page_every = random.uniform(2, 12);
}

/// Somebody uploads at the far end, over a line that is not much faster than the call.
void far_end_upload(Home& home, World& world) {
  auto& random = world.random;
  std::vector<std::pair<double, double>> uploads;
  for (double t = random.exponential(15); t < home.seconds; t += random.exponential(20)) uploads.emplace_back(t, t + random.uniform(5, 60)), t = uploads.back().second;
  const double rate = (home.video ? 400'000 : home.offered) * random.uniform(2, 15);
  world.down.elements.push_back(std::make_unique<FarUpload>(rate, rate / 8 * random.uniform(0.03, 0.4), std::move(uploads)));
}

struct Kind { std::string_view name; void (*furnish)(Home&, World&); };
constexpr Kind kinds[] = {{"two_callers", two_callers},   {"two_callers_video", two_callers}, {"roaming", roaming},           {"roaming_video", roaming},
                          {"roaming_opaque", roaming},    {"bonded", bonded},                 {"bonded_video", bonded},       {"bonded_opaque", bonded},
                          {"sleeping", sleeping},         {"sleeping_constant", sleeping},    {"sleeping_opaque", sleeping},  {"modem_shaper", modem_shaper},
                          {"modem_shaper_video", modem_shaper}, {"modem_shaper_opaque", modem_shaper}, {"absences", absences}, {"absences_constant", absences},
                          {"far_end_upload", far_end_upload}, {"far_end_upload_video", far_end_upload}, {"far_end_upload_opaque", far_end_upload}};

}  // namespace

std::vector<std::string_view> homes() {
  std::vector<std::string_view> names;
  for (const auto& kind : kinds) names.push_back(kind.name);
  return names;
}

void furnish(Home& home, World& world) {
  for (const auto& kind : kinds)
    if (kind.name == home.name) kind.furnish(home, world);
}

}  // namespace montecarlo
