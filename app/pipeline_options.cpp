#include "app/pipeline.hpp"

namespace callwitness::app {

capture::Result<PipelineOptions> pipeline_options(const Options& options) {
  PipelineOptions pipeline;
  pipeline.source.filter = options.filter;
  pipeline.source.packet_limit = options.packet_limit;
  pipeline.quiet = options.quiet;
  for (const auto& text : options.local) {
    const auto address = capture::IpAddress::parse(text);
    if (!address)
      return capture::Error{capture::Error::Kind::usage, "read --local " + text, "it is no IPv4 or IPv6 address", "e.g. --local 192.168.1.5"};
    pipeline.classifier.local.push_back(*address);
  }
  return pipeline;
}

}  // namespace callwitness::app
