// Independent pieces of work on all processors. The results must not depend on the order.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace callwitness::metrics {

/// Calls `work(i)` for 0 ≤ i < count, from several threads where there is enough to do. `work` must not throw.
template <class Work>
void for_each_index(std::size_t count, Work work) {
  constexpr std::size_t worth_a_thread = 32, most_threads = 8;
  const std::size_t threads = std::min({most_threads, count / worth_a_thread, static_cast<std::size_t>(std::max(1u, std::thread::hardware_concurrency()))});
  std::atomic<std::size_t> next = 0;
  const auto run = [&] {
    for (std::size_t i = next++; i < count; i = next++) work(i);
  };
  std::vector<std::jthread> others;
  for (std::size_t k = 1; k < threads; ++k) others.emplace_back(run);
  run();
}

}  // namespace callwitness::metrics
