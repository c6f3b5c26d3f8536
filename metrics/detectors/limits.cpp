// Rate limits of paths whose packets are numbered: policer, queue or quota. docs/methods/limits.md
#include "metrics/finding_support.hpp"
#include "metrics/models/limit.hpp"
#include "metrics/parallel.hpp"
#include "metrics/paths/path_of.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace callwitness::metrics {

std::vector<Finding> limits(const DetectorInput& input) {
  std::vector<Finding> findings;
  static constexpr const char* names[] = {"policer", "queue", "quota"};
  const auto show = [&](const char* what, const Arm& arm, const models::Path& path) {
      const auto t1 = std::chrono::steady_clock::now();
      const auto limits = models::find_limits(path);
      const auto t2 = std::chrono::steady_clock::now();
      const auto ms = [](auto d) { return std::chrono::duration<double, std::milli>(d).count(); };
      std::fprintf(stderr, "%s flow %u dir %d whole %d streams %zu packets %zu %.1f ms\n", what, static_cast<unsigned>(arm.flow), static_cast<int>(arm.direction), arm.whole_flow, arm.streams.size(), path.packets.size(), ms(t2 - t1));
      for (const auto& limit : limits)
        std::fprintf(stderr, "  LIMIT %s %.0f (%.0f-%.0f) bit/s depth %.0f-%.0f  %.1f-%.1f s n %zu lost %zu M %.1f D %.1f share %.3f queue gain %.0f each %.2f p95 %.3f r %.0f standing %.2f quota P %.3f bytes %.0f used %zu score %.0f time %.0f bucket %.0f innocent %.0f bound %zu\n", names[static_cast<int>(limit.kind)], limit.rate * 8, limit.rate_low * 8, limit.rate_high * 8,
                     limit.depth_low, limit.depth_high, limit.start, limit.end, limit.packets, limit.losses, limit.cause.margin, limit.cause.gain, limit.cause.share,
                     limit.queue.gain, limit.queue.gain_each(), limit.queue.delay_p95, limit.queue.rate * 8, limit.queue.standing, limit.quota.period, limit.quota.bytes, limit.quota.used_up, limit.quota.score, limit.quota.by_time, limit.cause.bucket.score, limit.cause.innocent, limit.bound.size());
  };
  if (std::getenv("LIMITS_DEBUG") != nullptr)
    for (const auto direction : {Direction::received, Direction::sent}) {
      std::vector<models::Path> paths;
      const Arm* one = nullptr;
      for (const auto& arm : input.arms) {
        if (arm.direction != direction || arm.source != LossSource::sequence || !can_show_losses(input.observation, arm)) continue;
        if (arm.whole_flow) paths.push_back(path_of(input.observation, arm)), one = &arm;
        if (arm.lost < 15) continue;
        show("ARM", arm, path_of(input.observation, arm));
      }
      if (paths.size() < 2) continue;
      std::vector<const models::Path*> all;
      for (const auto& path : paths) all.push_back(&path);
      show("POOL", *one, joined(all));
    }
  return findings;
}

}  // namespace callwitness::metrics
