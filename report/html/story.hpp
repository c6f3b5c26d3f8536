// Several observations side by side: what happened in June and in November, over two operators, through a VPN.
#pragma once

#include "report/writer.hpp"

#include <string>
#include <vector>

namespace callwitness::report {

struct StoryPart {
  std::string label;                               ///< the user's words or a file's name
  std::string page;                                ///< relative address of its own page; empty: none
  const metrics::Analysis* analysis = nullptr;
  bool has_packets = true;
};

/// One page: a row and a picture for each, in time order, and what repeats. What they say together is judged by
/// metrics::judge_together.
void write_story(std::vector<StoryPart> parts, const WriteOptions& options, std::ostream& out);

}  // namespace callwitness::report
